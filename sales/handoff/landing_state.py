"""Whether Landing answers, when its leads were last read, and which signals it does not show."""

import logging
from dataclasses import dataclass
from datetime import datetime

import django.db

from onai.db import postgres
from sales.handoff import landing_reader
from sales.models import ReadingPosition

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LandingState:
    """When Landing was last read, None before that; whether it answers now; and which signals it
    does not show us, a sentence each.
    """

    last_at: datetime | None
    answers: bool
    unknown: tuple[str, ...] = ()


def landing_state() -> LandingState:
    """The state now. Raises Tripwire's errors."""
    position = ReadingPosition.objects.filter(sweep="new leads").first()
    last_at = position.finished_at if position else None
    try:
        unknown = tuple(landing_reader.unknown_signals())
        postgres.clock("landing")
    except django.db.Error as error:
        logger.warning("landing_not_read", extra={"error": type(error).__name__})
        return LandingState(last_at, answers=False)
    return LandingState(last_at, answers=True, unknown=unknown)
