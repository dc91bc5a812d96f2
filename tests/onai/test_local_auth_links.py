"""The stand-in for Supabase Auth: links and codes that sign somebody in once."""

import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import jwt
import pytest

from tests.conftest import Project
from tests.settings import SERVICES
from tests.support.desk import Desk
from tests.support.people import PASSWORD, Accounts

NEWER = {"X-Supabase-Api-Version": "2024-01-01"}
LINK = "/admin/generate_link"
SITE = "https://platform.onai.test"


@pytest.fixture
def email(accounts: Accounts, desk: Desk) -> str:
    """The address of an account."""
    return str(accounts.create()["email"])


def _link(accounts: Accounts, email: str, kind: str = "recovery", **more: Any) -> dict[str, Any]:
    answer = accounts.call("POST", LINK, json={"type": kind, "email": email, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _verify(accounts: Accounts, **body: str) -> tuple[int, str]:
    """Status, and the error's code or the method of the session."""
    answer = accounts.call("POST", "/verify", json=body, headers=NEWER)
    if answer.status_code != 200:
        return answer.status_code, answer.json()["code"]
    token = answer.json()["access_token"]
    [method] = jwt.decode(token, options={"verify_signature": False})["amr"]
    return 200, method["method"]


EXPIRED = (403, "otp_expired")
OPENED = (200, "otp")


def test_a_link_is_made_and_nothing_is_sent(accounts: Accounts, email: str) -> None:
    made = _link(accounts, email.upper(), redirect_to=f"{SITE}/password/new")

    assert made["email"] == email
    assert made["recovery_sent_at"]
    assert len(made["email_otp"]) == 6
    hashed = hashlib.sha224((email + made["email_otp"]).encode()).hexdigest()
    assert made["hashed_token"] == hashed
    assert made["verification_type"] == "recovery"
    action = urlsplit(made["action_link"])
    assert f"{action.scheme}://{action.netloc}{action.path}" == f"{SERVICES}/auth/v1/verify"
    assert parse_qs(action.query) == {
        "token": [hashed],
        "type": ["recovery"],
        "redirect_to": [f"{SITE}/password/new"],
    }


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"email": ""}, 400, "validation_failed"),
        ({"email": "no address"}, 400, "validation_failed"),
        ({"type": "nonsense"}, 400, "validation_failed"),
        ({"email": "nobody@onai.test"}, 404, "user_not_found"),
        ({"type": "email_change_new", "email": "nobody@onai.test"}, 404, "user_not_found"),
        ({"type": "signup"}, 422, "email_exists"),
        ({"type": "invite"}, 422, "email_exists"),
        ({"type": "signup", "email": "new@onai.test"}, 400, "validation_failed"),
        ({"type": "signup", "email": "new@onai.test", "password": "1"}, 422, "weak_password"),
        ({"type": "email_change_new"}, 400, "validation_failed"),
        ({"type": "email_change_new", "new_email": "admin@onai.test"}, 422, "email_exists"),
        ({"data": "text"}, 400, "bad_json"),
    ],
    ids=str,
)
def test_a_link_that_cannot_be_made_is_refused(
    accounts: Accounts, email: str, changes: dict[str, str], status: int, code: str
) -> None:
    body = {"type": "recovery", "email": email, **changes}

    answer = accounts.call("POST", LINK, json=body, headers=NEWER)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_only_the_service_role_makes_links(accounts: Accounts, email: str) -> None:
    token = accounts.sign_in(email)["access_token"]

    answer = accounts.call("POST", LINK, token, json={"type": "recovery", "email": email})

    assert answer.json()["error_code"] == "not_admin"


def test_a_link_opens_one_session_and_a_newer_one_kills_it(accounts: Accounts, email: str) -> None:
    older, newer = _link(accounts, email), _link(accounts, email, "magiclink")

    assert _verify(accounts, type="recovery", token_hash=older["hashed_token"]) == EXPIRED
    assert _verify(accounts, type="signup", token_hash=newer["hashed_token"]) == EXPIRED
    assert _verify(accounts, type="recovery", token_hash=newer["hashed_token"]) == OPENED
    assert _verify(accounts, type="recovery", token_hash=newer["hashed_token"]) == EXPIRED


