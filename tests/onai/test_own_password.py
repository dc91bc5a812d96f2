"""«Забыли пароль?»: the letter, its link, and the new password, for whoever has an account."""

import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from onai.identity.recovery import requests
from tests.conftest import Faults, Project
from tests.settings import BASE_DIR, TEST_ENVIRONMENT
from tests.support.desk import Desk
from tests.support.interruptions import wait_until
from tests.support.people import PASSWORD, Accounts
from tests.support.processes import run_worker
from tests.support.student_changes import sign_in_error, text_of

FORGOT, NEW = "/password/forgot", "/password/new"
EMAIL, CHOSEN = "dana@onai.test", "Tzw4-Qpn8-2vXk"
ASKED = f"{FORGOT}?asked=1"


@pytest.fixture
def account(accounts: Accounts, desk: Desk) -> dict[str, Any]:
    """The account of somebody who has forgotten their password."""
    return accounts.create(EMAIL, role="student")


def _ask(client: Client, email: str = EMAIL) -> Any:
    return client.post(FORGOT, {"email": email})


def _letter(desk: Desk, email: str = EMAIL) -> Any:
    """The newest letter to an address."""
    return desk.mailbox(email)[0]


def _link(client: Client, desk: Desk, email: str = EMAIL) -> str:
    """The path of a link that was asked for and has come."""
    _ask(client, email)
    run_worker()
    return _path_in(_letter(desk, email))


def _path_in(letter: dict[str, Any]) -> str:
    found = re.search(r"https?://\S+/password/new\?\S+", letter["text"])
    assert found, letter["text"]
    assert found[0] in unescape(letter["html"])
    return found[0].partition("://")[2].partition("/")[2].join(["/", ""])


def _press(client: Client, link: str) -> Any:
    """Open the link's page and press its button."""
    page = client.get(link)
    assert page.status_code == 200
    [token] = re.findall(r'name="token" value="([^"]+)"', page.content.decode())
    return client.post(NEW, {"token": token})


def _choose(client: Client, password: str = CHOSEN, again: str | None = None) -> Any:
    return client.post(NEW, {"password": password, "again": again or password})


def _resets(desk: Desk) -> list[str]:
    found = desk.rows("select state from sales_password_resets order by asked_at")
    return [row["state"] for row in found]


# --- The whole way ------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["admin", "sales", "student"])
def test_staff_and_students_set_a_password_of_their_own_by_a_link(
    client: Client, accounts: Accounts, desk: Desk, role: str
) -> None:
    accounts.create(EMAIL, role=role)
    elsewhere = accounts.sign_in(EMAIL)["access_token"]
    assert FORGOT in client.get("/login").content.decode()

    link = _link(client, desk)
    assert _press(client, link)["Location"] == NEW
    assert f"Логин: {EMAIL}" in text_of(client.get(NEW))
    assert _choose(client)["Location"] == NEW

    done = text_of(client.get(NEW))
    assert "Пароль сменён" in done
    assert accounts.call("GET", "/user", elsewhere).status_code == 403
    assert sign_in_error(accounts, EMAIL, PASSWORD) == "invalid_credentials"
    assert client.post("/login", {"email": EMAIL, "password": CHOSEN}).status_code == 302
    assert desk.rows("select 1 from auth.sessions where user_id = %s", _id(desk)) != []


def _id(desk: Desk) -> Any:
    return desk.accounts(EMAIL)[0]["id"]


def test_every_session_ends_ours_in_other_browsers_too(
    client: Client, account: Any, desk: Desk
) -> None:
    other = Client()
    other.post("/login", {"email": EMAIL, "password": PASSWORD})
    assert other.get("/welcome").status_code == 200

    link = _link(client, desk)
    _press(client, link)
    _choose(client)

    assert desk.rows("select 1 from auth.sessions where user_id = %s", _id(desk)) == []
    # Whatever only reads may remember a session for some seconds; an act does not.
    assert other.post("/sales-manager/students/new", {})["Location"].startswith("/login")


