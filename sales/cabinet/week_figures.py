"""The figures of the last full week, from Monday to Sunday: who began, who has not, who went quiet.

They are as of now. Supabase keeps an account's last sign-in only, so nobody can say how many had
signed in by the end of a week: students of the earlier week have had a week longer.
"""

import logging
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from onai.periods import Period, Unit, business_day
from sales.cabinet import statistics
from sales.cabinet.attention import NOT_STARTED, QUIET, needing
from sales.cabinet.availability import Availability, availability

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WeekFigures:
    """Of one week: students whose access was opened, those of them who have signed in since, those
    of them who are in the group «не начали», and the students who went quiet in these days.

    All but `opened` are None where sign-ins cannot be read.
    """

    week: Period
    opened: int
    signed_in: int | None
    not_started: int | None
    quiet: int | None

    @property
    def others(self) -> int:
        """Whose access was closed, is younger than a day, or whose account we do not see."""
        return self.opened - (self.signed_in or 0) - (self.not_started or 0)


def week_figures(week: Period, known: Availability, *, manager_id: UUID | None) -> WeekFigures:
    """The figures of one manager's students, or of all."""
    students = statistics.students_of(manager_id)
    opened = students.created_in(week.start, week.end)
    if not known.sign_ins:
        return WeekFigures(week, opened.count(), None, None, None)
    return WeekFigures(
        week,
        opened=opened.count(),
        signed_in=opened.filter(account__last_sign_in_at__isnull=False).count(),
        not_started=needing(students, NOT_STARTED, known, week=week).count(),
        quiet=needing(students, QUIET, known, week=week).count(),
    )


def last_two_weeks(
    known: Availability, *, manager_id: UUID | None
) -> tuple[WeekFigures, WeekFigures]:
    """The figures of the last full week, and those of the week before it."""
    monday = business_day() - timedelta(days=7)
    (week,) = Period.day(monday).whole_units(Unit.WEEK)
    (before,) = Period.day(monday - timedelta(days=7)).whole_units(Unit.WEEK)
    return (
        week_figures(week, known, manager_id=manager_id),
        week_figures(before, known, manager_id=manager_id),
    )


def log_week_figures() -> None:
    """Write the figures of all students to the log."""
    week, before = last_two_weeks(availability(), manager_id=None)
    logger.info("students_week", extra={"last_week": _logged(week), "week_before": _logged(before)})


def _logged(figures: WeekFigures) -> dict[str, object]:
    days = {"from": figures.week.first_day.isoformat(), "to": figures.week.last_day.isoformat()}
    return {**asdict(figures), "week": days}
