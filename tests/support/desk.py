"""Tripwire as the tests see it from outside: rows, accounts, letters."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from tests.settings import SERVICES
from tests.support import plain_http
from tests.support.people import PEOPLE

GOOD = {"email": "aru@onai.test", "full_name": "Ару Сапарова", "password": "Kvx7-Rmp3-9wTq"}
_OURS = (
    "tripwire_users, sales_activity_log, sales_requests, sales_letters,"
    " sales_letter_events,"
    " sales_staff, sales_password_resets, sales_buyers, sales_buyer_contacts,"
    " sales_student_leads, sales_reading_positions, procrastinate_jobs"
)
_PLATFORMS = "tripwire_user_profile, tripwire_progress, certificates"
_OF_AN_ACCOUNT = {
    "refresh_tokens": "user_id::uuid",
    "sessions": "user_id",
    "identities": "user_id",
    "users": "id",
}
Row = dict[str, Any]


@dataclass(slots=True)
class Desk:
    """The rows of Tripwire, the accounts of Supabase Auth and the letters in the mailbox."""

    connection: "psycopg.Connection[Row]"

    def empty(self) -> None:
        self.connection.execute(
            f"truncate {_OURS}, {_PLATFORMS}, mailbox.letters, mailbox.suppressions cascade"
        )
        known = [person.email for person in PEOPLE]
        for table, account in _OF_AN_ACCOUNT.items():
            self.connection.execute(
                f"delete from auth.{table} where {account} in"
                " (select id from auth.users where coalesce(email, '') <> all(%s))",
                [known],
            )

    def rows(self, statement: str, *parameters: Any) -> list[Row]:
        return self.connection.execute(statement, parameters).fetchall()

    def row(self, statement: str, *parameters: Any) -> Row:
        (only,) = self.rows(statement, *parameters)
        return only

    def students(self, email: str = GOOD["email"]) -> list[Row]:
        return self.rows("select * from tripwire_users where email = %s", email)

    def accounts(self, email: str = GOOD["email"]) -> list[Row]:
        return self.rows("select * from auth.users where email = %s", email)

    def creations(self) -> list[Row]:
        """The requests to create a student."""
        return self.rows("select * from sales_requests where kind = 'creation' order by created_at")

    def letters(self) -> list[Row]:
        return self.rows("select * from sales_letters order by created_at")

    def changes(self) -> list[Row]:
        """The requests to change a student."""
        return self.rows(
            "select * from sales_requests where kind <> 'creation' order by created_at"
        )

    def log(self, user_id: UUID | None = None) -> list[str]:
        """The acts on a student, in order."""
        found = self.rows(
            "select action_type from sales_activity_log"
            " where %s::uuid is null or target_user_id = %s order by created_at",
            *(user_id, user_id),
        )
        return [row["action_type"] for row in found]

    def mailbox(self, email: str = GOOD["email"]) -> list[Row]:
        letters = plain_http.get(f"{SERVICES}/mailbox.json").json()
        return [letter for letter in letters if letter["to"] == [email]]

    def time_passes(self) -> None:
        """End every lease and make everything that waits for its time due."""
        self.connection.execute("update sales_requests set leased_until = now()")
        self.connection.execute("update sales_letters set leased_until = now(), due_at = now()")
        self.connection.execute("update procrastinate_jobs set scheduled_at = null")

    def assert_whole_student(self, email: str = GOOD["email"]) -> None:
        """A student exists completely, once, and no request about them is open."""
        (student,), (account,) = self.students(email), self.accounts(email)
        assert student["user_id"] == account["id"]
        assert self.log(account["id"]).count("user_created") == 1
        (letter,) = self.rows("select * from sales_letters where student_id = %s", student["id"])
        if letter["state"] == "sent":
            assert len(self.mailbox(email)) == 1
            assert student["welcome_email_sent"] is True
            assert self.log(account["id"]) == ["user_created", "email_sent"]
        else:
            assert letter["sealed_password"] != ""
            assert student["welcome_email_sent"] is False
        assert not self.open_creations()

    def assert_no_student(self, email: str = GOOD["email"]) -> None:
        """Nothing of a student exists."""
        assert self.students(email) == self.accounts(email) == self.mailbox(email) == []
        assert self.letters() == []
        assert self.log() == []
        assert not self.open_creations()

    def open_creations(self) -> list[Row]:
        return [one for one in self.creations() if one["state"] == "open"]

    def everything(self) -> str:
        """Every value of every row of ours and of the queue, as text."""
        tables = [*_OURS.split(", "), "procrastinate_events"]
        return json.dumps([self.rows(f"select * from {table}") for table in tables], default=str)
