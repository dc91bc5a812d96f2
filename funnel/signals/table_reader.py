"""The marks that Landing's other tables record: a way to pay chosen, a deal won in the CRM."""

from datetime import datetime

from funnel.landing.optional_tables import COURSE_SALES, JOURNEY_STAGES
from funnel.landing.statement import ask
from funnel.signals.lead_reader import clock
from funnel.signals.marks import MarkId, Recorder, Series
from onai.db.optional_tables import OptionalTable

_CHOSEN = r"stage like 'payment\_%%'"


def table_recorder(table: OptionalTable, moment: str, condition: str = "true") -> Recorder:
    """A mark that a row of an optional table of Landing records, at the moment in a column."""

    def hourly(since: datetime, until: datetime | None) -> Series:
        now = clock()
        until = until or now
        counted = f"""
          select json_agg(json_build_array(hour, n)) as hours, max(last) as last from (
            select floor(date_part('epoch', {moment}) / 3600)::int as hour, count(*) as n,
              max({moment}) as last
            from {table.name}
            where {condition} and {moment} >= %(since)s and {moment} <= %(until)s group by 1
          ) as counted
        """
        found = ask(counted, {"since": since, "until": until})
        return Series(now, dict(found["hours"] or ()), found["last"])

    def last_before(before: datetime) -> datetime | None:
        statement = f"""
          select max({moment}) as last from {table.name}
          where {condition} and {moment} < %(before)s
        """
        last: datetime | None = ask(statement, {"before": before})["last"]
        return last

    def unreadable() -> str:
        return table.in_words(table.look())

    return Recorder(hourly, last_before, unreadable)


# Beside `metadata.paymentMethod` of a lead, which has no moment of its own.
PAYMENT_STAGES = table_recorder(JOURNEY_STAGES, "created_at", _CHOSEN)
OTHER_RECORDERS = {MarkId.CRM_WON: table_recorder(COURSE_SALES, "sale_date")}
