"""How fresh the figures are: the last good ones in an outage, and asking again by hand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import time_machine
from cachalot.settings import cachalot_settings
from django.conf import settings
from django.core.cache import cache
from django.db import close_old_connections
from django.test import Client

from funnel.freshness import _shape, answer
from funnel.report import FiguresUnavailable
from onai.templatetags.russian import ago
from tests.browser import complaints_of, sign_in
from tests.conftest import LandingPages
from tests.outages import landing_outage
from tests.settings import TEST_ENVIRONMENT, TEST_KEYS

API = "/api/traffic-dashboard/funnel"
REFRESH = "/funnel/refresh"


@pytest.fixture
def sell() -> Iterator[Callable[[], None]]:
    """Writes one more purchase, on a connection that an outage has not cut."""
    url = TEST_ENVIRONMENT["LANDING_DATABASE_URL"]

    def sell() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            LandingPages(connection).write({"source": "TF4", "sms_clicked": True})

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("truncate landing_leads")
    yield sell
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("truncate landing_leads")


@pytest.fixture
def uncached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question is one to the database, as if the cached answer had just grown old."""
    monkeypatch.setattr(cachalot_settings, "CACHALOT_TIMEOUT", 0)


def _body(client: Client, path: str = API) -> dict[str, Any]:
    body: dict[str, Any] = client.get(path).json()
    return body


# --- The last good report ----------------------------------------------------------------------


@pytest.mark.usefixtures("uncached")
def test_an_outage_shows_the_last_good_report_with_its_age(
    admin: Client, sell: Callable[[], None]
) -> None:
    sell()
    good = _body(admin)
    counted = datetime.fromisoformat(good["timestamp"])

    with landing_outage(), time_machine.travel(counted + timedelta(minutes=25, seconds=3)):
        close_old_connections()
        page, api, stage = admin.get("/funnel"), admin.get(API), admin.get(f"{API}/payment")

    assert (good["stale"], "warning" in good) == (False, False)
    assert (page.status_code, api.status_code, stage.status_code) == (200, 200, 200)
    body = api.json()
    warning = body.pop("warning")
    assert body == {**good, "stale": True}
    assert (warning["code"], warning["asOf"]) == ("figures_stale", good["timestamp"])
    assert warning["message"].startswith("База лидов не отвечает. Показаны цифры на ")
    assert warning["message"].endswith(", 25 минут назад.")
    assert api["Warning"] == stage["Warning"] == '110 - "Response is Stale"'
    assert stage.json()["stale"] is True
    assert warning["message"] in page.content.decode()
    assert "1 покупка" in " ".join(page.content.decode().replace("</strong>", "").split())


@pytest.mark.usefixtures("uncached")
def test_when_the_database_is_back_the_figures_are_fresh_again(
    admin: Client, sell: Callable[[], None]
) -> None:
    sell()
    first = _body(admin)
    with landing_outage():
        close_old_connections()
        assert _body(admin)["stale"] is True
        assert _body(admin)["stale"] is True

    sell()
    after = admin.get(API)

    assert (after.json()["stale"], after.json()["totalConversions"]) == (False, 2)
    assert after.json()["timestamp"] > first["timestamp"]
    assert "Warning" not in after
    assert "База лидов не отвечает" not in admin.get("/funnel").content.decode()


@pytest.mark.usefixtures("uncached")
def test_an_outage_over_midnight_leaves_yesterdays_report(
    client: Client, sell: Callable[[], None]
) -> None:
    sell()
    now = datetime.now(UTC)
    claims = {
        "iss": settings.SUPABASE_AUTH_URL,
        "sub": str(uuid4()),
        "aud": "authenticated",
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(days=3)).timestamp()),
        "app_metadata": {"role": "admin"},
    }
    header = {"Authorization": f"Bearer {TEST_KEYS.sign(claims)}"}
    good = client.get(API, headers=header).json()

    with landing_outage(), time_machine.travel(now + timedelta(days=1, minutes=1)):
        close_old_connections()
        told = client.get(API, headers=header).json()

    assert (told["stale"], told["timestamp"]) == (True, good["timestamp"])
    assert told["warning"]["message"].endswith("1 день назад.")


