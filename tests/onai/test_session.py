"""A browser's session: kept in step with Supabase, and over when Supabase says so."""

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.test import Client, override_settings

from tests.conftest import Faults
from tests.settings import SERVICES, TEST_KEYS
from tests.support.outages import accounts_hidden
from tests.support.people import Accounts

SignIn = Callable[[str], Client]
ACCESS, REFRESH = "__Host-onai_access", "__Host-onai_refresh"


def _expire_access_token(client: Client) -> None:
    """As if an hour had passed: the same access token, but no longer good."""
    kept = client.cookies[ACCESS].value
    claims = jwt.decode(kept, options={"verify_signature": False})
    client.cookies[ACCESS] = TEST_KEYS.sign({**claims, "exp": int(time.time()) - 60})


def test_an_expired_access_token_is_renewed_unnoticed(admin: Client) -> None:
    _expire_access_token(admin)
    expired = admin.cookies[ACCESS].value
    spent = admin.cookies[REFRESH].value

    answer = admin.get("/funnel")

    assert answer.status_code == 200
    assert answer.cookies[ACCESS].value not in ("", expired)
    assert answer.cookies[REFRESH].value not in ("", spent)
    assert answer.cookies[ACCESS]["httponly"] is True
    # And what was renewed is what the browser goes on with.
    assert ACCESS not in admin.get("/funnel").cookies


def test_a_refresh_token_alone_continues_the_session(admin: Client) -> None:
    del admin.cookies[ACCESS]

    assert admin.get("/funnel").status_code == 200


def test_a_refused_request_keeps_its_renewed_session(admin: Client) -> None:
    _expire_access_token(admin)
    spent = admin.cookies[REFRESH].value

    refused = admin.get("/logout")

    assert refused.status_code == 405
    assert refused.cookies[REFRESH].value not in ("", spent)


def test_a_refusal_of_our_key_does_not_end_the_session(admin: Client, faults: Faults) -> None:
    _expire_access_token(admin)
    faults.set("/auth/v1/token", status=401, body='{"message": "Invalid API key"}')

    answer = admin.get("/funnel")

    assert answer.status_code == 503
    assert REFRESH not in answer.cookies


@pytest.mark.parametrize("configuration", ["another secret", "another issuer"])
def test_a_token_that_cannot_be_verified_does_not_end_the_session(
    admin: Client, settings: Any, configuration: str
) -> None:
    """The project's keys or our configuration have changed: that is not the visitor's doing."""
    _expire_access_token(admin)
    changed = {
        "another secret": {
            "SUPABASE_JWT_SECRET": "no secret that this project signs its tokens by"
        },
        "another issuer": {
            "SUPABASE_AUTH_URL": f"{SERVICES}/auth/v1".replace("127.0.0.1", "localhost")
        },
    }

    with override_settings(**changed[configuration]):
        page, api = admin.get("/funnel"), admin.get("/api/traffic-dashboard/funnel")

    assert (page.status_code, api.status_code) == (503, 503)
    assert api.json()["code"] == "auth_unavailable"
    assert admin.get("/funnel").status_code == 200


def test_signing_in_while_tokens_cannot_be_verified_is_answered_with_503(
    client: Client, settings: Any
) -> None:
    settings.SUPABASE_JWT_SECRET = "not the secret that this project signs its tokens with"

    answer = client.post("/login", {"email": "admin@onai.test", "password": "Demo1234!"})

    assert answer.status_code == 503
    assert "Дело не в пароле" in answer.content.decode()


def test_two_renewals_at_once_both_succeed(admin: Client) -> None:
    _expire_access_token(admin)
    twin = Client()
    for name in (ACCESS, REFRESH):
        twin.cookies[name] = admin.cookies[name].value

    assert admin.get("/funnel").status_code == 200
    assert twin.get("/funnel").status_code == 200


def test_a_session_that_cannot_be_renewed_is_dropped(admin: Client, accounts: Accounts) -> None:
    accounts.call("POST", "/logout?scope=local", admin.cookies[ACCESS].value)
    _expire_access_token(admin)

    answer = admin.get("/funnel")

    assert answer.status_code == 302
    assert answer["Location"] == "/login?next=%2Ffunnel"
    for name in (ACCESS, REFRESH):
        assert answer.cookies[name].value == ""
        assert answer.cookies[name]["max-age"] == 0


def test_a_forged_access_token_is_dropped(client: Client) -> None:
    client.cookies[ACCESS] = "forged.by.hand"

    answer = client.get("/funnel")

    assert answer.status_code == 302
    assert answer.cookies[ACCESS]["max-age"] == 0


