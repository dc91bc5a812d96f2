"""Access ends when the account's does: at every address, for whoever lost the right."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from onai.identity.staff import standing
from tests.conftest import LandingPages
from tests.support.desk import Desk
from tests.support.outages import accounts_hidden, tripwire_outage
from tests.support.people import PASSWORD, Accounts

# Whoever is nobody may come here as well; see `test_sign_in` and `test_guard`.
_OPEN_TO_ALL = {
    *("home", "login", "logout", "not-found", "forgot-password", "own-password"),
    *(
        "theme",
        "language",
        "manifest",
        "favicon",
        "robots",
        "offline",
        "service-worker",
        "resend-event",
    ),
}
_SAMPLES = {"stage_id": "payment", "name": "sources"}


def _addresses(patterns: Any = None, prefix: str = "") -> Iterator[str]:
    """Every address of the product that is guarded, with something in the place of parameters."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one, URLResolver):
            yield from _addresses(one.url_patterns, prefix + str(one.pattern))
        elif isinstance(one, URLPattern) and one.name not in _OPEN_TO_ALL:
            path = prefix + str(one.pattern)
            for name in one.pattern.converters:
                value = _SAMPLES.get(name, str(uuid4()))
                path = re.sub(rf"<\w+:{name}>", value, path)
            yield f"/{path}"


@pytest.fixture
def owner(accounts: Accounts, desk: Desk, landing: LandingPages) -> dict[str, Any]:
    """An admin of whom nothing else depends."""
    return accounts.create("owner@onai.test", role="admin", full_name="Хозяин Тест")


@pytest.fixture
def browser(owner: dict[str, Any], client: Client) -> Client:
    signed_in = client.post("/login", {"email": "owner@onai.test", "password": PASSWORD})
    assert signed_in.status_code == 302
    return client


def _delete(accounts: Accounts, desk: Desk, owner: dict[str, Any], browser: Client) -> None:
    accounts.call("DELETE", f"/admin/users/{owner['id']}").raise_for_status()


def _delete_softly(accounts: Accounts, desk: Desk, owner: dict[str, Any], browser: Client) -> None:
    desk.connection.execute("update auth.users set deleted_at = now() where id = %s", [owner["id"]])


def _ban(accounts: Accounts, desk: Desk, owner: dict[str, Any], browser: Client) -> None:
    ban = {"ban_duration": "24h"}
    accounts.call("PUT", f"/admin/users/{owner['id']}", json=ban).raise_for_status()


def _demote(accounts: Accounts, desk: Desk, owner: dict[str, Any], browser: Client) -> None:
    role = {"app_metadata": {"role": "student"}, "user_metadata": {"role": "student"}}
    accounts.call("PUT", f"/admin/users/{owner['id']}", json=role).raise_for_status()


def _demote_in_one_place(
    accounts: Accounts, desk: Desk, owner: dict[str, Any], browser: Client
) -> None:
    role = {"app_metadata": {"role": "student"}}
    accounts.call("PUT", f"/admin/users/{owner['id']}", json=role).raise_for_status()


def _take_the_role(accounts: Accounts, desk: Desk, owner: dict[str, Any], browser: Client) -> None:
    desk.connection.execute(
        "update auth.users set raw_app_meta_data = raw_app_meta_data - 'role' where id = %s",
        [owner["id"]],
    )


def _revoke(accounts: Accounts, desk: Desk, owner: dict[str, Any], browser: Client) -> None:
    call_command("staff", "revoke", "owner@onai.test")


def _sign_out(accounts: Accounts, desk: Desk, owner: dict[str, Any], browser: Client) -> None:
    elsewhere = _browser_with(_cookies_of(browser))
    assert elsewhere.post("/logout").status_code == 302


def _let_the_session_end(
    accounts: Accounts, desk: Desk, owner: dict[str, Any], browser: Client
) -> None:
    desk.connection.execute(
        "update auth.sessions set not_after = now() where user_id = %s", [owner["id"]]
    )


End = Callable[[Accounts, Desk, dict[str, Any], Client], None]
ENDS = [
    *(_delete, _delete_softly, _ban, _demote, _demote_in_one_place, _take_the_role, _revoke),
    *(_sign_out, _let_the_session_end),
]


