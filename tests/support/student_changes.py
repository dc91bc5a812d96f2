"""Changes a student by the pages, and checks both systems afterwards."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from uuid import uuid4

from django.test import Client

from tests.support.desk import GOOD, Desk, Row
from tests.support.people import PASSWORD, Accounts

SignIn = Callable[[str], Client]
MANAGER, OTHER, ADMIN = "ayaulym@onai.test", "botagoz@onai.test", "admin@onai.test"
NEW_PASSWORD, NEW_EMAIL = "Tzw4-Qpn8-2vXk", "aru.new@onai.test"
ACTS = ("status", "password", "data", "manager", "delete")
# The form fields of each act.
FORMS: dict[str, dict[str, str]] = {
    "status": {"status": "blocked", "sure": "on"},
    "password": {"password": NEW_PASSWORD},
    "data": {"email": NEW_EMAIL, "full_name": "Ару Сапарқызы"},
    "delete": {"email": GOOD["email"]},
}


def manager_of_one(as_person: SignIn) -> Client:
    """A manager who has created a student."""
    return create_one(as_person(MANAGER))


def admin_of_one(as_person: SignIn) -> Client:
    """An admin who has created a student."""
    return create_one(as_person(ADMIN))


def create_one(client: Client) -> Client:
    """The client, who has created a student."""
    assert client.post("/sales-manager/students/new", GOOD).status_code == 302
    return client


def signed_in(email: str) -> Client:
    """A client in a browser of its own."""
    client = Client()
    client.post("/login", {"email": email, "password": PASSWORD})
    return client


def student_of(desk: Desk) -> Row:
    return desk.row("select * from tripwire_users where full_name not like 'Другой%%'")


def path_of(desk: Desk, act: str = "") -> str:
    card = f"/sales-manager/students/{student_of(desk)['id']}"
    return f"{card}/{act}" if act else card


def act_and_follow(client: Client, desk: Desk, act: str, **fields: Any) -> Any:
    """The answer to an act, after all redirects."""
    body = {"attempt": str(uuid4()), **fields}
    return client.post(path_of(desk, act), body, follow=True)


def send_act(client: Client, desk: Desk, act: str) -> Any:
    """The first answer to an act with a valid form."""
    return client.post(path_of(desk, act), {"attempt": str(uuid4()), **FORMS[act]})


def text_of(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def newest_entry(desk: Desk) -> Row:
    """The newest log entry."""
    return desk.rows("select * from sales_activity_log order by created_at desc limit 1")[0]


def sign_in_error(accounts: Accounts, email: str, password: str) -> str:
    answer = accounts.call(
        "POST", "/token?grant_type=password", json={"email": email, "password": password}
    )
    return str(answer.json().get("error_code", answer.status_code))


def assert_changed(desk: Desk, accounts: Accounts, act: str) -> None:
    """The change is made in both systems, and logged once."""
    (change,) = desk.changes()
    assert (change["state"], change["sealed_password"]) == ("done", "")
    account_id = change["account_id"]
    account = desk.rows("select * from auth.users where id = %s", account_id)
    students = desk.rows("select * from tripwire_users")
    log = desk.log(account_id)
    if act == "delete":
        assert (account, students, log.count("user_deleted")) == ([], [], 1)
        return
    (student,), (account_row,) = students, account
    assert student["email"] == account_row["email"]
    assert student["full_name"] == account_row["raw_user_meta_data"]["full_name"]
    if act == "status":
        assert student["status"] == "blocked"
        assert account_row["banned_until"] is not None
        assert log.count("status_changed") == 1
    elif act == "password":
        accounts.sign_in(GOOD["email"], NEW_PASSWORD)
        assert log.count("password_reset") == 1
        assert sum(NEW_PASSWORD in one["text"] for one in desk.mailbox()) == 1
    else:
        assert (student["email"], student["full_name"]) == (NEW_EMAIL, "Ару Сапарқызы")
        assert log.count("status_changed") == 1
        assert len(desk.mailbox(NEW_EMAIL)) == 1


def assert_unchanged(desk: Desk, accounts: Accounts) -> None:
    """Nothing has changed in either system."""
    (student,), (account,) = desk.students(), desk.accounts()
    assert (student["status"], student["full_name"]) == ("active", GOOD["full_name"])
    assert account["raw_user_meta_data"]["full_name"] == GOOD["full_name"]
    accounts.sign_in(GOOD["email"], GOOD["password"])
    assert desk.log(account["id"]) == ["user_created", "email_sent"]
    assert not desk.rows("select 1 from sales_requests where state = 'open'")
    assert not desk.rows("select 1 from sales_requests where sealed_password <> ''")
