"""The demo's rows of `landing_leads`, as production fills them.

One job writes the e-mail and the SMS about ten minutes after the test; leads of the course's own
page are sent neither. Nothing writes `email_opened_at`, and almost nobody clicks in the e-mail.
Everybody is made up, and every phone is in the range +7 700 000 xx xx.
"""

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from onai.local.demo_data.names import typed_name, typed_phone
from onai.local.demo_data.people import Person, demo_people

_NAMESPACE = UUID("5f0f7c1e-6d1b-4a53-9d0c-0a1c0de0da7a")
_SEED = 22
_CAMPAIGNS = ("winter_start", "career_change", "students", "retarget_7d")


def demo_leads(now: datetime) -> list[dict[str, Any]]:
    """Every demo lead as the columns of `landing_leads`, dated relative to `now`."""
    dice = random.Random(_SEED)
    return [_lead(dice, position, person, now) for position, person in enumerate(demo_people(now))]


def lead_id(position: int) -> UUID:
    """The id of the lead at this place of `demo_people`."""
    return uuid5(_NAMESPACE, f"lead {position}")


def deal_id(position: int) -> int | None:
    """The lead's deal in the CRM; None where the two were never connected."""
    return None if position % 29 == 0 else 40_000_000 + position


def _lead(dice: random.Random, position: int, person: Person, now: datetime) -> dict[str, Any]:
    came = person.came_at

    def written(happened: bool, minutes: float) -> datetime | None:
        """When the job did it; now and then it sets the flag alone."""
        if not happened or dice.random() > 0.97:
            return None
        return min(now, came + timedelta(minutes=minutes * (0.8 + 0.4 * dice.random())))

    emailed_at, texted_at = written(person.emailed, 10), written(person.texted, 10)
    email_clicked_at = written(person.email_clicks > 0, 90)
    is_messaged = person.source != "expresscourse"
    bounced = is_messaged and person.email is not None and not person.emailed
    moments = (came, emailed_at, texted_at, email_clicked_at, person.clicked_at, person.chose_at)
    return {
        "id": lead_id(position),
        "email": person.email,
        "name": typed_name(person.number),
        "phone": typed_phone(person.number, style=position),
        "source": person.source,
        "email_sent": person.emailed or (False if position % 2 else None),
        "email_sent_at": emailed_at,
        "email_opened_at": None,
        "email_clicked": person.email_clicks > 0 or (False if person.emailed else None),
        "email_clicked_at": email_clicked_at,
        "email_error": "550 5.1.1 mailbox unavailable" if bounced else None,
        "click_count": person.email_clicks or (0 if person.emailed else None),
        "sms_sent": person.texted or (False if position % 3 else None),
        "sms_sent_at": texted_at,
        "sms_message_id": f"sms-{position:06d}" if person.texted else None,
        "sms_error": "operator rejected" if is_messaged and not person.texted else None,
        "sms_clicked": person.clicked or (False if position % 3 else None),
        "sms_clicked_at": person.clicked_at,
        "metadata": _metadata(dice, person),
        "created_at": came,
        "updated_at": max(moment for moment in moments if moment),
        **_crm(position),
    }


def _crm(position: int) -> dict[str, Any]:
    deal = deal_id(position)
    return {
        "amocrm_lead_id": str(deal) if deal else None,
        "amocrm_contact_id": str(20_000_000 + deal) if deal else None,
        "amocrm_synced": deal is not None,
        "amocrm_sync_status": "success" if deal else "failed",
        "amocrm_sync_attempts": 1 if deal else 3,
        "amocrm_sync_last_error": None if deal else "504 Gateway Timeout",
    }


def _metadata(dice: random.Random, person: Person) -> dict[str, Any]:
    """UTM marks, at the top level or under `utmParams`, or none; and the chosen way to pay."""
    marks = {
        "utm_source": "instagram" if dice.random() < 0.7 else "tiktok",
        "utm_medium": "cpc",
        "utm_campaign": dice.choice(_CAMPAIGNS),
        "utm_content": f"creative_{dice.randint(1, 6)}",
    }
    chosen = {"paymentMethod": person.method} if person.method else {}
    if person.source is None or dice.random() < 0.15:
        return chosen
    if dice.random() < 0.5:
        return marks | chosen
    return {"utmParams": marks, "userAgent": "Mobile Safari", **chosen}
