"""Decides when an error of Supabase counts as a refusal, for all kinds of requests.

Supabase answers 500 both to what it will never do and while its database fails for a moment. So
equal errors in a row are counted, and enough of them are a refusal.
"""

from datetime import timedelta

from onai.identity.accounts import Refusal
from sales.models import StudentRequest

# Longer than an abandoned call to Supabase can still be running there.
NOTHING_UNDER_WAY_AFTER = timedelta(minutes=10)
# Temporary refusals, which say nothing of the student; a later attempt may succeed.
PASSING = (Refusal.UNREACHABLE, Refusal.RATE_LIMITED, Refusal.NOT_PERMITTED)

# This many equal errors in a row are a refusal. The leases between them grow, so that they take
# more than a minute, and a bad moment passes.
_ENOUGH = 3


def is_repeated_error(request: StudentRequest, error: str) -> bool:
    """Record the outcome of an attempt; returns whether the same error came often enough to count
    as a refusal.

    `error` is empty for an unclear outcome without Supabase's own error, which starts the count
    again.
    """
    count = 0
    if error:
        count = request.auth_errors + 1 if error == request.auth_error else 1
    if (request.auth_error, request.auth_errors) != (error, count):
        request.auth_error, request.auth_errors = error, count
        StudentRequest.objects.filter(pk=request.pk).update(auth_error=error, auth_errors=count)
    return count >= _ENOUGH


def keep_reason(request: StudentRequest, reason: str) -> None:
    """Record what an admin is told about the reason of the refusal."""
    request.auth_error = reason
    StudentRequest.objects.filter(pk=request.pk).update(auth_error=reason)
