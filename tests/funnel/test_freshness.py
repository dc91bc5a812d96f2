"""The last good figures, which an outage of Landing leaves to be shown."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, make_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, get_args, get_type_hints

import jwt
import pytest
import time_machine
from cachalot.settings import cachalot_settings
from django.core.cache import cache
from django.db import close_old_connections
from django.http import QueryDict
from django.test import Client
from pydantic import TypeAdapter

from funnel.landing.freshness import Standing, answer
from funnel.landing.statement import FiguresTakeTooLong, FiguresUnavailable
from funnel.report.answers import FunnelAnswers, answers
from funnel.web.forms import PageForm
from onai.db import deadline
from onai.templatetags.russian import ago
from tests.conftest import LandingPages
from tests.settings import TEST_KEYS
from tests.support.outages import landing_outage
from tests.support.people import Accounts

API = "/api/traffic-dashboard/funnel"


@pytest.fixture(autouse=True)
def uncached(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Every question is one to the database, as if the cached answer had just grown old."""
    settings.FUNNEL_CACHE_SECONDS = 0
    monkeypatch.setattr(cachalot_settings, "CACHALOT_TIMEOUT", 0)


def _body(client: Client, path: str = API) -> dict[str, Any]:
    body: dict[str, Any] = client.get(path).json()
    return body


def test_an_outage_shows_the_last_good_report_with_its_age(
    admin: Client, sold: Callable[[], None]
) -> None:
    sold()
    assert "/funnel/tables/headline.csv" in admin.get("/funnel").content.decode()
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
    assert "1\N{NO-BREAK SPACE}покупка на 5" in page.content.decode()
    # A file has no place for a warning: there is none of old figures, and no link to one.
    assert "/funnel/tables/" not in page.content.decode()


def test_when_the_database_is_back_the_figures_are_fresh_again(
    admin: Client, sold: Callable[[], None]
) -> None:
    sold()
    first = _body(admin)
    with landing_outage():
        close_old_connections()
        assert _body(admin)["stale"] is True
        assert _body(admin)["stale"] is True

    sold()
    after = admin.get(API)

    assert (after.json()["stale"], after.json()["totalConversions"]) == (False, 2)
    assert after.json()["timestamp"] > first["timestamp"]
    assert "Warning" not in after
    assert "База лидов не отвечает" not in admin.get("/funnel").content.decode()