def _cookies_of(browser: Client) -> dict[str, str]:
    return {name: one.value for name, one in browser.cookies.items()}


def _browser_with(cookies: dict[str, str]) -> Client:
    """A browser that has heard of nothing yet."""
    browser = Client()
    for name, value in cookies.items():
        browser.cookies[name] = value
    return browser


def _is_shut_out(answer: Any, path: str) -> None:
    if path.startswith("/api/"):
        assert answer.status_code == 401, path
        assert answer.json()["code"] == "sign_in_required"
    else:
        assert answer.status_code == 302, path
        assert answer["Location"].startswith("/login"), path


@pytest.mark.parametrize("end", ENDS)
def test_lost_rights_end_access_at_every_address(
    browser: Client, accounts: Accounts, desk: Desk, owner: dict[str, Any], end: End
) -> None:
    token = browser.cookies["__Host-onai_access"].value
    program = {"Authorization": f"Bearer {token}"}
    kept = _cookies_of(browser)
    addresses = list(_addresses())
    assert len(addresses) > 25
    start = datetime.now().astimezone()
    with time_machine.travel(start, tick=False) as clock:
        assert browser.get("/funnel").status_code == 200

        end(accounts, desk, owner, browser)

        # What was found a moment ago will do for a page that only reads, and for nothing else.
        assert _browser_with(kept).get("/funnel").status_code == 200
        for path in addresses:
            _is_shut_out(_browser_with(kept).post(path), path)
            _is_shut_out(Client().post(path, headers=program), path)
        clock.shift(timedelta(seconds=standing.REMEMBERED_SECONDS + 1))
        for path in addresses:
            _is_shut_out(_browser_with(kept).get(path), path)
            _is_shut_out(Client().get(path, headers=program), path)


def test_an_export_never_uses_a_remembered_session(
    browser: Client, desk: Desk, owner: dict[str, Any]
) -> None:
    exports = [path for path in _addresses() if path.endswith(".csv")]
    assert len(exports) > 3
    for path in exports:
        desk.connection.execute("update auth.users set banned_until = null")
        standing._remembered.clear()
        file = browser.get(path)
        assert (file.status_code, "attachment" in file["Content-Disposition"]) == (200, True), path
        desk.connection.execute(
            "update auth.users set banned_until = 'infinity' where id = %s", [owner["id"]]
        )
        _is_shut_out(_browser_with(_cookies_of(browser)).get(path), path)


@pytest.mark.parametrize("method", ["get", "post"])
def test_staff_are_refused_while_tripwire_does_not_answer(
    browser: Client, fresh_connection: None, method: str
) -> None:
    standing._remembered.clear()
    with tripwire_outage():
        page = getattr(browser, method)("/sales-manager")
        api = getattr(browser, method)("/api/traffic-dashboard/funnel")

    assert (page.status_code, api.status_code) == (503, 503)
    assert "__Host-onai_access" not in page.cookies  # the session is kept
    assert browser.get("/funnel").status_code == 200


def test_a_page_that_only_reads_works_briefly_without_tripwire(
    browser: Client, landing: LandingPages, fresh_connection: None
) -> None:
    assert browser.get("/funnel").status_code == 200
    with tripwire_outage():
        assert browser.get("/funnel").status_code == 200


def test_a_student_is_welcome_while_tripwire_is_down(
    as_person: Callable[[str], Client], fresh_connection: None
) -> None:
    student = as_person("student@onai.test")
    with tripwire_outage():
        assert student.get("/")["Location"] == "/welcome"


def test_hidden_accounts_are_not_taken_for_deleted(
    browser: Client,
) -> None:
    """Row level security shows nothing to a role that no policy lets read, and tells no error."""
    with accounts_hidden():
        page, api = browser.post("/sales-manager"), browser.post("/api/traffic-dashboard/funnel")

    assert (page.status_code, api.status_code) == (503, 503)
    assert api.json()["code"] == "accounts_hidden"
    assert "не показывает сайту учётные записи" in page.content.decode()
    assert "__Host-onai_access" not in page.cookies
    assert browser.get("/sales-manager").status_code == 200
