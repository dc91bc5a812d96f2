"""The stand-in for Supabase Auth where the real one surprises: accounts it cannot read, answers of
500 that are refusals, and what a project's owner may have set."""

from typing import Any
from uuid import uuid4

import jwt
import psycopg

from tests.conftest import Project
from tests.settings import TRIPWIRE_URL
from tests.support.desk import Desk
from tests.support.people import PASSWORD, Accounts

NEWER = {"X-Supabase-Api-Version": "2024-01-01"}
TOKEN = "/token?grant_type=password"
BY_SQL = """
insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,
  confirmation_token, recovery_token, email_change_token_new, email_change, created_at, updated_at)
values (%s, %s, 'authenticated', 'authenticated', %s, 'x', now(), %s, %s, %s, %s, now(), now())
"""


def _by_sql(desk: Desk, email: str, token: str | None) -> str:
    """An account as somebody makes it by SQL: without an identity, its tokens given or NULL."""
    account_id = str(uuid4())
    instance = "00000000-0000-0000-0000-000000000000"
    desk.connection.execute(BY_SQL, [instance, account_id, email, *[token] * 4])
    return account_id


def _told(answer: Any) -> tuple[int, str, str]:
    body = answer.json()
    return answer.status_code, body["code"], body["message"]


def test_a_taken_address_is_a_500_on_changing_and_a_422_on_creating(accounts: Accounts) -> None:
    account, other = accounts.create(), accounts.create()
    path = f"/admin/users/{account['id']}"

    newer = accounts.call("PUT", path, json={"email": other["email"]}, headers=NEWER)
    older = accounts.call("PUT", path, json={"email": other["email"]})

    assert _told(newer) == (500, "unexpected_failure", "Error updating user")
    assert (older.status_code, older.json()["code"]) == (500, "23505")
    assert accounts.call("GET", path).json()["email"] == account["email"]
    created = accounts.call("POST", "/admin/users", json={"email": other["email"]}, headers=NEWER)
    assert _told(created)[:2] == (422, "email_exists")


def test_an_address_is_taken_in_capitals_and_by_an_identity_of_any_provider(
    accounts: Accounts, desk: Desk
) -> None:
    _by_sql(desk, "Capital@Onai.test", "")
    google = accounts.create()
    desk.connection.execute(
        "insert into auth.identities (id, provider_id, user_id, identity_data, provider,"
        " created_at, updated_at)"
        " values (gen_random_uuid(), 'g', %s, %s, 'google', now(), now())",
        [google["id"], '{"email": "G@onai.test"}'],
    )

    for email in ("capital@onai.test", "g@onai.test"):
        answer = accounts.call("POST", "/admin/users", json={"email": email}, headers=NEWER)
        assert _told(answer)[:2] == (422, "email_exists")


def test_an_account_with_nulls_is_unreadable(accounts: Accounts, desk: Desk) -> None:
    account_id = _by_sql(desk, "null@onai.test", None)
    path, body = f"/admin/users/{account_id}", {"email": "null@onai.test", "password": "x"}

    answers = {
        "Database error loading user": [
            accounts.call("GET", path, headers=NEWER),
            accounts.call("PUT", path, json={}, headers=NEWER),
            accounts.call("DELETE", path, headers=NEWER),
        ],
        "Database error querying schema": [accounts.call("POST", TOKEN, json=body, headers=NEWER)],
        "Database error checking email": [
            accounts.call("POST", "/admin/users", json=body, headers=NEWER)
        ],
        "Database error finding users": [
            accounts.call("GET", "/admin/users?per_page=1000", headers=NEWER)
        ],
    }

    for message, told in answers.items():
        assert {_told(answer) for answer in told} == {(500, "unexpected_failure", message)}


def test_an_identity_without_times_makes_its_account_unreadable(
    accounts: Accounts, desk: Desk
) -> None:
    path = f"/admin/users/{accounts.create('times@onai.test')['id']}"
    desk.connection.execute(
        "update auth.identities set updated_at = null where email = 'times@onai.test'"
    )

    assert accounts.call("GET", path).status_code == 500
    listed = accounts.call("GET", "/admin/users?per_page=1000").json()["users"]
    assert {account["identities"] for account in listed} == {None}


def test_a_foreign_key_forbids_deleting_an_account(accounts: Accounts, desk: Desk) -> None:
    account = accounts.create()
    path = f"/admin/users/{account['id']}"
    desk.connection.execute("create table kept_elsewhere (account uuid references auth.users)")
    desk.connection.execute("insert into kept_elsewhere values (%s)", [account["id"]])
    try:
        newer = accounts.call("DELETE", path, headers=NEWER)
        older = accounts.call("DELETE", path)
    finally:
        desk.connection.execute("drop table kept_elsewhere")

    assert _told(newer) == (500, "unexpected_failure", "Database error deleting user")
    assert (older.status_code, older.json()["code"]) == (500, "23503")
    assert accounts.call("DELETE", path).json() == {}


