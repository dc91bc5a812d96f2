"""The lease of a request: its holder works on it until the lease ends.

The holder finishes or undoes the request; if the holder dies, the next one takes over. Leases go by
the database's clock.
"""

from datetime import timedelta
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.functions import Now

from onai.db import postgres
from sales.models import RequestState, StudentRequest

# Longer than a web request usually works on it. Two at once would do no harm.
LEASE = timedelta(seconds=25)
_LONGEST_LEASE = timedelta(minutes=5)


def take(request_id: UUID) -> StudentRequest | None:
    """The open request with this id, leased to us; None if somebody else has it or has closed it.

    Leases grow with the attempts, so that a request that does not end delays nothing else.
    """
    open_one = StudentRequest.objects.filter(pk=request_id, state=RequestState.OPEN)
    tried = open_one.values_list("attempts", flat=True).first() or 1
    lease = min(LEASE * 2 ** min(tried - 1, 10), _LONGEST_LEASE)
    leased = open_one.filter(leased_until__lte=Now()).update(
        leased_until=Now() + lease, attempts=F("attempts") + 1
    )
    return StudentRequest.objects.get(pk=request_id) if leased else None


def expired() -> "QuerySet[StudentRequest]":
    """Open requests that nobody is working on, the one with the oldest attempt first."""
    return StudentRequest.objects.filter(
        state=RequestState.OPEN, leased_until__lte=postgres.clock("tripwire")
    ).order_by("leased_until")
