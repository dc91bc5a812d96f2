"""Whatever fails, and whenever: after the worker has run, a change is made in both systems or in
none, and its student, account and log agree.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from django.test import Client

from onai.identity.roles import Identity, Role
from sales import change_refusals, changes, letters
from sales.models import StudentStatus
from tests import plain_http
from tests.conftest import TRIPWIRE_URL, Faults
from tests.desk import GOOD, Desk, Row
from tests.people import Accounts
from tests.processes import work
from tests.server import Site, web_server

ONE_USER, LETTERS = "/auth/v1/admin/users/", "/emails"
ADMIN = "admin@onai.test"
_TOKEN = "t" * 32
NEW_PASSWORD, NEW_EMAIL = "Tzw4-Qpn8-2vXk", "aru.new@onai.test"
FORMS: dict[str, dict[str, str]] = {
    "status": {"status": "blocked", "sure": "on"},
    "password": {"password": NEW_PASSWORD},
    "data": {"email": NEW_EMAIL, "full_name": "Ару Сапарқызы"},
    "delete": {"email": GOOD["email"]},
}


@pytest.fixture(autouse=True)
def fresh_connection() -> Iterator[None]:
    """The test's own connection to Tripwire, which the test may cut as well."""
    yield
    connections["tripwire"].close()


@pytest.fixture
def boss(as_person: Callable[[str], Client], desk: Desk) -> Client:
    """An admin who has created a student."""
    client = as_person(ADMIN)
    assert client.post("/sales-manager/students/new", GOOD).status_code == 302
    return client


def _student(desk: Desk) -> Row:
    return desk.row("select * from tripwire_users")


def _path(desk: Desk, act: str) -> str:
    return f"/sales-manager/students/{_student(desk)['id']}/{act}"


def _act(client: Client, desk: Desk, act: str) -> Any:
    return client.post(_path(desk, act), {"attempt": str(uuid4()), **FORMS[act]})


def _settle(desk: Desk) -> str:
    """Time passes and the worker runs; what it logged."""
    desk.time_passes()
    return str(work().stderr)


def _made(desk: Desk, accounts: Accounts, act: str) -> None:
    """The change is made, in both systems, and logged once."""
    (change,) = desk.changes()
    assert (change["state"], change["sealed_password"]) == ("done", "")
    account_id = change["account_id"]
    account = desk.rows("select * from auth.users where id = %s", account_id)
    students = desk.rows("select * from tripwire_users")
    log = desk.log(account_id)
    if act == "delete":
        assert (account, students, log.count("user_deleted")) == ([], [], 1)
        return
    (student,), (account_row,) = students, account
    assert student["email"] == account_row["email"]
    assert student["full_name"] == account_row["raw_user_meta_data"]["full_name"]
    if act == "status":
        assert student["status"] == "blocked"
        assert account_row["banned_until"] is not None
        assert log.count("status_changed") == 1
    elif act == "password":
        accounts.sign_in(GOOD["email"], NEW_PASSWORD)
        assert log.count("password_reset") == 1
        assert sum(NEW_PASSWORD in one["text"] for one in desk.mailbox()) == 1
    else:
        assert (student["email"], student["full_name"]) == (NEW_EMAIL, "Ару Сапарқызы")
        assert log.count("status_changed") == 1
        assert len(desk.mailbox(NEW_EMAIL)) == 1


def _not_made(desk: Desk, accounts: Accounts) -> None:
    """Nothing has changed in either system."""
    (student,), (account,) = desk.students(), desk.accounts()
    assert (student["status"], student["full_name"]) == ("active", GOOD["full_name"])
    assert account["raw_user_meta_data"]["full_name"] == GOOD["full_name"]
    accounts.sign_in(GOOD["email"], GOOD["password"])
    assert desk.log(account["id"]) == ["user_created", "email_sent"]
    assert not desk.rows("select 1 from sales_changes where state = 'open'")


# --- Supabase Auth -----------------------------------------------------------------------------

