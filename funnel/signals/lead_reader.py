"""Reads the leads once for the whole watch: the hours of each mark, the sources, the mailer.

The marks' own moments have no index, so the scan is bounded by `created_at`: a mark is expected
within `LONGEST_DELAY` of its lead, and a later one is not seen. A mark without a moment counts at
that of its lead. Nobody's contacts leave the database.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from funnel.landing.statement import ask
from funnel.models import TESTS
from funnel.signals.marks import MarkId, Recorder, Series
from onai.db.visibility import ROWS_ARE_FILTERED

LONGEST_DELAY = timedelta(days=14)
# A lead gets its e-mail and SMS after about ten minutes; without either for longer, the mailer is
# down.
MAILED_WITHIN = timedelta(minutes=30)
# How far back leads without a message are counted, and errors of the mailer.
_LATE_OVER, ERRORS_OVER = timedelta(days=1), timedelta(days=7)
_MOST_SOURCES, _MOST_ERRORS, _LONGEST_ERROR = 10, 5, 120
FLAGS = (MarkId.EMAIL_SENT, MarkId.SMS_SENT, MarkId.EMAIL_CLICKED, MarkId.SMS_CLICKED)


@dataclass(frozen=True, slots=True)
class Unmailed:
    """Leads of the last day without a message and without an error, older than half an hour.

    Leads of sources that are never mailed do not count. `oldest` is when the first of them came.
    `passed_over`: a lead that came after all of them has a message, so the mailer works.
    """

    count: int = 0
    oldest: datetime | None = None
    passed_over: bool = False


@dataclass(frozen=True, slots=True)
class MailErrors:
    """The errors of one text in the last week, without contacts. `channel` is `email` or `sms`.

    An empty text is all the rarer ones of a channel.
    """

    channel: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class LeadMarks:
    """What the leads of a span show; `sources` are its biggest, by name as written.

    `rows_are_filtered` means that the database may hide leads from us.
    """

    rows_are_filtered: bool
    marks: Mapping[MarkId, Series]
    sources: Mapping[str, Series]
    unmailed: Unmailed
    errors: tuple[MailErrors, ...]


_CHOSE = "metadata ->> 'paymentMethod' <> ''"
_HANDLED = (
    "(email_sent is true or sms_sent is true"
    " or coalesce(email_error, '') <> '' or coalesce(sms_error, '') <> '')"
)
_LATE = f"(not {_HANDLED} and created_at >= %(late_since)s and created_at < %(mailed_until)s)"
_SPAN = "created_at >= %(since)s and created_at < %(until)s"
# Leads by source and hour of creation.
_CAME = f"""
select coalesce(source, '') as source, floor(date_part('epoch', created_at) / 3600)::int as hour,
  count(*) as n, min(created_at) as first, max(created_at) as last,
  max(created_at) filter (where {_HANDLED}) as last_handled,
  count(*) filter (where {_LATE}) as late,
  min(created_at) filter (where {_LATE}) as first_late,
  max(created_at) filter (where {_LATE}) as last_late
from landing_leads where {_SPAN} group by 1, 2
"""
# Each mark at its own moment, else at that of its lead; one ahead of the clock counts as now.
_EVENTS = ", ".join(
    (
        *(
            f"('{flag}', case when {flag} then coalesce({flag}_at, created_at) end,"
            f" {flag}_at is null)"
            for flag in FLAGS
        ),
        f"('{MarkId.PAYMENT_CHOSEN}', case when {_CHOSE} then created_at end, true)",
    )
)
_MARKED = f"""
select mark, floor(date_part('epoch', least(at, %(until)s)) / 3600)::int as hour,
  count(*) as n, max(least(at, %(until)s)) as last, count(*) filter (where untimed) as untimed
from landing_leads cross join lateral (values {_EVENTS}) as event (mark, at, untimed)
where {_SPAN} and at is not null group by 1, 2
"""
# A source whose leads were never sent anything is not mailed at all. Of one that began in the last
# day that is not known yet.
_BY_SOURCE = """
select source, sum(n) as n, max(last_handled) is not null or min(first) >= %(late_since)s as mailed
from came group by 1
"""
# E-mail addresses, phones, and whatever looks like an id.
_CONTACTS = (r"[^\s<>,;:]+@[^\s<>,;:]+", r"\+?\d([\s().-]*\d){9,}|\d{7,}", r"[[:alnum:]_-]{20,}")


def _errors(channel: str) -> str:
    text = f"btrim({channel}_error)"
    for pattern in _CONTACTS:
        text = f"regexp_replace({text}, '{pattern}', '…', 'g')"
    return f"""
      select '{channel}' as channel, left({text}, {_LONGEST_ERROR}) as text, count(*) as n
      from landing_leads
      where {channel}_error <> '' and created_at >= %(errors_since)s and created_at < %(until)s
      group by 2
    """


_STATEMENT = f"""
with came as materialized ({_CAME}), by_source as ({_BY_SOURCE}),
  errors as ({_errors("email")} union all {_errors("sms")})
