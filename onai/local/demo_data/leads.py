"""The demo's leads: the report of December 2025 on whatever day it is started.

Deterministic but for the dates, which are relative to the moment of loading. Everybody in it is
made up, and every phone is in the range +7 700 000 xx xx.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from onai.local.demo_data.names import full_name
from onai.periods import Period, business_day

_NAMESPACE = UUID("5f0f7c1e-6d1b-4a53-9d0c-0a1c0de0da7a")
_SEED = 20251222
# The window of the report is 30 days; its leads lie in the youngest 28, so that the figures stand
# when midnight passes while the demo runs.
_WINDOW_DAYS = 28
_OLDER_DAYS = range(31, 151)
_OLDER_LEADS = 860

_CAMPAIGNS = ("winter_start", "career_change", "students", "retarget_7d")


@dataclass(frozen=True, slots=True)
class _Quota:
    """What one source has in the report's window.

    Its buyers come first, those without an e-mail before the others; then who was e-mailed.
    """

    source: str | None
    leads: int
    emailed: int
    purchases: int
    without_email: int = 0


# 350 of them by ProfTest, 380 e-mailed, 30 purchases: the report. One buyer left no e-mail, hence
# 29 distinct e-mails over 30 purchases.
_REPORT = (
    _Quota("proftest_kenesary", 141, 112, 19, without_email=1),
    _Quota("proftest_arystan", 96, 78, 9),
    _Quota("proftest_muha", 78, 55, 0),
    _Quota("proftest_unknown", 35, 23, 0),
    _Quota("expresscourse", 92, 84, 2),
    _Quota("TF4", 38, 26, 0),
    _Quota(None, 9, 2, 0),
)


@dataclass(frozen=True, slots=True)
class _Journey:
    """How far a lead has come, and the number of the person."""

    source: str | None
    person: int
    created_at: datetime
    has_email: bool = True
    emailed: bool = False
    bought: bool = False


def demo_leads(now: datetime) -> list[dict[str, Any]]:
    """Every demo lead as the columns of `landing_leads`, dated relative to `now`."""
    dice = random.Random(_SEED)
    journeys = [*_report_journeys(dice, now), *_older_journeys(dice, now)]
    return [_lead(dice, number, journey, now) for number, journey in enumerate(journeys)]


def _report_journeys(dice: random.Random, now: datetime) -> Iterator[_Journey]:
    person = 0
    for quota in _REPORT:
        for position in range(quota.leads):
            has_email = position >= quota.without_email
            yield _Journey(
                quota.source,
                person,
                _moment(dice, now, days_ago=dice.randrange(_WINDOW_DAYS)),
                has_email=has_email,
                emailed=has_email and position < quota.emailed + quota.without_email,
                bought=position < quota.purchases,
            )
            person += 1


def _older_journeys(dice: random.Random, now: datetime) -> Iterator[_Journey]:
    sources = [quota.source for quota in _REPORT]
    weights = [quota.leads for quota in _REPORT]
    for number in range(_OLDER_LEADS):
        emailed = dice.random() < 0.75
        yield _Journey(
            dice.choices(sources, weights)[0],
            # Now and then a person comes back, with the same contacts.
            1_000 + number - (number % 40 == 39),
            _moment(dice, now, days_ago=dice.choice(_OLDER_DAYS)),
            emailed=emailed,
            bought=emailed and dice.random() < 0.09,
        )


def _moment(dice: random.Random, now: datetime, *, days_ago: int) -> datetime:
    """A moment of the business day so many days ago; never later than `now`."""
    today = Period(business_day(now), business_day(now))
    fraction = dice.random()
    if days_ago == 0:
        return today.start + (now - today.start) * fraction
    return today.start - timedelta(days=days_ago) + timedelta(hours=7 + 16 * fraction)


def _lead(dice: random.Random, number: int, journey: _Journey, now: datetime) -> dict[str, Any]:
    created = journey.created_at
    opened = journey.emailed and (journey.bought or dice.random() < 0.55)
    clicked = opened and (journey.bought or dice.random() < 0.5)
    texted = journey.bought or (clicked and dice.random() < 0.8)
    failed_mail = not journey.emailed and journey.has_email and dice.random() < 0.3

    def after(
        before: datetime | None, happened: bool, hours: float, *, recorded: float = 1
    ) -> datetime | None:
        """The moment of an event; now and then the landing page did not write it."""
        if not happened or dice.random() > recorded:
            return None
        return min(now, (before or created) + timedelta(hours=hours * (0.5 + dice.random())))

    # Each step after the one before it; buyers think for about a day, longer than all the rest.
    emailed_at = after(created, journey.emailed, 0.05)
    opened_at = after(emailed_at, opened, 3)
    clicked_at = after(opened_at, clicked, 0.2)
    texted_at = after(clicked_at, texted, 1)
    bought_at = after(created, journey.bought, 30, recorded=0.93)
    moments = (emailed_at, opened_at, clicked_at, texted_at, bought_at)
    return {
        "id": uuid5(_NAMESPACE, f"lead {number}"),
        "email": f"lead{journey.person}@onai.test" if journey.has_email else None,
        "name": full_name(journey.person, journey.person // 7),
        "phone": _spelled(7_000_000_000 + journey.person, style=number % 5),
        "source": journey.source,
        "email_sent": journey.emailed or (False if number % 2 else None),
        "email_sent_at": emailed_at,
        "email_opened_at": opened_at,
        "email_clicked": clicked or (False if journey.emailed else None),
        "email_clicked_at": clicked_at,
        "email_error": "550 5.1.1 mailbox unavailable" if failed_mail else None,
        "click_count": dice.randint(1, 4) if clicked else (0 if journey.emailed else None),
        "sms_sent": texted or (False if number % 3 else None),
        "sms_sent_at": texted_at,
        "sms_message_id": f"sms-{number:06d}" if texted else None,
        "sms_error": "operator rejected" if clicked and not texted and number % 4 == 0 else None,
        "sms_clicked": journey.bought or (False if number % 3 else None),
        "sms_clicked_at": bought_at,
        "metadata": _metadata(dice, journey.source),
        "created_at": created,
        "updated_at": max([created, *filter(None, moments)]),
        **_crm(number),
    }


def _crm(number: int) -> dict[str, Any]:
    failed = number % 29 == 0
    return {
        "amocrm_lead_id": None if failed else str(40_000_000 + number),
        "amocrm_contact_id": None if failed else str(60_000_000 + number),
        "amocrm_synced": not failed,
        "amocrm_sync_status": "failed" if failed else "success",
        "amocrm_sync_attempts": 3 if failed else 1,
        "amocrm_sync_last_error": "504 Gateway Timeout" if failed else None,
    }


def _metadata(dice: random.Random, source: str | None) -> dict[str, Any]:
    """UTM marks, at the top level or under `utmParams`, or none at all."""
    marks = {
        "utm_source": "instagram" if dice.random() < 0.7 else "tiktok",
        "utm_medium": "cpc",
        "utm_campaign": dice.choice(_CAMPAIGNS),
        "utm_content": f"creative_{dice.randint(1, 6)}",
    }
    if source is None or dice.random() < 0.15:
        return {}
    return marks if dice.random() < 0.5 else {"utmParams": marks, "userAgent": "Mobile Safari"}


def _spelled(digits: int, *, style: int) -> str:
    """A phone in one of the ways people write it. `digits` are the ten after the country code."""
    number = str(digits)
    code, rest = number[:3], number[3:]
    return (
        f"+7{number}",
        f"8{number}",
        number,
        f"+7 {code} {rest[:3]}-{rest[3:5]}-{rest[5:]}",
        f"8 ({code}) {rest[:3]} {rest[3:5]} {rest[5:]}",
    )[style]
