"""Signing in: what a person sees, whatever Supabase answers."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.test import Client

from onai.db import deadline
from tests.conftest import Faults
from tests.support.people import PASSWORD, Accounts

ADMIN = "admin@onai.test"


def _sign_in(client: Client, **typed: str) -> HttpResponse:
    return client.post("/login", {"email": ADMIN, "password": PASSWORD, **typed})  # type: ignore[return-value]


def _page(answer: HttpResponse) -> str:
    return answer.content.decode()


@pytest.mark.parametrize(
    ("email", "home"),
    [
        (ADMIN, "/funnel"),
        ("ayaulym@onai.test", "/sales-manager"),
        ("student@onai.test", "/welcome"),
    ],
)
def test_everyone_lands_on_their_own_page(client: Client, email: str, home: str) -> None:
    answer = _sign_in(client, email=email)

    assert (answer.status_code, answer["Location"]) == (302, home)
    assert client.get(home).status_code == 200
    assert client.get("/")["Location"] == home
    assert client.get("/login")["Location"] == home


def test_the_email_may_be_typed_in_any_case_and_with_spaces(client: Client) -> None:
    assert _sign_in(client, email="  ADMIN@onai.Test ").status_code == 302


def test_the_tokens_are_in_http_only_cookies(client: Client) -> None:
    answer = _sign_in(client)

    for name in ("__Host-onai_access", "__Host-onai_refresh"):
        cookie = answer.cookies[name]
        assert cookie["httponly"] is True
        assert cookie["samesite"] == "Lax"
        assert cookie["secure"] is True
        assert (cookie["path"], cookie["domain"]) == ("/", "")


def test_in_development_the_cookies_work_without_https(client: Client, settings: Any) -> None:
    settings.DEBUG = True

    assert _sign_in(client).cookies["onai_access"]["secure"] == ""


@pytest.mark.parametrize("email", [ADMIN, "nobody@onai.test"])
def test_a_wrong_password_and_an_unknown_email_get_the_same_sentence(
    client: Client, email: str
) -> None:
    answer = _sign_in(client, email=email, password="wrong-password")

    assert answer.status_code == 401
    assert "Почта или пароль не подходят" in _page(answer)
    assert f'value="{email}"' in _page(answer)
    assert "wrong-password" not in _page(answer)
    assert "__Host-onai_access" not in answer.cookies


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"email": ""}, "Укажите почту."),
        ({"email": "admin"}, "Это не похоже на адрес почты."),
        ({"password": ""}, "Укажите пароль."),
    ],
)
def test_a_missing_value_is_reported_beside_its_field(
    client: Client, typed: dict[str, str], sentence: str
) -> None:
    answer = _sign_in(client, **typed)

    assert answer.status_code == 400
    assert sentence in _page(answer)


@pytest.mark.parametrize(
    ("failure", "status", "sentence"),
    [
        ({"status": 500, "body": '{"msg": "boom"}'}, 503, "Сервис входа сейчас недоступен."),
        ({"status": 503, "body": "<html>"}, 503, "Сервис входа сейчас недоступен."),
        ({"drop": True}, 503, "Сервис входа сейчас недоступен."),
        ({"body": "<html>Welcome</html>"}, 503, "Сервис входа сейчас недоступен."),
        ({"body": "{}"}, 503, "Сервис входа сейчас недоступен."),
        ({"status": 429, "body": '{"code": 429}'}, 429, "Слишком много попыток входа."),
        ({"status": 429, "body": "slow down"}, 429, "Слишком много попыток входа."),
    ],
    ids=["500", "503", "dropped", "not JSON", "not a session", "429", "429 in words"],
)
def test_a_failing_supabase_is_reported_and_the_email_kept(
    client: Client, faults: Faults, failure: dict[str, Any], status: int, sentence: str
) -> None:
    faults.set("/auth/v1/token", **failure)

    answer = _sign_in(client)

    assert answer.status_code == status
    assert sentence in _page(answer)
    assert f'value="{ADMIN}"' in _page(answer)
    assert "__Host-onai_access" not in answer.cookies
    faults.clear()
    assert _sign_in(client).status_code == 302


@pytest.fixture
def impatient(settings: Any) -> None:
    """Time-outs short enough for a test."""
    settings.SUPABASE_READ_TIMEOUT = timedelta(seconds=0.3)


@pytest.fixture
def soon_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request has less time than Supabase may take."""
    monkeypatch.setattr(deadline, "REQUEST_SECONDS", 0.5)