def test_a_softly_deleted_account_is_wiped(accounts: Accounts) -> None:
    account = accounts.create("soft@onai.test", role="student")
    session = accounts.sign_in("soft@onai.test")
    path, softly = f"/admin/users/{account['id']}", {"should_soft_delete": True}

    for _ in range(2):
        assert accounts.call("DELETE", path, json=softly).json() == {}

    left = accounts.call("GET", path).json()
    assert left["deleted_at"]
    assert left["app_metadata"] == left["user_metadata"] == {}
    assert "soft" not in left["email"]
    assert "identity_data" not in left["identities"][0]
    assert accounts.call("GET", "/user", session["access_token"]).status_code == 403
    accounts.create("soft@onai.test")  # and the address is free


def test_a_second_use_within_the_grace_renews_too(accounts: Accounts) -> None:
    first = accounts.sign_in(accounts.create()["email"])["refresh_token"]

    def refresh(token: str) -> str:
        body = {"refresh_token": token}
        answer = accounts.call("POST", "/token?grant_type=refresh_token", json=body)
        assert answer.status_code == 200
        return str(answer.json()["refresh_token"])

    third = refresh(refresh(first))
    branch = refresh(first)
    assert branch != third
    assert refresh(third)
    assert refresh(branch)


def test_the_project_sets_the_rules_of_passwords(accounts: Accounts, project: Project) -> None:
    project.set(
        password_min_length=10,
        password_required_characters=["abc", "123"],
        pwned_passwords=["aaaaaaaaa1"],
    )
    account = accounts.create(password="q")

    def weak(password: str) -> dict[str, Any]:
        path = f"/admin/users/{account['id']}"
        return dict(accounts.call("PUT", path, json={"password": password}).json())

    told = weak("")
    assert told["msg"].startswith("Password should be at least 10 characters. Password should con")
    assert "one character of each: abc, 123." in told["msg"]
    assert told["weak_password"]["reasons"] == ["length", "characters", "pwned"]
    assert weak("qqqqqqqqqq")["weak_password"]["reasons"] == ["characters"]
    assert weak("aaaaaaaaa1")["weak_password"]["reasons"] == ["pwned"]
    assert weak("aaaaaaaaa2")["id"] == account["id"]
    signed_in = accounts.sign_in("admin@onai.test", PASSWORD)["weak_password"]
    assert signed_in["reasons"] == ["length", "characters"]


def test_a_project_can_require_a_captcha_or_disable_email(
    accounts: Accounts, project: Project
) -> None:
    body = {"email": "admin@onai.test", "password": PASSWORD}
    refresh_token = accounts.sign_in("admin@onai.test")["refresh_token"]

    project.set(captcha=True)
    assert _told(accounts.call("POST", TOKEN, json=body, headers=NEWER))[:2] == (
        400,
        "captcha_failed",
    )
    assert accounts.call("POST", "/signup", json={}).json()["error_code"] == "captcha_failed"
    renewed = accounts.call(
        "POST", "/token?grant_type=refresh_token", json={"refresh_token": refresh_token}
    )
    assert renewed.status_code == 200
    project.set(captcha=False, email_provider=False)
    assert _told(accounts.call("POST", TOKEN, json=body, headers=NEWER))[:2] == (
        422,
        "email_provider_disabled",
    )
    assert accounts.call("GET", "/settings").json()["external"]["email"] is False
    project.reset()
    accounts.sign_in("admin@onai.test")


def _claims(session: dict[str, Any]) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        session["access_token"], options={"verify_signature": False}
    )
    return claims


def test_somebody_signs_up_where_the_project_lets_them(
    accounts: Accounts, project: Project
) -> None:
    email = f"sign-up-{uuid4().hex[:12]}@onai.test"
    body = {"email": email, "password": PASSWORD, "data": {"role": "admin"}}
    project.set(signup=True)

    weak = accounts.call("POST", "/signup", json={**body, "password": "1"}, headers=NEWER)
    none = accounts.call("POST", "/signup", json={"email": email}, headers=NEWER)
    phone = accounts.call("POST", "/signup", json={**body, "phone": "77000000000"}, headers=NEWER)
    opened = accounts.call("POST", "/signup", json=body).json()
    again = accounts.call("POST", "/signup", json=body, headers=NEWER)

    assert _told(weak)[:2] == (422, "weak_password")
    assert _told(none)[:2] == _told(phone)[:2] == (400, "validation_failed")
    assert opened["user"]["email"] == email
    assert opened["user"]["user_metadata"]["role"] == "admin"
    assert opened["user"]["app_metadata"] == {"provider": "email", "providers": ["email"]}
    assert accounts.call("GET", "/user", opened["access_token"]).status_code == 200
    assert _told(again)[:2] == (422, "user_already_exists")
    assert accounts.call("GET", "/settings").json()["disable_signup"] is False