def test_the_browser_of_the_link_is_signed_out_if_it_was_signed_in(
    client: Client, account: Any, desk: Desk
) -> None:
    client.post("/login", {"email": EMAIL, "password": PASSWORD})

    _press(client, _link(client, desk))
    _choose(client)

    assert client.get("/welcome")["Location"].startswith("/login")


def test_a_manager_who_helps_on_their_own_phone_stays_signed_in(
    as_person: Callable[[str], Client], account: Any, desk: Desk
) -> None:
    manager = as_person("ayaulym@onai.test")

    _press(manager, _link(manager, desk))
    _choose(manager)

    assert manager.get("/sales-manager").status_code == 200


def test_whoever_failed_before_need_not_wait_with_the_new_password(
    client: Client, account: Any, desk: Desk
) -> None:
    for _ in range(8):
        client.post("/login", {"email": EMAIL, "password": "wrong-password"})

    _press(client, _link(client, desk))
    _choose(client)

    assert client.post("/login", {"email": EMAIL, "password": CHOSEN}).status_code == 302


# --- Asking -------------------------------------------------------------------------------------


def _asked_by(email: str) -> tuple[Any, ...]:
    """What a visitor sees of an answer, and the statements it took, without their values."""
    client = Client()
    with CaptureQueriesContext(connections["tripwire"]) as captured:
        answer = _ask(client, email)
        page = client.get(answer["Location"])
    statements = [
        re.sub(r"'[^']*'(::uuid)?|\b\d+\b", "?", one["sql"]) for one in captured.captured_queries
    ]
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.content.decode())
    return answer.status_code, answer["Location"], sorted(answer.cookies), body, statements


def test_every_address_gets_the_same_answer_in_the_same_steps(
    accounts: Accounts, desk: Desk, faults: Faults
) -> None:
    accounts.create(EMAIL, role="student")
    accounts.create("blocked@onai.test", role="student", ban_duration="24h")
    # Nothing is asked of Supabase or Resend before the answer.
    faults.set("/", status=500)

    known = _asked_by(EMAIL)

    assert known[:2] == (302, ASKED)
    assert "Если у этого адреса есть доступ" in known[3]
    assert known == _asked_by("nobody@onai.test")
    assert known == _asked_by("blocked@onai.test")
    assert known == _asked_by("admin@onai.test")
    assert faults.met() == 0
    assert len(desk.rows("select 1 from procrastinate_jobs where task_name = %s", _JOB)) == 4


_JOB = requests.SEND_JOB


def test_nobody_hears_of_an_address_without_an_account(client: Client, desk: Desk) -> None:
    _ask(client, "nobody@onai.test")
    run_worker()

    assert _resets(desk) == ["no_account"]
    assert desk.mailbox("nobody@onai.test") == []


def test_an_address_gets_three_letters_an_hour_and_then_the_same_answer(
    client: Client, account: Any, desk: Desk
) -> None:
    for email in (EMAIL, EMAIL.upper(), f" {EMAIL} ", EMAIL, EMAIL):
        assert _ask(client, email)["Location"] == ASKED
    run_worker()

    assert len(desk.mailbox(EMAIL)) == 3
    assert sorted(_resets(desk)) == ["limited", "limited", "sent", "sent", "sent"]
    desk.connection.execute(
        "update sales_password_resets set asked_at = now() - interval '61 minutes'"
    )
    _ask(client)
    run_worker()
    assert len(desk.mailbox(EMAIL)) == 4


def test_requests_at_once_share_the_three_letters(account: Any, desk: Desk) -> None:
    def ask(_: int) -> int:
        try:
            return int(_ask(Client()).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(ask, range(6))) == {302}

    assert sorted(_resets(desk)) == ["limited"] * 3 + ["waiting"] * 3


