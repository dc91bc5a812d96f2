"""Counting what Supabase says of errors of its own, to know when it is a refusal.

It answers 500 to what it will never do, for ever, and also while its database has a bad moment.
"""

from sales.models import Change, Intention

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
