"""Whatever fails, and whenever: after the worker has run, a student is there whole or not at all.

The web server is a process of its own, which is really killed; Supabase Auth and Resend fail on
request, before or after they took effect; the database is held up by real locks.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from django.db import connections
from django.test import Client

from onai.identity.roles import Identity, Role
from sales import provisioning, refusals
from sales.intentions import NewStudent
from sales.staff import Manager
from tests import plain_http
from tests.conftest import TRIPWIRE_URL, Faults
from tests.desk import GOOD, Desk
from tests.people import Accounts
from tests.pooler import run_pooler
from tests.processes import work
from tests.server import Site, warm_web_server, web_server

CREATE = "/api/tripwire-manager/create-student"
USERS, ONE_USER, LETTERS = "/auth/v1/admin/users", "/auth/v1/admin/users/", "/emails"
MANAGER = "ayaulym@onai.test"
Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with web_server() as site:
        yield site


@pytest.fixture(autouse=True)
def fresh_connection() -> Iterator[None]:
    """The test's own connection to Tripwire, which the test may cut as well."""
    yield
    connections["tripwire"].close()


@pytest.fixture
def ask(site: Site, accounts: Accounts, desk: Desk) -> Ask:
    return _asker(site, accounts)


def _asker(site: Site, accounts: Accounts, person: str = MANAGER) -> Ask:
    token = accounts.sign_in(person)["access_token"]

    def ask(key: str = "the same", **changes: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        return plain_http.post(
            site.address + CREATE, json={**GOOD, **changes}, headers=headers, timeout=40
        )

    return ask


def _settle(desk: Desk) -> str:
    """Time passes and the worker runs; what it logged."""
    desk.time_passes()
    return str(work().stderr)


# --- Killed ------------------------------------------------------------------------------------


@contextmanager
def _locked(desk: Desk, table: str) -> Iterator[None]:
    """Whoever writes to this table waits."""
    with psycopg.connect(TRIPWIRE_URL) as other:
        other.execute(f"lock table {table} in share mode")
        yield
        other.rollback()


def _until(condition: Callable[[], Any]) -> None:
    """Wait until something can be seen in the database; bounded."""
    pause = threading.Event()
    for _ in range(400):
        if condition():
            return
        pause.wait(0.025)
    raise AssertionError("it never came to that")


def _waiting_for(desk: Desk, table: str) -> bool:
    return bool(
        desk.rows(
            "select 1 from pg_locks where not granted and relation = %s::regclass",
            table,
        )
    )


def _killed_when(
    desk: Desk,
    accounts: Accounts,
    reached: Callable[[], Any],
    person: str = MANAGER,
    **changes: Any,
) -> None:
    """A server that is killed, in the middle of a creation, when this can be seen."""
    with warm_web_server() as doomed:
        ask = _asker(doomed, accounts, person)
        failed: list[Exception] = []

        def call() -> None:
            try:
                ask(**changes)
            except httpx.HTTPError as error:
                failed.append(error)

        request = threading.Thread(target=call)
        request.start()
        _until(reached)
        doomed.kill()
        request.join(30)
        assert failed, "the manager got an answer"


def test_killed_before_the_intention(desk: Desk, accounts: Accounts) -> None:
    with _locked(desk, "sales_intentions"):
        _killed_when(desk, accounts, lambda: _waiting_for(desk, "sales_intentions"))
    _settle(desk)
    desk.nothing()


def test_killed_between_intention_and_account(
    desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(USERS, method="POST", delay=10, status=500, times=1)
    _killed_when(desk, accounts, faults.met)
    assert desk.accounts() == []

    said = _settle(desk)

    desk.whole()
    assert "creation_finished" in said


def test_killed_while_the_account_is_being_opened(
    desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    # Supabase goes on with it after we are dead, and the worker comes at the same time.
    faults.set(USERS, method="POST", delay=10, times=1)
    _killed_when(desk, accounts, faults.met)

    _settle(desk)
    desk.whole()
    faults.clear()  # And now Supabase is done, too.

    desk.whole()


def test_killed_between_account_and_student(desk: Desk, accounts: Accounts, faults: Faults) -> None:
    faults.set(USERS, method="POST", delay=10, after=True, times=1)
    _killed_when(desk, accounts, desk.accounts)
    assert desk.students() == []

    said = _settle(desk)

    desk.whole()
    assert "creation_finished" in said


@pytest.mark.parametrize(
    "table", ["tripwire_users", "sales_activity_log", "sales_letters", "procrastinate_jobs"]
)
def test_killed_within_the_transaction(desk: Desk, accounts: Accounts, table: str) -> None:
    with _locked(desk, table):
        _killed_when(desk, accounts, lambda: _waiting_for(desk, table))
    assert desk.students() == []

    _settle(desk)

    desk.whole()


def test_killed_between_student_and_letter(desk: Desk, accounts: Accounts, faults: Faults) -> None:
    faults.set(LETTERS, delay=10, status=500, times=1)
    _killed_when(desk, accounts, faults.met)
    assert desk.mailbox() == []

    _settle(desk)

    desk.whole()
    assert len(desk.mailbox()) == 1


def test_killed_between_sending_the_letter_and_saying_so(
    desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(LETTERS, delay=10, after=True, times=1)
    _killed_when(desk, accounts, desk.mailbox)
    assert desk.students()[0]["welcome_email_sent"] is False

    said = _settle(desk)

    desk.whole()
    assert len(desk.mailbox()) == 1  # Resend knew its key
    assert said.count("✅ Student created, email sent") == 1


def test_the_worker_is_killed_too(desk: Desk, ask: Ask, faults: Faults) -> None:
    # A killed worker leaves its job as if it were running, and nobody takes it up again.
    faults.set(LETTERS, status=500, times=1)
    ask()
    desk.connection.execute(
        "update procrastinate_jobs set status = 'doing' where task_name = 'sales.deliver_letter'"
    )
    desk.connection.execute(
        "update sales_letters set due_at = now() - interval '2 minutes',"
        " leased_until = now() - interval '2 minutes'"
    )

    work()  # is reminded of it,
    work()  # and does it

    desk.whole()
    assert len(desk.mailbox()) == 1


# --- Supabase Auth fails -----------------------------------------------------------------------

REFUSED = {
    "weak_password": (422, '{"code":"weak_password","weak_password":{"reasons":["pwned"]}}', 400),
    "invalid_email": (400, '{"code":"validation_failed"}', 400),
    "too_many_requests": (429, '{"code":"over_request_rate_limit"}', 429),
    "auth_not_permitted": (401, '{"message":"Invalid API key"}', 502),
    "auth_failed": (500, '{"code":"unexpected_failure"}', 502),
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_definite_refusal_undoes_everything_and_says_why(
    desk: Desk, ask: Ask, faults: Faults, code: str
) -> None:
    status, body, told = REFUSED[code]
    headers = {"X-Supabase-Api-Version": "2024-01-01"}
    faults.set(USERS, method="POST", status=status, body=body, headers=headers)

    answer = ask()

    assert (answer.status_code, answer.json()["code"]) == (told, code)
    desk.nothing()
    _settle(desk)
    desk.nothing()
    faults.clear()
    assert ask().status_code == 201
    desk.whole()


BEFORE: dict[str, dict[str, Any]] = {
    "time-out": {"delay": 7},
    "hang-up": {"drop": True},
    "gateway": {"status": 504},
    "garbage": {"body": "<html>", "status": 200},
    "gateway's own words": {"status": 409, "body": "<html>"},
    "request time-out": {"status": 408, "body": '{"message": "slow"}'},
    "odd json": {"body": '{"user": null}', "status": 200},
}
AFTER = {**BEFORE, "error": {"status": 500}}


@pytest.mark.parametrize("how", AFTER)
def test_an_account_that_was_opened_all_the_same_is_found(
    desk: Desk, ask: Ask, faults: Faults, how: str
) -> None:
    faults.set(USERS, method="POST", after=True, times=1, **AFTER[how])

    answer = ask()

    assert answer.status_code == 201
    desk.whole()


@pytest.mark.parametrize("how", BEFORE)
def test_an_outcome_that_stays_unclear_is_finished_by_the_worker(
    desk: Desk, ask: Ask, faults: Faults, how: str
) -> None:
    faults.set(USERS, method="POST", times=1, **BEFORE[how])

    answer = ask()

    assert (answer.status_code, answer.json()["code"]) == (503, "still_creating")
    assert int(answer.headers["Retry-After"]) > 0
    assert len(desk.open_intentions()) == 1
    again = ask(email="dana@onai.test")
    assert again.json()["code"] == "idempotency_key_reused"
    assert "creation_finished" in _settle(desk)
    desk.whole()
    faults.clear()  # Also where Supabase did it in the end.
    desk.whole()
    assert ask().status_code == 201  # the same request, whose end it now hears
    desk.whole()


def test_an_outcome_that_nobody_can_look_up_is_left_open(
    desk: Desk, ask: Ask, faults: Faults
) -> None:
    faults.set(USERS, method="POST", after=True, status=500)
    faults.set(ONE_USER, method="GET", status=500)

    answer = ask()

    assert answer.json()["code"] == "still_creating"
    assert "creation_still_open" in _settle(desk)
    assert len(desk.open_intentions()) == 1
    faults.clear()
    _settle(desk)
    desk.whole()


def test_a_late_refusal_is_told_to_who_waits(
    desk: Desk, ask: Ask, faults: Faults, accounts: Accounts
) -> None:
    faults.set(USERS, method="POST", status=504, times=1)
    ask()
    # In the meantime somebody opens an account under that address at Supabase itself.
    left_over = accounts.create(GOOD["email"], role="student")

    said = _settle(desk)

    assert "creation_undone" in said
    (intention,) = desk.intentions()
    assert (intention["state"], intention["refusal"]) == ("refused", "account_exists")
    assert [str(account["id"]) for account in desk.accounts()] == [left_over["id"]]
    assert desk.students() == []


def test_a_student_written_past_us_undoes_ours(
    desk: Desk, ask: Ask, faults: Faults, accounts: Accounts
) -> None:
    # The predecessor may still run: it writes the row while we open the account.
    other = accounts.create("elsewhere@onai.test", role="student")
    faults.set(USERS, method="POST", status=504, times=1)
    ask()
    desk.connection.execute(
        "insert into tripwire_users (user_id, full_name, email) values (%s, 'Ару', %s)",
        [other["id"], GOOD["email"]],
    )

    _settle(desk)

    assert desk.accounts() == []
    (intention,) = desk.intentions()
    assert (intention["state"], intention["refusal"]) == ("refused", "email_taken")
    assert desk.letters() == []


def test_an_account_deleted_in_between_is_opened_again(
    desk: Desk, ask: Ask, accounts: Accounts, faults: Faults
) -> None:
    with _locked(desk, "tripwire_users"):
        request = threading.Thread(target=ask)
        request.start()
        _until(lambda: _waiting_for(desk, "tripwire_users"))
        (account,) = desk.accounts()
        # Its deletion looks for students too, and waits with us for the lock, or goes before.
        deletion = threading.Thread(
            target=accounts.call, args=("DELETE", f"/admin/users/{account['id']}")
        )
        deletion.start()
    request.join(30)
    deletion.join(30)

    _settle(desk)

    # Either it was deleted first and opened anew, or it was deleted with its student.
    if desk.accounts():
        desk.whole()
    else:
        assert desk.students() == []
        assert desk.letters() == []


def test_a_refusal_of_the_second_attempt_takes_back_the_first(
    desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(USERS, method="POST", delay=10, after=True, times=1)
    _killed_when(desk, accounts, desk.accounts)
    headers = {"X-Supabase-Api-Version": "2024-01-01"}
    body = '{"code": "weak_password", "weak_password": {"reasons": []}}'
    faults.set(USERS, method="POST", status=422, body=body, headers=headers)

    assert "creation_undone" in _settle(desk)

    desk.nothing()


def test_an_adoption_that_is_killed_is_finished(
    desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    left_over = accounts.create(GOOD["email"], role="student")
    faults.set(ONE_USER, method="PUT", delay=10, after=True, times=1)
    _killed_when(desk, accounts, faults.met, person="admin@onai.test", adopt=True)

    _settle(desk)

    desk.whole()
    assert str(desk.accounts()[0]["id"]) == left_over["id"]
    assert accounts.sign_in(GOOD["email"], GOOD["password"])


@pytest.mark.parametrize("after", [True, False])
def test_an_adoption_whose_outcome_is_unclear_is_finished(
    desk: Desk, site: Site, accounts: Accounts, faults: Faults, after: bool
) -> None:
    accounts.create(GOOD["email"], role="student")
    faults.set(ONE_USER, method="PUT", status=500, after=after, times=1)

    answer = _asker(site, accounts, "admin@onai.test")(adopt=True)

    assert answer.json()["code"] == "still_creating"
    _settle(desk)
    desk.whole()


def test_stuck_creations_do_not_keep_others_from_their_turn(
    desk: Desk, ask: Ask, faults: Faults
) -> None:
    faults.set(USERS, method="POST", status=504)
    for number in range(5):
        ask(email=f"stuck{number}@onai.test", key=str(number))
    ask()
    stuck = desk.rows("select account_id from sales_intentions where email <> %s", GOOD["email"])
    faults.clear()
    # Supabase has no answer for these, however often it is asked.
    desk.connection.execute(
        "update sales_intentions set attempts = 8, leased_until = now() - interval '1 minute'"
        " where email like 'stuck%'"
    )
    desk.connection.execute(
        "update sales_intentions set leased_until = now() where email not like 'stuck%'"
    )
    for row in stuck:
        faults.set(f"{ONE_USER}{row['account_id']}", status=500)
    faults.set(USERS, method="POST", status=500, times=5)

    for _ in range(3):
        provisioning.finish_open_intentions()

    assert len(desk.students()) == 1
    assert len(desk.open_intentions()) == 5


def test_a_refusal_that_passes_leaves_a_later_attempt_open(
    desk: Desk, ask: Ask, faults: Faults
) -> None:
    faults.set(USERS, method="POST", status=504, times=1)
    ask()
    faults.set(USERS, method="POST", status=429, body='{"code": "over_request_rate_limit"}')

    _settle(desk)

    assert len(desk.open_intentions()) == 1
    faults.clear()
    _settle(desk)
    desk.whole()


def test_web_and_worker_at_once_make_one_student(desk: Desk, ask: Ask, faults: Faults) -> None:
    # The web process waits for Supabase so long that its lease runs out, and the worker comes.
    faults.set(USERS, method="POST", delay=5, after=True, times=1)
    answers: list[httpx.Response] = []
    web = threading.Thread(target=lambda: answers.append(ask()))
    web.start()
    _until(faults.met)

    said = _settle(desk)
    faults.clear()
    web.join(30)

    assert "creation_finished" in said
    assert answers[0].status_code == 201
    desk.whole()
    assert len(desk.mailbox()) == 1


# --- The database goes away --------------------------------------------------------------------


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
def test_the_connection_is_cut_between_steps(
    desk: Desk, ask: Ask, faults: Faults, path: str, method: str, after: bool
) -> None:
    faults.set(path, method=method, delay=4, after=after, times=1)
    answers: list[httpx.Response] = []
    request = threading.Thread(target=lambda: answers.append(ask()))
    request.start()
    _until(faults.met)

    _cut(desk)
    faults.clear()
    request.join(30)

    (answer,) = answers
    assert answer.status_code in (201, 503)
    if answer.status_code == 503:
        assert answer.json()["code"] == "still_creating"
    _settle(desk)
    desk.whole()
    assert len(desk.mailbox()) == 1


@pytest.mark.parametrize("table", ["sales_intentions", "tripwire_users", "sales_letters"])
def test_the_connection_is_cut_within_a_transaction(desk: Desk, ask: Ask, table: str) -> None:
    answers: list[httpx.Response] = []
    with _locked(desk, table):
        request = threading.Thread(target=lambda: answers.append(ask()))
        request.start()
        _until(lambda: _waiting_for(desk, table))
        desk.rows(
            "select pg_terminate_backend(pid) from pg_locks"
            " where not granted and relation = %s::regclass",
            table,
        )
        request.join(30)

    (answer,) = answers
    assert answer.status_code == 503
    told = "database_unavailable" if table == "sales_intentions" else "still_creating"
    assert answer.json()["code"] == told
    _settle(desk)
    if told == "still_creating":
        desk.whole()
    else:
        desk.nothing()
    assert ask().status_code == 201
    desk.whole()


# --- Supabase cannot be reached at all ---------------------------------------------------------


def test_a_supabase_that_is_not_there_leaves_nothing_behind(desk: Desk, settings: Any) -> None:
    settings.SUPABASE_AUTH_URL = "http://127.0.0.1:9/auth/v1"
    me = Identity(uuid4(), MANAGER, "Аяулым Тест", Role.SALES)
    new = NewStudent(**GOOD)

    with pytest.raises(refusals.AuthUnreachable):
        provisioning.create_student(new, asker=me, manager=Manager(me.user_id, me.name))

    desk.nothing()


def test_an_outage_does_not_undo_what_may_have_been_done_before_it(
    desk: Desk, ask: Ask, faults: Faults, settings: Any
) -> None:
    faults.set(USERS, method="POST", after=True, status=504, times=1)
    faults.set(ONE_USER, method="GET", status=504, times=1)
    ask()
    assert len(desk.accounts()) == 1
    desk.time_passes()
    reachable, settings.SUPABASE_AUTH_URL = settings.SUPABASE_AUTH_URL, "http://127.0.0.1:9/auth/v1"
    assert provisioning.finish_open_intentions() == 0
    assert len(desk.open_intentions()) == 1

    settings.SUPABASE_AUTH_URL = reachable
    _settle(desk)

    desk.whole()


def test_a_request_does_not_hang_with_the_database(
    desk: Desk, as_person: Callable[[str], Client], monkeypatch: Any
) -> None:
    manager = as_person(MANAGER)
    monkeypatch.setattr("onai.postgres.DEADLINE_SECONDS", 1.0)
    with _locked(desk, "tripwire_users"):
        answer = manager.post("/sales-manager/students/new", GOOD)

    assert answer.status_code == 302  # to the page that says «создаётся»
    _settle(desk)
    desk.whole()


def test_it_works_through_a_transaction_mode_pooler(desk: Desk, accounts: Accounts) -> None:
    for pooler in run_pooler():
        pooled = {"TRIPWIRE_DATABASE_URL": pooler.url("tripwire")}
        with web_server(**pooled) as site:
            ask = _asker(site, accounts)
            for number in range(7):  # more often than any driver's threshold for preparing
                assert ask(email=f"s{number}@onai.test", key=str(number)).status_code == 201
        desk.connection.execute("update sales_letters set state = 'pending', sealed_password = 'x'")
        desk.time_passes()
        work(**pooled)

    assert {letter["state"] for letter in desk.letters()} == {"failed"}  # for 'x' opens nothing
