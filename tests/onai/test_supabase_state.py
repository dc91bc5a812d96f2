"""Supabase Auth works and lets nobody in, or nothing be done: /status and /readyz name why."""

import json
from typing import Any

import jwt
import pytest
from django.core.cache import cache
from django.test import Client

from onai.identity import supabase
from onai.local.auth.keys import Keys
from onai.ops import supabase_state
from onai.ops.examination import Down
from tests.conftest import Faults, Project
from tests.settings import TEST_DIR, TEST_KEYS
from tests.support.people import PASSWORD


def _reason() -> str:
    with pytest.raises(Down) as told:
        supabase_state.check()
    assert told.value.advice
    return told.value.reason


def _sign_in(client: Client) -> Any:
    return client.post("/login", {"email": "ayaulym@onai.test", "password": PASSWORD})


@pytest.fixture
def signs_with_the_secret() -> Any:
    """The project is an older one, which signs with HS256 and publishes no key."""
    Keys(**{**_fields(TEST_KEYS), "signing": ()}).save(TEST_DIR)
    yield
    TEST_KEYS.save(TEST_DIR)


def _fields(keys: Keys) -> dict[str, Any]:
    return {name: getattr(keys, name) for name in Keys.__dataclass_fields__}


def test_all_is_well() -> None:
    assert supabase_state.check() == "отвечает"


def test_a_wrong_key_is_distinguished_from_an_outage(settings: Any) -> None:
    good = settings.SUPABASE_SERVICE_ROLE_KEY
    # Made up, of another project, and the public one, which is nobody's to administer with.
    other = jwt.encode({"role": "service_role"}, "x" * 32, algorithm="HS256")
    for wrong in ("made-up", other, settings.SUPABASE_ANON_KEY):
        settings.SUPABASE_SERVICE_ROLE_KEY = wrong
        assert _reason() == "wrong_service_key"
    settings.SUPABASE_SERVICE_ROLE_KEY = good
    settings.SUPABASE_ANON_KEY = "made-up"
    assert _reason() == "wrong_anon_key"


def test_a_captcha_is_reported_on_status_and_at_sign_in(
    admin: Client, client: Client, project: Project
) -> None:
    project.set(captcha=True)

    page = admin.get("/status").content.decode()
    ready = client.get("/readyz")
    refused = _sign_in(Client())

    assert "требует капчу" in page
    assert "Attack Protection" in page
    assert ready.status_code == 200
    assert ready.json()["dependencies"]["auth"] == "down"
    assert ready.json()["reasons"]["auth"] == "captcha_required"
    assert refused.status_code == 503
    assert "требует капчу" in refused.content.decode()
    project.reset()
    assert _sign_in(Client()).status_code == 302
    assert supabase_state.check() == "отвечает"


def test_a_captcha_met_at_sign_in_is_remembered(client: Client, faults: Faults) -> None:
    body = {"code": "captcha_failed", "error_code": "captcha_failed", "msg": "captcha"}
    faults.set("/auth/v1/token", status=400, body=json.dumps(body), times=1)

    assert _sign_in(client).status_code == 503

    assert _reason() == "captcha_required"
    assert _sign_in(client).status_code == 302
    assert supabase_state.check() == "отвечает"


def test_disabled_sign_in_by_email_is_reported(client: Client, project: Project) -> None:
    project.set(email_provider=False)

    assert _reason() == "email_sign_in_disabled"
    refused = _sign_in(client)
    assert refused.status_code == 503
    assert "Вход по почте выключен" in refused.content.decode()


def test_an_unused_secret_is_reported_once_tokens_differ(client: Client, settings: Any) -> None:
    settings.SUPABASE_JWT_SECRET = TEST_KEYS.jwt_secret

    assert _reason() == "jwt_secret_out_of_use"
    # Keys are published before they sign: meanwhile the secret's tokens are good.
    supabase.remember_obstacle("")
    assert supabase_state.check() == "отвечает"
    # And then they are not.
    answer = _sign_in(client)
    assert answer.status_code == 503
    assert _reason() == "jwt_secret_out_of_use"


@pytest.mark.usefixtures("signs_with_the_secret")
def test_a_missing_or_wrong_secret_is_reported(client: Client, settings: Any) -> None:
    assert _reason() == "jwt_secret_missing"
    settings.SUPABASE_JWT_SECRET = "another secret, and as long as the right one"
    assert _reason() == "wrong_jwt_secret"
    settings.SUPABASE_JWT_SECRET = TEST_KEYS.jwt_secret
    assert supabase_state.check() == "отвечает"
    assert _sign_in(client).status_code == 302


def test_unverifiable_tokens_are_reported_until_one_verifies(client: Client, settings: Any) -> None:
    url = settings.SUPABASE_AUTH_URL
    settings.SUPABASE_AUTH_URL = url.replace("127.0.0.1", "localhost")  # not what tokens name

    assert _sign_in(client).status_code == 503

    assert _reason() == "tokens_refused"
    settings.SUPABASE_AUTH_URL = url
    assert _sign_in(client).status_code == 302
    assert supabase_state.check() == "отвечает"


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ({"path": "/auth/v1/settings", "status": 500}, "отвечает ошибкой 500"),
        ({"path": "/auth/v1/settings", "body": "<html>"}, "это не Supabase Auth"),
        ({"path": "/auth/v1/health", "drop": True}, "не отвечает"),
        ({"path": "/auth/v1/admin/users/", "status": 503}, "отвечает ошибкой 503"),
        ({"path": "/auth/v1/.well-known", "status": 502}, "отвечает ошибкой 502"),
    ],
    ids=lambda value: value["path"] if isinstance(value, dict) else None,
)
def test_other_failures_are_reported_as_they_are(
    faults: Faults, fault: dict[str, Any], seen: str
) -> None:
    faults.set(**fault)
    cache.clear()

    with pytest.raises(Down, match=seen):
        supabase_state.check()
