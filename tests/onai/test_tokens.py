"""An access token is believed only if our project made it, for us, and it is still good."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings as django_settings

from onai.identity.roles import Metadata, Role, role_of
from onai.identity.session import published_keys
from onai.identity.session.tokens import TokenInvalid, verify
from onai.identity.staff import standing
from onai.identity.supabase import AuthUnavailable
from onai.local.auth.keys import Keys, SigningKey
from tests.conftest import Faults
from tests.settings import TEST_DIR, TEST_KEYS
from tests.support.interruptions import wait_until


def _claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": django_settings.SUPABASE_AUTH_URL,
        "sub": str(uuid4()),
        "aud": "authenticated",
        "role": "authenticated",
        "iat": now,
        "exp": now + 3_600,
        "email": "someone@onai.test",
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


@pytest.fixture
def keys() -> Iterator[Keys]:
    """The project's keys as they are, and as they were when the test is over."""
    yield Keys.load(TEST_DIR)
    TEST_KEYS.save(TEST_DIR)


def _rotate(*algorithms: Any) -> Keys:
    """Give the project other signing keys, the current one first; none means HS256."""
    rotated = Keys(
        django_secret=TEST_KEYS.django_secret,
        jwt_secret=TEST_KEYS.jwt_secret,
        anon_key=TEST_KEYS.anon_key,
        service_role_key=TEST_KEYS.service_role_key,
        resend_key=TEST_KEYS.resend_key,
        signing=tuple(SigningKey.generate(algorithm) for algorithm in algorithms),
    )
    rotated.save(TEST_DIR)
    return rotated


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_token_signed_with_a_published_key_is_good(keys: Keys, algorithm: str) -> None:
    claims = _claims()

    assert verify(_rotate(algorithm).sign(claims)) == claims


def test_a_token_signed_with_the_shared_secret_is_good(settings: Any) -> None:
    settings.SUPABASE_JWT_SECRET = TEST_KEYS.jwt_secret
    claims = _claims()

    assert verify(jwt.encode(claims, TEST_KEYS.jwt_secret, algorithm="HS256")) == claims


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 60},
        {"iat": int(time.time()) + 3_600},
        {"iss": "https://other.supabase.co/auth/v1"},
        {"aud": "anon"},
        {"exp": None},
        {"iat": None},
        {"iss": None},
        {"aud": None},
        {"sub": None},
    ],
    # With no time in them: every process of a run must know a test by the same name.
    ids=[
        *("expired", "from the future", "another issuer", "another audience"),
        *("no exp", "no iat", "no iss", "no aud", "no sub"),
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid):
        verify(TEST_KEYS.sign(_claims(**changes)))


def test_clocks_may_be_a_little_out_of_step() -> None:
    now = int(time.time())

    verify(TEST_KEYS.sign(_claims(iat=now + 20)))
    verify(TEST_KEYS.sign(_claims(exp=now - 20)))


def test_a_token_signed_by_another_key_under_our_key_id_is_refused() -> None:
    stranger = SigningKey.generate("ES256")
    forged = jwt.encode(
        _claims(),
        stranger.private_pem,
        algorithm="ES256",
        headers={"kid": TEST_KEYS.signing[0].kid},
    )

    with pytest.raises(TokenInvalid):
        verify(forged)


def _signed_with_public_key_as_secret() -> str:
    private = load_pem_private_key(TEST_KEYS.signing[0].private_pem.encode(), None)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    # PyJWT itself refuses to sign like this, so the forger uses its parts.
    header = {"alg": "HS256", "typ": "JWT", "kid": TEST_KEYS.signing[0].kid}
    return _assembled(header, _claims(), public)


def _assembled(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    import hashlib
    import hmac
    import json

    from jwt.utils import base64url_encode

    parts = [base64url_encode(json.dumps(part).encode()) for part in (header, claims)]
    signature = hmac.new(secret, b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64url_encode(signature)]).decode()


@pytest.mark.parametrize(
    "token",
    [
        lambda: jwt.encode(_claims(), "", algorithm="none"),
        lambda: jwt.encode(
            _claims(), "", algorithm="none", headers={"kid": TEST_KEYS.signing[0].kid}
        ),
        lambda: jwt.encode(_claims(), TEST_KEYS.jwt_secret, algorithm="HS256"),
        _signed_with_public_key_as_secret,
        lambda: TEST_KEYS.anon_key,
        lambda: TEST_KEYS.service_role_key,
        lambda: "not.a.token",
        lambda: "",
        lambda: "é.é.é",
    ],
    ids=["none", "none+kid", "HS256", "confusion", "anon", "service", "words", "empty", "accents"],
)
def test_an_algorithm_that_our_kind_of_key_does_not_use_is_refused(token: Any) -> None:
    with pytest.raises(TokenInvalid):
        verify(token())


def test_a_published_key_is_ignored_where_a_secret_is_set(settings: Any) -> None:
    settings.SUPABASE_JWT_SECRET = TEST_KEYS.jwt_secret

    with pytest.raises(TokenInvalid):
        verify(TEST_KEYS.sign(_claims()))


def test_keys_are_fetched_once_and_kept(faults: Faults) -> None:
    verify(TEST_KEYS.sign(_claims()))
    faults.set("/auth/v1/.well-known", status=500)

    verify(TEST_KEYS.sign(_claims()))


