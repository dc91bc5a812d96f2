"""The join of random people equals a join in plain Python; and a worker may die at any step."""

import os
import signal
from collections.abc import Callable
from itertools import combinations
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from onai.contacts import phones
from sales.handoff import buyers as joining
from sales.handoff import contacts, matching, rounds
from sales.handoff.landing_reader import id_of_deal
from tests.conftest import LandingPages
from tests.support.buyers import Buyers, ago
from tests.support.desk import Desk
from tests.support.student_rows import Sales

NAMES = ("Дана Ким", "Ержан Ким", "Айя Серик", "")
PHONES = (
    "87000000011",
    "+7 700 000 00 11",
    "7000000011",
    "87000000012",
    "8 (700) 000-00-13",
    "нет",
)
EMAILS = ("a@onai.test", " A@onai.test", "b@onai.test", "c@onai.test", None, None)
# Name, phone, e-mail, hours since the click and since the choice.
LEAD = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(PHONES),
    st.sampled_from(EMAILS),
    st.one_of(st.none(), st.integers(1, 90)),
    st.one_of(st.none(), st.integers(1, 90)),
)
STUDENT = st.tuples(
    st.sampled_from(NAMES[:3]),
    st.sampled_from((None, "+77000000011", "+77000000012")),
    st.sampled_from(("a@onai.test", "B@onai.test", "x@onai.test", "y@onai.test")),
)
DEALS = st.lists(st.sampled_from(PHONES), max_size=2)
Person = tuple[str | None, str | None, str]
World = tuple[list[Any], list[str], list[Any]]


