"""The database or Supabase Auth is away: later, a student is there whole or not at all."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.test import Client

from onai.identity.roles import Identity, Role
from sales.provisioning import open_requests, problems
from sales.provisioning.create_student import NewStudent, create_student
from sales.staff import Manager
from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import (
    LETTERS,
    ONE_USER,
    USERS,
    Ask,
    api_requests_of,
    is_waited_for,
    locked,
    wait_until,
    work_later,
)
from tests.support.people import Accounts
from tests.support.pooler import run_pooler
from tests.support.processes import run_worker
from tests.support.server import web_server

pytestmark = pytest.mark.usefixtures("fresh_connection")
MANAGER = "ayaulym@onai.test"


def _cut(desk: Desk) -> None:
    """Every connection of the web server's to Tripwire is ended."""
    desk.rows(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = 'tripwire' and pid <> pg_backend_pid()"
        " and query not like '%%mailbox%%' and query ilike '%%sales_%%'"
    )


@pytest.mark.parametrize(
    ("path", "method", "after"),
    [(USERS, "POST", False), (USERS, "POST", True), (LETTERS, "POST", False)],
)
def test_a_connection_cut_between_steps_is_survived(
    desk: Desk, ask: Ask, faults: Faults, path: str, method: str, after: bool
) -> None:
    faults.set(path, method=method, delay=4, after=after, times=1)
    answers: list[httpx.Response] = []
    request = threading.Thread(target=lambda: answers.append(ask()))
    request.start()
    wait_until(faults.met)

    _cut(desk)
    faults.clear()
    request.join(30)

    (answer,) = answers
    assert answer.status_code in (201, 503)
    if answer.status_code == 503:
        assert answer.json()["code"] == "still_creating"
    work_later(desk)
    desk.assert_whole_student()
    assert len(desk.mailbox()) == 1


@pytest.mark.parametrize("table", ["sales_requests", "tripwire_users", "sales_letters"])
def test_a_connection_cut_within_the_transaction_is_survived(
    desk: Desk, ask: Ask, table: str
) -> None:
    answers: list[httpx.Response] = []
    with locked(table):
        request = threading.Thread(target=lambda: answers.append(ask()))
        request.start()
        wait_until(lambda: is_waited_for(desk, table))
        desk.rows(
            "select pg_terminate_backend(pid) from pg_locks"
            " where not granted and relation = %s::regclass",
            table,
        )
        request.join(30)

    (answer,) = answers
    assert answer.status_code == 503
    told = "database_unavailable" if table == "sales_requests" else "still_creating"
    assert answer.json()["code"] == told
    work_later(desk)
    if told == "still_creating":
        desk.assert_whole_student()
    else:
        desk.assert_no_student()
    assert ask().status_code == 201
    desk.assert_whole_student()


def test_an_unreachable_supabase_leaves_nothing_behind(desk: Desk, settings: Any) -> None:
    settings.SUPABASE_AUTH_URL = "http://127.0.0.1:9/auth/v1"
    me = Identity(uuid4(), MANAGER, "Аяулым Тест", Role.SALES)
    manager = Manager(me.user_id, me.name)
    new = NewStudent(GOOD["email"], GOOD["full_name"], GOOD["password"], manager)

    with pytest.raises(problems.AuthUnreachable):
        create_student(new, asker=me)

    desk.assert_no_student()


def test_an_outage_undoes_nothing_that_may_have_taken_effect(
    desk: Desk, ask: Ask, faults: Faults, settings: Any
) -> None:
    faults.set(USERS, method="POST", after=True, status=504, times=1)
    faults.set(ONE_USER, method="GET", status=504, times=1)
    ask()
    assert len(desk.accounts()) == 1
    desk.time_passes()
    reachable, settings.SUPABASE_AUTH_URL = settings.SUPABASE_AUTH_URL, "http://127.0.0.1:9/auth/v1"
    assert open_requests.finish_open_requests() == 0
    assert len(desk.open_creations()) == 1

    settings.SUPABASE_AUTH_URL = reachable
    work_later(desk)

    desk.assert_whole_student()


def test_a_hanging_database_does_not_hang_a_request(
    desk: Desk, as_person: Callable[[str], Client], monkeypatch: Any
) -> None:
    manager = as_person(MANAGER)
    monkeypatch.setattr("onai.db.bounded.STATEMENT_SECONDS", 1.0)
    with locked("tripwire_users"):
        answer = manager.post("/sales-manager/students/new", GOOD)

    assert answer.status_code == 302  # to the page that says «создаётся»
    work_later(desk)
    desk.assert_whole_student()


def test_a_creation_works_through_a_transaction_mode_pooler(desk: Desk, accounts: Accounts) -> None:
    for pooler in run_pooler():
        pooled = {"TRIPWIRE_DATABASE_URL": pooler.url("tripwire")}
        with web_server(**pooled) as site:
            ask = api_requests_of(site, accounts)
            for number in range(7):  # more often than any driver's threshold for preparing
                assert ask(email=f"s{number}@onai.test", key=str(number)).status_code == 201
        desk.connection.execute("update sales_letters set state = 'pending', sealed_password = 'x'")
        desk.time_passes()
        run_worker(**pooled)

    assert {letter["state"] for letter in desk.letters()} == {"failed"}  # for 'x' opens nothing