def test_nothing_kept_is_an_outage_and_no_zeros(admin: Client, sell: Callable[[], None]) -> None:
    with landing_outage():
        close_old_connections()
        page, api = admin.get("/funnel"), admin.get(API)

    assert (page.status_code, api.status_code) == (503, 503)
    assert api.json()["code"] == "figures_unavailable"


@dataclass(frozen=True, slots=True)
class _Figures:
    as_of: datetime
    sold: int = 0


@dataclass(frozen=True, slots=True)
class _FiguresOfTomorrow:
    as_of: datetime
    sold: str = ""


def _down() -> Any:
    raise FiguresUnavailable


def test_each_question_has_its_own_last_answer() -> None:
    now = datetime.now(UTC)
    answer("kenesary", lambda: _Figures(now, 19), kind=_Figures)
    answer("arystan", lambda: _Figures(now, 9), kind=_Figures)

    assert answer("kenesary", _down, kind=_Figures).figures.sold == 19
    assert answer("arystan", _down, kind=_Figures).figures.sold == 9
    with pytest.raises(FiguresUnavailable):
        answer("muha", _down, kind=_Figures)


def test_a_release_that_changes_the_figures_does_not_take_up_the_old_ones() -> None:
    answer("funnel", lambda: _Figures(datetime.now(UTC)), kind=_Figures)

    with pytest.raises(FiguresUnavailable):
        answer("funnel", _down, kind=_FiguresOfTomorrow)

    class Colour(StrEnum):
        RED = "red"

    shape = _shape(Colour)
    Colour._member_map_ = {}
    _shape.cache_clear()
    assert _shape(Colour) != shape


def test_the_age_is_counted_when_it_is_told_and_never_below_zero() -> None:
    now = datetime.now(UTC)
    answer("funnel", lambda: _Figures(now), kind=_Figures)

    with time_machine.travel(now + timedelta(days=2)):
        assert answer("funnel", _down, kind=_Figures).age >= timedelta(days=2)
        assert answer("funnel", _down, kind=_Figures).warning.endswith("2 дня назад.")
    with time_machine.travel(now - timedelta(hours=1)):
        assert answer("funnel", _down, kind=_Figures).age == timedelta()
    with time_machine.travel(now + timedelta(days=8)), pytest.raises(FiguresUnavailable):
        answer("funnel", _down, kind=_Figures)


def test_a_bug_is_not_an_outage() -> None:
    answer("funnel", lambda: _Figures(datetime.now(UTC)), kind=_Figures)

    with pytest.raises(ZeroDivisionError):
        answer("funnel", lambda: _Figures(datetime.now(UTC), 1 // 0), kind=_Figures)


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=59), "меньше минуты назад"),
        (timedelta(minutes=1), "1 минуту назад"),
        (timedelta(minutes=22), "22 минуты назад"),
        (timedelta(minutes=59, seconds=59), "59 минут назад"),
        (timedelta(hours=1), "1 час назад"),
        (timedelta(hours=23, minutes=59), "23 часа назад"),
        (timedelta(days=1), "1 день назад"),
        (timedelta(days=5, hours=23), "5 дней назад"),
    ],
)
def test_how_long_ago_is_said_in_plain_russian(age: timedelta, words: str) -> None:
    assert ago(age) == words


# --- Asking again ------------------------------------------------------------------------------


def test_refreshing_asks_the_database_again(admin: Client, sell: Callable[[], None]) -> None:
    sell()
    first = _body(admin)
    sell()
    assert _body(admin) == first

    answered = admin.post(REFRESH, {"query": ""})

    assert (answered.status_code, answered["Location"]) == (302, "/funnel")
    again = _body(admin)
    assert again["totalConversions"] == 2
    assert again["timestamp"] > first["timestamp"]
    # And what was asked again is cached again.
    sell()
    assert _body(admin) == again


def test_once_in_ten_seconds_for_all(
    admin: Client, bearer: Callable[[str], dict[str, str]], sell: Callable[[], None]
) -> None:
    other = Client(headers=bearer("admin@onai.test"))
    start = datetime.now(UTC)
    with time_machine.travel(start, tick=False) as clock:
        admin.post(REFRESH)
        first = _body(admin)
        sell()
        clock.shift(9)
        other.post(REFRESH)
        assert _body(other) == first
        assert "Цифры только что обновляли" in other.get("/funnel").content.decode()
        assert "Цифры только что обновляли" not in admin.get("/funnel").content.decode()
        clock.shift(2)
        other.post(REFRESH)
        assert _body(admin)["totalConversions"] == 1


