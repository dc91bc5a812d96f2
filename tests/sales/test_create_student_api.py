"""`POST /api/tripwire-manager/create-student`: its wire format, its refusals, its repetitions."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client

from onai.identity import supabase
from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.people import Accounts

Bearer = Callable[[str], dict[str, str]]
CREATE = "/api/tripwire-manager/create-student"
MANAGER, ADMIN, STUDENT = "ayaulym@onai.test", "admin@onai.test", "student@onai.test"


@pytest.fixture
def call(client: Client, bearer: Bearer, desk: Desk) -> Callable[..., Any]:
    """Call the API as somebody, with a body of one's own."""

    def post(body: Any = None, person: str = MANAGER, **headers: str) -> Any:
        sent = body if isinstance(body, bytes | str) else json.dumps({**GOOD, **(body or {})})
        return client.post(
            CREATE,
            sent,
            content_type=headers.pop("content_type", "application/json"),
            headers={**bearer(person), **headers},
        )

    return post


def _id_of(accounts: Accounts, email: str) -> str:
    return str(accounts.sign_in(email)["user"]["id"])


def _is_refusal(answer: Any, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["success"], body["code"]) == (status, False, code), body
    assert body["error"]
    return body


def test_a_student_is_created(call: Any, desk: Desk, accounts: Accounts) -> None:
    answer = call({"manager_id": _id_of(accounts, MANAGER)})

    assert answer.status_code == 201
    assert answer["Content-Type"] == "application/json"
    desk.assert_whole_student()
    (student,) = desk.students()
    created_at = student["created_at"].astimezone(UTC).isoformat(timespec="milliseconds")
    assert answer.json() == {
        "success": True,
        "user": {
            "id": str(student["id"]),
            "user_id": str(student["user_id"]),
            "email": "aru@onai.test",
            "full_name": "Ару Сапарова",
            "status": "active",
            "manager_name": "Аяулым Тест",
            "granted_by": _id_of(accounts, MANAGER),
            "created_at": created_at.replace("+00:00", "Z"),
        },
        "emailSent": True,
    }
    assert answer["Location"] == f"/sales-manager/students/{student['id']}"
    assert accounts.sign_in(GOOD["email"], GOOD["password"])


def test_without_a_manager_id_the_asker_is_the_manager(call: Any, accounts: Accounts) -> None:
    assert call().json()["user"]["granted_by"] == _id_of(accounts, MANAGER)
    null = call({"email": "dana@onai.test", "manager_id": None})
    assert null.json()["user"]["granted_by"] == _id_of(accounts, MANAGER)


def test_a_waiting_letter_is_reported(call: Any, desk: Desk, faults: Faults) -> None:
    faults.set("/emails", status=503)

    answer = call()

    assert answer.status_code == 201
    assert answer.json()["emailSent"] is False
    desk.assert_whole_student()


def test_strangers_and_students_cannot_create_students(
    client: Client, call: Any, desk: Desk
) -> None:
    stranger = client.post(CREATE, json.dumps(GOOD), content_type="application/json")
    _is_refusal(stranger, 401, "sign_in_required")
    _is_refusal(call(person=STUDENT), 403, "wrong_role")
    desk.assert_no_student()


def test_a_browsers_session_needs_its_csrf_token(
    as_person: Callable[[str], Client], desk: Desk
) -> None:
    cookies = as_person(MANAGER).cookies
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = cookies

    _is_refusal(browser.post(CREATE, GOOD, content_type="application/json"), 403, "csrf_failed")
    token = browser.get("/login", follow=True).wsgi_request.META["CSRF_COOKIE"]
    headers = {"X-CSRFToken": token, "Referer": "https://testserver/", "Host": "localhost"}
    accepted = browser.post(CREATE, GOOD, content_type="application/json", headers=headers)

    assert accepted.status_code == 201, accepted.content
    desk.assert_whole_student()


@pytest.mark.parametrize("named", [ADMIN, STUDENT, "nobody"])
def test_a_manager_can_name_only_themselves(
    call: Any, desk: Desk, accounts: Accounts, named: str
) -> None:
    named_id = str(uuid4()) if named == "nobody" else _id_of(accounts, named)
    _is_refusal(call({"manager_id": named_id}), 403, "not_your_manager_id")
    desk.assert_no_student()