def test_a_visitor_who_tries_many_addresses_is_stopped_whatever_they_type(
    desk: Desk, account: Any
) -> None:
    here, there = Client(REMOTE_ADDR="203.0.113.7"), Client(REMOTE_ADDR="203.0.113.8")
    for number in range(requests.REQUESTS_OF_A_VISITOR_AN_HOUR):
        assert _ask(here, f"someone-{number}@onai.test").status_code == 302

    for email in (EMAIL, "nobody@onai.test"):
        refused = _ask(here, email)
        assert refused.status_code == 429
        assert refused["Retry-After"] == "3600"
    assert _ask(there).status_code == 302
    assert "203.0.113" not in desk.everything()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("", "Укажите почту."), ("dana", "Это не похоже на адрес почты."), ("\x00", "не похоже")],
)
def test_what_is_no_address_is_told_beside_the_field(
    client: Client, desk: Desk, typed: str, sentence: str
) -> None:
    answer = _ask(client, typed)

    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert _resets(desk) == []


def test_the_address_of_a_link_is_filled_in(client: Client) -> None:
    for page in (FORGOT, "/login"):
        shown = client.get(page, {"email": 'dana+1@onai.test"><b>'}).content.decode()
        assert 'value="dana+1@onai.test&quot;&gt;&lt;b&gt;"' in shown


def test_a_letter_goes_to_the_address_of_the_account(
    client: Client, accounts: Accounts, desk: Desk
) -> None:
    """An account made by SQL may have capitals in its address."""
    made = accounts.create("dana2@onai.test", role="student")
    desk.connection.execute(
        "update auth.users set email = 'Dana2@onai.test' where id = %s", [made["id"]]
    )

    _ask(client, "dana2@ONAI.test")
    run_worker()

    assert len(desk.mailbox("Dana2@onai.test")) == 1


# --- Whose account it is ------------------------------------------------------------------------


def test_a_blocked_person_is_told_by_letter_and_gets_no_link(
    client: Client, accounts: Accounts, desk: Desk
) -> None:
    accounts.create(EMAIL, role="student", ban_duration="24h")

    _ask(client)
    run_worker()

    letter = _letter(desk)
    assert "Доступ по этому адресу закрыт" in letter["text"]
    assert "token=" not in letter["text"] + letter["html"]


@pytest.mark.parametrize("moment", ["before the button", "before the password"])
def test_whoever_is_blocked_meanwhile_sets_no_password(
    client: Client, account: Any, accounts: Accounts, desk: Desk, moment: str
) -> None:
    link = _link(client, desk)
    if moment == "before the password":
        _press(client, link)
    accounts.call("PUT", f"/admin/users/{account['id']}", json={"ban_duration": "24h"})

    answer = _press(client, link) if moment == "before the button" else _choose(client)

    assert answer.status_code == 403
    assert "Доступ этой учётной записи закрыт." in text_of(answer)
    assert client.get("/sales-manager")["Location"].startswith("/login")


def test_an_account_that_was_deleted_or_has_no_address_gets_nothing(
    client: Client, account: Any, accounts: Accounts, desk: Desk
) -> None:
    gone = accounts.create("gone@onai.test", role="student")
    accounts.call("DELETE", f"/admin/users/{gone['id']}", json={"should_soft_delete": True})
    desk.connection.execute(
        "update auth.users set deleted_at = now() where id = %s", [account["id"]]
    )
    sso = accounts.create("sso@onai.test", role="student")
    desk.connection.execute("update auth.users set is_sso_user = true where id = %s", [sso["id"]])
    for email in ("gone@onai.test", EMAIL, "sso@onai.test"):
        _ask(client, email)
    run_worker()

    assert _resets(desk) == ["no_account"] * 3


