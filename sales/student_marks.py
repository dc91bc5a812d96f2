"""The marks of Tripwire that the funnel's watch looks at: access opened, and students signing in.

Supabase keeps the last sign-in of an account only, and a session for each that has not ended; of an
hour each student counts once.
"""

from datetime import datetime

from django.utils.translation import gettext_lazy

from funnel.signals.marks import RECORDERS, MarkId, Recorder, Series
from onai.db import postgres
from onai.db.visibility import Visibility, visibility

_OPENED = "select user_id, created_at as at from tripwire_users where created_at >= %(since)s"
_SIGNED_IN = """
select signed.user_id, signed.at from (
  select id as user_id, last_sign_in_at as at from auth.users where last_sign_in_at >= %(since)s
  union all
  select user_id, created_at from auth.sessions where created_at >= %(since)s
) as signed
where exists (select from tripwire_users student where student.user_id = signed.user_id)
  and not exists (select from sales_staff staff where staff.user_id = signed.user_id)
"""
_WHY = {
    Visibility.MISSING: gettext_lazy("таблицы %(table)s нет"),
    Visibility.NOT_GRANTED: gettext_lazy("нашей роли не дано право читать %(table)s"),
    Visibility.FILTERED: gettext_lazy("защита строк (RLS) скрывает от нас строки %(table)s"),
}


def _recorder(events: str, *tables: str) -> Recorder:
    """A mark whose events (`user_id`, `at`) a statement selects; each user once an hour."""

    def hourly(since: datetime, until: datetime | None) -> Series:
        now = postgres.clock("tripwire")
        statement = f"""
          select floor(date_part('epoch', at) / 3600)::int, count(distinct user_id), max(at)
          from ({events}) as event where at < %(until)s group by 1
        """  # noqa: S608
        rows = postgres.rows("tripwire", statement, {"since": since, "until": until or now})
        last = max((last for _hour, _count, last in rows), default=None)
        return Series(now, {hour: count for hour, count, _last in rows}, last)

    def last_before(before: datetime) -> datetime | None:
        statement = f"select max(at) from ({events}) as event where at < %(before)s"  # noqa: S608
        about = {"since": "-infinity", "before": before}
        last: datetime | None = postgres.value("tripwire", statement, about)
        return last

    def unreadable() -> str:
        for table in tables:
            seen = visibility("tripwire", table)
            if seen in _WHY:
                return str(_WHY[seen]) % {"table": table}
        return ""

    return Recorder(hourly, last_before, unreadable)


def watch_student_marks() -> None:
    """Have the funnel's watch look at both."""
    RECORDERS[MarkId.ACCESS_OPENED] = _recorder(_OPENED, "tripwire_users")
    RECORDERS[MarkId.SIGNED_IN] = _recorder(_SIGNED_IN, "auth.users", "auth.sessions")