@pytest.mark.parametrize("named", [ADMIN, MANAGER])
def test_an_admin_names_any_of_the_staff(
    call: Any, desk: Desk, accounts: Accounts, named: str
) -> None:
    answer = call({"manager_id": _id_of(accounts, named)}, ADMIN)

    assert answer.json()["user"]["granted_by"] == _id_of(accounts, named)
    names = {ADMIN: "Админ Тест", MANAGER: "Аяулым Тест"}
    assert answer.json()["user"]["manager_name"] == names[named]
    (entry,) = desk.rows("select * from sales_activity_log where action_type = 'user_created'")
    assert str(entry["manager_id"]) == _id_of(accounts, ADMIN)  # who did it
    assert entry["details"]["granted_by"] == _id_of(accounts, named)


@pytest.mark.parametrize("named", [STUDENT, "nobody", "roleless"])
def test_an_admin_cannot_name_anybody_else(
    call: Any, desk: Desk, accounts: Accounts, named: str
) -> None:
    named_id = _id_of(accounts, STUDENT) if named == STUDENT else str(uuid4())
    if named == "roleless":
        named_id = accounts.create("roleless@onai.test")["id"]
    body = _is_refusal(call({"manager_id": named_id}, ADMIN), 400, "unknown_manager")
    assert list(body["fields"]) == ["manager_id"]
    desk.assert_no_student()


def test_a_manager_unreadable_by_supabase_can_be_named(
    call: Any, desk: Desk, accounts: Accounts, faults: Faults
) -> None:
    named = _id_of(accounts, MANAGER)
    faults.set("/auth/v1/admin/users/", method="GET", status=500)

    assert call({"manager_id": named}, ADMIN).status_code == 201

    (student,) = desk.students()
    assert str(student["granted_by"]) == named


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"email": "nonsense"}, ["email"]),
        ({"email": "", "full_name": "", "password": ""}, ["email", "full_name", "password"]),
        ({"password": "short"}, ["password"]),
        ({"password": 12345678}, ["password"]),
        ({"full_name": ["Ару"]}, ["full_name"]),
        ({"email": None}, ["email"]),
        ({"manager_id": "me"}, ["manager_id"]),
        ({"manager_id": 7}, ["manager_id"]),
        ({"price": 1, "role": "admin"}, ["price", "role"]),
        ({"adopt": "yes"}, ["adopt"]),
        ({"confirm_email": "on"}, ["confirm_email"]),
        ({"email": "aru@onаi.test", "full_name": "\u3164"}, ["email", "full_name"]),
        ({"full_name": "Ару\x00"}, ["full_name"]),
        ({"password": "Kvx7\x00Rmp3"}, ["password"]),
    ],
)
def test_bad_input_is_reported_by_field(
    call: Any, desk: Desk, changes: dict[str, Any], fields: list[str]
) -> None:
    body = _is_refusal(call(changes), 400, "invalid_input")

    assert sorted(body["fields"]) == fields
    assert all(body["fields"].values())
    desk.assert_no_student()


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"nonsense",
        b"[]",
        b'"text"',
        b"null",
        b'{"email": "a@onai.test", "email": "b@onai.test"}',
        b'{"full_name": "\\ud800"}',
        b"\xff\xfe{}",
        b"[" * 9000,
    ],
)
def test_a_body_that_is_not_a_json_object_is_refused(call: Any, desk: Desk, body: bytes) -> None:
    _is_refusal(call(body), 400, "bad_json")
    desk.assert_no_student()


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_only_json_is_accepted(call: Any, desk: Desk, kind: str) -> None:
    _is_refusal(call(json.dumps(GOOD), content_type=kind), 415, "not_json")
    desk.assert_no_student()


def test_a_charset_in_the_content_type_is_accepted(call: Any) -> None:
    assert call(content_type="application/json; charset=utf-8").status_code == 201