UNCLEAR: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "504": {"status": 504, "body": "<html>"},
    "hang-up": {"drop": True},
    "garbage": {"status": 200, "body": "<html>"},
    "a gateway's 409": {"status": 409, "body": "<html>"},
}


# Whether an account is gone can be seen, whatever was answered.
SEEN = ("delete", "garbage", "after")


@pytest.mark.parametrize(
    ("act", "how", "moment"),
    [one for one in product(["password", "delete"], UNCLEAR, ["before", "after"]) if one != SEEN],
)
def test_an_unclear_answer_is_carried_to_its_end(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, act: str, how: str, moment: str
) -> None:
    faults.set(ONE_USER, after=moment == "after", times=1, **UNCLEAR[how])
    answer = _act(boss, desk, act)
    assert "/sales-manager/changes/" in answer["Location"]
    page = boss.get(answer["Location"]).content.decode()
    assert "доведём дело до конца сами" in page
    assert NEW_PASSWORD not in desk.everything()

    desk.time_passes()
    assert changes.finish_open_changes() == 1

    _made(desk, accounts, act)
    assert boss.get(answer["Location"]).status_code == 200


def test_a_deletion_that_can_be_seen_is_done_whatever_was_answered(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    act, how, moment = SEEN
    faults.set(ONE_USER, after=moment == "after", times=1, **UNCLEAR[how])
    _act(boss, desk, act)
    _made(desk, accounts, act)


@pytest.mark.parametrize("act", ["status", "data"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_worker_finishes_what_was_unclear(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, act: str, moment: str
) -> None:
    faults.set(ONE_USER, after=moment == "after", times=1, status=504, body="<html>")
    _act(boss, desk, act)
    assert "change_finished" in _settle(desk)
    _made(desk, accounts, act)


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "weak": (
        {
            "status": 422,
            "body": '{"code": "weak_password", "error_code": "weak_password",'
            ' "msg": "weak", "weak_password": {"reasons": []}}',
        },
        400,
        "слишком слабым",
    ),
    "limit": ({"status": 429, "body": "{}"}, 429, "просит подождать"),
    "key": ({"status": 401, "body": "{}"}, 502, "не получилось"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_a_refusal_changes_nothing_and_is_told_on_the_form(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, how: str
) -> None:
    fault, status, sentence = REFUSED[how]
    faults.set(ONE_USER, times=1, **fault)

    answer = _act(boss, desk, "password")

    assert answer.status_code == status
    assert sentence in answer.content.decode()
    _not_made(desk, accounts)


def test_a_refused_attempt_may_be_made_again(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(ONE_USER, times=1, status=429, body="{}")
    assert _act(boss, desk, "delete").status_code == 429
    assert _act(boss, desk, "delete").status_code == 302
    assert desk.students() == []


def test_what_was_told_at_once_is_not_told_again_in_the_cabinet(
    boss: Client, desk: Desk, faults: Faults
) -> None:
    faults.set(ONE_USER, times=1, status=429, body="{}")
    _act(boss, desk, "password")
    assert "не получилось" not in boss.get("/sales-manager").content.decode()


@pytest.mark.parametrize("code", ["email_exists", "validation_failed"])
@pytest.mark.parametrize("act", ["password", "status", "delete"])
def test_a_refusal_that_does_not_fit_is_told_as_ours(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, act: str, code: str
) -> None:
    faults.set(ONE_USER, times=1, status=422, body=f'{{"error_code": "{code}", "msg": "no"}}')
    answer = _act(boss, desk, act)
    assert answer.status_code == 502
    assert "Изменить учётную запись не получилось" in answer.content.decode()
    _not_made(desk, accounts)


def test_a_refusal_that_the_client_cannot_read_is_one_all_the_same(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(ONE_USER, times=1, status=422, body='{"error_code": "weak_password"}')
    assert _act(boss, desk, "password").status_code == 400
    _not_made(desk, accounts)


@pytest.mark.parametrize("act", ["password", "data"])
def test_letters_wait_for_the_change_that_replaces_them(
    as_person: Callable[[str], Client], desk: Desk, accounts: Accounts, faults: Faults, act: str
) -> None:
    faults.set(LETTERS, status=500)
    client = as_person(ADMIN)
    client.post("/sales-manager/students/new", GOOD)
    faults.set(ONE_USER, times=1, status=504)
    _act(client, desk, act)
    faults.clear()

    desk.connection.execute("update sales_letters set leased_until = now(), due_at = now()")
    desk.connection.execute("update procrastinate_jobs set scheduled_at = null")
    (letter,) = desk.letters()
    again_at = letters.deliver(letter["id"])
    assert again_at is not None
    assert again_at > letter["due_at"]
    client.post(_path(desk, "letter"))
    assert desk.mailbox() == []

    desk.time_passes()
    assert changes.finish_open_changes() == 1
    _made(desk, accounts, act)
    address = NEW_EMAIL if act == "data" else GOOD["email"]
    (sent,) = desk.mailbox(address)
    assert (GOOD["password"] in sent["text"]) == (act == "data")
    assert [one["state"] for one in desk.letters()] == ["replaced", "sent"]


def test_a_letter_goes_on_when_what_would_have_replaced_it_is_refused(
    as_person: Callable[[str], Client], desk: Desk, faults: Faults
) -> None:
    faults.set(LETTERS, status=500)
    client = as_person(ADMIN)
    client.post("/sales-manager/students/new", GOOD)
    faults.set(ONE_USER, times=1, status=504)
    _act(client, desk, "password")
    faults.clear()
    desk.time_passes()
    faults.set(ONE_USER, times=1, status=422, body='{"error_code": "weak_password"}')
    assert changes.finish_open_changes() == 1

    desk.time_passes()
    letters.deliver(desk.letters()[0]["id"])

    (sent,) = desk.mailbox()
    assert GOOD["password"] in sent["text"]


def test_a_letter_replaced_on_its_way_is_in_the_log_as_sent(
    as_person: Callable[[str], Client], desk: Desk, faults: Faults
) -> None:
    faults.set(LETTERS, status=500, times=1)
    client = as_person(ADMIN)
    client.post("/sales-manager/students/new", GOOD)
    desk.connection.execute("update sales_letters set leased_until = now(), due_at = now()")
    (welcome,) = desk.letters()
    faults.set(LETTERS, delay=1, times=1)
    request = threading.Thread(target=_deliver, args=(welcome["id"],))
    request.start()
    _until(faults.met)
    faults.clear()

    _act(client, desk, "password")
    request.join(30)

    assert len(desk.mailbox()) == 2
    assert [(one["kind"], one["state"]) for one in desk.letters()] == [
        ("welcome", "sent"),
        ("new_password", "sent"),
    ]
    assert desk.log().count("email_sent") == 2


def _deliver(letter_id: UUID) -> None:
    try:
        letters.deliver(letter_id)
    finally:
        connections.close_all()


def _until(reached: Callable[[], Any]) -> None:
    """Wait until something can be seen; bounded."""
    pause = threading.Event()
    for _ in range(400):
        if reached():
            return
        pause.wait(0.025)
    raise AssertionError("it never came to that")


def test_an_operator_ends_what_never_ends(boss: Client, desk: Desk, faults: Faults) -> None:
    faults.set(ONE_USER, status=504)
    answer = _act(boss, desk, "password")
    (change,) = desk.changes()
    assert not changes.give_up(change["id"])  # a request may still be under way
    desk.connection.execute("update sales_changes set created_at = now() - interval '11 minutes'")

    call_command("intentions", give_up=change["id"])

    assert "отменено вручную" in boss.get(answer["Location"]).content.decode()
    assert desk.changes()[0]["sealed_password"] == ""


def test_a_row_that_will_not_be_written_keeps_no_other_waiting(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults, caplog: Any
) -> None:
    boss.post("/sales-manager/students/new", {**GOOD, "email": "second@onai.test"})
    first, second = desk.rows("select * from tripwire_users order by created_at")
    faults.set(ONE_USER, times=2, status=504)
    for student in (first, second):
        path = f"/sales-manager/students/{student['id']}/password"
        boss.post(path, {"attempt": str(uuid4()), **FORMS["password"]})
    desk.connection.execute(
        "alter table sales_activity_log add constraint poison check"
        f" (action_type <> 'password_reset' or target_user_id <> '{first['user_id']}')"
    )
    try:
        desk.time_passes()
        assert changes.finish_open_changes() == 1
    finally:
        desk.connection.execute("alter table sales_activity_log drop constraint poison")
    accounts.sign_in("second@onai.test", NEW_PASSWORD)
    assert "work_cannot_be_finished" in caplog.text
    assert GOOD["email"] not in caplog.text


def test_an_unreachable_supabase_changes_nothing(
    boss: Client, desk: Desk, accounts: Accounts, settings: Any
) -> None:
    settings.SUPABASE_AUTH_URL = "http://127.0.0.1:9/auth/v1"
    answer = _act(boss, desk, "password")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "30"
    _not_made(desk, accounts)


def test_a_refusal_after_an_unclear_answer_is_told_in_the_cabinet(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(ONE_USER, times=1, status=504)
    answer = _act(boss, desk, "data")
    accounts.create(NEW_EMAIL)  # somebody else has the address by now

    desk.time_passes()
    assert changes.finish_open_changes() == 1

    _not_made(desk, accounts)
    assert "не получилось" in boss.get("/sales-manager").content.decode()
    assert "уже у другой" in boss.get(answer["Location"]).content.decode()


def test_a_passing_refusal_later_on_does_not_end_it(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(ONE_USER, after=True, times=1, status=504)
    _act(boss, desk, "password")
    faults.set(ONE_USER, times=1, status=429, body="{}")
    desk.time_passes()
    assert changes.finish_open_changes() == 0

    desk.time_passes()
    assert changes.finish_open_changes() == 1
    _made(desk, accounts, "password")


def test_a_student_deleted_meanwhile_is_told(boss: Client, desk: Desk, faults: Faults) -> None:
    faults.set(ONE_USER, times=1, status=504)
    answer = _act(boss, desk, "password")
    desk.connection.execute("delete from auth.users where email = %s", [GOOD["email"]])

    desk.time_passes()
    assert changes.finish_open_changes() == 1

    assert "Этого студента уже нет" in boss.get(answer["Location"]).content.decode()


def test_a_password_whose_key_is_gone_is_given_up(
    boss: Client, desk: Desk, faults: Faults, settings: Any
) -> None:
    faults.set(ONE_USER, times=1, status=504)
    _act(boss, desk, "password")
    settings.SECRET_KEY = "another key, and no fallback, of 50 characters or more"
    desk.time_passes()
    assert changes.finish_open_changes() == 1
    (change,) = desk.changes()
    assert (change["state"], change["refusal"]) == ("refused", "password_lost")


# --- Killed, cut, held up ----------------------------------------------------------------------


@contextmanager
def _locked(table: str) -> Iterator[None]:
    """Whoever writes to this table waits."""
    with psycopg.connect(TRIPWIRE_URL) as other:
        other.execute(f"lock table {table} in share mode")
        yield
        other.rollback()


def _waiting_for(desk: Desk, table: str) -> bool:
    return bool(
        desk.rows("select 1 from pg_locks where not granted and relation = %s::regclass", table)
    )


def _kill_when(
    site: Site, boss: Client, path: str, form: dict[str, str], reached: Callable[[], Any]
) -> None:
    """Send a form to a server, and kill it when this can be seen."""
    request = threading.Thread(target=_post_until_killed, args=(site, boss, path, form))
    request.start()
    _until(reached)
    site.kill()
    request.join(30)


def _post_until_killed(site: Site, boss: Client, path: str, form: dict[str, str]) -> None:
    # Any text does for the form's token, as long as the cookie has the same.
    cookies = {name: morsel.value for name, morsel in boss.cookies.items()} | {"csrftoken": _TOKEN}
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    with pytest.raises(httpx.HTTPError):
        plain_http.post(
            site.address + path,
            data={**form, "csrfmiddlewaretoken": _TOKEN},
            headers={"Cookie": header, "Referer": site.address},
            timeout=40,
        )


@pytest.mark.parametrize("act", ["data", "delete"])
def test_killed_between_the_account_and_our_rows(
    boss: Client, desk: Desk, accounts: Accounts, act: str
) -> None:
    form = {"attempt": str(uuid4()), **FORMS[act]}
    path = _path(desk, act)
    with web_server() as doomed, _locked("sales_activity_log"):
        _kill_when(doomed, boss, path, form, lambda: _waiting_for(desk, "sales_activity_log"))
    assert "change_finished" in _settle(desk)
    _made(desk, accounts, act)


def test_killed_before_it_is_recorded(boss: Client, desk: Desk, accounts: Accounts) -> None:
    form = {"attempt": str(uuid4()), **FORMS["data"]}
    with web_server() as doomed, _locked("sales_changes"):
        _kill_when(
            doomed, boss, _path(desk, "data"), form, lambda: _waiting_for(desk, "sales_changes")
        )
    _settle(desk)
    _not_made(desk, accounts)


def test_an_address_taken_past_us_is_given_back_at_supabase(
    boss: Client, desk: Desk, accounts: Accounts
) -> None:
    """The predecessor writes a row with the new address after we have looked."""
    other = accounts.create("other@onai.test")
    with psycopg.connect(TRIPWIRE_URL) as predecessor:
        predecessor.execute(
            "insert into tripwire_users (user_id, full_name, email) values (%s, %s, %s)",
            [other["id"], "Другой Тест", NEW_EMAIL],
        )
        answers: list[Any] = []
        path, form = _path(desk, "data"), {"attempt": str(uuid4()), **FORMS["data"]}
        request = threading.Thread(target=_in_own_thread, args=(answers, boss, path, form))
        request.start()
        _until(lambda: desk.rows("select 1 from pg_locks where not granted"))
        predecessor.commit()
        request.join(30)
    assert answers[0].status_code == 409
    assert "уже у другой" in answers[0].content.decode()
    (account,) = desk.accounts()
    assert account["raw_user_meta_data"]["full_name"] == GOOD["full_name"]
    assert len(desk.students()) == 1
    accounts.sign_in(GOOD["email"], GOOD["password"])


def _in_own_thread(answers: list[Any], client: Client, path: str, form: dict[str, str]) -> None:
    try:
        answers.append(client.post(path, form))
    finally:
        connections.close_all()


def test_web_and_worker_at_one_change_at_once(
    boss: Client, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    faults.set(ONE_USER, method="PUT", delay=1, times=1)
    answers: list[Any] = []
    path, form = _path(desk, "password"), {"attempt": str(uuid4()), **FORMS["password"]}
    request = threading.Thread(target=_in_own_thread, args=(answers, boss, path, form))
    request.start()
    _until(faults.met)
    desk.time_passes()
    changes.finish_open_changes()
    request.join(30)
    assert answers[0].status_code == 302
    _made(desk, accounts, "password")


def test_ten_changes_of_one_student_at_once_are_made_one_by_one(
    boss: Client, desk: Desk, accounts: Accounts
) -> None:
    boss_id = UUID(accounts.sign_in(ADMIN)["user"]["id"])
    asker = Identity(boss_id, ADMIN, "Админ Тест", Role.ADMIN)
    student_id = _student(desk)["id"]
    statuses = [StudentStatus.BLOCKED, StudentStatus.INACTIVE] * 5
    done: list[str] = []

    def change(status: StudentStatus) -> None:
        try:
            changes.change_status(student_id, status, asker=asker, attempt=uuid4())
            done.append(status.value)
        except (change_refusals.ChangeInProgress, change_refusals.NothingToChange):
            pass  # Told so, which is an answer.
        finally:
            connections.close_all()

    threads = [threading.Thread(target=change, args=(status,)) for status in statuses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    (account,), student = desk.accounts(), _student(desk)
    assert (account["banned_until"] is not None) == (student["status"] == "blocked")
    assert desk.log().count("status_changed") == len(done) >= 1
    assert not desk.rows("select 1 from sales_changes where state = 'open'")