def test_an_address_that_was_never_confirmed_is_confirmed_by_the_link(
    client: Client, accounts: Accounts, desk: Desk
) -> None:
    accounts.create(EMAIL, role="student", email_confirm=False)
    assert sign_in_error(accounts, EMAIL, PASSWORD) == "email_not_confirmed"

    _press(client, _link(client, desk))
    _choose(client)

    accounts.sign_in(EMAIL, CHOSEN)


def test_a_second_factor_is_told_in_words_and_the_password_stays(
    client: Client, account: Any, accounts: Accounts, desk: Desk
) -> None:
    desk.connection.execute(
        "insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)"
        " values (gen_random_uuid(), %s, 'totp', 'verified', now(), now())",
        [account["id"]],
    )

    _press(client, _link(client, desk))
    answer = _choose(client)

    assert answer.status_code == 403
    assert "вход с кодом из приложения" in text_of(answer)
    accounts.sign_in(EMAIL)


# --- The link -----------------------------------------------------------------------------------


def test_a_program_that_opens_every_link_burns_nothing(
    client: Client, account: Any, desk: Desk
) -> None:
    link = _link(client, desk)
    for scanner in (Client(), Client(), client):
        for method in (scanner.get, scanner.head, scanner.options):
            method(link)

    assert desk.rows("select 1 from auth.sessions where user_id = %s", _id(desk)) == []
    assert _press(client, link)["Location"] == NEW
    assert _choose(client)["Location"] == NEW


def test_two_taps_on_the_button_open_one_session(client: Client, account: Any, desk: Desk) -> None:
    link = _link(client, desk)

    def press(_: int) -> Any:
        try:
            return _press(Client(), link)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(press, range(2)))

    assert [answer["Location"] for answer in answers] == [NEW, NEW]
    for answer in answers:
        browser = Client()
        browser.cookies.update(answer.cookies)
        assert f"Логин: {EMAIL}" in text_of(browser.get(NEW))
    assert len(desk.rows("select 1 from auth.sessions where user_id = %s", _id(desk))) == 1


def test_two_taps_on_the_password_set_it_once(client: Client, account: Any, desk: Desk) -> None:
    _press(client, _link(client, desk))

    def choose(_: int) -> Any:
        browser = Client()
        browser.cookies.update(client.cookies)
        try:
            return _choose(browser)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(choose, range(2)))

    assert [answer["Location"] for answer in answers] == [NEW, NEW]
    assert "Пароль сменён" in text_of(client.get(NEW))


def test_reload_and_the_way_back_find_the_session(client: Client, account: Any, desk: Desk) -> None:
    link = _link(client, desk)
    _press(client, link)
    # A minute later it is no second tap any more, but the same browser.
    _age(desk, "opened_at", "2 minutes")

    assert "Новый пароль" in text_of(client.get(NEW))
    assert _press(client, link)["Location"] == NEW
    assert _press(Client(), link).status_code == 410


def _age(desk: Desk, column: str, age: str) -> None:
    desk.connection.execute(
        f"update sales_password_resets set {column} = {column} - interval '{age}'"
    )


@pytest.mark.parametrize("how", ["used", "expired", "replaced", "made up", "none"])
def test_a_link_that_is_no_good_says_so_and_offers_another(
    client: Client, account: Any, desk: Desk, how: str
) -> None:
    link = _link(client, desk)
    if how == "used":
        _press(Client(), link)
        _age(desk, "opened_at", "2 minutes")
    elif how == "expired":
        desk.connection.execute(
            "update auth.users set recovery_sent_at = now() - interval '1 day' where email = %s",
            [EMAIL],
        )
    elif how == "replaced":
        _link(client, desk)
    elif how == "made up":
        link = f"{NEW}?token={'0' * 56}"

    answer = client.get(NEW) if how == "none" else _press(client, link)

    assert answer.status_code == 410
    assert "Эта ссылка уже не действует" in text_of(answer)
    assert f'href="{FORGOT}"' in answer.content.decode()


