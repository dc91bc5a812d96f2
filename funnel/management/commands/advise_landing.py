"""The index that Landing lacks for the funnel's pages, with measurements."""

from typing import Any

import django.db
from django.core.management.base import BaseCommand, CommandError

from funnel.landing import index_advice
from funnel.question import FunnelQuestion
from funnel.report.answers import statement_for
from onai.db import outage
from onai.periods import Period

_DAYS = 30
_MEGABYTE = 1024 * 1024


class Command(BaseCommand):
    help = (
        "Measure what the funnel's overview of the last 30 days costs the database Landing, and"
        " say which index would spare it work. Reads only: whoever owns the database creates it."
        " Ends with status 1 where an index is lacking."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        text, parameters = statement_for(FunnelQuestion(Period.last_days(_DAYS)), ())
        try:
            found, size = index_advice.indexes(), index_advice.size()
            measured = index_advice.measure(text, parameters)
        except django.db.Error as error:
            raise CommandError(outage.explain("landing", error).seen, returncode=2) from error
        self.stdout.write(
            f"landing_leads: about {size.rows:,} leads in {size.pages:,} pages of 8 KB,"
            f" {size.visible:.0%} of them vacuumed"
        )
        self.stdout.write(
            f"overview of {_DAYS} days and the {_DAYS} before: {measured.milliseconds:.0f} ms,"
            f" {measured.pages:,} pages, by {', '.join(measured.scans)}"
        )
        self._advise(found, size)

    def _advise(self, found: index_advice.Indexes, size: index_advice.Size) -> None:
        if found.covering:
            self.stdout.write("no index is lacking")
            if size.visible < 0.9:
                self.stdout.write("    vacuum landing_leads;  -- for an index to answer alone")
            return
        if not found.by_time:
            self.stdout.write("without an index on created_at every page reads the whole table:")
        else:
            self.stdout.write("an index that includes what is counted spares reading the leads:")
        self.stdout.write(f"    {index_advice.COVERING};")
        self.stdout.write(
            f"    -- about {size.covering_bytes / _MEGABYTE:,.0f} MB; vacuum the table afterwards"
        )
        raise CommandError("an index is lacking", returncode=1)
