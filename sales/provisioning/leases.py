"""Work across two systems that outlives whoever began it.

A row that is open is leased to one worker at a time. Whoever holds the lease finishes or undoes
what the row says; when they die, the lease runs out and the next one takes it up.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, OperationalError
from django.db.models import F, Model
from django.db.models.functions import Now

from onai.db import postgres
from onai.identity.accounts import OutcomeUnclear

logger = logging.getLogger(__name__)

# Longer than a request usually works on what it began. Two at once would do no harm.
LEASE = timedelta(seconds=25)
_LONGEST_LEASE = timedelta(minutes=5)
_UNCLEAR_IN_A_ROW = 3


def take(work: type[Model], pk: UUID) -> Any:
    """The open row with this id, leased to us; None if somebody else is at it, or has closed it.

    Leases grow with the attempts, so that what does not end keeps nothing else waiting.
    """
    rows = work._default_manager.filter(pk=pk, state="open")
    tried = rows.values_list("attempts", flat=True).first()
    lease = min(LEASE * 2 ** min((tried or 1) - 1, 10), _LONGEST_LEASE)
    leased = rows.filter(leased_until__lte=Now()).update(
        leased_until=Now() + lease, attempts=F("attempts") + 1
    )
    return work._default_manager.get(pk=pk) if leased else None


def finish_expired(work: type[Model], finish: Callable[[UUID], bool], *, limit: int) -> int:
    """Finish or undo what nobody is working on any more; answers how many rows were closed."""
    expired = work._default_manager.filter(
        state="open", leased_until__lte=postgres.clock("tripwire")
    )
    closed = unclear = 0
    # Whichever has waited longest since its last try, so that none keeps the others from theirs.
    for pk in list(expired.order_by("leased_until").values_list("pk", flat=True)[:limit]):
        try:
            closed += finish(pk)
            unclear = 0
        except OutcomeUnclear as outcome:
            # One that Supabase itself has answered says nothing of the next.
            unclear = 0 if outcome.error else unclear + 1
        except OperationalError:
            raise
        except DatabaseError as error:
            # Without its text, which holds the row. The others are not to wait for this one.
            about = {"work": work.__name__, "id": str(pk), "error": type(error).__name__}
            logger.error("work_cannot_be_finished", extra=about)
        if unclear == _UNCLEAR_IN_A_ROW:
            break  # Supabase is down; the others would only wait for it as well.
    return closed