def test_an_address_is_confirmed_before_it_opens_anything(
    accounts: Accounts, project: Project
) -> None:
    email = f"sign-up-{uuid4().hex[:12]}@onai.test"
    body = {"email": email, "password": PASSWORD}
    project.set(signup=True, autoconfirm=False)

    made = accounts.call("POST", "/signup", json=body).json()
    early = accounts.call("POST", "/signup", json=body, headers=NEWER)
    taken = accounts.call("POST", "/signup", json={**body, "email": "admin@onai.test"})

    assert "access_token" not in made
    assert made["confirmation_sent_at"]
    assert _told(early)[:2] == (429, "over_email_send_rate_limit")
    assert _told(accounts.call("POST", TOKEN, json=body, headers=NEWER))[1] == "email_not_confirmed"
    # Nor does one learn who is there.
    assert taken.status_code == 200
    assert taken.json()["id"] != accounts.sign_in("admin@onai.test")["user"]["id"]


def test_an_anonymous_visitor_is_nobody_until_they_have_an_address(
    accounts: Accounts, project: Project
) -> None:
    project.set(anonymous=True)
    closed = accounts.call("POST", "/signup", json={}, headers=NEWER)
    project.set(signup=True)

    opened = accounts.call("POST", "/signup", json={"data": {"role": "admin"}}).json()
    token = opened["access_token"]
    password = accounts.call("PUT", "/user", token, json={"password": PASSWORD}, headers=NEWER)
    new = f"no-longer-anonymous-{uuid4().hex[:12]}@onai.test"
    named = accounts.call("PUT", "/user", token, json={"email": new, "password": PASSWORD}).json()

    assert _told(closed)[:2] == (422, "signup_disabled")
    assert opened["user"]["is_anonymous"] is True
    assert opened["user"]["identities"] == []
    claims = _claims(opened)
    assert claims["is_anonymous"] is True
    assert [one["method"] for one in claims["amr"]] == ["anonymous"]
    assert _told(password)[:2] == (422, "validation_failed")
    assert (named["email"], named["is_anonymous"]) == (new, False)
    assert _claims(accounts.sign_in(new))["is_anonymous"] is False


def test_a_request_that_takes_too_long_is_a_504_without_effect(
    accounts: Accounts, desk: Desk, project: Project
) -> None:
    account = accounts.create("slow@onai.test")
    path, late = f"/admin/users/{account['id']}", {"user_metadata": {"late": True}}
    project.set(request_seconds=0.3)
    with psycopg.connect(TRIPWIRE_URL) as other:
        other.execute("select from auth.users where id = %s for update", [account["id"]])

        changed = accounts.call("PUT", path, json=late, headers=NEWER)
        signed_in = accounts.call(
            "POST", TOKEN, json={"email": "slow@onai.test", "password": PASSWORD}
        )

    assert _told(changed)[:2] == (504, "request_timeout")
    assert signed_in.json()["error_code"] == "request_timeout"
    project.reset()
    assert "late" not in accounts.call("GET", path).json()["user_metadata"]


def test_nobody_signs_up(accounts: Accounts) -> None:
    signup = accounts.call("POST", "/signup", json={"email": "a@onai.test"}, headers=NEWER)
    anonymous = accounts.call("POST", "/signup", json={}, headers=NEWER)
    phone = accounts.call("POST", TOKEN, json={"phone": "77000000000"}, headers=NEWER)

    assert _told(signup)[:2] == (422, "signup_disabled")
    assert _told(anonymous)[:2] == (422, "anonymous_provider_disabled")
    assert _told(phone)[:2] == (422, "phone_provider_disabled")


def test_the_rate_limit_counts_each_address_alone(accounts: Accounts, project: Project) -> None:
    project.set(rate_limit=1)

    def status(sender: str, path: str = TOKEN) -> int:
        body = {"email": "admin@onai.test", "password": "wrong", "refresh_token": "wrong"}
        answer = accounts.call(
            "POST", path, json=body, headers={**NEWER, "Sb-Forwarded-For": sender}
        )
        return int(answer.status_code)

    refresh = "/token?grant_type=refresh_token"
    asked = [status("203.0.113.7", (TOKEN, refresh)[number % 2]) for number in range(31)]
    assert asked == [400] * 30 + [429]
    assert status("203.0.113.7, 203.0.113.8") == 429  # the first is the visitor's
    assert status("203.0.113.8, 203.0.113.7") == 400
    assert status("2001:db8::1") == 400
    assert status("nonsense") == 400  # and so it is the sender's own
    project.set(forwarded_for=False)
    asked = [status(f"203.0.113.{number}") for number in range(30)]
    assert asked == [400] * 29 + [429]


def test_the_rate_limit_refills(accounts: Accounts, project: Project) -> None:
    project.set(rate_limit=3_000_000)  # ten a millisecond
    body = {"email": "admin@onai.test", "password": "wrong"}

    asked = [accounts.call("POST", TOKEN, json=body).status_code for _ in range(40)]

    assert asked == [400] * 40