def test_a_body_is_at_most_16_kb(call: Any, desk: Desk) -> None:
    def padded(size: int) -> str:
        body = json.dumps(GOOD)
        return body + " " * (size - len(body))

    _is_refusal(call(padded(16 * 1024 + 1)), 413, "body_too_large")
    desk.assert_no_student()
    assert call(padded(16 * 1024)).status_code == 201


def test_a_body_of_unknown_length_is_refused(client: Client, bearer: Bearer, desk: Desk) -> None:
    answer = client.generic(
        "POST", CREATE, headers={**bearer(MANAGER), "Content-Type": "application/json"}
    )
    _is_refusal(answer, 411, "length_required")
    desk.assert_no_student()


def test_only_post_is_allowed(client: Client, bearer: Bearer) -> None:
    answer = client.get(CREATE, headers=bearer(MANAGER))
    _is_refusal(answer, 405, "method_not_allowed")


def test_a_likely_typing_error_is_refused_until_confirmed(call: Any, desk: Desk) -> None:
    body = _is_refusal(call({"email": "aru@gmial.com"}), 400, "email_in_doubt")
    assert "aru@gmail.com" in body["fields"]["email"]
    _is_refusal(call({"email": "aru@gmial.com", "full_name": ""}), 400, "invalid_input")
    desk.assert_no_student()

    answer = call({"email": "aru@gmial.com", "confirm_email": True})

    assert answer.status_code == 201
    assert answer.json()["user"]["email"] == "aru@gmial.com"


def test_a_taken_address_names_the_student_if_the_user_may_know(
    call: Any, desk: Desk, accounts: Accounts
) -> None:
    accounts.create("botagoz@onai.test", role="sales", full_name="Ботагоз Тест")
    call()

    mine = _is_refusal(call({"email": "ARU@onai.test"}), 409, "email_taken")
    theirs = _is_refusal(call(person="botagoz@onai.test"), 409, "email_taken")
    admins = _is_refusal(call(person=ADMIN), 409, "email_taken")

    assert "Это уже ваш студент: Ару Сапарова" in mine["error"]
    assert "Ару" not in theirs["error"]
    assert "менеджер: Аяулым Тест" in admins["error"]
    desk.assert_whole_student()


def test_an_account_without_a_student_is_adopted_by_admins_only(
    call: Any, desk: Desk, accounts: Accounts
) -> None:
    accounts.create(GOOD["email"], role="student")

    _is_refusal(call(), 409, "account_exists")
    _is_refusal(call({"adopt": True}), 403, "only_admins_adopt")
    assert call({"adopt": True}, ADMIN).status_code == 201

    desk.assert_whole_student()


def test_the_same_key_and_body_get_the_same_answer(call: Any, desk: Desk, faults: Faults) -> None:
    faults.set("/emails", status=500)
    first = call(**{"Idempotency-Key": "k-1"})
    desk.connection.execute("update tripwire_users set full_name = 'Другая', status = 'blocked'")

    again = call(**{"Idempotency-Key": "k-1"})

    assert first.status_code == again.status_code == 201
    assert again.content == first.content
    assert len(desk.students()) == len(desk.accounts()) == len(desk.letters()) == 1


def test_an_answer_kept_by_another_version_is_given_back_as_it_was_kept(
    call: Any, desk: Desk
) -> None:
    call(**{"Idempotency-Key": "k-1"})
    kept = {"success": True, "user": {"id": str(uuid4())}}
    desk.connection.execute("update sales_requests set answer = %s", [json.dumps(kept)])

    again = call(**{"Idempotency-Key": "k-1"})

    assert (again.status_code, again.json()) == (201, kept)


def test_the_same_key_with_another_body_is_refused(
    call: Any, desk: Desk, accounts: Accounts
) -> None:
    call(None, ADMIN, **{"Idempotency-Key": "k-1"})

    for changes in (
        {"password": "Other-Pass-77"},
        {"email": "dana@onai.test"},
        {"full_name": "Дана Тест"},
        {"manager_id": _id_of(accounts, MANAGER)},
        {"adopt": True},
    ):
        answer = call(changes, ADMIN, **{"Idempotency-Key": "k-1"})
        _is_refusal(answer, 409, "idempotency_key_reused")

    assert desk.students("dana@onai.test") == []
    desk.assert_whole_student()


