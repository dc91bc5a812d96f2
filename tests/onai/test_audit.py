"""Who came, went, was refused and took a file: events of the log, without a stranger's e-mail."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from onai.identity import audit
from tests.conftest import LandingPages
from tests.support.desk import Desk
from tests.support.outages import accounts_hidden
from tests.support.people import PASSWORD, Accounts

OWNER = "admin@onai.test"
VISITOR = "203.0.113.7"
SignIn = Callable[[str], Client]


@pytest.fixture
def events(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[dict[str, Any]]]:
    """The fields of all events of a name, oldest first."""
    caplog.set_level(logging.INFO)

    def events(name: str) -> list[dict[str, Any]]:
        fields = (
            "user_id",
            "visitor",
            "email_digest",
            "reason",
            "role",
            "file",
            "page",
            "account_id",
        )
        return [
            {key: value for key in fields if (value := getattr(record, key, None)) is not None}
            for record in caplog.records
            if record.getMessage() == name
        ]

    return events


def _browser() -> Client:
    return Client(headers={"X-Forwarded-For": VISITOR})


def _sign_in(browser: Client, email: str = OWNER, password: str = PASSWORD) -> int:
    return browser.post("/login", {"email": email, "password": password}).status_code


def test_signing_in_and_out_are_logged_with_account_and_address(
    events: Any, accounts: Accounts
) -> None:
    browser, me = _browser(), accounts.sign_in(OWNER)["user"]["id"]

    assert _sign_in(browser) == 302
    browser.post("/logout")

    assert events("signed_in") == [{"user_id": me, "visitor": VISITOR, "role": "admin"}]
    assert events("signed_out") == [{"user_id": me, "visitor": VISITOR}]


def test_signing_out_is_logged_while_the_account_cannot_be_read(events: Any) -> None:
    browser = _browser()
    assert _sign_in(browser) == 302

    with accounts_hidden():
        browser.post("/logout")
    browser.post("/logout")  # nobody's any more

    assert events("signed_out") == [{"visitor": VISITOR}]


def test_a_refused_sign_in_is_logged_with_a_digest_of_the_address(
    events: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for email in ("Stranger@onai.test", "stranger@onai.test", OWNER):
        assert _sign_in(_browser(), email, "wrong-password") == 401

    one, same, other = events("sign_in_refused")
    assert one == same
    assert (one["visitor"], one["reason"]) == (VISITOR, "wrong_credentials")
    assert one["email_digest"] == audit.digest_of("stranger@onai.test") != other["email_digest"]
    for record in caplog.records:
        assert "stranger" not in f"{record.getMessage()} {vars(record)}".lower()


def test_the_digest_is_keyed(settings: Any) -> None:
    one = audit.digest_of(OWNER)
    settings.SECRET_KEY = "another key, of fifty letters or so, for this test"
    assert audit.digest_of(OWNER) != one


def test_a_delayed_sign_in_is_logged(events: Any, settings: Any) -> None:
    browser = _browser()
    while _sign_in(browser, OWNER, "wrong-password") != 429:
        pass

    assert events("sign_in_refused")[-1]["reason"] == "too_many_attempts"


def test_a_refused_role_is_logged(events: Any, accounts: Accounts, desk: Desk) -> None:
    browser, manager = _browser(), accounts.sign_in("ayaulym@onai.test")["user"]["id"]
    _sign_in(browser, "ayaulym@onai.test")
    browser.get("/funnel?q=secret")
    boaster = accounts.create(user_metadata={"role": "admin"}, app_metadata={})
    assert _sign_in(_browser(), boaster["email"]) == 403

    assert events("role_refused") == [
        {"user_id": manager, "visitor": VISITOR, "role": "sales", "page": "/funnel"},
        {"user_id": boaster["id"], "visitor": VISITOR, "role": "admin"},
    ]


@pytest.mark.parametrize(
    "path", ["/funnel/people.csv", "/funnel/tables/sources.csv", "/sales-manager/students.csv"]
)
def test_an_export_is_logged_without_its_search(
    events: Any, accounts: Accounts, landing: LandingPages, desk: Desk, path: str
) -> None:
    browser, me = _browser(), accounts.sign_in(OWNER)["user"]["id"]
    _sign_in(browser)
    browser.get("/funnel")
    assert events("exported") == []

    file: Any = browser.get(path, {"q": "тайна"})
    assert file.status_code == 200
    # It is logged when it has been sent.
    assert b"".join(file.streaming_content)

    (event,) = events("exported")
    assert {name: event[name] for name in ("user_id", "visitor", "file")} == {
        "user_id": me,
        "visitor": VISITOR,
        "file": path,
    }
    assert "тайна" not in str(event)


def test_ended_access_is_logged_with_its_reason(events: Any, accounts: Accounts) -> None:
    account = accounts.create(role="sales")
    browser = _browser()
    _sign_in(browser, account["email"])
    accounts.call("PUT", f"/admin/users/{account['id']}", json={"ban_duration": "24h"})

    browser.post("/sales-manager")

    assert events("access_ended") == [
        {"user_id": account["id"], "visitor": VISITOR, "reason": "banned"}
    ]


@pytest.mark.parametrize(
    ("decision", "event"),
    [
        ("confirm", "staff_confirmed"),
        ("refuse", "staff_refused"),
        ("revoke", "staff_revoked"),
    ],
)
def test_a_decision_about_staff_is_logged_with_its_author(
    events: Any, accounts: Accounts, desk: Desk, decision: str, event: str
) -> None:
    browser, me = _browser(), accounts.sign_in(OWNER)["user"]["id"]
    _sign_in(browser)
    account = accounts.create(user_metadata={"role": "sales"}, app_metadata={})

    wanted = {"user_id": account["id"], "role": "sales", "decision": decision}
    assert browser.post("/status/staff", wanted).status_code == 302

    decided = {"user_id": me, "visitor": VISITOR, "account_id": account["id"], "role": "sales"}
    assert events(event) == [decided]
    row = desk.row("select decided_by, decided_at from sales_staff")
    assert str(row["decided_by"]) == me
    assert row["decided_at"] is not None


def test_a_decision_by_the_command_is_logged(events: Any, accounts: Accounts, desk: Desk) -> None:
    account = accounts.create(user_metadata={"role": "sales"}, app_metadata={})

    call_command("staff", "confirm", account["email"])

    assert events("staff_confirmed") == [{"account_id": account["id"], "role": "sales"}]


@pytest.mark.parametrize(
    ("peer", "forwarded", "hidden"),
    [
        ("127.0.0.1", "", False),  # no proxy at all
        ("203.0.113.7", "", False),
        ("10.0.0.9", VISITOR, False),  # one, which names the visitor
        ("10.0.0.9", f"{VISITOR}:4711", False),
        ("10.0.0.9", "10.0.0.5", True),  # the second names the first
        ("10.0.0.9", f"{VISITOR}, 10.0.0.5", True),
        ("10.0.0.9", f"{VISITOR}, 198.51.100.9", True),  # the first is somebody's CDN
        ("198.51.100.9", VISITOR, True),  # one whose word does not count here
        ("10.0.0.9", "unknown", True),
    ],
)
def test_status_hints_at_a_proxy_that_hides_the_visitors(
    admin: Client, peer: str, forwarded: str, hidden: bool
) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}

    page = admin.get("/status", headers=headers, REMOTE_ADDR=peer).content.decode()

    assert ("все посетители для сайта — один" in page) is hidden
