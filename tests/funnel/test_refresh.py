"""Asking the database again: by hand, and by a page that renews itself."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.db import close_old_connections
from django.test import Client
from django.utils import timezone

from tests.conftest import LandingPages
from tests.support.browser import complaints_of, sign_in
from tests.support.outages import landing_outage

API = "/api/traffic-dashboard/funnel"
REFRESH = "/funnel/refresh"


def _body(client: Client, path: str = API) -> dict[str, Any]:
    body: dict[str, Any] = client.get(path).json()
    return body


def test_refreshing_asks_the_database_again(admin: Client, sold: Callable[[], None]) -> None:
    sold()
    first = _body(admin)
    sold()
    assert _body(admin) == first

    answered = admin.post(REFRESH, {"query": ""})

    assert (answered.status_code, answered["Location"]) == (302, "/funnel")
    again = _body(admin)
    assert again["totalConversions"] == 2
    assert again["timestamp"] > first["timestamp"]
    # And what was asked again is cached again.
    sold()
    assert _body(admin) == again


def test_one_refresh_in_ten_seconds_serves_everybody(
    admin: Client, bearer: Callable[[str], dict[str, str]], sold: Callable[[], None]
) -> None:
    other = Client(headers=bearer("admin@onai.test"))
    start = datetime.now(UTC)
    with time_machine.travel(start, tick=False) as clock:
        admin.post(REFRESH)
        first = _body(admin)
        sold()
        clock.shift(9)
        other.post(REFRESH)
        assert _body(other) == first
        shown = timezone.localtime(start).strftime("%H:%M:%S")
        told = f"Цифры только что обновляли, в {shown}."
        assert told in other.get("/funnel").content.decode()
        assert "Цифры только что обновляли" not in admin.get("/funnel").content.decode()
        clock.shift(2)
        other.post(REFRESH)
        assert _body(admin)["totalConversions"] == 1


def test_a_count_begun_before_the_refresh_is_not_fresh(
    admin: Client, sold: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A count that began before the refresh ends, and is cached, after it."""
    from funnel.landing import statement
    from funnel.report.counts import count_leads

    counted = statement.ask

    def slow_count(text: str, parameters: Any) -> Any:
        monkeypatch.setattr(count_leads, "ask", counted)
        found = counted(text, parameters)
        sold()
        admin.post(REFRESH)
        return found

    monkeypatch.setattr(count_leads, "ask", slow_count)
    assert _body(admin)["totalConversions"] == 0

    assert _body(admin)["totalConversions"] == 1


@pytest.fixture
def two_processes(settings: Any) -> Callable[[str], None]:
    """Two web processes with caches of their own: the tests say which of them answers next."""

    def answers(process: str) -> None:
        settings.CACHES = {
            "default": {
                "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
                "LOCATION": f"process {process}",
            }
        }

    for process in "ab":
        answers(process)
        cache.clear()
    return answers


def test_after_a_refresh_no_process_shows_older_figures(
    admin: Client,
    bearer: Callable[[str], dict[str, str]],
    sold: Callable[[], None],
    two_processes: Callable[[str], None],
) -> None:
    for process in "ab":
        two_processes(process)
        assert _body(admin)["totalConversions"] == 0
    sold()

    two_processes("a")
    admin.post(REFRESH)
    two_processes("b")

    assert _body(admin)["totalConversions"] == 1
    # Nobody else had asked for it there, but now it is counted.
    other = Client(headers=bearer("admin@onai.test"))
    assert _body(other)["totalConversions"] == 1


def test_a_forged_moment_is_ignored(admin: Client, sold: Callable[[], None]) -> None:
    assert _body(admin)["totalConversions"] == 0
    sold()
    for value in ("2099-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00:AAAA", "", "x:y:z"):
        admin.cookies["__Host-onai_refreshed"] = value
        assert _body(admin)["totalConversions"] == 0


def test_the_refresh_moment_is_signed_and_outlives_older_answers(admin: Client) -> None:
    admin.post(REFRESH)
    refused = admin.post(REFRESH)

    moment = admin.cookies["__Host-onai_refreshed"]
    assert moment["max-age"] > settings.FUNNEL_CACHE_SECONDS
    for cookie in (moment, refused.cookies["__Host-onai_refreshed_too_soon"]):
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")