def test_an_idempotency_key_belongs_to_its_user(call: Any, desk: Desk) -> None:
    call(**{"Idempotency-Key": "k-1"})

    other = call({"email": "dana@onai.test"}, ADMIN, **{"Idempotency-Key": "k-1"})

    assert other.status_code == 201
    desk.assert_whole_student("dana@onai.test")


def test_a_refused_request_can_be_repeated_with_its_key(
    call: Any, desk: Desk, faults: Faults
) -> None:
    faults.set("/auth/v1/admin/users", method="POST", status=500)
    _is_refusal(call(**{"Idempotency-Key": "k-1"}), 502, "auth_failed")
    desk.assert_no_student()
    faults.clear()

    assert call(**{"Idempotency-Key": "k-1"}).status_code == 201
    desk.assert_whole_student()


@pytest.mark.parametrize("key", ["", "ключ", "k" * 256, "a\tb"])
def test_an_invalid_idempotency_key_is_refused(call: Any, desk: Desk, key: str) -> None:
    _is_refusal(call(**{"Idempotency-Key": key}), 400, "bad_idempotency_key")
    desk.assert_no_student()


# --- Many at once ------------------------------------------------------------------------------


@pytest.fixture
def unhurried(settings: Any) -> None:
    """Supabase is waited for as long as a crowd on a busy machine takes."""
    settings.SUPABASE_CONNECT_TIMEOUT = settings.SUPABASE_READ_TIMEOUT = timedelta(seconds=60)
    supabase.connections()  # one, before fifty ask for it at once


def _crowd(count: int, ask: Callable[[int], Any]) -> list[Any]:
    """`count` requests that set out together, each on a connection of its own.

    As in a process that has served before, the connections are open: what is tried is what the
    requests do to each other, not how many connections a busy machine opens in three seconds.
    """
    together = threading.Barrier(count)
    one_by_one = threading.Lock()

    def one(number: int) -> Any:
        try:
            with one_by_one:
                connections["tripwire"].ensure_connection()
            together.wait(60)
            return ask(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def _asker(headers: dict[str, str]) -> Callable[..., Any]:
    # As in a process that has served before, the keys that verify tokens are known.
    assert Client().get(CREATE, headers=headers).status_code == 405

    def ask(**changes: str) -> Any:
        body = json.dumps({**GOOD, **changes})
        return Client().post(CREATE, body, content_type="application/json", headers=headers)

    return ask


@pytest.mark.usefixtures("unhurried")
def test_fifty_simultaneous_requests_for_one_address_create_one_student(
    desk: Desk, bearer: Bearer
) -> None:
    ask = _asker(bearer(MANAGER))

    answers = _crowd(50, lambda number: ask(password=f"Kvx7-Rmp3-{number:04}"))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49
    codes = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert codes <= {"email_taken", "creation_in_progress"}
    desk.assert_whole_student()
    assert len(desk.letters()) == 1


@pytest.mark.usefixtures("unhurried")
def test_fifty_simultaneous_requests_with_one_key_are_one_request(
    desk: Desk, bearer: Bearer
) -> None:
    ask = _asker({**bearer(MANAGER), "Idempotency-Key": "k-1"})

    answers = _crowd(50, lambda number: ask())

    # Who comes while it is under way hears that, and is told to come back.
    assert {answer.status_code for answer in answers} <= {201, 503}
    assert {a.json()["code"] for a in answers if a.status_code == 503} <= {"still_creating"}
    desk.assert_whole_student()
    assert ask().status_code == 201


@pytest.mark.usefixtures("unhurried")
def test_fifty_simultaneous_requests_create_fifty_students(desk: Desk, bearer: Bearer) -> None:
    ask = _asker(bearer(MANAGER))

    answers = _crowd(50, lambda number: ask(email=f"student{number}@onai.test"))

    assert {answer.status_code for answer in answers} == {201}
    for number in range(50):
        desk.assert_whole_student(f"student{number}@onai.test")
