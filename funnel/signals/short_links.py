"""Clicks on the short links of messages, the second source beside the marks of the leads.

Since an SMS carries a short link, its click is a row of `short_link_clicks` and marks no lead. Link
previews of messengers are rows there, too, and are left out by their user agents.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import django.db

from funnel.landing.freshness import Answer, answer
from funnel.landing.optional_tables import SHORT_LINK_CLICKS, SHORT_LINKS
from funnel.landing.statement import FiguresUnavailable, ask
from funnel.signals.lead_reader import clock
from funnel.signals.marks import MarkId
from onai.periods import Period

# Whoever opens a link without a person, as a regular expression in lower case. A Cubot is a phone.
PREVIEWS = "|".join(
    (
        r"(?<!cu)bot\M",
        *("crawl", "spider", "slurp", "preview", "facebookexternalhit", "whatsapp", "viber"),
        *("vkshare", "skype", "slack", "discord", "google-safety", "googleimageproxy", "monitor"),
        *("headless", "^curl", "^wget", "^python", "^go-", "^okhttp", "^java"),
    )
)
_STATEMENT = """
select statement_timestamp() as as_of,
  json_object_agg(source, json_build_array(leads, last)) as found
from (
  select link.source, count(distinct lead.id) as leads, max(click.clicked_at) as last
  from landing_leads lead
  join short_links link on link.lead_id = lead.id::text
  join short_link_clicks click on click.short_link_id = link.id
  where lead.created_at >= %(since)s and lead.created_at < %(until)s
    and (%(every_source)s or coalesce(lead.source, '') = any(%(sources)s))
    and coalesce(lower(click.user_agent), '') !~ %(previews)s and link.source is not null
  group by 1
) as counted
"""


@dataclass(frozen=True, slots=True)
class LinkClicks:
    """Leads of a period that opened the link of an SMS or of an e-mail, and the last such moment.

    `readable` is whether the tables are there and we may read them.
    """

    as_of: datetime
    readable: bool
    sms: int = 0
    email: int = 0
    last_sms: datetime | None = None
    last_email: datetime | None = None

    def of(self, mark: MarkId) -> tuple[int, datetime | None] | None:
        """The leads and the last moment, None where the links say nothing of the mark."""
        if not self.readable:
            return None
        return {
            MarkId.SMS_CLICKED: (self.sms, self.last_sms),
            MarkId.EMAIL_CLICKED: (self.email, self.last_email),
        }.get(mark)


def link_clicks(asked: str, period: Period, sources: Sequence[str] = ()) -> Answer[LinkClicks]:
    """The clicks of a period's leads, kept under the question as asked.

    Raises FiguresUnavailable.
    """
    return answer(f"{asked} short links", lambda: _count(period, sources), kind=LinkClicks)


def _count(period: Period, sources: Sequence[str]) -> LinkClicks:
    try:
        if not (SHORT_LINKS.readable() and SHORT_LINK_CLICKS.readable()):
            return LinkClicks(clock(), readable=False)
    except django.db.Error as error:
        raise FiguresUnavailable from error
    parameters = {
        "since": period.start,
        "until": period.end,
        "every_source": not sources,
        "sources": list(sources),
        "previews": PREVIEWS,
    }
    row = ask(_STATEMENT, parameters)
    found = row["found"] or {}
    (sms, last_sms), (email, last_email) = (found.get(one, (0, None)) for one in ("sms", "email"))
    return LinkClicks(row["as_of"], True, sms, email, _moment(last_sms), _moment(last_email))


def _moment(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None