select {ROWS_ARE_FILTERED.format(table="'landing_leads'::regclass")} as rows_are_filtered,
  (select json_agg(json_build_array(name, tested, hour, n, last)) from (
    select case when place <= {_MOST_SOURCES} then source end as name,
      starts_with(source, '{TESTS}') as tested, hour, sum(came.n) as n, max(last) as last
    from came join (
      select source, row_number() over (order by n desc, source) as place from by_source
    ) as placed using (source)
    group by 1, 2, 3) as one) as came,
  (select json_agg(json_build_array(mark, hour, n, last, untimed)) from ({_MARKED}) as one)
    as marked,
  (select json_build_array(coalesce(sum(late), 0), min(first_late),
    coalesce(max(last_handled) > max(last_late), false))
    from came join by_source using (source) where mailed) as unmailed,
  (select json_agg(json_build_array(channel, text, n)) from (
    select channel, case when place <= {_MOST_ERRORS} then text else '' end as text, sum(n) as n
    from (
      select *, row_number() over (order by n desc, channel, text) as place from errors
    ) as placed
    group by 1, 2 order by max(place)) as one) as errors
"""


def clock() -> datetime:
    """Now, by Landing's clock. Raises as `funnel.landing.statement.ask` does."""
    now: datetime = ask("select clock_timestamp() as now", {})["now"]
    return now


def read_leads(since: datetime, until: datetime) -> LeadMarks:
    """What the leads created in `[since, until)` show, as of `until`.

    Raises as `funnel.landing.statement.ask` does.
    """
    found = ask(
        _STATEMENT,
        {
            "since": since,
            "until": until,
            "late_since": until - _LATE_OVER,
            "mailed_until": until - MAILED_WITHIN,
            "errors_since": until - ERRORS_OVER,
        },
    )
    marks: dict[str, _Gathered] = defaultdict(_Gathered)
    sources: dict[str, _Gathered] = defaultdict(_Gathered)
    for source, tested, hour, count, last in found["came"] or ():
        marks[MarkId.LEADS].add(hour, count, last)
        if tested:
            marks[MarkId.PROFTEST].add(hour, count, last)
        if source is not None:
            sources[source].add(hour, count, last)
    for mark, hour, count, last, untimed in found["marked"] or ():
        marks[mark].add(hour, count, last, untimed)
    count, oldest, passed_over = found["unmailed"]
    return LeadMarks(
        rows_are_filtered=found["rows_are_filtered"],
        marks={mark: marks[mark].series(until) for mark in LEAD_MARKS},
        sources={source: one.series(until) for source, one in sources.items()},
        unmailed=Unmailed(count, _moment(oldest) if oldest else None, passed_over),
        errors=tuple(MailErrors(*one) for one in found["errors"] or ()),
    )


LEAD_MARKS = (MarkId.LEADS, MarkId.PROFTEST, *FLAGS, MarkId.PAYMENT_CHOSEN)
_CONDITIONS = {
    MarkId.LEADS: "true",
    MarkId.PROFTEST: f"starts_with(source, '{TESTS}')",
    MarkId.PAYMENT_CHOSEN: _CHOSE,
    **{flag: flag.value for flag in FLAGS},
}


def recorder(mark: MarkId) -> Recorder:
    """How a mark of the leads is read by itself, as one that has long been silent is."""

    def hourly(since: datetime, until: datetime | None) -> Series:
        return read_leads(since, until or clock()).marks[mark]

    return Recorder(hourly, lambda before: _last_lead_with(mark, before))


def _last_lead_with(mark: MarkId, before: datetime) -> datetime | None:
    """When the last lead before a moment came that has a mark.

    Without any it reads all leads before it. Raises as `funnel.landing.statement.ask` does.
    """
    statement = f"""
      select max(created_at) as came from (
        select created_at from landing_leads
        where {_CONDITIONS[mark]} and created_at < %(before)s order by created_at desc limit 1
      ) as last
    """
    came: datetime | None = ask(statement, {"before": before})["came"]
    return came


class _Gathered:
    """A series under construction."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = defaultdict(int)
        self.last = ""
        self.untimed = 0

    def add(self, hour: int, count: int, last: str, untimed: int = 0) -> None:
        self.counts[hour] += count
        # All are written in one time zone, so that their order is that of the moments.
        self.last = max(self.last, last)
        self.untimed += untimed

    def series(self, as_of: datetime) -> Series:
        last = _moment(self.last) if self.last else None
        return Series(as_of, dict(self.counts), last, self.untimed)


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)
