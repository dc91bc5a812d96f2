"""Leads and deals with signs of a purchase, written as Landing's own software does, and the lines
that become of them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connections

from sales.handoff import rounds
from tests.conftest import LandingPages
from tests.support.desk import Desk, Row


@dataclass(slots=True)
class Buyers:
    """Writes to Landing, and reads what the join made of it."""

    landing: LandingPages
    desk: Desk

    def lead(self, name: str = "Дана Ким", phone: str = "+7 700 000 00 11", **row: Any) -> UUID:
        lead_id = uuid4()
        made = row.pop("created_at", ago(hours=5))
        self.landing.write({"id": lead_id, "name": name, "phone": phone, "created_at": made, **row})
        return lead_id

    def clicked(self, name: str = "Дана Ким", phone: str = "+7 700 000 00 11", **row: Any) -> UUID:
        """A lead who clicked two hours ago."""
        clicked = {"sms_clicked": True, "sms_clicked_at": ago(hours=2), **row}
        return self.lead(name, phone, **clicked)

    def won(self, deal_id: int, phone: str | None, **row: Any) -> None:
        values = {"deal_id": deal_id, "phone": phone, "sale_date": ago(hours=1), **row}
        names, places = ", ".join(values), ", ".join(["%s"] * len(values))
        self.landing.connection.execute(
            f"insert into express_course_sales ({names}) values ({places})", list(values.values())
        )

    def chose(self, lead_id: UUID, how: str = "kaspi", at: datetime | None = None) -> None:
        self.landing.connection.execute(
            "insert into journey_stages (lead_id, stage, created_at) values (%s, %s, %s)",
            [lead_id, f"payment_{how}", at or ago(hours=3)],
        )

    def followed(self, lead_id: UUID, user_agent: str, at: datetime | None = None) -> None:
        """A click on a short link."""
        self.landing.connection.execute(
            "with link as (insert into short_links"
            " (short_code, original_url, lead_id, clicks_count)"
            " values (%s, 'https://course.onai.test', %s, 1) returning id)"
            " insert into short_link_clicks (short_link_id, user_agent, clicked_at)"
            " select id, %s, %s from link",
            [uuid4().hex, str(lead_id), user_agent, at or ago(hours=4)],
        )

    def change(self, lead_id: UUID, **row: Any) -> None:
        values = ", ".join(f"{name} = %s" for name in row)
        self.landing.connection.execute(
            f"update landing_leads set {values} where id = %s", [*row.values(), lead_id]
        )

    def delete(self, lead_id: UUID) -> None:
        self.landing.connection.execute("delete from landing_leads where id = %s", [lead_id])

    def join(self) -> list[Row]:
        """One round of the worker; returns the open lines, longest wait first."""
        rounds.run_round()
        connections["landing"].close()
        return self.lines()

    def lines(self) -> list[Row]:
        return self.desk.rows(
            "select * from sales_buyers where waiting_since is not null order by waiting_since, id"
        )

    def everybody(self) -> list[Row]:
        return self.desk.rows("select * from sales_buyers order by created_at, id")

    def matches(self) -> dict[str, str]:
        """How each student was found, by the local part of their e-mail."""
        found = self.desk.rows(
            "select split_part(email, '@', 1) as name, how from sales_student_leads"
            " join tripwire_users on student_id = tripwire_users.id"
        )
        return {row["name"]: row["how"] for row in found}


def ago(**time: float) -> datetime:
    return datetime.now(UTC) - timedelta(**time)
