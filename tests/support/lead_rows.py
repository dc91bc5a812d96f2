"""Random leads of every kind that landing pages write, and readers of the lists of persons."""

import csv
import io
import random
import re
from datetime import date, datetime, timedelta
from functools import cache
from html import unescape
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from onai.periods import Period
from tests.conftest import LandingPages

Row = dict[str, Any]

ALMATY = ZoneInfo("Asia/Almaty")
PERIOD = Period(date(2026, 10, 1), date(2026, 10, 31))
INSIDE = datetime(2026, 10, 10, 12, tzinfo=ALMATY)
DAYS = {"from": "2026-10-01", "to": "2026-10-31"}

COLUMNS = (
    "id",
    "name",
    "phone",
    "email",
    "source",
    "email_sent",
    "email_sent_at",
    "email_opened_at",
    "email_clicked",
    "email_clicked_at",
    "sms_sent",
    "sms_sent_at",
    "sms_clicked",
    "sms_clicked_at",
    "created_at",
)
SOURCES = (
    "proftest_kenesary",
    "proftest_arystan",
    "proftest",
    "PROFTEST_x",
    "expresscourse",
    "TF4",
    None,
    "",
    " ",
    "<b>\"'%_",
)
NAMES = ("Әйгерім Нұрланқызы", "ДАНА КИМ", "Ян Ли", "Ёлка Ёж", "O'Brien 100%", "", "مصدر \u202e x")


def lead(**columns: Any) -> Row:
    """A lead in the period."""
    return {"name": "Дана Ким", "source": "proftest_a", "created_at": INSIDE, **columns}


@cache
def many() -> list[Row]:
    """6 000 leads of 900 people."""
    return random_leads(random.Random(11), PERIOD, 6_000, people=900)


def random_leads(dice: random.Random, period: Period, count: int, *, people: int) -> list[Row]:
    """That many leads of about so many people, in the period and at its edges, many at one moment.

    Every flag is true, false or null, and every moment present or not, whatever the flag says.
    """
    return [_lead(dice, period, dice.randrange(people)) for _ in range(count)]


def _lead(dice: random.Random, period: Period, person: int) -> Row:
    seconds = int((period.end - period.start).total_seconds())
    at = dice.choice((0, seconds, seconds // 2, dice.randrange(seconds)))
    created = period.start + timedelta(seconds=at + dice.choice((-1, 0, 0, 1)))

    def flag() -> bool | None:
        return dice.choice((True, True, False, None))

    def moment() -> Any:
        return created + timedelta(minutes=dice.randrange(9_000)) if dice.random() < 0.6 else None

    return {
        "id": UUID(int=dice.getrandbits(128), version=4),
        "name": dice.choice(NAMES),
        "phone": spelled(dice, person),
        "email": dice.choice((f"lead{person}@onai.test", f" LEAD{person}@onai.test", None, "")),
        "source": dice.choice(SOURCES),
        **{name: flag() for name in ("email_sent", "email_clicked", "sms_sent", "sms_clicked")},
        **{f"{name}_at": moment() for name in ("email_sent", "email_clicked", "email_opened")},
        **{f"{name}_at": moment() for name in ("sms_sent", "sms_clicked")},
        "created_at": created,
    }


def spelled(dice: random.Random, person: int) -> str:
    """A phone as people write it, or none."""
    local = f"700{person:07d}"
    return dice.choice(
        (
            f"+7{local}",
            f"8{local}",
            local,
            f"+7 ({local[:3]}) {local[3:6]}-{local[6:8]}-{local[8:]}",
            f"007{local}",
            f"8 {local[:3]} {local[3:]} доб. 1" if person % 50 == 0 else f"8-{local}",
            "нет" if person % 40 == 0 else local,
            "" if person % 40 == 1 else local,
        )
    )


def write(landing: LandingPages, rows: list[Row]) -> None:
    statement = f"copy landing_leads ({', '.join(COLUMNS)}) from stdin"
    with landing.connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([row[name] for name in COLUMNS])


def text_of(answer: Any) -> str:
    """The text of a page, without tags and with single spaces."""
    bare = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", unescape(bare).replace("\N{NO-BREAK SPACE}", " "))


def lines_of(answer: Any) -> list[list[str]]:
    """The lines of a downloaded file, its head included."""
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    answer.close()
    return list(csv.reader(io.StringIO(body), delimiter=";"))


def bought_by(phone: str, email: str | None = None, **columns: Any) -> Row:
    """A purchase in the period."""
    return {
        "name": "Дана Ким",
        "phone": phone,
        "email": email,
        "sms_clicked": True,
        "created_at": INSIDE,
        **columns,
    }
