"""The stand-in for Supabase Auth, as its official client and an operator meet it."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from supabase_auth import SyncGoTrueClient
from supabase_auth.errors import AuthApiError, AuthWeakPasswordError

from tests.settings import SERVICES, TEST_KEYS, TRIPWIRE_URL
from tests.support import plain_http
from tests.support.people import PASSWORD, Accounts

NEWER = {"X-Supabase-Api-Version": "2024-01-01"}
# What Supabase writes there itself.
VERIFIED = {"email_verified": True}
NOBODY = "00000000-0000-4000-8000-000000000000"


def _client(key: str) -> SyncGoTrueClient:
    return SyncGoTrueClient(
        url=f"{SERVICES}/auth/v1",
        headers={"apikey": key, "Authorization": f"Bearer {key}"},
        auto_refresh_token=False,
        http_client=httpx.Client(trust_env=False, verify=False),
    )


@pytest.fixture
def visitor() -> Iterator[SyncGoTrueClient]:
    with _client(TEST_KEYS.anon_key) as client:
        yield client


@pytest.fixture
def operator() -> Iterator[SyncGoTrueClient]:
    with _client(TEST_KEYS.service_role_key) as client:
        yield client


def _new(**more: Any) -> dict[str, Any]:
    email = f"new-{uuid4().hex[:12]}@onai.test"
    return {"email": email, "password": PASSWORD, "email_confirm": True, **more}


def _age_refresh_tokens(account_id: str, seconds: int) -> None:
    with psycopg.connect(TRIPWIRE_URL) as connection:
        connection.execute(
            "update auth.refresh_tokens set updated_at = now() - %s * interval '1 second'"
            " where user_id = %s",
            [seconds, account_id],
        )


def test_the_official_client_signs_in_and_out(
    visitor: SyncGoTrueClient, operator: SyncGoTrueClient
) -> None:
    made = operator.admin.create_user(_new(user_metadata={"full_name": "Новый"})).user  # type: ignore[arg-type]

    session = visitor.sign_in_with_password(
        {"email": made.email or "", "password": PASSWORD}
    ).session
    assert session
    assert (session.token_type, session.expires_in) == ("bearer", 3_600)
    assert session.user.id == made.id
    shown = visitor.get_user()
    assert shown
    assert shown.user.user_metadata == {**VERIFIED, "full_name": "Новый"}
    claims = visitor.get_claims()
    assert claims
    assert claims["claims"]["sub"] == made.id
    assert claims["claims"]["role"] == "authenticated"
    assert claims["claims"]["iss"] == f"{SERVICES}/auth/v1"
    renewed = visitor.refresh_session().session
    assert renewed
    assert renewed.refresh_token != session.refresh_token
    visitor.sign_out()
    with pytest.raises(AuthApiError) as refused:
        visitor.refresh_session(renewed.refresh_token)
    assert refused.value.status == 400


def test_a_user_changes_their_own_metadata_password_and_nothing_else(
    visitor: SyncGoTrueClient, operator: SyncGoTrueClient
) -> None:
    made = operator.admin.create_user(_new(app_metadata={"role": "student"})).user  # type: ignore[arg-type]
    email = made.email or ""
    visitor.sign_in_with_password({"email": email, "password": PASSWORD})

    changed = visitor.update_user({"data": {"role": "admin", "city": "Алматы"}}).user
    assert changed.user_metadata == {**VERIFIED, "role": "admin", "city": "Алматы"}
    assert changed.app_metadata["role"] == "student"
    visitor.update_user({"data": {"city": None}, "password": "another-pass"})
    again = visitor.sign_in_with_password({"email": email, "password": "another-pass"})
    assert again.user
    assert again.user.user_metadata == {**VERIFIED, "role": "admin"}
    with pytest.raises(AuthApiError) as refused:
        visitor.update_user({"password": "another-pass"})
    assert refused.value.code == "same_password"


def test_an_operator_keeps_accounts(operator: SyncGoTrueClient, visitor: SyncGoTrueClient) -> None:
    chosen = str(uuid4())
    wanted = _new(id=chosen, user_metadata={"a": 1}, app_metadata={"role": "sales"})
    wanted["email"] = wanted["email"].upper()

    made = operator.admin.create_user(wanted).user  # type: ignore[arg-type]
    assert made.id == chosen
    assert made.email == wanted["email"].lower()
    assert made.app_metadata == {"provider": "email", "providers": ["email"], "role": "sales"}
    assert operator.admin.get_user_by_id(chosen).user.user_metadata == {**VERIFIED, "a": 1}
    assert made.identities
    assert made.identities[0].provider == "email"

    blocked = operator.admin.update_user_by_id(
        chosen, {"ban_duration": "24h", "user_metadata": {"b": 2}}
    ).user
    assert blocked.banned_until
    assert blocked.user_metadata == {**VERIFIED, "a": 1, "b": 2}
    with pytest.raises(AuthApiError) as refused:
        visitor.sign_in_with_password({"email": wanted["email"], "password": PASSWORD})
    assert (refused.value.status, refused.value.code) == (400, "user_banned")
    operator.admin.update_user_by_id(chosen, {"ban_duration": "none", "password": "renewed-pass"})
    visitor.sign_in_with_password({"email": wanted["email"], "password": "renewed-pass"})

    operator.admin.delete_user(chosen)
    with pytest.raises(AuthApiError) as gone:
        operator.admin.get_user_by_id(chosen)
    assert (gone.value.status, gone.value.code) == (404, "user_not_found")


def test_the_list_of_accounts_comes_in_pages(
    operator: SyncGoTrueClient, accounts: Accounts
) -> None:
    made = {accounts.create()["id"] for _ in range(3)}

    first = accounts.call("GET", "/admin/users?page=1&per_page=2")
    seen = {user.id for page in (1, 2) for user in operator.admin.list_users(page, 2)}

    assert len(first.json()["users"]) == 2
    assert int(first.headers["X-Total-Count"]) >= 3
    assert 'rel="next"' in first.headers["Link"]
    assert made <= seen
    assert operator.admin.list_users(1_000, 50) == []
    zeroth = accounts.call("GET", "/admin/users?page=0&per_page=2").json()["users"]
    assert zeroth == first.json()["users"]
    for page in ("-1", "one", "9" * 30):
        assert accounts.call("GET", f"/admin/users?page={page}").status_code == 400


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"email": "ADMIN@onai.test"}, 422, "email_exists"),
        ({"email": "not an address"}, 400, "validation_failed"),
        ({"email": ""}, 400, "validation_failed"),
        ({"email": "x" * 300 + "@onai.test"}, 400, "validation_failed"),
        ({"email": " spaced@onai.test"}, 400, "validation_failed"),
        ({"password": "я" * 37}, 500, "unexpected_failure"),  # 74 bytes
        ({"password_hash": "$2b$"}, 400, "validation_failed"),  # beside a password
        ({"id": "1"}, 400, "validation_failed"),
        ({"ban_duration": "a day"}, 400, "validation_failed"),
        ({"user_metadata": "admin"}, 400, "bad_json"),
    ],
    ids=str,
)
def test_a_bad_account_is_refused_in_both_shapes_of_an_error(
    accounts: Accounts, changes: dict[str, Any], status: int, code: str
) -> None:
    body = {**_new(), **changes}

    older = accounts.call("POST", "/admin/users", json=body)
    newer = accounts.call("POST", "/admin/users", json=body, headers=NEWER)

    assert (older.status_code, newer.status_code) == (status, status)
    assert (older.json()["code"], older.json()["error_code"]) == (status, code)
    assert newer.json()["code"] == code
    assert newer.headers["X-Supabase-Api-Version"] == "2024-01-01"


def test_a_password_longer_than_72_bytes_is_refused(
    operator: SyncGoTrueClient, visitor: SyncGoTrueClient
) -> None:
    longest = "я" * 36
    made = operator.admin.create_user(_new(password=longest)).user  # type: ignore[arg-type]

    visitor.sign_in_with_password({"email": made.email or "", "password": longest})
    with pytest.raises(AuthApiError):
        visitor.sign_in_with_password({"email": made.email or "", "password": longest + "я"})


def test_a_weak_password_is_refused_with_its_reasons(operator: SyncGoTrueClient) -> None:
    # Nobody looks at it when an account is created.
    made = operator.admin.create_user(_new(password="short")).user  # type: ignore[arg-type]

    for weak in ("short", ""):
        with pytest.raises(AuthWeakPasswordError) as refused:
            operator.admin.update_user_by_id(made.id, {"password": weak})
        assert refused.value.reasons == ["length"]
    with pytest.raises(AuthApiError) as too_long:
        operator.admin.update_user_by_id(made.id, {"password": "я" * 37})
    assert (too_long.value.status, too_long.value.code) == (400, "validation_failed")


def test_an_id_that_is_taken_makes_no_second_account(accounts: Accounts) -> None:
    first = accounts.create()

    repeated = accounts.call(
        "POST", "/admin/users", json={**_new(), "id": first["id"]}, headers=NEWER
    )

    assert (repeated.status_code, repeated.json()["code"]) == (500, "unexpected_failure")
    assert accounts.call("GET", f"/admin/users/{first['id']}").json()["email"] == first["email"]


def test_a_refresh_token_is_used_once_with_ten_seconds_of_grace(accounts: Accounts) -> None:
    account = accounts.create()
    session = accounts.sign_in(account["email"])

    def refresh(token: str) -> httpx.Response:
        body = {"refresh_token": token}
        answer: httpx.Response = accounts.call(
            "POST", "/token?grant_type=refresh_token", json=body, headers=NEWER
        )
        return answer

    second = refresh(session["refresh_token"]).json()["refresh_token"]
    in_grace = refresh(session["refresh_token"])
    assert in_grace.json()["refresh_token"] == second
    _age_refresh_tokens(account["id"], seconds=11)
    # Who has not heard the answer asks again, however late, while nobody has used it.
    assert refresh(session["refresh_token"]).json()["refresh_token"] == second
    third = refresh(second).json()["refresh_token"]
    _age_refresh_tokens(account["id"], seconds=11)
    too_late = refresh(session["refresh_token"])
    assert (too_late.status_code, too_late.json()["code"]) == (400, "refresh_token_already_used")
    # The session's tokens are used ones now: good for ten seconds more, and then no more.
    assert refresh(third).status_code == 200
    _age_refresh_tokens(account["id"], seconds=11)
    refresh(session["refresh_token"])
    _age_refresh_tokens(account["id"], seconds=11)
    assert refresh(third).json()["code"] == "refresh_token_already_used"
    assert refresh("unknown").json()["code"] == "refresh_token_not_found"
    assert refresh("").json()["code"] == "validation_failed"


@pytest.mark.parametrize("path", ["/admin/users", f"/admin/users/{NOBODY}"])
def test_only_the_service_role_administers(accounts: Accounts, path: str) -> None:
    token = accounts.sign_in("admin@onai.test")["access_token"]

    as_user = accounts.call("GET", path, token, headers=NEWER)
    as_anon = accounts.call("GET", path, TEST_KEYS.anon_key, headers=NEWER)
    as_nobody = plain_http.get(
        f"{SERVICES}/auth/v1{path}", headers={"apikey": TEST_KEYS.anon_key, **NEWER}
    )

    assert (as_user.status_code, as_user.json()["code"]) == (403, "not_admin")
    assert (as_anon.status_code, as_anon.json()["code"]) == (403, "not_admin")
    assert (as_nobody.status_code, as_nobody.json()["code"]) == (401, "no_authorization")


@pytest.mark.parametrize("key", [None, "wrong"])
def test_nothing_answers_without_an_api_key(key: str | None) -> None:
    headers = {"apikey": key} if key else {}

    for path in ("/settings", "/health", "/user"):
        assert plain_http.get(f"{SERVICES}/auth/v1{path}", headers=headers).status_code == 401
    published = plain_http.get(f"{SERVICES}/auth/v1/.well-known/jwks.json")
    assert [key["alg"] for key in published.json()["keys"]] == ["ES256"]
    assert "d" not in published.json()["keys"][0]


def test_settings_and_health_answer(accounts: Accounts) -> None:
    assert accounts.call("GET", "/settings").json()["external"]["email"] is True
    assert accounts.call("GET", "/health").json()["name"] == "GoTrue"
    nothing = accounts.call("GET", "/no/such/thing")
    assert (nothing.status_code, nothing.text) == (404, "404 page not found\n")


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [
        ("grant_type=password", {}, "validation_failed"),
        ("grant_type=password", {"email": "admin@onai.test"}, "invalid_credentials"),
        ("grant_type=magic", {}, "invalid_credentials"),
        ("", {}, "invalid_credentials"),
    ],
)
def test_a_bad_grant_is_refused(
    accounts: Accounts, query: str, body: dict[str, str], code: str
) -> None:
    answer = accounts.call("POST", f"/token?{query}", json=body, headers=NEWER)

    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_body_that_is_not_json_is_refused(accounts: Accounts) -> None:
    odd = (b'{"email": ["a"]}', b'{"password": 12345678}', b'{"role": {}}', b'{"id": 1}')
    unkept = [b'{"user_metadata": {"a": "\\u0000"}}', b'{"password": "\\ud83d5678901"}', b"\xff"]
    unkept += [b'{"user_metadata": {"a": NaN}}', b'{"user_metadata": {"a": 1e999}}', b"[" * 100_000]
    for body in (b"{", b"[]", *odd, *unkept):
        answer = accounts.call("POST", "/admin/users", content=body, headers=NEWER)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_json")
    large = accounts.call("POST", "/admin/users", content=b" " * (1 << 20 | 1), headers=NEWER)
    assert (large.status_code, large.json()["code"]) == (413, "request_entity_too_large")


def test_accounts_are_kept_in_the_real_tables(accounts: Accounts) -> None:
    account = accounts.create(role="student", full_name="Строка")

    with psycopg.connect(TRIPWIRE_URL) as connection:
        row = connection.execute(
            "select email, aud, role, raw_user_meta_data ->> 'full_name', encrypted_password,"
            " confirmed_at = email_confirmed_at, is_sso_user from auth.users where id = %s",
            [account["id"]],
        ).fetchone()

    assert row
    assert row[:4] == (account["email"], "authenticated", "authenticated", "Строка")
    assert row[4].startswith("$2b$")
    assert row[5:] == (True, False)
