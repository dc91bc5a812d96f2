"""The share of students who have not started, by manager and by source, each with its list."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from funnel.report.sources import readable
from tests.support.desk import Row
from tests.support.student_changes import SignIn
from tests.support.student_rows import CABINET, Sales, names_on, text_on

_ROW = re.compile(
    r'<tr> <th scope="row"><bdi>([^<]*)</bdi></th> <td data-label="Не начали">(.*?)'
    r' <span class="muted"\s*>из (\d+)</span>\s*</td> <td data-label="Доля">(\d+) %</td> </tr>'
)


def _student(sales: Sales, *, days: float = 5, has_signed_in: bool = False, **more: Any) -> Row:
    now = datetime.now(UTC)
    return sales.add(
        created_at=now - timedelta(days=days, minutes=5),
        last_sign_in_at=now if has_signed_in else None,
        **more,
    )


def _bought(sales: Sales, student: Row, source: str | None, how: str = "email") -> None:
    sales.desk.connection.execute(
        "insert into sales_student_leads (student_id, phone, source, first_signal, how)"
        " values (%s, '', %s, '', %s)",
        [student["id"], source, how],
    )


def _shares(client: Client, query: str) -> dict[str, tuple[int, int, int]]:
    """The count of each row, of how many, and the share; each count is checked with its list."""
    page = text_on(client.get(f"{CABINET}{query}"))
    found = {}
    for name, count, with_access, percent in _ROW.findall(page):
        link = re.search(r'href="([^"]+)"\s*>(\d+)</a>', count)
        listed = len(names_on(client.get(CABINET + link[1].split("#")[0]))) if link else 0
        assert listed == int(link[2] if link else count), name
        found[name] = (listed, int(with_access), int(percent))
    return found


@pytest.fixture
def boss(as_person: SignIn) -> Client:
    return as_person("admin@onai.test")


def test_the_share_of_each_manager_is_of_those_with_access(sales: Sales, boss: Client) -> None:
    _student(sales)
    _student(sales, has_signed_in=True)
    _student(sales, status="completed")
    _student(sales, granted_by=sales.ids["botagoz"], manager_name="Ботагөз Тест")
    _student(sales, granted_by=None)
    _student(sales, granted_by=None, has_signed_in=True)
    former = uuid4()
    _student(sales, granted_by=former, manager_name="Бывшая Сотрудница")
    for nobody in ({"status": "blocked"}, {"status": "inactive"}, {"days": 0.5}):
        _student(sales, **nobody)

    found = _shares(boss, "?attention=not-started-1")

    by_manager = {name: row for name, row in found.items() if name != "источник неизвестен"}
    assert sorted(by_manager.values()) == [(1, 1, 100), (1, 1, 100), (1, 2, 50), (1, 3, 33)]
    assert by_manager["Бывшая Сотрудница"] == (1, 1, 100)
    assert by_manager["без менеджера"] == (1, 2, 50)
    assert found["источник неизвестен"] == (4, 7, 57)
    page = text_on(boss.get(CABINET, {"attention": "not-started-1"}))
    assert "Не начали 4 из 7 с доступом, 57 %" in page


def test_the_share_of_each_source_is_that_of_the_purchases(sales: Sales, boss: Client) -> None:
    for source, has_signed_in in (("proftest_muha", False), ("proftest_muha", True), ("TF4", True)):
        _bought(sales, _student(sales, has_signed_in=has_signed_in), source)
    _bought(sales, _student(sales, full_name="Чужая Покупка"), "TF4", how="undone")
    _bought(sales, _student(sales, full_name="Без Источника"), None)
    _student(sales, full_name="Без Покупки")

    found = _shares(boss, "?attention=not-started-1")
    unknown = boss.get(CABINET, {"attention": "not-started-1", "source_unknown": "on"})

    assert found[readable("proftest_muha")] == (1, 2, 50)
    assert found["источник неизвестен"] == (3, 3, 100)
    assert readable("TF4") not in found
    assert sorted(names_on(unknown)) == ["Без Источника", "Без Покупки", "Чужая Покупка"]
    assert "источник покупки неизвестен" in text_on(unknown)


def test_the_shares_go_by_the_days_of_the_group(sales: Sales, boss: Client) -> None:
    _student(sales, days=1)
    _student(sales, days=8, has_signed_in=True)

    assert _shares(boss, "?attention=not-started-1")["источник неизвестен"] == (1, 2, 50)
    assert _shares(boss, "?attention=not-started-7") == {"Аяулым Тест": (0, 1, 0)}


def test_a_manager_sees_the_sources_of_their_own_students(sales: Sales, as_person: SignIn) -> None:
    _bought(sales, _student(sales), "TF4")
    _bought(sales, _student(sales, granted_by=sales.ids["botagoz"]), "TF4")

    found = _shares(as_person("ayaulym@onai.test"), "?attention=not-started-1")

    assert found[readable("TF4")] == (1, 1, 100)
    assert len(found) == 2


@pytest.mark.parametrize("query", ["", "?attention=quiet-7", "?letter=lost"])
def test_other_lists_have_no_shares(sales: Sales, boss: Client, query: str) -> None:
    _student(sales)

    assert "По менеджерам и источникам" not in text_on(boss.get(f"{CABINET}{query}"))
