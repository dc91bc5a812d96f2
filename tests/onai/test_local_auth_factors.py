"""The stand-in for Supabase Auth: second factors, enrolled, asked for and taken away."""

import base64
import hmac
import struct
import time
from typing import Any

import jwt
import pytest

from tests.conftest import Project
from tests.support.desk import Desk
from tests.support.people import Accounts

NEWER = {"X-Supabase-Api-Version": "2024-01-01"}


def one_time_code(secret: str) -> str:
    """What an app shows now (RFC 6238)."""
    digest = hmac.digest(
        base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), "sha1"
    )
    [number] = struct.unpack_from(">I", digest, digest[19] & 15)
    return f"{(number & 0x7FFFFFFF) % 10**6:06d}"


class Holder:
    """Somebody who is signed in, and their app with codes."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        account = accounts.create()
        self.id, self.email = account["id"], account["email"]
        self.sign_in()
        self.secret = ""

    def sign_in(self) -> None:
        self.token = self.accounts.sign_in(self.email)["access_token"]

    def call(self, method: str, path: str, **body: Any) -> Any:
        return self.accounts.call(method, path, self.token, json=body, headers=NEWER)

    def told(self, method: str, path: str, **body: Any) -> tuple[int, str]:
        answer = self.call(method, path, **body)
        return answer.status_code, str(answer.json().get("code", ""))

    def enrol(self, name: str = "phone") -> str:
        """The path of a new factor."""
        made = self.call("POST", "/factors", factor_type="totp", friendly_name=name).json()
        self.secret = made["totp"]["secret"]
        return f"/factors/{made['id']}"

    def challenge(self, factor: str) -> str:
        return str(self.call("POST", f"{factor}/challenge").json()["id"])

    def verify(self, factor: str) -> dict[str, Any]:
        """Take the factor, and the session with it."""
        code = one_time_code(self.secret)
        body = {"challenge_id": self.challenge(factor), "code": code}
        opened = dict(self.call("POST", f"{factor}/verify", **body).json())
        self.token = opened["access_token"]
        return opened

    def assurance(self) -> tuple[str, list[str]]:
        claims = jwt.decode(self.token, options={"verify_signature": False})
        return claims["aal"], [one["method"] for one in claims["amr"]]


@pytest.fixture
def holder(accounts: Accounts, desk: Desk) -> Holder:
    return Holder(accounts)


def test_a_factor_raises_the_session_and_ends_those_without(
    accounts: Accounts, holder: Holder
) -> None:
    elsewhere = accounts.sign_in(holder.email)["access_token"]
    made = holder.call("POST", "/factors", factor_type="totp", issuer="https://desk.onai.test")
    assert made.json()["totp"]["uri"].startswith(
        f"otpauth://totp/https://desk.onai.test:{holder.email}?algorithm=SHA1&digits=6"
    )
    assert made.json()["totp"]["qr_code"].startswith("<svg")
    factor = holder.enrol()
    assert holder.assurance() == ("aal1", ["password"])

    opened = holder.verify(factor)

    assert holder.assurance() == ("aal2", ["totp", "password"])
    assert accounts.call("GET", "/user", elsewhere).status_code == 403
    [kept] = holder.call("GET", "/user").json()["factors"]  # the other was never verified
    assert (kept["status"], kept["friendly_name"]) == ("verified", "phone")
    renewed = accounts.call(
        "POST", "/token?grant_type=refresh_token", json={"refresh_token": opened["refresh_token"]}
    )
    holder.token = renewed.json()["access_token"]
    assert holder.assurance() == ("aal2", ["totp", "password"])


def test_without_the_factor_a_session_changes_nothing_that_matters(holder: Holder) -> None:
    factor = holder.enrol()
    holder.verify(factor)
    holder.sign_in()

    assert holder.assurance() == ("aal1", ["password"])
    assert holder.told("PUT", "/user", password="Demo5678!") == (401, "insufficient_aal")
    assert holder.told("PUT", "/user", email="new@onai.test") == (401, "insufficient_aal")
    assert holder.told("PUT", "/user", data={"city": "Алматы"})[0] == 200
    second = {"factor_type": "totp", "friendly_name": "second"}
    assert holder.told("POST", "/factors", **second) == (403, "insufficient_aal")
    assert holder.told("DELETE", factor) == (422, "insufficient_aal")
    holder.verify(factor)
    assert holder.told("PUT", "/user", password="Demo5678!")[0] == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "validation_failed"),
        ({"factor_type": "sms"}, 400, "validation_failed"),
        ({"factor_type": "phone"}, 422, "mfa_phone_enroll_not_enabled"),
        ({"factor_type": "webauthn"}, 422, "mfa_webauthn_enroll_not_enabled"),
        ({"factor_type": "totp", "friendly_name": "phone"}, 422, "mfa_factor_name_conflict"),
        ({"factor_type": 1}, 400, "bad_json"),
    ],
    ids=str,
)
def test_a_factor_that_cannot_be_enrolled_is_refused(
    holder: Holder, body: dict[str, Any], status: int, code: str
) -> None:
    holder.enrol()

    assert holder.told("POST", "/factors", **body) == (status, code)


def test_ten_factors_are_enough_and_a_project_may_want_none(
    holder: Holder, project: Project
) -> None:
    for number in range(10):
        holder.enrol(f"app {number}")

    assert holder.told("POST", "/factors", factor_type="totp") == (
        422,
        "too_many_enrolled_mfa_factors",
    )
    project.set(totp=False)
    assert holder.told("POST", "/factors", factor_type="totp") == (
        422,
        "mfa_totp_enroll_not_enabled",
    )


def test_a_factor_that_was_never_tried_is_forgotten(holder: Holder, desk: Desk) -> None:
    holder.enrol()
    desk.connection.execute("update auth.mfa_factors set created_at = now() - interval '301 s'")

    holder.enrol()

    assert len(holder.call("GET", "/user").json()["factors"]) == 1


def test_only_the_code_of_an_open_challenge_verifies(holder: Holder, desk: Desk) -> None:
    factor = holder.enrol()
    verify, code = f"{factor}/verify", one_time_code(holder.secret)
    asked = holder.challenge(factor)
    wrong = "000000" if code != "000000" else "000001"

    def told(challenge_id: str, code: str = code) -> tuple[int, str]:
        return holder.told("POST", verify, challenge_id=challenge_id, code=code)

    assert told(asked, wrong) == (422, "mfa_verification_failed")
    assert told(asked, "") == (400, "validation_failed")
    assert told("nonsense") == (400, "bad_json")
    assert told(holder.id) == (422, "mfa_factor_not_found")
    elsewhere = {**NEWER, "Sb-Forwarded-For": "203.0.113.9"}
    body = {"challenge_id": asked, "code": code}
    from_there = holder.accounts.call("POST", verify, holder.token, json=body, headers=elsewhere)
    assert from_there.json()["code"] == "mfa_ip_address_mismatch"
    assert told(asked)[0] == 200
    assert told(asked) == (422, "mfa_ip_address_mismatch")  # so Supabase says of a used one
    old = holder.challenge(factor)
    desk.connection.execute("update auth.mfa_challenges set created_at = now() - interval '301 s'")
    assert told(old) == (422, "mfa_challenge_expired")
    assert holder.told("POST", "/factors/nonsense/challenge") == (404, "validation_failed")
    assert holder.told("POST", f"/factors/{asked}/challenge") == (404, "mfa_factor_not_found")


def test_a_factor_is_given_up_and_the_session_falls(holder: Holder) -> None:
    factor = holder.enrol()
    opened = holder.verify(factor)

    assert holder.call("DELETE", factor).json() == {"id": factor.rpartition("/")[2]}

    body = {"refresh_token": opened["refresh_token"]}
    renewed = holder.call("POST", "/token?grant_type=refresh_token", **body).json()
    holder.token = renewed["access_token"]
    assert holder.assurance() == ("aal1", ["password"])
    assert "factors" not in renewed["user"]


def test_an_administrator_sees_factors_and_takes_a_lost_one_away(
    accounts: Accounts, holder: Holder
) -> None:
    factor = holder.enrol()
    holder.verify(factor)
    path, factor_id = f"/admin/users/{holder.id}/factors", factor.rpartition("/")[2]

    [listed] = accounts.call("GET", path).json()
    assert (listed["id"], listed["factor_type"]) == (factor_id, "totp")
    assert "secret" not in listed
    assert holder.told("GET", path) == (403, "not_admin")
    somebody = accounts.create()["id"]
    elses = accounts.call("DELETE", f"/admin/users/{somebody}/factors/{factor_id}", headers=NEWER)
    assert (elses.status_code, elses.json()["code"]) == (404, "mfa_factor_not_found")
    assert accounts.call("DELETE", f"{path}/{factor_id}").json()["id"] == factor_id

    assert accounts.call("GET", path).json() == []
    holder.sign_in()
    assert holder.told("PUT", "/user", password="Demo5678!")[0] == 200


@pytest.mark.parametrize("softly", [True, False])
def test_factors_go_with_the_account(
    accounts: Accounts, holder: Holder, desk: Desk, softly: bool
) -> None:
    holder.verify(holder.enrol())

    accounts.call("DELETE", f"/admin/users/{holder.id}", json={"should_soft_delete": softly})

    left = desk.connection.execute(
        "select count(*) as left from auth.mfa_factors where user_id = %s", [holder.id]
    ).fetchone()
    assert left == {"left": 0}