def test_a_code_opens_a_session_with_its_address_alone(accounts: Accounts, email: str) -> None:
    code = _link(accounts, email)["email_otp"]
    wrong = "000000" if code != "000000" else "000001"

    assert _verify(accounts, type="recovery", token=wrong, email=email) == EXPIRED
    assert _verify(accounts, type="recovery", token=code, email="admin@onai.test") == EXPIRED
    assert _verify(accounts, type="recovery", token=code, email="nobody@onai.test") == EXPIRED
    assert _verify(accounts, type="sms", token=code, phone="77000000000") == EXPIRED
    assert _verify(accounts, type="email", token=code, email=email.upper()) == OPENED


@pytest.mark.parametrize(
    "body",
    [
        {"token_hash": "a"},
        {"type": "recovery"},
        {"type": "recovery", "token": "1"},
        {"type": "recovery", "token": "1", "token_hash": "a"},
        {"type": "recovery", "token_hash": "a", "email": "admin@onai.test"},
        {"type": "nonsense", "token_hash": "a"},
    ],
    ids=str,
)
def test_a_verification_of_the_wrong_shape_is_refused(
    accounts: Accounts, body: dict[str, str]
) -> None:
    assert _verify(accounts, **body) == (400, "validation_failed")


def test_a_link_of_long_ago_and_of_a_banned_account_opens_nothing(
    accounts: Accounts, email: str, desk: Desk
) -> None:
    made = _link(accounts, email)
    desk.connection.execute(
        "update auth.users set recovery_sent_at = now() - interval '1 hour 1 second'"
        " where email = %s",
        [email],
    )

    assert _verify(accounts, type="recovery", token_hash=made["hashed_token"]) == EXPIRED
    assert _verify(accounts, type="recovery", token=made["email_otp"], email=email) == EXPIRED
    made = _link(accounts, email)
    accounts.call("PUT", f"/admin/users/{made['id']}", json={"ban_duration": "1h"})
    banned = (403, "user_banned")
    assert _verify(accounts, type="recovery", token_hash=made["hashed_token"]) == banned
    assert _verify(accounts, type="recovery", token=made["email_otp"], email=email) == banned


def test_a_new_password_by_a_link_ends_other_sessions_and_other_links(
    accounts: Accounts, email: str
) -> None:
    elsewhere = accounts.sign_in(email)["access_token"]
    body = {"type": "recovery", "token_hash": _link(accounts, email)["hashed_token"]}
    here = accounts.call("POST", "/verify", json=body).json()["access_token"]
    spare = _link(accounts, email)["hashed_token"]

    same = accounts.call("PUT", "/user", here, json={"password": PASSWORD}, headers=NEWER)
    weak = accounts.call("PUT", "/user", here, json={"password": "1"}, headers=NEWER)
    changed = accounts.call("PUT", "/user", here, json={"password": "Demo5678!"})

    assert (same.status_code, same.json()["code"]) == (422, "same_password")
    assert (weak.status_code, weak.json()["code"]) == (422, "weak_password")
    assert changed.status_code == 200
    assert accounts.call("GET", "/user", here).status_code == 200
    assert accounts.call("GET", "/user", elsewhere).status_code == 403
    assert _verify(accounts, type="recovery", token_hash=spare) == EXPIRED
    accounts.sign_in(email, "Demo5678!")


def test_a_ban_stops_the_session_that_a_link_opened(accounts: Accounts, email: str) -> None:
    made = _link(accounts, email)
    body = {"type": "recovery", "token_hash": made["hashed_token"]}
    here = accounts.call("POST", "/verify", json=body).json()["access_token"]

    accounts.call("PUT", f"/admin/users/{made['id']}", json={"ban_duration": "1h"})

    for method, path in (("PUT", "/user"), ("GET", "/user"), ("POST", "/logout")):
        refused = accounts.call(method, path, here, json={"password": "Demo5678!"}, headers=NEWER)
        assert (refused.status_code, refused.json()["code"]) == (403, "user_banned")


def test_opening_a_link_in_a_browser_uses_it_up(
    accounts: Accounts, email: str, project: Project
) -> None:
    project.set(redirect_urls=["https://*.onai.test/welcome"])
    token = _link(accounts, email)["hashed_token"]

    def follow(to: str) -> tuple[str, dict[str, list[str]]]:
        path = f"/verify?type=recovery&token={token}&redirect_to={to}"
        answer = accounts.call("GET", path)
        assert answer.status_code == 303
        target, _, fragment = answer.headers["Location"].partition("#")
        return target, parse_qs(fragment)

    target, opened = follow(f"{SITE}/password/new")
    assert target == f"{SITE}/password/new"
    assert opened["type"] == ["recovery"]
    assert accounts.call("GET", "/user", opened["access_token"][0]).json()["email"] == email
    target, refused = follow("https://desk.onai.test/welcome")
    assert target == "https://desk.onai.test/welcome"
    assert refused["error_code"] == ["otp_expired"]
    assert refused["error"] == ["access_denied"]
    assert follow("https://elsewhere.example/")[0] == SITE
    assert accounts.call("GET", "/verify?type=recovery").status_code == 400
    assert accounts.call("GET", "/verify?token=1").status_code == 400