def test_an_outage_over_midnight_leaves_yesterdays_report(
    client: Client, accounts: Accounts, sold: Callable[[], None]
) -> None:
    sold()
    now = datetime.now(UTC)
    token = accounts.sign_in("admin@onai.test")["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    lasting = {**claims, "exp": int((now + timedelta(days=3)).timestamp())}
    header = {"Authorization": f"Bearer {TEST_KEYS.sign(lasting)}"}
    good = client.get(API, headers=header).json()

    with landing_outage(), time_machine.travel(now + timedelta(days=1, minutes=1)):
        close_old_connections()
        told = client.get(API, headers=header).json()

    assert (told["stale"], told["timestamp"]) == (True, good["timestamp"])
    assert told["warning"]["message"].endswith("1 день назад.")


def test_without_kept_figures_an_outage_is_reported_instead_of_zeros(
    admin: Client, sold: Callable[[], None]
) -> None:
    with landing_outage():
        close_old_connections()
        page, api = admin.get("/funnel"), admin.get(API)

    assert (page.status_code, api.status_code) == (503, 503)
    assert api.json()["code"] == "figures_unavailable"


@dataclass(frozen=True, slots=True)
class _Figures:
    as_of: datetime
    sold: int = 0


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


def test_the_warning_gives_local_time() -> None:
    as_of = datetime(2026, 11, 21, 20, 30, tzinfo=UTC)  # the 22nd in Almaty
    with time_machine.travel(as_of, tick=False):
        answer("funnel", lambda: _Figures(as_of), kind=_Figures)
    for later, when in (
        (timedelta(hours=1), "на 01:30,"),
        (timedelta(days=1), "на 22 ноября, 01:30,"),
    ):
        with time_machine.travel(as_of + later, tick=False):
            assert when in answer("funnel", _down, kind=_Figures).warning


def test_the_newest_answer_is_kept() -> None:
    answer("funnel", lambda: _Figures(datetime.now(UTC), 19), kind=_Figures)
    answer("funnel", lambda: _Figures(datetime.now(UTC), 20), kind=_Figures)

    assert answer("funnel", _down, kind=_Figures).figures.sold == 20


def test_figures_of_another_shape_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    answer("funnel", lambda: _Figures(datetime.now(UTC)), kind=_Figures)
    monkeypatch.setattr("funnel.landing.freshness._VERSION", 2_000)

    with pytest.raises(FiguresUnavailable):
        answer("funnel", _down, kind=_Figures)


def _as_released(*, row: tuple[str, ...] = ("sold",), colours: tuple[str, ...] = ("red",)) -> Any:
    """Figures as one release has them: with rows of so many fields, in one of these colours."""
    one: Any = make_dataclass("Row", [(name, int) for name in row])
    rows: Any = tuple[one, ...]
    colour: Any = StrEnum("Colour", colours)  # type: ignore[misc]
    return make_dataclass("Figures", [("as_of", datetime), ("rows", rows), ("colour", colour)])


def _counted_by(release: Any) -> Any:
    kinds = get_type_hints(release)
    row = get_args(kinds["rows"])[0]
    return release(datetime.now(UTC), (row(19),), kinds["colour"]("red"))


@pytest.mark.parametrize(
    "tomorrow",
    [_as_released(row=("sold", "left")), _as_released(colours=("red", "green")), _Figures],
)
def test_a_new_version_of_the_figures_ignores_older_ones(tomorrow: Any) -> None:
    today = _as_released()
    answer("funnel", lambda: _counted_by(today), kind=today)

    assert answer("funnel", _down, kind=_as_released()).figures.rows[0].sold == 19
    with pytest.raises(FiguresUnavailable):
        answer("funnel", _down, kind=tomorrow)


def test_the_age_is_computed_when_shown_and_never_negative() -> None:
    now = datetime.now(UTC)
    answer("funnel", lambda: _Figures(now), kind=_Figures)

    with time_machine.travel(now + timedelta(days=2)):
        assert answer("funnel", _down, kind=_Figures).age >= timedelta(days=2)
        assert answer("funnel", _down, kind=_Figures).warning.endswith("2 дня назад.")
    with time_machine.travel(now - timedelta(hours=1)):
        assert answer("funnel", _down, kind=_Figures).age == timedelta()
    with time_machine.travel(now + timedelta(days=8)), pytest.raises(FiguresUnavailable):
        answer("funnel", _down, kind=_Figures)


def test_a_bug_is_not_reported_as_an_outage() -> None:
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
def test_the_age_is_written_in_plain_russian(age: timedelta, words: str) -> None:
    assert ago(age) == words


# --- Counted once for all who ask at once ------------------------------------------------------


class Counting:
    """A count that goes on when it is let go, and knows how often it was begun."""

    def __init__(self, sold: int) -> None:
        self.begun = 0
        self.is_under_way = threading.Event()
        self.go_on = threading.Event()
        self.sold = sold

    def __call__(self) -> _Figures:
        self.begun += 1
        self.is_under_way.set()
        assert self.go_on.wait(60)
        return _Figures(datetime.now(UTC), self.sold)


@pytest.fixture
def cached(uncached: None, settings: Any) -> None:
    settings.FUNNEL_CACHE_SECONDS = 300


@pytest.mark.usefixtures("cached")
def test_during_a_count_others_see_the_last_figures() -> None:
    answer("funnel", lambda: _Figures(datetime.now(UTC), 19), kind=_Figures)
    with time_machine.travel(timedelta(seconds=360)), ThreadPoolExecutor(50) as people:
        count = Counting(20)
        first = people.submit(answer, "funnel", count, kind=_Figures)
        assert count.is_under_way.wait(60)
        others = [people.submit(answer, "funnel", count, kind=_Figures) for _ in range(49)]
        shown = [other.result(60) for other in others]
        count.go_on.set()
        counted = first.result(60)
        after = answer("funnel", count, kind=_Figures)

    assert count.begun == 1
    assert {(one.figures.sold, one.standing) for one in shown} == {(19, Standing.BEING_COUNTED)}
    assert shown[0].warning.startswith("Новые цифры ещё считаются. Показаны цифры на ")
    assert shown[0].warning.endswith(", 6 минут назад.")
    assert (counted.figures.sold, counted.standing) == (20, Standing.CURRENT)
    assert after.figures == counted.figures


@pytest.mark.usefixtures("cached")
def test_without_kept_figures_everyone_waits_for_one_count() -> None:
    count = Counting(19)
    with ThreadPoolExecutor(20) as people:
        asked = [people.submit(answer, "funnel", count, kind=_Figures) for _ in range(10)]
        asked += [people.submit(answer, "funnel", count, kind=_Figures) for _ in range(10)]
        count.go_on.set()
        answers = [one.result(60) for one in asked]

    assert count.begun == 1
    assert {one.standing for one in answers} == {Standing.CURRENT}
    assert len({one.figures for one in answers}) == 1


@pytest.mark.usefixtures("cached")
def test_a_long_wait_ends_with_too_slow() -> None:
    count = Counting(19)
    with ThreadPoolExecutor(1) as people:
        first = people.submit(answer, "funnel", count, kind=_Figures)
        assert count.is_under_way.wait(60)
        with deadline.within(0.1), pytest.raises(FiguresTakeTooLong):
            answer("funnel", count, kind=_Figures)
        with deadline.within(0.1), pytest.raises(FiguresTakeTooLong):
            answer("funnel", count, kind=_Figures, only_current=True)
        count.go_on.set()
        assert first.result(60).figures.sold == 19


@pytest.mark.usefixtures("cached")
def test_a_count_goes_on_for_others_when_its_first_reader_leaves() -> None:
    server, browser = socket.socketpair()

    def count() -> _Figures:
        browser.close()
        assert deadline.left()
        return _Figures(datetime.now(UTC))

    with server, deadline.within(60, client=server):
        assert answer("left", count, kind=_Figures).standing is Standing.CURRENT


@pytest.mark.usefixtures("cached")
def test_a_counting_process_is_awaited_unless_it_died(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[str] = []
    add = cache.add

    def note(key: str, value: str, seconds: float) -> Any:
        taken.append(key)
        return add(key, value, seconds)

    monkeypatch.setattr(cache, "add", note)
    answer("seen", lambda: _Figures(datetime.now(UTC)), kind=_Figures)
    (place,) = taken
    cache.delete(place.removesuffix(":counting"))
    cache.set(place, "another process", 15)

    with time_machine.travel(timedelta(seconds=5)):
        shown = answer("seen", lambda: _Figures(datetime.now(UTC)), kind=_Figures)
    with time_machine.travel(timedelta(seconds=16)):
        counted = answer("seen", lambda: _Figures(datetime.now(UTC)), kind=_Figures)

    assert (shown.standing, counted.standing) == (Standing.BEING_COUNTED, Standing.CURRENT)


@pytest.mark.usefixtures("cached")
@pytest.mark.parametrize(
    ("problem", "standing", "words"),
    [
        (FiguresUnavailable, Standing.UNAVAILABLE, "База лидов не отвечает."),
        (FiguresTakeTooLong, Standing.TOO_SLOW, "Новые цифры не успели посчитаться"),
    ],
)
def test_slow_and_unreachable_are_reported_differently(
    problem: type[FiguresUnavailable], standing: Standing, words: str
) -> None:
    def fail() -> Any:
        raise problem

    answer("funnel", lambda: _Figures(datetime.now(UTC)), kind=_Figures)
    with time_machine.travel(timedelta(seconds=301)):
        shown = answer("funnel", fail, kind=_Figures)
        with pytest.raises(problem):
            answer("funnel", fail, kind=_Figures, only_current=True)
        # And whoever comes next counts again.
        again = answer("funnel", lambda: _Figures(datetime.now(UTC)), kind=_Figures)

    assert shown.standing is standing
    assert shown.warning.startswith(words)
    assert again.standing is Standing.CURRENT


def test_kept_figures_equal_the_counted_ones(landing: LandingPages) -> None:
    for days, source in ((0, "proftest_a"), (3, "TF4"), (40, None), (1, "proftest_б")):
        came = datetime.now(UTC) - timedelta(days=days)
        landing.write(
            {"source": source, "sms_clicked": True, "email_sent": True, "created_at": came},
            {"source": source, "created_at": came, "metadata": {"utm_source": "x"}},
        )
    adapter = TypeAdapter(FunnelAnswers)
    for query in ("", "count=cohort&by=week", "period=today", "period=7-days&source=TF4"):
        counted = answers(PageForm(QueryDict(query)).question())

        assert adapter.validate_json(adapter.dump_json(counted)) == counted
