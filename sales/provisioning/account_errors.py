"""What Supabase's refusals and errors of its own are worth, for all kinds of requests.

It answers 500 to what it will never do, for ever, and also while its database has a bad moment: so
equal answers are counted, to know when they are a refusal.
"""

from datetime import timedelta

from onai.identity.accounts import Refusal
from sales.models import StudentRequest

# Longer than a request to Supabase that we gave up waiting for can still be under way there.
NOTHING_UNDER_WAY_AFTER = timedelta(minutes=10)
# Refusals that say nothing of the student; a later attempt may go through.
PASSING = (Refusal.UNREACHABLE, Refusal.RATE_LIMITED, Refusal.NOT_PERMITTED)

# So many equal ones in a row are a refusal. The leases between them grow, so that they take more
# than a minute, and a bad moment passes.
_ENOUGH = 3


def are_enough(request: StudentRequest, error: str) -> bool:
    """Note what came of an attempt; whether the same has been said often enough to believe it.

    `error` is empty for an outcome that is unclear without Supabase saying so, which ends the row.
    """
    count = 0
    if error:
        count = request.auth_errors + 1 if error == request.auth_error else 1
    if (request.auth_error, request.auth_errors) != (error, count):
        request.auth_error, request.auth_errors = error, count
        StudentRequest.objects.filter(pk=request.pk).update(auth_error=error, auth_errors=count)
    return count >= _ENOUGH


def explain(request: StudentRequest, reason: str) -> None:
    """Keep what an admin is told of why it is refused."""
    request.auth_error = reason
    StudentRequest.objects.filter(pk=request.pk).update(auth_error=reason)