def test_an_open_session_ends_after_a_quarter_of_an_hour(
    client: Client, account: Any, desk: Desk
) -> None:
    _press(client, _link(client, desk))
    _age(desk, "opened_at", "15 minutes")

    assert client.get(NEW).status_code == _choose(client).status_code == 410
    requests.mend()
    assert desk.row("select sealed_session from sales_password_resets")["sealed_session"] == ""


def test_a_link_of_supabases_own_leads_here_too(
    client: Client, account: Any, accounts: Accounts, desk: Desk
) -> None:
    body = {"type": "recovery", "email": EMAIL}
    token = accounts.call("POST", "/admin/generate_link", json=body).json()["hashed_token"]

    assert _press(client, f"{NEW}?token={token}")["Location"] == NEW
    assert _choose(client)["Location"] == NEW
    accounts.sign_in(EMAIL, CHOSEN)


def test_the_token_stays_on_its_page(client: Client, account: Any, desk: Desk) -> None:
    link = _link(client, desk)

    page = client.get(link)

    assert page["Referrer-Policy"] == "strict-origin"
    assert "no-store" in page["Cache-Control"]
    for address in re.findall(r'(?:href|src|action)="([^"]*)"', page.content.decode()):
        assert "token" not in address


def test_the_form_works_with_the_csrf_check(account: Any, desk: Desk) -> None:
    browser = Client(enforce_csrf_checks=True)
    page = browser.get(f"{NEW}?token={'0' * 56}")
    [mark] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())

    assert browser.post(NEW, {"token": "0" * 56}).status_code == 403
    form = {"token": "0" * 56, "csrfmiddlewaretoken": mark}
    assert browser.post(NEW, form).status_code == 410


# --- The new password ---------------------------------------------------------------------------


@pytest.fixture
def strict(project: Project) -> None:
    """A project with rules of its own for passwords."""
    project.set(pwned_passwords=["Leaked-pass-77"], password_required_characters=["0123456789"])


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [
        ("", "", "Укажите новый пароль."),
        ("abc", None, "Пароль короткий"),
        ("password1", None, "Этот пароль знают все"),
        (EMAIL, None, "не должен совпадать с почтой"),
        (CHOSEN, "Tzw4-Qpn8-2vXK", "Пароли не совпали"),
        ("Я" * 37, None, "Пароль длинный"),
        (PASSWORD, None, "Этот пароль у вас уже стоит"),
        ("Leaked-pass-77", None, "есть в базах утечек"),
        ("Nodigits-here", None, "Добавьте в пароль"),
    ],
)
def test_a_password_that_will_not_do_is_told_and_another_may_be_tried(
    client: Client,
    account: Any,
    accounts: Accounts,
    desk: Desk,
    password: str,
    again: str | None,
    sentence: str,
) -> None:
    _press(client, _link(client, desk))

    refused = client.post(NEW, {"password": password, "again": again or password})

    assert refused.status_code in (400, 422)
    assert sentence in text_of(refused)
    for field in re.findall(r'<input type="password"[^>]*>', refused.content.decode()):
        assert "value=" not in field
    assert _choose(client)["Location"] == NEW
    accounts.sign_in(EMAIL, CHOSEN)


@pytest.mark.parametrize("after", [False, True])
def test_a_failing_supabase_is_told_and_the_session_kept(
    client: Client, account: Any, accounts: Accounts, desk: Desk, faults: Faults, after: bool
) -> None:
    _press(client, _link(client, desk))
    client.get(NEW)
    faults.set("/auth/v1/user", drop=True, after=after, times=1)

    failed = _choose(client)
    faults.clear()
    second = _choose(client)

    assert failed.status_code == 503
    assert "Сервис входа сейчас недоступен" in text_of(failed)
    # Where the first one took effect, this one is told that the password is set.
    assert "уже стоит. Войдите с ним" in text_of(second) if after else second["Location"] == NEW
    accounts.sign_in(EMAIL, CHOSEN)


