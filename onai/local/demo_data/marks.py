"""What other tables of Landing know of the demo's leads: stages, short links, clicks, won deals."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from onai.local.demo_data.leads import deal_id, demo_leads, lead_id
from onai.local.demo_data.people import Person, demo_people, silent_since

Row = dict[str, Any]
_NAMESPACE = UUID("c1c0f6d2-9a53-4a0e-8a4e-5e51f0b1a7de")
_PIPELINE, _WON = 10_350_882, 142
_PRICE_KZT = 5_000
_PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
# Messengers look at a link to show a preview of it.
_ROBOTS = (
    "WhatsApp/2.23.20.0",
    "TelegramBot (like TwitterBot)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
)
# Deals that were won by phone, of people who left no contacts on a page.
_WITHOUT_A_LEAD = (timedelta(hours=30), timedelta(days=8))


def landing_tables(now: datetime) -> dict[str, list[Row]]:
    """The rows of each table by its name, in an order in which they can be inserted."""
    people = demo_people(now)
    leads = demo_leads(now)
    links = list(_links(people, now))
    return {
        "journey_stages": [
            stage for position, one in enumerate(people) for stage in _stages(position, one)
        ],
        "express_course_sales": [*_sales(people, leads), *_sales_without_a_lead(now)],
        "short_links": [link for link, _ in links],
        "short_link_clicks": [click for _, clicks in links for click in clicks],
    }


def _stages(position: int, person: Person) -> Iterator[Row]:
    is_test = (person.source or "").startswith("proftest")
    clicked_at = person.clicked_at or person.followed_at
    moments = {
        "proftest_submitted": person.came_at if is_test else None,
        "expresscourse_clicked": clicked_at,
        "expresscourse_submitted": person.chose_at if is_test else person.came_at,
        f"payment_{person.method}": person.chose_at,
    }
    for stage, moment in moments.items():
        if moment is not None:
            yield {
                "id": uuid5(_NAMESPACE, f"{stage} {position}"),
                "lead_id": lead_id(position),
                "stage": stage,
                "source": person.source,
                "created_at": moment,
            }


def _links(people: list[Person], now: datetime) -> Iterator[tuple[Row, list[Row]]]:
    """The short link of each SMS since the click mark fell silent, and who followed it."""
    since = silent_since(now)
    for position, person in enumerate(people):
        if not person.texted or person.came_at < since:
            continue
        texted_at = min(now, person.came_at + timedelta(minutes=10))
        link = uuid5(_NAMESPACE, f"link {position}")
        clicks = list(_clicks(position, link, person, texted_at, now))
        times = [click["clicked_at"] for click in clicks]
        row = {
            "id": link,
            "short_code": f"d{position:05x}",
            "original_url": "https://onai.test/expresscourse",
            "lead_id": str(lead_id(position)),
            "campaign": "express",
            "source": "sms",
            "clicks_count": len(clicks),
            "created_at": texted_at,
            "first_clicked_at": min(times, default=None),
            "last_clicked_at": max(times, default=None),
        }
        yield row, clicks


def _clicks(
    position: int, link: UUID, person: Person, texted_at: datetime, now: datetime
) -> Iterator[Row]:
    def click(kind: str, agent: str, moment: datetime) -> Row:
        return {
            "id": uuid5(_NAMESPACE, f"{kind} {position}"),
            "short_link_id": link,
            "user_agent": agent,
            "clicked_at": min(now, moment),
        }

    if position % 6 == 1:
        yield click("preview", _ROBOTS[position % 3], texted_at + timedelta(seconds=3))
    # Some look at the page and choose nothing.
    looked = texted_at + timedelta(hours=1) if position % 17 == 3 else None
    if followed := person.followed_at or looked:
        yield click("click", _PHONE, followed)
        if position % 4 == 0:
            yield click("again", _PHONE, followed + timedelta(minutes=4))


def _sales(people: list[Person], leads: list[Row]) -> Iterator[Row]:
    for position, (person, lead) in enumerate(zip(people, leads, strict=True)):
        if person.won_at is None:
            continue
        marks = lead["metadata"].get("utmParams") or lead["metadata"]
        yield _sale(
            deal_id(position) or 47_000_000 + position,
            phone=f"+7{7_000_000_000 + person.number}",
            won_at=person.won_at,
            marks={name: value for name, value in marks.items() if name.startswith("utm_")},
        )


def _sales_without_a_lead(now: datetime) -> Iterator[Row]:
    for number, ago in enumerate(_WITHOUT_A_LEAD):
        yield _sale(
            48_000_000 + number,
            phone=f"+7{7_000_009_900 + number}",
            won_at=now - ago,
            marks={},
        )


def _sale(deal: int, *, phone: str, won_at: datetime, marks: dict[str, str]) -> Row:
    names = [f"utm_{part}" for part in ("source", "medium", "campaign", "content", "term")]
    return {
        "id": uuid5(_NAMESPACE, f"deal {deal}"),
        "deal_id": deal,
        "pipeline_id": _PIPELINE,
        "status_id": _WON,
        "amount": _PRICE_KZT,
        "phone": phone,
        "sale_date": won_at,
        "webhook_received_at": won_at,
        **{name: marks.get(name) for name in names},
        **{f"original_{name}": marks.get(name) for name in names},
    }
