"""Creating a student by the form: what a manager sees, from the empty form to the result."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import time_machine
from django.test import Client

from tests.conftest import Faults
from tests.support.desk import GOOD, Desk
from tests.support.people import PASSWORD, Accounts
from tests.support.processes import run_worker

SignIn = Callable[[str], Client]
MANAGER, OTHER = "ayaulym@onai.test", "botagoz@onai.test"
NEW = "/sales-manager/students/new"
ATTEMPT = "8f2b6a54-6d0e-4a57-9a6c-0d6b3d0f7a11"


def _text(answer: Any) -> str:
    return unescape(answer.content.decode())


def _value(page: str, name: str) -> str:
    (found,) = re.findall(rf'<input[^>]*name="{name}"[^>]*>', page)
    value = re.search(r'value="([^"]*)"', found)
    return value[1] if value else ""


def test_a_student_is_created(manager: Client, desk: Desk, accounts: Accounts) -> None:
    answer = manager.post(NEW, GOOD, follow=True)

    page = _text(answer)
    assert answer.status_code == 200
    assert "Доступ открыт" in page
    assert "Письмо отправлено на aru@onai.test" in page
    assert "Здравствуйте, Ару Сапарова!" in page
    assert page.count(GOOD["password"]) == 2  # to read, and in the ready message
    desk.assert_whole_student()
    (student,) = desk.students()
    me = accounts.sign_in(MANAGER)["user"]
    assert str(student["granted_by"]) == me["id"]
    assert student["manager_name"] == "Аяулым Тест"
    assert (student["price"], student["status"], student["modules_completed"]) == (
        5000,
        "active",
        0,
    )
    (account,) = desk.accounts()
    assert account["email_confirmed_at"] is not None
    assert account["raw_app_meta_data"]["role"] == "student"
    assert account["raw_user_meta_data"] == {
        "full_name": "Ару Сапарова",
        "role": "student",
        "email_verified": True,
    }


def test_the_new_student_signs_in_with_the_password_of_the_letter(
    manager: Client, desk: Desk, accounts: Accounts
) -> None:
    manager.post(NEW, GOOD)
    (letter,) = desk.mailbox()
    found = re.search(r"Логин: (\S+)\nПароль: (\S+)", letter["text"])
    assert found
    student = Client()

    signed_in = student.post("/login", {"email": found[1], "password": found[2]}, follow=True)

    assert signed_in.request["PATH_INFO"] == "/welcome"
    for path in ("/funnel", "/sales-manager", NEW, "/status"):
        assert student.get(path).status_code == 403
    for path in ("/api/traffic-dashboard/funnel", "/api/tripwire-manager/create-student"):
        assert student.get(path).status_code == 403
    # Nor can they make themselves somebody else.
    token = accounts.sign_in(found[1], found[2])["access_token"]
    accounts.call("PUT", "/user", token, json={"data": {"role": "admin"}})
    student.cookies.clear()
    student.post("/login", {"email": found[1], "password": found[2]})
    assert student.get("/funnel").status_code == 403


def test_each_form_suggests_another_strong_password(manager: Client) -> None:
    first, second = (_value(_text(manager.get(NEW)), "password") for _ in range(2))

    assert re.fullmatch(r"(?:[a-zA-Z2-9]{4}-){3}[a-zA-Z2-9]{4}", first)
    assert first != second


def test_without_javascript_the_server_suggests_a_password(manager: Client, desk: Desk) -> None:
    answer = manager.post(NEW, {**GOOD, "suggest": "1"})

    page = _text(answer)
    assert answer.status_code == 200
    assert _value(page, "email") == GOOD["email"]
    assert _value(page, "full_name") == GOOD["full_name"]
    assert _value(page, "password") not in ("", GOOD["password"])
    assert "alert" not in page
    desk.assert_no_student()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("email", "", "Укажите почту: на неё уйдут логин и пароль."),
        ("email", "aru@", "Это не похоже на адрес почты. Пример: name@mail.kz"),
        ("email", "aru@onai.test\nBcc: x@onai.test", "Это не похоже на адрес почты."),
        ("email", '"a\x01b"@onai.test', "Это не похоже на адрес почты."),
        ("email", f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 62}.onai.test", "слишком длинный"),
        ("full_name", "   ", "Укажите имя студента."),
        ("full_name", "А", "Имя слишком короткое: нужно хотя бы 2 символа."),
        ("full_name", "А\u200b", "Имя слишком короткое"),
        ("full_name", "Я" * 121, "Имя слишком длинное: поместится 120 символов."),
        ("full_name", "Ару\x07", "В имени есть невидимые символы."),
        ("full_name", "Ару\u202eХ", "В имени есть невидимые символы."),
        ("password", "", "Укажите пароль или возьмите предложенный."),
        ("password", "Kv7-mp3", "Пароль короткий: нужно не меньше 8 символов."),
        ("password", "ж" * 37, "Пароль длинный: поместится 72 латинских символа"),
        ("password", "a1" * 37, "Пароль длинный"),
        ("password", "Password1", "Этот пароль знают все"),
        ("password", "Aru@OnAI.test", "Пароль не должен совпадать с почтой."),
        ("password", " " * 9, "В начале или в конце пароля стоит пробел"),
        ("password", "Kvx7-Rmp3 ", "В начале или в конце пароля стоит пробел"),
        ("password", "Kvx7\u200bRmp3", "В пароле есть невидимые символы."),
        ("password", "Kvx7\x07Rmp3", "В пароле есть невидимые символы."),
    ],
)
def test_a_mistake_is_reported_beside_its_field_and_typed_text_kept(
    manager: Client, desk: Desk, field: str, value: str, sentence: str
) -> None:
    typed = {**GOOD, field: value, "attempt": ATTEMPT}

    answer = manager.post(NEW, typed)

    page = _text(answer)
    assert answer.status_code == 400
    (beside,) = re.findall(rf'<p class="field-error" id="id_{field}_error">([^<]*)</p>', page)
    assert sentence in beside
    for name in ({*GOOD, "attempt"}) - {field}:
        assert _value(page, name) == typed[name]
    desk.assert_no_student()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"email": "  ARU@OnAi.Test "}, {"email": "aru@onai.test"}),
        ({"full_name": " Ару \t\n  Сапарова  "}, {"full_name": "Ару Сапарова"}),
        ({"full_name": "Ñandú O’Höfer-Ұлы 李小龍"}, {"full_name": "Ñandú O’Höfer-Ұлы 李小龍"}),
        ({"full_name": "<b>Ару</b> & Ко"}, {"full_name": "<b>Ару</b> & Ко"}),
        ({"full_name": "Ян"}, {"full_name": "Ян"}),
        ({"full_name": "Я" * 120}, {"full_name": "Я" * 120}),
    ],
)
def test_good_input_is_stored_normalised(
    manager: Client, desk: Desk, typed: dict[str, str], kept: dict[str, str]
) -> None:
    assert "Доступ открыт" in _text(manager.post(NEW, {**GOOD, **typed}, follow=True))

    desk.assert_whole_student()
    (student,) = desk.students()
    assert {name: student[name] for name in kept} == kept


@pytest.mark.parametrize("password", ["ж" * 36, "a1" * 36, "Kvx7  Rmp3", "😀1234567", "<&>\"'%s{}"])
def test_a_good_password_opens_the_account_exactly_as_typed(
    manager: Client, desk: Desk, accounts: Accounts, password: str
) -> None:
    manager.post(NEW, {**GOOD, "password": password})

    desk.assert_whole_student()
    assert accounts.sign_in(GOOD["email"], password)
    assert password in desk.mailbox()[0]["text"]
    assert password in unescape(desk.mailbox()[0]["html"])


def test_a_second_tap_creates_no_second_student(manager: Client, desk: Desk) -> None:
    form = {**GOOD, "attempt": _value(_text(manager.get(NEW)), "attempt")}

    first, second = manager.post(NEW, form), manager.post(NEW, form)

    assert first.status_code == second.status_code == 302
    assert first["Location"] == second["Location"]
    assert "Доступ открыт" in _text(manager.get(second["Location"]))
    desk.assert_whole_student()


def test_the_same_page_serves_for_the_next_student(manager: Client, desk: Desk) -> None:
    # As after going back in the browser: the form is the same, what is in it is not.
    form = {**GOOD, "attempt": ATTEMPT}
    manager.post(NEW, form)

    answer = manager.post(NEW, {**form, "email": "dana@onai.test"}, follow=True)

    assert "Доступ открыт" in _text(answer)
    desk.assert_whole_student("aru@onai.test")
    desk.assert_whole_student("dana@onai.test")


def test_an_invalid_attempt_is_ignored(manager: Client, desk: Desk) -> None:
    assert manager.post(NEW, {**GOOD, "attempt": "a\x00b"}).status_code == 302
    desk.assert_whole_student()


def test_the_result_is_shown_for_a_quarter_of_an_hour_and_reloading_creates_nothing(
    manager: Client, desk: Desk
) -> None:
    began = datetime.now(UTC)
    where = manager.post(NEW, GOOD)["Location"]

    shown = [manager.get(where), manager.get(where), manager.get(where)]
    with time_machine.travel(began + timedelta(minutes=14)):
        shown.append(manager.get(where))
    with time_machine.travel(began + timedelta(minutes=16)):
        later = _text(manager.get(where))

    for answer in shown:
        assert GOOD["password"] in _text(answer)
        assert "no-store" in answer["Cache-Control"]
    assert GOOD["password"] not in later
    assert "Доступ открыт" in later
    assert "только 15 минут" in later
    assert GOOD["password"] not in desk.everything()
    desk.assert_whole_student()


def test_only_who_chose_the_password_sees_it_in_this_browser(manager: Client, desk: Desk) -> None:
    where = manager.post(NEW, GOOD)["Location"]

    manager.post("/logout")
    manager.post("/login", {"email": "admin@onai.test", "password": PASSWORD})
    assert GOOD["password"] not in _text(manager.get(where))

    manager.post("/logout")
    manager.post("/login", {"email": "ayaulym@onai.test", "password": PASSWORD})
    assert GOOD["password"] in _text(manager.get(where))


def test_the_card_leads_to_the_password_as_long_as_it_is_shown(
    manager: Client, as_person: SignIn, desk: Desk
) -> None:
    where = manager.post(NEW, GOOD)["Location"]
    [student] = desk.students()
    card = f"/sales-manager/students/{student['id']}"

    assert f'href="{where}"' in manager.get(card).content.decode()
    desk.connection.execute("update sales_requests set closed_at = now() - interval '16 minutes'")
    assert where not in manager.get(card).content.decode()
    desk.connection.execute("update sales_requests set closed_at = now()")
    assert where not in as_person("admin@onai.test").get(card).content.decode()


def test_a_newer_password_hides_the_first_one(manager: Client, desk: Desk) -> None:
    where = manager.post(NEW, GOOD)["Location"]
    [student] = desk.students()
    card = f"/sales-manager/students/{student['id']}"

    manager.post(f"{card}/password", {"attempt": str(uuid4()), "password": "Other-Qpn8-2vXk"})

    assert GOOD["password"] not in _text(manager.get(where))


def test_the_result_opens_a_chat_with_the_student(manager: Client, desk: Desk) -> None:
    form = {**GOOD, "phone": "8 (700) 000-00-01"}
    page = manager.get(manager.post(NEW, form)["Location"]).content.decode()
    [student] = desk.students()
    card = manager.get(f"/sales-manager/students/{student['id']}").content.decode()

    [chat] = re.findall(r'href="(https://wa\.me/77000000001\?text=[^"]+)"', page)
    text = parse_qs(urlsplit(unescape(chat)).query)["text"][0]
    assert GOOD["password"] in text
    assert "https://platform.onai.test/login?email=aru%40onai.test" in text
    assert text in unescape(page)
    assert GOOD["password"] not in card


def test_the_result_is_for_its_creator_and_admins(
    manager: Client, as_person: SignIn, colleague: Any, desk: Desk
) -> None:
    where = manager.post(NEW, GOOD)["Location"]
    shown_once = dict(manager.cookies)

    for person, status in ((OTHER, 404), ("admin@onai.test", 200)):
        answer = as_person(person).get(where)
        assert answer.status_code == status
        assert any(name.startswith("onai-once-") for name in shown_once)
    stranger = Client()
    assert stranger.get(where).status_code == 302


def test_a_password_shown_once_cannot_be_carried_to_another_page(
    manager: Client, desk: Desk
) -> None:
    first = manager.post(NEW, GOOD)
    second = manager.post(NEW, {**GOOD, "email": "dana@onai.test", "password": "Other-Pass-77"})
    (name,) = [key for key in second.cookies if key.startswith("onai-once-")]
    (mine,) = [key for key in first.cookies if key.startswith("onai-once-")]
    assert first.cookies[mine]["httponly"]
    assert first.cookies[mine]["secure"]
    assert first.cookies[mine]["path"] == first["Location"]
    assert GOOD["password"] not in first.cookies[mine].value
    manager.cookies[name] = first.cookies[mine].value

    page = _text(manager.get(second["Location"]))

    assert GOOD["password"] not in page
    assert "Other-Pass-77" not in page


def test_a_waiting_letter_is_reported_with_what_to_do(
    manager: Client, desk: Desk, faults: Faults
) -> None:
    faults.set("/emails", status=500)

    page = _text(manager.post(NEW, GOOD, follow=True))

    assert "Письмо пока не ушло." in page
    assert "отправьте логин и пароль в мессенджере" in page
    assert GOOD["password"] in page
    assert "письмо ждёт" in _text(manager.get("/sales-manager"))
    desk.assert_whole_student()


def test_a_refused_letter_is_reported_and_can_be_sent_again(
    manager: Client, as_person: SignIn, colleague: Any, desk: Desk, faults: Faults
) -> None:
    faults.set("/emails", status=422, body='{"statusCode": 422, "name": "validation_error"}')
    page = _text(manager.post(NEW, GOOD, follow=True))
    assert "Письмо не ушло." in page
    assert "письмо не ушло" in _text(manager.get("/sales-manager"))
    (student,) = desk.students()
    card = f"/sales-manager/students/{student['id']}"
    shown = manager.get(card)
    assert "Отправить ещё раз" in _text(shown)
    (number,) = re.findall(r'name="attempt" value="([^"]+)"', shown.content.decode())
    faults.clear()
    assert as_person(OTHER).post(f"{card}/letter").status_code == 403
    assert desk.mailbox() == []

    attempt = {"attempt": number}
    again = as_person(MANAGER).post(f"{card}/letter", attempt, follow=True)

    assert "Письмо отправлено на aru@onai.test" in _text(again)
    desk.assert_whole_student()
    manager.post(f"{card}/letter", attempt)
    desk.assert_whole_student()  # and a second tap sends nothing


def test_a_manager_without_a_name_is_called_by_their_address(
    accounts: Accounts, as_person: SignIn, desk: Desk
) -> None:
    accounts.create("nameless@onai.test", role="sales", full_name="")

    as_person("nameless@onai.test").post(NEW, GOOD)

    assert desk.students()[0]["manager_name"] == "nameless@onai.test"


def test_no_row_log_or_job_holds_the_password(
    manager: Client, desk: Desk, faults: Faults, caplog: Any, capfd: Any
) -> None:
    caplog.set_level("DEBUG")
    faults.set("/emails", status=500)
    manager.post(NEW, GOOD)
    waiting = desk.everything()
    faults.clear()
    desk.time_passes()

    worked = run_worker()

    desk.assert_whole_student()
    said = capfd.readouterr()
    for text in (waiting, desk.everything(), caplog.text, worked.stderr, said.err, said.out):
        assert GOOD["password"] not in text
    assert "aru@onai.test" not in worked.stderr + said.err


def test_an_ended_session_says_that_nothing_was_created(as_person: SignIn, desk: Desk) -> None:
    stranger = Client(headers={"Referer": f"http://testserver{NEW}"})

    sent_away = stranger.post(NEW, GOOD)

    page = _text(stranger.get(sent_away["Location"]))
    assert "форма не отправлена и ничего не изменилось" in page
    assert f'<input type="hidden" name="next" value="{NEW}">' in page
    elsewhere = Client(headers={"Referer": "https://elsewhere.test/funnel"}).post(NEW, GOOD)
    assert "next" not in elsewhere["Location"]
    desk.assert_no_student()
