"""What the load balancer asks, and what an owner reads when something is down."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.test import Client

from tests.conftest import Faults
from tests.outages import landing_outage

SignIn = Callable[[str], Client]


@pytest.fixture
def outage() -> Callable[[], AbstractContextManager[None]]:
    return landing_outage


def test_healthz_answers_whatever_the_host_name_and_touches_nothing(
    client: Client, faults: Faults, outage: Any
) -> None:
    faults.set("/auth/v1", drop=True)
    client.cookies["onai_access"] = "whatever"
    client.cookies["onai_refresh"] = "whatever"

    with outage():
        answer = client.get("/healthz", headers={"host": "10.0.0.7"})

    assert (answer.status_code, answer.content) == (200, b"ok")
    assert not answer.cookies


def test_readyz_says_when_all_is_well(client: Client) -> None:
    answer = client.get("/readyz", headers={"host": "10.0.0.7"})

    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "dependencies": {"landing": "ok", "tripwire": "ok", "auth": "ok"},
    }


def test_readyz_says_which_database_is_down(client: Client, outage: Any) -> None:
    with outage():
        answer = client.get("/readyz")

    assert answer.status_code == 503
    states = answer.json()["dependencies"]
    assert [name for name, state in states.items() if state == "down"] == ["landing"]
    assert "postgres" not in answer.content.decode()


@pytest.mark.parametrize("failure", [{"status": 500}, {"drop": True}, {"delay": 4}])
def test_readyz_says_that_sign_in_is_down_and_soon(
    client: Client, faults: Faults, failure: dict[str, Any]
) -> None:
    faults.set("/auth/v1/health", **failure)
    began = time.monotonic()

    answer = client.get("/readyz")

    assert time.monotonic() - began < 3.5
    assert answer.status_code == 503
    assert answer.json()["dependencies"]["auth"] == "down"


def test_a_shared_cache_that_is_down_is_told_and_takes_nothing_down(
    admin: Client, settings: Any
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": "redis://:hush@127.0.0.1:1/0",
        }
    }

    assert admin.get("/readyz").status_code == 200
    page = admin.get("/status").content.decode()
    assert "CACHE_URL" in page
    assert "hush" not in page


def test_status_tells_an_owner_what_to_do(admin: Client, faults: Faults, outage: Any) -> None:
    faults.set("/auth/v1/health", status=500)

    with outage():
        page = admin.get("/status").content.decode()

    assert "База Landing (лиды)" in page
    assert "LANDING_DATABASE_URL" in page
    assert "Воронка показывает последние удачные цифры, если они есть" in page
    assert "отвечает ошибкой 500" in page
    # No worker runs beside these tests.
    assert "python manage.py procrastinate worker" in page
    assert "Не работают 4 части" in page
    assert TRIPWIRE_ADVICE not in page


TRIPWIRE_ADVICE = "TRIPWIRE_DATABASE_URL"