def test_a_failing_supabase_leaves_the_link_as_it_is(
    client: Client, account: Any, desk: Desk, faults: Faults
) -> None:
    link = _link(client, desk)
    faults.set("/auth/v1/verify", status=500)

    assert _press(client, link).status_code == 503
    faults.clear()
    assert _press(client, link)["Location"] == NEW


def test_a_project_that_wants_the_former_password_too_is_asked_as_administrator(
    client: Client, account: Any, accounts: Accounts, desk: Desk, faults: Faults
) -> None:
    _press(client, _link(client, desk))
    client.get(NEW)
    body = '{"code": 400, "error_code": "current_password_required", "msg": "…"}'
    faults.set("/auth/v1/user", status=400, body=body, times=1)

    assert _choose(client)["Location"] == NEW
    assert desk.rows("select 1 from auth.sessions where user_id = %s", _id(desk)) == []
    accounts.sign_in(EMAIL, CHOSEN)


# --- The letter on its way ----------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("path", ["/auth/v1/admin/generate_link", "/emails"])
def test_a_failed_attempt_is_repeated_and_one_letter_comes_with_a_good_link(
    client: Client, account: Any, desk: Desk, faults: Faults, path: str, after: bool
) -> None:
    faults.set(path, drop=True, after=after, times=1)
    _ask(client)
    run_worker()
    # Its round of every half a minute may have come meanwhile.
    assert _resets(desk) in (["waiting"], ["sent"])

    requests.mend()

    assert _resets(desk) == ["sent"]
    [letter] = desk.mailbox(EMAIL)
    assert _press(client, _path_in(letter))["Location"] == NEW


def test_a_killed_worker_leaves_a_letter_that_still_comes_once(
    client: Client, account: Any, desk: Desk, faults: Faults
) -> None:
    faults.set("/emails", delay=20, after=True, times=1)
    _ask(client)
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "procrastinate", "worker", "--one-shot"],
        cwd=BASE_DIR,
        env={**TEST_ENVIRONMENT},
    )
    wait_until(lambda: faults.met() == 1)
    worker.kill()
    worker.wait()
    faults.clear()
    assert _resets(desk) == ["waiting"]

    requests.mend()
    assert _resets(desk) == ["waiting"]  # somebody may still be at it
    _age(desk, "leased_until", "1 minute")
    requests.mend()

    assert _resets(desk) == ["sent"]
    [letter] = desk.mailbox(EMAIL)
    assert _press(client, _path_in(letter))["Location"] == NEW


def test_a_letter_that_is_late_is_given_up(
    client: Client, account: Any, desk: Desk, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    faults.set("/emails", status=500)
    _ask(client)
    run_worker()
    faults.clear()
    _age(desk, "asked_at", "31 minutes")

    requests.mend()

    assert _resets(desk) == ["failed"]
    assert desk.mailbox(EMAIL) == []
    assert "password_letter_closed" in caplog.text
    assert desk.row("select sealed_token from sales_password_resets")["sealed_token"] == ""


def test_requests_are_forgotten_after_a_day(client: Client, account: Any, desk: Desk) -> None:
    _link(client, desk)
    _age(desk, "asked_at", "25 hours")

    requests.mend()

    assert _resets(desk) == []


def test_no_token_and_no_password_are_in_a_log_a_job_or_a_row(
    client: Client,
    account: Any,
    desk: Desk,
    caplog: pytest.LogCaptureFixture,
    settings: Any,
) -> None:
    _ask(client)
    worker = run_worker()
    link = _path_in(_letter(desk))
    token = urlsplit(link).query.partition("=")[2]
    _press(client, link)
    _choose(client)
    client.get(NEW)

    told = " ".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    for text in (told, worker.stderr, desk.everything()):
        assert token not in text
        assert CHOSEN not in text
    assert EMAIL not in told + worker.stderr
    reset = desk.row("select * from sales_password_resets")
    assert (reset["sealed_token"], reset["sealed_session"]) == ("", "")