def test_a_link_for_somebody_new_makes_the_account_and_confirms_it(
    accounts: Accounts, desk: Desk
) -> None:
    for kind in ("signup", "invite", "magiclink"):
        email = f"{kind}-{uuid4().hex[:12]}@onai.test"
        made = _link(accounts, email, kind, password=PASSWORD, data={"full_name": "Новый"})

        shown = "invite" if kind == "invite" else "signup"
        assert made["verification_type"] == shown
        assert "email_confirmed_at" not in made
        assert ("invited_at" in made) == (kind == "invite")
        assert _verify(accounts, type="recovery", token_hash=made["hashed_token"]) == EXPIRED
        assert _verify(accounts, type=shown, token_hash=made["hashed_token"]) == OPENED
        known = accounts.call("GET", f"/admin/users/{made['id']}").json()
        assert known["email_confirmed_at"]
        assert known["user_metadata"] == {"full_name": "Новый", "email_verified": True}


def test_a_new_address_counts_once_it_is_confirmed(accounts: Accounts, email: str) -> None:
    new = f"changed-{uuid4().hex[:12]}@onai.test"
    token = accounts.sign_in(email)["access_token"]

    asked = accounts.call("PUT", "/user", token, json={"email": new}).json()
    assert (asked["email"], asked["new_email"]) == (email, new)
    taken = accounts.call("PUT", "/user", token, json={"email": "admin@onai.test"}, headers=NEWER)
    assert (taken.status_code, taken.json()["code"]) == (422, "email_exists")
    made = _link(accounts, email, "email_change_current", new_email=new)
    assert _verify(accounts, type="email_change", token_hash=made["hashed_token"]) == OPENED

    changed = accounts.call("GET", "/user", token).json()
    assert changed["email"] == new
    assert "new_email" not in changed
    assert changed["identities"][0]["email"] == new


@pytest.mark.parametrize("path", ["/recover", "/otp", "/magiclink"])
def test_a_letter_is_asked_for_once_a_minute(
    accounts: Accounts, email: str, path: str, desk: Desk
) -> None:
    first = accounts.call("POST", path, json={"email": email})
    second = accounts.call("POST", path, json={"email": email}, headers=NEWER)
    [issued] = desk.connection.execute(
        "select recovery_token, recovery_sent_at from auth.users where email = %s", [email]
    ).fetchall()

    assert (first.status_code, first.json()) == (200, {})
    assert (second.status_code, second.json()["code"]) == (429, "over_email_send_rate_limit")
    assert len(issued["recovery_token"]) == 56
    assert issued["recovery_sent_at"]
    for wrong in ({}, {"email": "no address"}):
        assert accounts.call("POST", path, json=wrong).status_code == 400


def test_asking_for_a_letter_tells_nothing_and_makes_nobody(
    accounts: Accounts, project: Project, desk: Desk
) -> None:
    nobody = {"email": "nobody@onai.test"}

    def told(path: str, **more: Any) -> str:
        answer = accounts.call("POST", path, json={**nobody, **more}, headers=NEWER)
        return str(answer.json().get("code", answer.status_code))

    assert told("/recover") == "200"
    assert told("/otp") == "signup_disabled"
    assert told("/otp", create_user=False) == "otp_disabled"
    assert told("/otp", phone="77000000000") == "validation_failed"
    assert told("/otp", email="", phone="77000000000") == "phone_provider_disabled"
    project.set(captcha=True)
    assert told("/recover") == told("/otp") == "captcha_failed"
    project.set(captcha=False, email_provider=False)
    assert told("/recover") == told("/otp") == "email_provider_disabled"
    project.set(email_provider=True, signup=True)
    assert told("/otp") == "200"
    assert accounts.call("POST", LINK, json={"type": "recovery", **nobody}).status_code == 200


def test_links_are_tried_as_often_as_the_project_allows(
    accounts: Accounts, project: Project
) -> None:
    project.set(rate_limit=1)

    tried = [_verify(accounts, type="recovery", token_hash="a") for _ in range(31)]

    assert tried == [EXPIRED] * 30 + [(429, "over_request_rate_limit")]
