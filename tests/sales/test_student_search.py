"""Searching students: whatever is asked for, they are those one finds by hand."""

import random
from datetime import UTC, datetime
from itertools import cycle, product
from typing import Any
from uuid import UUID, uuid4

import pytest

from onai.contacts import folding
from sales.cabinet.availability import availability
from sales.cabinet.student_list import (
    LetterFilter,
    Order,
    StudentFilter,
    all_students,
    page_of_students,
)
from sales.models import StudentStatus
from tests.support.desk import Desk

Row = dict[str, Any]
AYA, BOTA = uuid4(), uuid4()
STAFF_STUDENT = "me@onai.test"
# A name may be stored with its accents apart, and with another kind of space.
_SURNAMES = ("Ким", "Нұрлан", "То\u0438\u0306баева", "Тойбаев", "\u00a0Е\u0308лкин")
LONG_PAST = datetime(1900, 1, 1, tzinfo=UTC)


@pytest.fixture
def students(desk: Desk) -> list[Row]:
    """Ninety students of every kind, and one staff member who is a student as well."""
    dice = random.Random(8)
    moments = [datetime(2026, 11, day, tzinfo=UTC) for day in range(1, 6)]
    for number in range(90):
        _add(
            desk,
            full_name=f"{dice.choice(['Дана', 'Әсем', 'Ян'])} {dice.choice(_SURNAMES)}",
            email=f"a{number}@{dice.choice(['mail', 'gmail'])}.onai.test",
            status=dice.choice(["active", "active", "blocked", None]),
            granted_by=dice.choice([AYA, AYA, BOTA, None]),
            welcome_email_sent=dice.choice([True, False, None]),
            created_at=dice.choice([*moments, None]),
            last_sign_in_at=dice.choice([*moments, None]),
            letter=dice.choice(["pending", "failed", "sent", None]),
        )
    me = _add(desk, full_name="Дана Ким", email=STAFF_STUDENT, granted_by=AYA, letter="failed")
    desk.connection.execute(
        "insert into sales_staff values (%s, %s, 'Я', 'sales')", [me, STAFF_STUDENT]
    )
    return desk.rows(
        "select student.*, letter.state as letter, account.last_sign_in_at"
        " from tripwire_users student join auth.users account on account.id = student.user_id"
        " left join sales_letters letter on letter.student_id = student.id"
        " where student.email <> %s",
        STAFF_STUDENT,
    )


def _add(desk: Desk, *, letter: str | None, **columns: Any) -> UUID:
    user_id, last_sign_in_at = uuid4(), columns.pop("last_sign_in_at", None)
    desk.connection.execute(
        "insert into auth.users (id, email, is_sso_user, is_anonymous, last_sign_in_at)"
        " values (%s, %s, false, false, %s)",
        [user_id, f"{user_id}@onai.test", last_sign_in_at],
    )
    row = {**columns, "user_id": user_id}
    names, values = ", ".join(row), ", ".join(["%s"] * len(row))
    student = desk.row(
        f"insert into tripwire_users ({names}) values ({values}) returning id", *row.values()
    )
    if letter:
        desk.connection.execute(
            "insert into sales_letters (id, student_id, recipient, full_name, sealed_password,"
            " asked_by, idempotency_key, state, attempts, problem, refused, due_at, give_up_at,"
            " leased_until) values (gen_random_uuid(), %s, 'x', 'x', 'x', gen_random_uuid(),"
            " gen_random_uuid(), %s, 1, '', false, now(), now(), now())",
            [student["id"], letter],
        )
    return user_id


# Of letters that were not sent. What became of a sent one has tests of its own.
_UNSENT = (LetterFilter.WAITING, LetterFilter.FAILED, LetterFilter.NONE)


def _fits(row: Row, wanted: StudentFilter) -> bool:
    text = folding.fold(f" {row['full_name']} {row['email']}")
    unsent = not row["welcome_email_sent"]
    letters = {
        None: True,
        LetterFilter.SENT: not unsent,
        LetterFilter.WAITING: unsent and row["letter"] == "pending",
        LetterFilter.FAILED: unsent and row["letter"] == "failed",
        LetterFilter.NONE: unsent and row["letter"] is None,
    }
    return (
        all(
            (f" {word}" if len(word) < 3 else word) in text
            for word in folding.fold(wanted.text).split()
        )
        and wanted.status in (None, row["status"])
        and (not wanted.without_manager or row["granted_by"] is None)
        and wanted.manager_id in (None, row["granted_by"])
        and letters[wanted.letter]
    )


def _in_order(rows: list[Row], order: Order) -> list[UUID]:
    if order is Order.NAME:
        return [r["id"] for r in sorted(rows, key=lambda r: (r["full_name"].lower(), r["id"]))]
    column = "created_at" if order is Order.NEWEST else "last_sign_in_at"
    rows = sorted(rows, key=lambda r: (r[column] or LONG_PAST, r["id"]), reverse=True)
    return [r["id"] for r in rows]


def _questions() -> list[StudentFilter]:
    orders = cycle(Order)
    every = [
        StudentFilter(text, status, manager, without, letter, order=next(orders))
        for text, status, (manager, without), letter in product(
            (
                "",
                "дана",
                "ян",
                "gmail ким",
                "ким ким",
                "жжж",
                "асем нурлан",
                "ТО\u0438\u0306",
                "ёл",
            ),
            (None, StudentStatus.BLOCKED),
            ((None, False), (AYA, False), (None, True)),
            (None, LetterFilter.SENT, *_UNSENT),
        )
    ]
    return random.Random(9).sample(every, 60)


def test_every_search_agrees_with_a_search_by_hand(students: list[Row]) -> None:
    for wanted in _questions():
        expected = _in_order([row for row in students if _fits(row, wanted)], wanted.order)
        found, after, following = [], "", ""
        while following is not None:
            page = page_of_students(wanted, availability(), after=after)
            found += [student.pk for student in page.rows]
            following = page.following  # type: ignore[assignment]
            after = following or ""
        assert found == expected, wanted
        assert page.count == len(expected), wanted
        batches = all_students(wanted, availability())
        assert [student.pk for batch in batches for student in batch] == expected, wanted


def test_no_more_students_are_counted_than_shown(students: list[Row], monkeypatch: Any) -> None:
    monkeypatch.setattr("onai.web.paging.COUNTED_AT_MOST", 3)
    for wanted in _questions():
        expected = sum(_fits(row, wanted) for row in students)
        page = page_of_students(wanted, availability())
        assert page.count == min(expected, 3), wanted
        assert page.there_are_more == (expected > 3), wanted