@pytest.mark.parametrize("failure", [{"status": 500}, {"status": 429}, {"drop": True}])
def test_an_outage_of_supabase_keeps_the_session(
    admin: Client, faults: Faults, failure: dict[str, Any]
) -> None:
    _expire_access_token(admin)
    faults.set("/auth/v1/token", **failure)

    page = admin.get("/funnel")
    api = admin.get("/api/traffic-dashboard/funnel")

    assert (page.status_code, api.status_code) in [(503, 503), (429, 429)]
    assert api.json()["code"] in ("auth_unavailable", "too_many_attempts")
    assert ACCESS not in page.cookies
    faults.clear()
    assert admin.get("/funnel").status_code == 200


def test_signing_out_ends_the_session_at_supabase_too(admin: Client, accounts: Accounts) -> None:
    access, refresh = (admin.cookies[name].value for name in (ACCESS, REFRESH))

    answer = admin.post("/logout")

    assert answer["Location"] == "/login"
    assert answer.cookies[ACCESS]["max-age"] == 0
    assert answer.cookies[REFRESH]["max-age"] == 0
    assert accounts.call("GET", "/user", access).status_code == 403
    renewed = accounts.call(
        "POST", "/token?grant_type=refresh_token", json={"refresh_token": refresh}
    )
    assert renewed.status_code == 400
    assert admin.get("/funnel").status_code == 302


def test_signing_out_keeps_other_devices_signed_in(admin: Client, accounts: Accounts) -> None:
    phone = accounts.sign_in("admin@onai.test")["access_token"]

    admin.post("/logout")

    assert accounts.call("GET", "/user", phone).status_code == 200


@pytest.mark.parametrize("failure", [{"status": 500}, {"drop": True}])
def test_signing_out_works_while_supabase_is_down(
    admin: Client, faults: Faults, failure: dict[str, Any]
) -> None:
    faults.set("/auth/v1/logout", **failure)

    answer = admin.post("/logout")

    assert answer.status_code == 302
    assert answer.cookies[ACCESS]["max-age"] == 0


@pytest.mark.parametrize("expired", [False, True])
def test_signing_out_works_while_the_account_cannot_be_read(
    admin: Client, accounts: Accounts, expired: bool
) -> None:
    access = admin.cookies[ACCESS].value
    if expired:
        _expire_access_token(admin)

    with accounts_hidden():
        assert admin.get("/sales-manager/activity").status_code in (200, 503)
        answer = admin.post("/logout")

    assert answer.status_code == 302
    assert answer.cookies[ACCESS]["max-age"] == 0
    assert accounts.call("GET", "/user", access).status_code == 403


@pytest.mark.parametrize("space", ["\u2000", "\u00a0", "\u0085", "\u3000", "\x1f"])
def test_a_cookie_with_a_look_alike_name_is_ignored(admin: Client, space: str) -> None:
    """A neighbouring host may set it, since to the browser its name has no such prefix."""
    access = admin.cookies[ACCESS].value
    sent = f"a=b; {space}{ACCESS}={access}".encode().decode("latin-1")

    assert Client().get("/funnel", HTTP_COOKIE=f"{ACCESS}={access}").status_code == 200
    assert Client().get("/funnel", HTTP_COOKIE=sent).status_code == 302
    both = f"{ACCESS}={access}; {sent.replace(access, 'x')}"
    assert Client().get("/funnel", HTTP_COOKIE=both).status_code == 200


def test_signing_out_needs_a_post_with_a_csrf_token(admin: Client) -> None:
    assert admin.get("/logout").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = admin.cookies

    assert strict.post("/logout").status_code == 403
    assert admin.get("/funnel").status_code == 200


def test_a_student_who_promotes_themselves_is_still_refused(
    client: Client, accounts: Accounts, as_person: SignIn
) -> None:
    student = accounts.create(role="student")
    token = accounts.sign_in(student["email"])["access_token"]

    promoted = accounts.call("PUT", "/user", token, json={"data": {"role": "admin"}})
    assert promoted.status_code == 200
    assert promoted.json()["user_metadata"]["role"] == "admin"
    climbed = accounts.call("PUT", "/user", token, json={"app_metadata": {"role": "admin"}})
    assert climbed.status_code == 403

    browser = as_person(student["email"])
    assert browser.get("/")["Location"] == "/welcome"
    for path in ("/funnel", "/sales-manager", "/status", "/api/traffic-dashboard/funnel"):
        assert browser.get(path).status_code == 403
    fresh = {"Authorization": f"Bearer {accounts.sign_in(student['email'])['access_token']}"}
    assert Client().get("/api/traffic-dashboard/funnel", headers=fresh).status_code == 403