@given(
    leads=st.lists(LEAD, min_size=1, max_size=8),
    deals=DEALS,
    students=st.lists(STUDENT, max_size=3, unique_by=lambda one: one[2].lower()),
)
@example(
    leads=[
        ("Дана Ким", PHONES[0], EMAILS[0], 5, None),
        ("Ержан Ким", PHONES[1], EMAILS[2], 6, None),
    ],
    deals=[PHONES[0]],
    students=[("Дана Ким", "+77000000011", "x@onai.test")],
)
@settings(
    max_examples=40,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_join_of_random_people_equals_one_by_hand(
    landing: LandingPages, desk: Desk, sales: Sales, leads: Any, deals: Any, students: Any
) -> None:
    landing.connection.execute("truncate landing_leads, journey_stages, express_course_sales")
    desk.connection.execute(
        "truncate sales_buyers, sales_buyer_contacts, sales_student_leads, sales_reading_positions,"
        " tripwire_users cascade"
    )
    world = Buyers(landing, desk)
    people: dict[UUID, Person] = {}
    first: dict[UUID, list[int]] = {}
    for name, phone, email, clicked, chose in leads:
        marks = {"sms_clicked": True, "sms_clicked_at": ago(hours=clicked)} if clicked else {}
        lead = world.lead(name, phone, email=email, **marks)
        if chose:
            world.chose(lead, at=ago(hours=chose))
        key = email.strip().lower() if email else None
        people[lead] = (phones.key(phone), key, name)
        first[lead] = [hours for hours in (clicked, chose) if hours]
    for number, phone in enumerate(deals):
        world.won(number, phone, sale_date=ago(hours=100 + number))
        deal = id_of_deal(number)
        people[deal], first[deal] = (phones.key(phone), None, ""), [100 + number]
    ids = {}
    for name, phone, email in students:
        ids[email] = sales.add(email, full_name=name)["id"]
        if phone:
            desk.connection.execute(
                "insert into sales_student_phones values (%s, %s)", [ids[email], phone]
            )

    waiting = world.join()

    rows = desk.rows("select id, buyer_id from sales_buyer_contacts")
    buyer_of = {row["id"]: row["buyer_id"] for row in rows}
    persons = {
        buyer: frozenset(one for one in buyer_of if buyer_of[one] == buyer)
        for buyer in buyer_of.values()
    }
    by_hand = _persons(people)
    assert set(persons.values()) == by_hand
    matched = {}
    for name, phone, email in students:
        found = _match(people, by_hand, ids[email], (phone, email.lower(), name))
        if found:
            matched[ids[email]] = found
    kept = desk.rows("select student_id, buyer_id, how from sales_student_leads")
    found_by = {row["student_id"]: (persons[row["buyer_id"]], row["how"]) for row in kept}
    assert found_by == matched
    with_access = {person for person, _ in matched.values()}
    lines = [
        max(hours for one in person for hours in first[one])
        for person in by_hand - with_access
        if any(first[one] for one in person)
    ]
    assert len(waiting) == len(lines)
    share = matching.match_share()
    assert (share.by_email, share.by_phone) == tuple(
        sum(how == one for _, how in matched.values()) for one in ("email", "phone")
    )
    assert share.students == len(students)


def _persons(people: dict[UUID, Person]) -> set[frozenset[UUID]]:
    """Whoever belongs together, by looking at each pair again and again."""
    groups = {one: frozenset([one]) for one in people}

    def join(one: UUID, other: UUID) -> bool:
        if groups[one] == groups[other]:
            return False
        whole = groups[one] | groups[other]
        for each in whole:
            groups[each] = whole
        return True

    while any(
        join(one, other)
        for one, other in combinations(people, 2)
        if _belong(one, other, people, groups)
    ):
        pass
    return set(groups.values())


def _belong(
    one: UUID, other: UUID, people: dict[UUID, Person], groups: dict[UUID, frozenset[UUID]]
) -> bool:
    (phone, email, name), (other_phone, other_email, other_name) = people[one], people[other]
    if email and email == other_email:
        return True
    if not phone or phone != other_phone:
        return False
    if name and name == other_name:
        return True
    sharing = [each for each in people if people[each][0] == phone]
    emailed = {groups[each] for each in sharing if people[each][1]}
    named = {groups[each] for each in sharing if people[each][2]}
    return not (len(emailed) > 1 and len(named) > 1)


def _match(
    people: dict[UUID, Person], by_hand: set[frozenset[UUID]], student: UUID, keys: Person
) -> tuple[frozenset[UUID], str] | None:
    phone, email, _name = keys
    for person in by_hand:
        if any(people[one][1] == email for one in person):
            return person, "email"
    called = {one: people[one] for one in people if phone and people[one][0] == phone}
    persons = {person for person in by_hand if person & set(called)}
    if len(persons) == 1 and len(_persons({**called, student: keys})) == 1:
        return persons.pop(), "phone"
    return None


# --- Killed ------------------------------------------------------------------------------------

STEPS = (
    (contacts, "keep"),
    (joining, "regroup"),
    (joining, "_write"),
    (matching, "match_buyers"),
    (matching, "match_students"),
    (matching, "tie"),
    (rounds, "_place_of"),
)


def _killed(prepare: Callable[[], None]) -> None:
    """A round in a process of its own, which dies in the middle, as by `kill -9`."""
    connections.close_all()
    worker = os.fork()
    if worker == 0:
        prepare()
        rounds.run_round()
        os._exit(0)
    _, status = os.waitpid(worker, 0)
    assert os.WIFSIGNALED(status)


@pytest.mark.parametrize(("module", "step"), STEPS, ids=[step for _, step in STEPS])
def test_a_worker_killed_at_any_step_leaves_nothing_that_the_next_does_not_finish(
    landing: LandingPages,
    desk: Desk,
    sales: Sales,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    step: str,
) -> None:
    monkeypatch.setattr(rounds, "PAGE", 2)
    world = Buyers(landing, desk)
    for number in range(5):
        lead = world.clicked(f"Имя {number}", f"8700000001{number}", email=f"l{number}@onai.test")
        world.chose(lead)
    world.won(77, "87000000010")
    sales.add("l3@onai.test")
    _killed(lambda: setattr(module, step, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)))

    for _ in range(3):
        world.join()

    assert sorted(line["name"] for line in world.lines()) == ["Имя 0", "Имя 1", "Имя 2", "Имя 4"]
    assert len(world.everybody()) == 5
    assert world.matches() == {"l3": "email"}


def test_a_worker_killed_in_a_page_of_the_night_leaves_it_to_the_next_round(
    landing: LandingPages, desk: Desk
) -> None:
    """Unlike newer ones, an old lead is read once a night: a page whose place is kept without its
    rows would be read again a day later at the soonest.
    """
    world = Buyers(landing, desk)
    old = world.clicked(created_at=ago(days=100), sms_clicked_at=ago(days=99))
    keep = contacts.keep

    def dies_with_the_old_lead(rows: Any, **moments: Any) -> Any:
        if old in [row.id for row in rows]:
            os.kill(os.getpid(), signal.SIGKILL)
        return keep(rows, **moments)

    _killed(lambda: setattr(contacts, "keep", dies_with_the_old_lead))
    assert world.everybody() == []

    world.join()

    assert [one["lead_id"] for one in world.everybody()] == [old]