def test_what_was_being_counted_meanwhile_is_not_taken_for_fresh(
    admin: Client, sell: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A count that began before the refresh ends, and is cached, after it."""
    from funnel import report

    counted = report._count

    def slow_count(leads: Any) -> Any:
        monkeypatch.setattr(report, "_count", counted)
        found = counted(leads)
        sell()
        admin.post(REFRESH)
        return found

    monkeypatch.setattr(report, "_count", slow_count)
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


def test_whoever_refreshed_sees_nothing_older_from_any_process(
    admin: Client,
    bearer: Callable[[str], dict[str, str]],
    sell: Callable[[], None],
    two_processes: Callable[[str], None],
) -> None:
    for process in "ab":
        two_processes(process)
        assert _body(admin)["totalConversions"] == 0
    sell()

    two_processes("a")
    admin.post(REFRESH)
    two_processes("b")

    assert _body(admin)["totalConversions"] == 1
    # Nobody else had asked for it there, but now it is counted.
    other = Client(headers=bearer("admin@onai.test"))
    assert _body(other)["totalConversions"] == 1


def test_a_forged_moment_is_not_taken_up(admin: Client, sell: Callable[[], None]) -> None:
    assert _body(admin)["totalConversions"] == 0
    sell()
    for value in ("2099-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00:AAAA", "", "x:y:z"):
        admin.cookies["onai_refreshed"] = value
        assert _body(admin)["totalConversions"] == 0


def test_refreshing_in_an_outage_shows_that_there_is_one(
    admin: Client, sell: Callable[[], None]
) -> None:
    sell()
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
        ("x=" + "y" * 10_000, "/funnel?x=" + "y" * 1_998),
    ],
)
def test_refreshing_leads_back_to_the_same_question_and_nowhere_else(
    admin: Client, landing: LandingPages, query: str, where: str
) -> None:
    assert admin.post(REFRESH, {"query": query})["Location"] == where


def test_the_page_keeps_its_question_in_the_button(admin: Client, landing: LandingPages) -> None:
    page = admin.get("/funnel?a=1&b=%22%3E").content.decode()

    assert 'name="query" value="a=1&amp;b=%22%3E"' in page


@pytest.mark.parametrize("email", ["ayaulym@onai.test", "student@onai.test"])
def test_only_admins_refresh(as_person: Callable[[str], Client], email: str) -> None:
    assert Client().post(REFRESH).status_code == 302
    assert Client().post(REFRESH)["Location"].startswith("/login")
    assert as_person(email).post(REFRESH).status_code == 403


def test_refreshing_is_a_form_of_ours(admin: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = admin.cookies

    assert strict.post(REFRESH).status_code == 403
    assert admin.get(REFRESH).status_code == 405


# --- In a browser ------------------------------------------------------------------------------


def test_the_page_keeps_itself_current_while_it_is_looked_at(
    open_page: Any, landing: LandingPages
) -> None:
    page = open_page()
    complaints = complaints_of(page)
    sign_in(page)
    landing.write({"sms_clicked": True})

    page.evaluate("htmx.trigger('#live', 'wake')")

    page.get_by_text("5 000 ₸").first.wait_for()
    assert page.get_by_role("heading", name="Воронка продаж").count() == 1
    # Unseen, it asks nothing.
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("htmx.trigger('#live', 'wake')")
    page.wait_for_timeout(300)
    assert asked == []
    assert complaints == []


@pytest.mark.parametrize("how", ["offline", "signed out", "error"])
def test_what_cannot_be_refreshed_stays_and_says_so(
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
def test_an_owner_asks_again(open_page: Any, landing: LandingPages, javascript: bool) -> None:
    page = open_page(java_script_enabled=javascript)
    sign_in(page)
    landing.write({"sms_clicked": True})

    page.get_by_role("button", name="Обновить").click()

    page.get_by_text("5 000 ₸").first.wait_for()
    page.get_by_role("button", name="Обновить").click()
    page.get_by_text("Цифры только что обновляли").wait_for()