def test_a_rotated_key_is_fetched_at_its_first_use(keys: Keys) -> None:
    verify(keys.sign(_claims()))

    for _ in range(2):
        rotated = _rotate("RS256", "ES256")
        verify(rotated.sign(_claims()))

    with pytest.raises(TokenInvalid):
        verify(keys.sign(_claims()))


def test_forged_key_ids_do_not_cause_repeated_fetches(faults: Faults) -> None:
    def refuse_a_forged_one() -> None:
        forged = SigningKey.generate("ES256")
        headers = {"kid": forged.kid}
        token = jwt.encode(_claims(), forged.private_pem, algorithm="ES256", headers=headers)
        with pytest.raises(TokenInvalid):
            verify(token)

    verify(TEST_KEYS.sign(_claims()))
    refuse_a_forged_one()
    # From here on asking would fail, and be told as an outage instead of a forgery.
    faults.set("/auth/v1/.well-known", status=500)

    for _ in range(3):
        refuse_a_forged_one()


def test_old_keys_stay_good_while_new_ones_cannot_be_fetched(
    faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify(TEST_KEYS.sign(_claims()))
    monkeypatch.setattr(published_keys, "_LIFESPAN", timedelta(0))
    monkeypatch.setattr(published_keys, "_COOLDOWN", timedelta(0))
    faults.set("/auth/v1/.well-known", status=500)

    verify(TEST_KEYS.sign(_claims()))


def test_a_known_key_does_not_wait_for_another_fetch(
    faults: Faults, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.SUPABASE_CONNECT_TIMEOUT = timedelta(seconds=60)
    monkeypatch.setattr(published_keys, "_COOLDOWN", timedelta(0))
    verify(TEST_KEYS.sign(_claims()))
    faults.set("/auth/v1/.well-known", delay=20)
    stranger = jwt.encode(
        _claims(),
        SigningKey.generate("ES256").private_pem,
        algorithm="ES256",
        headers={"kid": "unknown"},
    )
    told: list[type[Exception]] = []

    def ask() -> None:
        try:
            verify(stranger)
        except (AuthUnavailable, TokenInvalid) as error:
            told.append(type(error))

    strangers = [threading.Thread(target=ask) for _ in range(4)]
    for thread in strangers:
        thread.start()
    monkeypatch.setattr(published_keys, "_LIFESPAN", timedelta(0))
    for _ in range(5):
        verify(TEST_KEYS.sign(_claims()))
    # The fetch, behind which they would have had to wait, has not ended.
    assert any(thread.is_alive() for thread in strangers)
    wait_until(lambda: len(told) == 3)
    faults.clear()
    for thread in strangers:
        thread.join(10)
    # One of them asked; the others were told to come back instead of queueing up behind it.
    assert sorted(told, key=str) == sorted([*[AuthUnavailable] * 3, TokenInvalid], key=str)


def test_a_failed_fetch_is_not_repeated_for_every_request(faults: Faults) -> None:
    faults.set("/auth/v1/.well-known", status=500, times=1)

    for _ in range(3):
        with pytest.raises(AuthUnavailable):
            verify(TEST_KEYS.sign(_claims()))


@pytest.mark.parametrize(
    "failure", [{"status": 500}, {"drop": True}, {"body": "<html>"}, {"body": '{"keys": []}'}]
)
def test_without_keys_no_token_is_judged(faults: Faults, failure: dict[str, Any]) -> None:
    faults.set("/auth/v1/.well-known", **failure)

    with pytest.raises(AuthUnavailable):
        verify(TEST_KEYS.sign(_claims()))


@pytest.mark.parametrize(
    ("user_metadata", "app_metadata", "role"),
    [
        ({"role": "admin"}, {}, None),
        ({"role": "sales"}, {"provider": "email"}, None),
        ({"role": "admin"}, {"role": "admin"}, Role.ADMIN),
        ({"role": "admin"}, {"role": "sales"}, Role.SALES),
        ({"role": "sales"}, {"role": "admin"}, Role.SALES),
        ({"role": "student"}, {"role": "admin"}, Role.STUDENT),
        ({}, {"role": "sales"}, Role.SALES),
        ({"role": "student"}, {}, Role.STUDENT),
        ({}, {"role": "student"}, Role.STUDENT),
        ({"role": "admin"}, {"role": "student"}, Role.STUDENT),
        ({"role": "admin"}, {"role": "superuser"}, None),
        ({"role": "superuser"}, {}, None),
        ({"role": ["admin"]}, {}, None),
        ({"role": {"admin": 1}}, {}, None),
        ({"role": "Admin"}, {}, None),
        ({}, {}, None),
        (None, None, None),
        ("admin", "admin", None),
    ],
)
def test_the_role_is_the_one_a_user_cannot_write(
    user_metadata: Any, app_metadata: Any, role: Role | None
) -> None:
    claims = _claims(user_metadata=user_metadata, app_metadata=app_metadata)

    metadata = Metadata.read(claims.get("user_metadata"), claims.get("app_metadata"))
    assert role_of(metadata) is role


def test_a_subject_that_is_not_a_uuid_is_refused() -> None:
    with pytest.raises(ValueError):
        standing.identify(_claims(sub="1"))