@pytest.mark.parametrize("limit", ["impatient", "soon_over"])
def test_a_slow_supabase_is_reported_within_the_time_out(
    client: Client, faults: Faults, limit: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(limit)
    # Who waits for it is let in after all.
    faults.set("/auth/v1/token", delay=3, times=1)

    answer = _sign_in(client)

    assert answer.status_code == 503
    assert "не ответил вовремя" in _page(answer)
    assert f'value="{ADMIN}"' in _page(answer)


def test_an_unreachable_supabase_is_reported(client: Client, settings: Any) -> None:
    settings.SUPABASE_AUTH_URL = "http://127.0.0.1:1/auth/v1"

    answer = _sign_in(client)

    assert answer.status_code == 503
    assert "Сервис входа сейчас недоступен." in _page(answer)


@pytest.mark.parametrize("password", [PASSWORD, "wrong-password"])
def test_a_blocked_account_gets_the_same_sentence(
    client: Client, accounts: Accounts, password: str
) -> None:
    blocked = accounts.create(role="sales", ban_duration="24h")

    answer = _sign_in(client, email=blocked["email"], password=password)

    assert answer.status_code == 401
    assert "Почта или пароль не подходят, или доступ закрыт." in _page(answer)


@pytest.mark.parametrize("role", [None, "superuser"])
def test_without_a_role_there_is_no_session(
    client: Client, accounts: Accounts, role: str | None
) -> None:
    account = accounts.create(role=role)

    answer = _sign_in(client, email=account["email"])

    assert answer.status_code == 403
    assert "нет роли" in _page(answer)
    assert "__Host-onai_access" not in answer.cookies


def test_losing_the_role_causes_no_redirect_loop(
    client: Client, accounts: Accounts, as_person: Callable[[str], Client]
) -> None:
    roleless = accounts.create()
    client.cookies["__Host-onai_access"] = accounts.sign_in(roleless["email"])["access_token"]

    assert client.get("/")["Location"] == "/login"
    shown = client.get("/login")
    assert shown.status_code == 200
    assert "нет роли" in shown.content.decode()
    assert "Выйти" in shown.content.decode()
    assert client.get("/funnel").status_code == 403


@pytest.mark.parametrize(
    ("asked", "lands"),
    [
        ("/funnel?source=a%20b", "/funnel?source=a%20b"),
        ("/sales-manager", "/sales-manager"),
        ("https://evil.example/funnel", "/funnel"),
        ("//evil.example/funnel", "/funnel"),
        ("/\\evil.example", "/funnel"),
        ("///evil.example", "/funnel"),
        ("javascript:alert(1)", "/funnel"),
        ("http:///evil.example", "/funnel"),
        ("funnel", "/funnel"),
        ("/login?next=/login", "/funnel"),
        ("/logout", "/funnel"),
        ("/nowhere", "/funnel"),
        ("/funnel\r\nSet-Cookie: a=b", "/funnel"),
        ("", "/funnel"),
    ],
)
def test_next_goes_only_to_pages_of_this_site(client: Client, asked: str, lands: str) -> None:
    assert _sign_in(client, next=asked)["Location"] == lands
    assert client.get("/login", {"next": asked})["Location"] == lands
    address = f"/login?{urlencode({'next': asked})}"
    assert client.post(address, {"email": ADMIN, "password": PASSWORD})["Location"] == lands


def test_next_survives_a_mistyped_password(client: Client) -> None:
    answer = _sign_in(client, password="wrong-password", next="/status")

    assert '<input type="hidden" name="next" value="/status">' in _page(answer)


def test_the_form_needs_its_csrf_token() -> None:
    answer = _sign_in(Client(enforce_csrf_checks=True))

    assert answer.status_code == 403
    assert "Страница устарела" in _page(answer)


def test_typed_values_are_never_logged(
    client: Client, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    _sign_in(client, password="wrong-password")
    faults.set("/auth/v1/token", status=500)
    _sign_in(client)
    client.get(f"/{ADMIN}")
    Client(enforce_csrf_checks=True).post(f"/{ADMIN}")

    reasons = [getattr(record, "reason", "") for record in caplog.records]
    assert "CSRF cookie not set." in reasons
    for record in caplog.records:
        said = f"{record.getMessage()} {vars(record)}"
        assert PASSWORD not in said
        assert "wrong-password" not in said
        assert ADMIN not in said