def test_refreshing_during_an_outage_shows_the_outage(
    admin: Client, sold: Callable[[], None]
) -> None:
    sold()
    first = _body(admin)
    with landing_outage():
        close_old_connections()
        # Young enough for the cache.
        assert _body(admin)["stale"] is False
        assert admin.post(REFRESH).status_code == 302
        close_old_connections()
        told = _body(admin)

    assert told["stale"] is True
    assert told["timestamp"] == first["timestamp"]
    assert _body(admin)["stale"] is False


@pytest.mark.parametrize(
    ("query", "where"),
    [
        (
            "period=7-days&source=proftest_a&source=",
            "/funnel?period=7-days&source=proftest_a&source=",
        ),
        ("//evil.example/", "/funnel?%2F%2Fevil.example%2F="),
        ("a=1\r\nSet-Cookie: x=y", "/funnel?a=1%0D%0ASet-Cookie%3A+x%3Dy"),
        # Cut short it would be another question.
        ("x=" + "y" * 10_000, "/funnel"),
    ],
)
def test_refreshing_returns_to_the_same_question_only(
    admin: Client, landing: LandingPages, query: str, where: str
) -> None:
    assert admin.post(REFRESH, {"query": query})["Location"] == where


def test_the_refresh_button_keeps_the_question(admin: Client, landing: LandingPages) -> None:
    page = admin.get("/funnel?a=1&b=%22%3E").content.decode()

    assert 'name="query" value="a=1&amp;b=%22%3E"' in page


@pytest.mark.parametrize("email", ["ayaulym@onai.test", "student@onai.test"])
def test_only_admins_refresh(as_person: Callable[[str], Client], email: str) -> None:
    assert Client().post(REFRESH).status_code == 302
    assert Client().post(REFRESH)["Location"].startswith("/login")
    assert as_person(email).post(REFRESH).status_code == 403


def test_refreshing_needs_a_csrf_token(admin: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = admin.cookies

    assert strict.post(REFRESH).status_code == 403
    assert admin.get(REFRESH).status_code == 405


# --- In a browser ------------------------------------------------------------------------------


def test_the_page_renews_its_figures(open_page: Any, landing: LandingPages) -> None:
    page = open_page()
    complaints = complaints_of(page)
    sign_in(page)
    landing.write({"sms_clicked": True})

    page.evaluate("htmx.trigger('#live', 'wake')")

    page.get_by_text("5 000 ₸").first.wait_for()
    assert page.get_by_role("heading", name="За 30 дней 1 покупка").count() == 1
    # Unseen, it asks nothing.
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("htmx.trigger('#live', 'wake')")
    page.evaluate("fetch('/healthz').then((answer) => answer.ok)")
    assert [url.rpartition("/")[2] for url in asked] == ["healthz"]
    assert complaints == []


@pytest.mark.parametrize("how", ["offline", "signed out", "error"])
def test_figures_that_cannot_be_refreshed_stay_with_a_note(
    open_page: Any, landing: LandingPages, how: str
) -> None:
    landing.write({"sms_clicked": True})
    page = open_page()
    sign_in(page)
    page.get_by_text("5 000 ₸").first.wait_for()
    if how == "offline":
        page.context.set_offline(True)
    elif how == "signed out":
        page.context.clear_cookies()
    else:
        page.route("**/funnel", lambda route: route.fulfill(status=503, body="no"))

    page.evaluate("htmx.trigger('#live', 'wake')")

    page.get_by_text("Обновить цифры не получается").wait_for()
    assert page.get_by_text("5 000 ₸").first.is_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_an_owner_refreshes_the_figures(
    open_page: Any, landing: LandingPages, javascript: bool
) -> None:
    page = open_page(java_script_enabled=javascript)
    sign_in(page)
    landing.write({"sms_clicked": True})

    page.get_by_role("button", name="Обновить").click()

    page.get_by_text("5 000 ₸").first.wait_for()
