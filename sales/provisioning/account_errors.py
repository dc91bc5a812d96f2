"""What Supabase's refusals and errors of its own are worth, for creations and changes alike.

It answers 500 to what it will never do, for ever, and also while its database has a bad moment: so
equal answers are counted, to know when they are a refusal.
"""

from datetime import timedelta

from onai.identity.accounts import Refusal
from sales.models import Change, Intention

# Longer than a request to Supabase that we gave up waiting for can still be under way there.
NOTHING_UNDER_WAY_AFTER = timedelta(minutes=10)
# Refusals that say nothing of the student; a later attempt may go through.
PASSING = (Refusal.UNREACHABLE, Refusal.RATE_LIMITED, Refusal.NOT_PERMITTED)

# So many equal ones in a row are a refusal. The leases between them grow, so that they take more
# than a minute, and a bad moment passes.
_ENOUGH = 3


def are_enough(work: Change | Intention, error: str) -> bool:
    """Note what came of an attempt; whether the same has been said often enough to believe it.

    `error` is empty for an outcome that is unclear without Supabase saying so, which ends the row.
    """
    count = 0
    if error:
        count = work.auth_errors + 1 if error == work.auth_error else 1
    if (work.auth_error, work.auth_errors) != (error, count):
        work.auth_error, work.auth_errors = error, count
        type(work)._default_manager.filter(pk=work.pk).update(auth_error=error, auth_errors=count)
    return count >= _ENOUGH


def explain(work: Change | Intention, reason: str) -> None:
    """Keep what an admin is told of why it is refused."""
    work.auth_error = reason
    type(work)._default_manager.filter(pk=work.pk).update(auth_error=reason)
