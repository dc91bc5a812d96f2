"""The figures of the last full week: on the results page, with their lists, and in the log."""

import logging
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client

from onai.periods import business_day
from sales.tasks import log_week_figures
from tests.support.desk import Row
from tests.support.student_changes import SignIn
from tests.support.student_rows import ALMATY, CABINET, RESULTS, Sales, names_on, text_on

_FIGURE = re.compile(
    r'<dt>(?: <a href="([^"]+)" >)?([^<]+)(?:</a> )?</dt> <dd>(\d+)</dd>'
    r' <dd class="change-row muted"> неделей раньше (\d+) </dd>'
)


def _monday(weeks_ago: int) -> date:
    today = business_day()
    return today - timedelta(days=today.weekday() + 7 * weeks_ago)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), ALMATY)


def _student(sales: Sales, opened: datetime, seen: datetime | None = None, **more: Any) -> Row:
    return sales.add(created_at=opened, last_sign_in_at=seen, **more)


def _figures(client: Client, query: str = "") -> dict[str, tuple[int, int]]:
    """Each figure with that of the week before; where there is a list, it is counted too."""
    page = text_on(client.get(f"{RESULTS}{query}"))
    found = {}
    for link, title, count, before in _FIGURE.findall(page):
        if link:
            assert len(names_on(client.get(link.split("#")[0]))) == int(count), title
        found[title.strip()] = (int(count), int(before))
    return found


@pytest.fixture
def boss(as_person: SignIn) -> Client:
    return as_person("admin@onai.test")


def _two_weeks(sales: Sales) -> None:
    """Of the last week: five accesses, of whom one came and three have not; of the week before:
    two, of whom one has not. One went quiet last week, another the week before.
    """
    last, before, now = _noon(_monday(1)), _noon(_monday(2)), datetime.now(UTC)
    _student(sales, last, now)
    for _number in range(3):
        _student(sales, last)
    _student(sales, last, status="blocked")
    _student(sales, before, now)
    _student(sales, before, granted_by=sales.ids["botagoz"])
    _student(sales, _noon(_monday(9)), _noon(_monday(2)) + timedelta(days=1))
    _student(sales, _noon(_monday(9)), _noon(_monday(3)) + timedelta(days=6))
    # The quiet of other weeks, and the first moments outside both.
    _student(sales, _noon(_monday(9)), _noon(_monday(5)))
    _student(sales, datetime.combine(_monday(0), time(), ALMATY), now)


def test_the_results_page_tells_who_began_in_the_last_week(sales: Sales, boss: Client) -> None:
    _two_weeks(sales)

    assert _figures(boss) == {
        "Доступ открыт": (5, 2),
        "Из них уже входили": (1, 1),
        "Не начали": (3, 1),
        "Пропали за неделю": (1, 1),
    }
    assert "Не входили и не в списке: 1." in text_on(boss.get(RESULTS))


def test_the_figures_are_those_of_the_chosen_manager(sales: Sales, boss: Client) -> None:
    _two_weeks(sales)
    _student(sales, _noon(_monday(1)), granted_by=sales.ids["botagoz"])

    found = _figures(boss, f"?manager={sales.ids['botagoz']}&period=today")

    assert (found["Доступ открыт"], found["Не начали"]) == ((1, 1), (1, 1))


def test_somebody_who_learns_without_signing_in_goes_quiet_after_the_last_lesson(
    sales: Sales, boss: Client
) -> None:
    student = _student(sales, _noon(_monday(9)), _noon(_monday(5)))
    sales.desk.connection.execute(
        "insert into tripwire_progress (tripwire_user_id, module_id, lesson_id, is_completed,"
        " completed_at) values (%s, 16, 67, true, %s)",
        [student["user_id"], _noon(_monday(2)) + timedelta(days=2)],
    )

    assert _figures(boss)["Пропали за неделю"] == (1, 0)


def test_the_log_line_has_figures_and_no_names(
    sales: Sales, caplog: pytest.LogCaptureFixture
) -> None:
    _two_weeks(sales)
    with caplog.at_level(logging.INFO, "sales"):
        log_week_figures(0)

    (record,) = [one for one in caplog.records if one.message == "students_week"]
    week, before = vars(record)["last_week"], vars(record)["week_before"]
    sunday = (_monday(0) - timedelta(days=1)).isoformat()
    assert week == {
        "week": {"from": _monday(1).isoformat(), "to": sunday},
        "opened": 5,
        "signed_in": 1,
        "not_started": 3,
        "quiet": 1,
    }
    assert (before["opened"], before["not_started"], before["quiet"]) == (2, 1, 1)


@pytest.mark.parametrize("week", ["2026-13-01", "9999-12-31", "0001-01-01", "вчера"])
def test_a_week_that_cannot_be_is_refused(sales: Sales, boss: Client, week: str) -> None:
    assert boss.get(CABINET, {"week": week}).status_code == 400


def test_the_list_names_the_week_of_its_filter(sales: Sales, boss: Client) -> None:
    _student(sales, _noon(_monday(1)), full_name="Той Недели")
    _student(sales, _noon(_monday(2)), full_name="Другой Недели")

    page = boss.get(CABINET, {"week": _monday(1).isoformat()})

    assert names_on(page) == ["Той Недели"]
    assert "доступ открыт" in text_on(page)
