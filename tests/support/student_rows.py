"""Writes students to Tripwire as other software does, and reads the pages of the cabinet."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from tests.support.desk import Desk, Row

ALMATY = ZoneInfo("Asia/Almaty")
CABINET = "/sales-manager"
RESULTS = f"{CABINET}/results"


@dataclass(slots=True)
class Sales:
    """Students as other software writes them."""

    desk: Desk
    ids: dict[str, UUID]

    def add(self, email: str = "", **columns: Any) -> Row:
        """One student, with an account."""
        user_id = columns.pop("user_id", None) or uuid4()
        last_sign_in_at = columns.pop("last_sign_in_at", None)
        row = {
            "full_name": "Ару Сапарова",
            "email": email or f"{uuid4().hex}@onai.test",
            "granted_by": self.ids["ayaulym"],
            "manager_name": "Аяулым Тест",
            "created_at": datetime(2026, 11, 10, 12, tzinfo=ALMATY),
            **columns,
            "user_id": user_id,
        }
        self.desk.connection.execute(
            "insert into auth.users (id, email, is_sso_user, is_anonymous, last_sign_in_at)"
            " values (%s, %s, false, false, %s) on conflict do nothing",
            [user_id, f"{user_id}@onai.test", last_sign_in_at],
        )
        names, places = ", ".join(row), ", ".join(["%s"] * len(row))
        return self.desk.row(
            f"insert into tripwire_users ({names}) values ({places}) returning *", *row.values()
        )


def many_students(sales: Sales, count: int) -> None:
    """Students of the last forty days, one of them with the longest possible values."""
    long = {"email": f"{'long' * 15}@{'a' * 60}.onai.test", "full_name": "Ж" * 120}
    for number in range(count):
        sales.add(
            created_at=datetime.now(UTC) - timedelta(days=number % 40),
            **(long if number == 0 else {"full_name": f"Имя {number}"}),
        )


def text_on(answer: Any) -> str:
    return re.sub(r"\s+", " ", unescape(answer.content.decode())).replace("\xa0", " ")


def names_on(answer: Any) -> list[str]:
    page = text_on(answer)
    return re.findall(r'/sales-manager/students/[0-9a-f-]{36}"\s*><bdi>([^<]*)</bdi>', page)


def work_on(page: str) -> dict[str, str]:
    """What there is to do, with its figure; of a page's text with its tags."""
    row = r'class="work-row".*?<strong>([^<]*)</strong>.*?<span class="badge[^>]*>([^<]*)<'
    return dict(re.findall(row, page))
