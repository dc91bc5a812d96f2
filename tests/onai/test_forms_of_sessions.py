"""Forms and the sessions they are sent in: drawn for somebody else, or sent too late."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from onai.identity.session import cookies
from tests.conftest import Faults, LandingPages
from tests.support.desk import GOOD, Desk
from tests.support.people import PASSWORD, Accounts
from tests.support.student_rows import Sales

SignIn = Callable[[str], Client]
NEW = "/sales-manager/students/new"
TYPED = {"email": "typed@onai.test", "full_name": "Набрано Долго"}


def _hidden(client: Client, path: str, *, action: str = "") -> dict[str, str]:
    """What the form of a page sends beside what one types."""
    page = client.get(path).content.decode()
    forms = [
        one
        for one in re.findall(r"<form[^>]*>.*?</form>", page, re.DOTALL)
        if 'method="post"' in one
        and action in one
        and not re.search(r'action="/(logout|theme)"', one)
    ]
    # A page may ask something before its act.
    form = max(forms, key=lambda one: 'name="attempt"' in one)
    fields = re.findall(r'type="hidden"\s+name="([^"]+)"\s+value="([^"]*)"', form)
    return {name: unescape(value) for name, value in fields}


def _sign_in(client: Client, email: str, **more: str) -> Any:
    answer = client.post("/login", {"email": email, "password": PASSWORD, **more})
    assert answer.status_code == 302, answer.content.decode()
    return answer


def _end_session(client: Client) -> None:
    for name in (cookies.access_cookie(), cookies.refresh_cookie()):
        del client.cookies[name]


# --- Drawn for another -------------------------------------------------------------------------


def test_a_form_of_one_manager_cannot_be_sent_by_another(
    client: Client, desk: Desk, as_person: SignIn, accounts: Accounts
) -> None:
    hidden = _hidden(as_person("ayaulym@onai.test"), NEW)
    _sign_in(client, accounts.create(role="sales", full_name="Асель Тест")["email"])

    answer = client.post(NEW, {**hidden, **GOOD})

    page = unescape(answer.content.decode())
    assert answer.status_code == 409
    assert "под другой учётной записью" in page
    assert f'value="{GOOD["email"]}"' in page
    assert f'value="{GOOD["full_name"]}"' in page
    assert GOOD["password"] not in page
    desk.assert_no_student()
    # What comes back is theirs, and may be sent.
    again = dict(re.findall(r'type="hidden"\s+name="([^"]+)"\s+value="([^"]*)"', page))
    assert again["attempt"] != hidden["attempt"]
    assert client.post(NEW, {**again, **GOOD}).status_code == 302
    assert desk.students()[0]["manager_name"] == "Асель Тест"


def test_a_form_is_accepted_in_a_later_session_of_its_owner(
    client: Client, desk: Desk, as_person: SignIn
) -> None:
    hidden = _hidden(as_person("ayaulym@onai.test"), NEW)
    client.post("/logout")
    as_person("ayaulym@onai.test")

    assert client.post(NEW, {**hidden, **GOOD}).status_code == 302


@pytest.mark.parametrize(
    ("act", "typed"),
    [
        ("status", {"status": "inactive"}),
        ("data", TYPED),
        ("manager", {"manager_id": "x"}),
        ("delete", {"email": "wrong@onai.test"}),
        ("password", {"password": "Kvx7-Rmp3-9wTq"}),
    ],
)
def test_no_act_is_done_by_the_form_of_another_user(
    client: Client, sales: Sales, accounts: Accounts, act: str, typed: dict[str, str]
) -> None:
    student = sales.add()
    path = f"/sales-manager/students/{student['id']}/{act}"
    other = accounts.create(role="admin")
    _sign_in(client, other["email"])
    hidden = _hidden(client, path)
    _sign_in(client, "admin@onai.test")

    answer = client.post(path, {**hidden, **typed})

    page = unescape(answer.content.decode())
    assert answer.status_code == 409
    assert "под другой учётной записью" in page
    if act == "data":
        assert all(f'value="{value}"' in page for value in typed.values())
    if act == "password":
        assert typed["password"] not in page
    assert sales.desk.changes() == []


@pytest.mark.parametrize("mark", ["x", "0" * 64, "й" * 64, "\0", "a" * 5_000])
def test_a_forged_owner_of_a_form_is_refused(admin: Client, desk: Desk, mark: str) -> None:
    assert admin.post(NEW, {**GOOD, "drawn_for": mark}).status_code == 409
    desk.assert_no_student()


def test_every_form_carries_its_owner(admin: Client, sales: Sales, landing: LandingPages) -> None:
    student = f"/sales-manager/students/{sales.add()['id']}"
    pages = ("/funnel", "/sales-manager", "/status", NEW, student)
    acts = ("status", "password", "data", "manager", "delete")
    for path in (*pages, *(f"{student}/{act}" for act in acts)):
        page = admin.get(path).content.decode()
        forms = re.findall(r'<form[^>]*method="post".*?</form>', page, re.DOTALL)
        # The choice of a language is nobody's own: it changes no data.
        posted = [form for form in forms if 'action="/language"' not in form]
        assert posted, path
        assert all(form.count('name="drawn_for"') == 1 for form in posted), path


def test_figures_do_not_renew_for_another_user(
    client: Client, landing: LandingPages, accounts: Accounts
) -> None:
    other = accounts.create(role="admin")
    _sign_in(client, other["email"])
    hidden = _hidden(client, "/funnel", action="refresh")
    _sign_in(client, "admin@onai.test")

    answer = client.post("/funnel/refresh", hidden)

    assert answer.status_code == 409


# --- Typed too late ----------------------------------------------------------------------------


def _lose_session_while_typing(client: Client, path: str, typed: dict[str, str]) -> Any:
    hidden = _hidden(client, path)
    _end_session(client)
    return client.post(path, {**hidden, **typed})


def test_typed_text_but_no_password_is_restored_after_signing_in(
    client: Client, desk: Desk, as_person: SignIn
) -> None:
    typed = {**TYPED, "password": "Secret-Typed-1"}
    sent = _lose_session_while_typing(as_person("ayaulym@onai.test"), NEW, typed)
    login = client.get(sent["Location"])
    back = _sign_in(client, "ayaulym@onai.test", next=NEW)
    form = client.get(back["Location"])

    assert sent.status_code == 302
    assert "сохранилось, кроме пароля" in login.content.decode()
    assert back["Location"] == NEW
    page = unescape(form.content.decode())
    assert all(f'value="{value}"' in page for value in TYPED.values())
    assert "Secret-Typed-1" not in page
    for value in (*TYPED.values(), "Secret-Typed-1"):
        assert value not in str(sent.cookies) + sent["Location"]
    desk.assert_no_student()
    # It is shown once.
    assert TYPED["email"] not in client.get(NEW).content.decode()


def test_a_typed_correction_is_restored(client: Client, sales: Sales, as_person: SignIn) -> None:
    path = f"/sales-manager/students/{sales.add()['id']}/data"
    _lose_session_while_typing(as_person("ayaulym@onai.test"), path, TYPED)
    _sign_in(client, "ayaulym@onai.test")

    page = unescape(client.get(path).content.decode())

    assert all(f'value="{value}"' in page for value in TYPED.values())


def test_a_confirmation_is_never_restored(client: Client, sales: Sales, as_person: SignIn) -> None:
    path = f"/sales-manager/students/{sales.add()['id']}/status"
    blocked = {"status": "blocked", "sure": "on"}
    _lose_session_while_typing(as_person("ayaulym@onai.test"), path, blocked)
    _sign_in(client, "ayaulym@onai.test")

    page = client.get(path).content.decode()

    assert re.search(r'value="blocked"[^>]*checked', page)
    assert not re.search(r'name="sure"[^>]*checked', page)


def test_another_user_who_signs_in_does_not_see_it(
    client: Client, desk: Desk, as_person: SignIn, accounts: Accounts
) -> None:
    _lose_session_while_typing(as_person("ayaulym@onai.test"), NEW, TYPED)
    _sign_in(client, accounts.create(role="sales")["email"])

    assert TYPED["email"] not in client.get(NEW).content.decode()


def test_typed_text_survives_an_outage_of_sign_in(
    client: Client, desk: Desk, as_person: SignIn, faults: Faults
) -> None:
    hidden = _hidden(as_person("ayaulym@onai.test"), NEW)
    del client.cookies[cookies.access_cookie()]
    faults.set("/auth/v1/token", status=500)

    told = client.post(NEW, {**hidden, **TYPED})

    assert told.status_code == 503
    faults.clear()
    page = unescape(client.get(NEW).content.decode())
    assert all(f'value="{value}"' in page for value in TYPED.values())


def test_text_too_long_for_a_cookie_is_reported_as_lost(client: Client, as_person: SignIn) -> None:
    typed = {**TYPED, "full_name": "Ж" * 3_000}

    sent = _lose_session_while_typing(as_person("ayaulym@onai.test"), NEW, typed)

    assert "заполните её ещё раз" in client.get(sent["Location"]).content.decode()


@pytest.mark.parametrize("sealed", ["", "x", "é", "gAAAAA" + "a" * 200])
def test_text_that_is_not_sealed_by_us_is_ignored(
    client: Client, as_person: SignIn, sealed: str
) -> None:
    sent = _lose_session_while_typing(as_person("ayaulym@onai.test"), NEW, TYPED)
    (name,) = (one for one in sent.cookies if one.startswith("onai-typed-"))
    client.cookies[name] = sealed
    _sign_in(client, "ayaulym@onai.test")

    page = client.get(NEW)

    assert page.status_code == 200
    assert TYPED["email"] not in page.content.decode()


def test_text_is_restored_on_its_own_page_only(
    client: Client, sales: Sales, as_person: SignIn
) -> None:
    one, other = (f"/sales-manager/students/{sales.add()['id']}/data" for _ in range(2))
    _lose_session_while_typing(as_person("ayaulym@onai.test"), one, TYPED)
    _sign_in(client, "ayaulym@onai.test")

    assert TYPED["email"] not in client.get(other).content.decode()
    assert TYPED["email"] in client.get(one).content.decode()


def test_text_sealed_for_another_user_is_not_shown(
    client: Client, desk: Desk, as_person: SignIn
) -> None:
    """A neighbouring host can put a cookie of this name into anybody's browser."""
    stranger = Client()
    planted = stranger.post(NEW, TYPED)
    (name,) = (one for one in planted.cookies if one.startswith("onai-typed-"))
    manager = as_person("ayaulym@onai.test")
    manager.get(NEW)
    manager.cookies[name] = planted.cookies[name].value

    assert TYPED["email"] not in manager.get(NEW).content.decode()


def test_a_form_without_an_owner_is_kept_for_its_browser(client: Client, desk: Desk) -> None:
    sent = client.post(NEW, TYPED)
    assert "сохранилось, кроме пароля" in client.get(sent["Location"]).content.decode()
    _sign_in(client, "ayaulym@onai.test")

    assert TYPED["email"] in client.get(NEW).content.decode()
