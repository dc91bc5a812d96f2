"""Redis between the processes: nothing of it is run, believed or waited for."""

import json
import os
import pickle
import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client

from onai import shared_cache
from onai.db.circuit import Circuit
from onai.identity import passwords, supabase
from onai.ops import supabase_state
from tests.conftest import LandingPages
from tests.support import plain_http
from tests.support.desk import Desk
from tests.support.interruptions import api_requests_of, wait_until
from tests.support.people import Accounts
from tests.support.redis_server import SharedCache, run_redis
from tests.support.server import web_server

API = "/api/traffic-dashboard/funnel"


@pytest.fixture(scope="module")
def server() -> Iterator[SharedCache]:
    with run_redis() as server:
        yield server


@pytest.fixture
def shared(server: SharedCache, settings: Any) -> Iterator[SharedCache]:
    """The product of this process has that Redis for its cache."""
    server.client.flushall()
    settings.CACHES = {"default": shared_cache.configuration(server.url)}
    yield server
    server.client.flushall()
    caches.close_all()


def _kept(shared: SharedCache) -> dict[bytes, bytes]:
    keys: Any = shared.client.keys("*")
    values: Any = shared.client.mget(keys)
    return dict(zip(keys, values, strict=True))


def test_the_cache_holds_json(
    admin: Client, shared: SharedCache, sold: Callable[[], None], statements_apart: None
) -> None:
    sold()
    admin.post("/funnel/refresh")
    first = admin.get(API).json()
    sold()

    assert admin.get(API).json() == first
    kept = _kept(shared)
    assert any(b"last-good" in key for key in kept)
    for value in kept.values():
        json.loads(value)


@pytest.fixture
def statements_apart(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """As in production, what cachalot keeps never leaves the process."""
    from cachalot.settings import cachalot_settings

    settings.CACHES = {
        **settings.CACHES,
        "statements": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": "statements of this test",
        },
    }
    monkeypatch.setattr(cachalot_settings, "CACHALOT_CACHE", "statements")


class _Program:
    """A pickle that does something as soon as it is read."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return Path.touch, (self.trace,)


def _poisons(trace: Path) -> list[bytes]:
    return [
        pickle.dumps(_Program(trace)),
        b"",
        b"\xff\xfe",
        b"17",
        b"null",
        b"[" * 200_000,
        b'{"as_of": "2026-01-01T00:00:00"}',
        b'"2026-01-01T00:00:00"',
        b'"9999-99-99"',
        json.dumps(json.dumps({"as_of": "2026-01-01T00:00:00Z", "leads": 7})).encode(),
    ]


@pytest.mark.parametrize("number", range(10))
def test_a_value_signed_by_another_key_is_ignored(
    admin: Client,
    shared: SharedCache,
    sold: Callable[[], None],
    statements_apart: None,
    number: int,
    tmp_path: Path,
) -> None:
    sold()
    admin.post("/funnel/refresh")
    admin.get(API)
    trace = tmp_path / "trace"
    poison = _poisons(trace)[number]
    for key in _kept(shared):
        shared.client.set(key, poison)

    for path in (API, "/funnel"):
        assert admin.get(path).status_code == 200
    assert admin.post("/funnel/refresh").status_code == 302
    assert admin.get(API).json()["totalConversions"] == 1
    assert not trace.exists()


@pytest.mark.parametrize("number", range(1, 10))
def test_foreign_values_of_every_kind_are_ignored(
    admin: Client, shared: SharedCache, number: int, tmp_path: Path
) -> None:
    passwords.learn_rules({"message": "Password should be at least 9 characters."})
    supabase.remember_obstacle("")
    assert passwords.known_rules()
    for key in _kept(shared):
        shared.client.set(key, _poisons(tmp_path / "trace")[number])

    assert passwords.known_rules() is None
    assert supabase_state.check()
    assert admin.get("/sales-manager/students/new").status_code == 200


def test_figures_of_another_question_are_ignored(
    admin: Client, shared: SharedCache, sold: Callable[[], None], statements_apart: None
) -> None:
    sold()
    admin.get(f"{API}?source=nobody")
    empty = _kept(shared)
    shared.client.flushall()
    admin.get(API)
    for key, value in _kept(shared).items():
        kind = key.rpartition(b":answer:")[1] or b":last-good:"
        for other, foreign in empty.items():
            if kind in other and kind in key:
                assert foreign != value
                shared.client.set(key, foreign)

    assert admin.get(API).json()["totalConversions"] == 1


def test_a_hanging_cache_delays_one_request(
    admin: Client,
    shared: SharedCache,
    sold: Callable[[], None],
    statements_apart: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("onai.db.circuit.REMEMBERED_SECONDS", 600)
    hung: list[Circuit] = []
    remembered = Circuit.hung

    def note(self: Circuit) -> None:
        hung.append(self)
        remembered(self)

    monkeypatch.setattr(Circuit, "hung", note)
    sold()
    os.kill(shared.pid, signal.SIGSTOP)
    try:
        answers = [admin.get(path) for path in (API, "/funnel", API)]
    finally:
        os.kill(shared.pid, signal.SIGCONT)

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(hung) == 1


@pytest.fixture
def bearer_of_admin(accounts: Accounts) -> dict[str, str]:
    return {"Authorization": f"Bearer {accounts.sign_in('admin@onai.test')['access_token']}"}


def test_fifty_requests_to_two_processes_cause_one_count(
    server: SharedCache, landing: LandingPages, bearer_of_admin: dict[str, str]
) -> None:
    landing.write({"source": "proftest_a", "sms_clicked": True})
    server.client.flushall()
    with web_server(CACHE_URL=server.url, WEB_CONCURRENCY="2") as site:

        def ask(_: int) -> Any:
            return plain_http.get(f"{site.address}{API}", headers=bearer_of_admin, timeout=60)

        with ThreadPoolExecutor(50) as people:
            with landing.connection.transaction():
                landing.connection.execute("lock table landing_leads in access exclusive mode")
                asked = [people.submit(ask, number) for number in range(50)]
                wait_until(lambda: _waiting(landing))
            answers = [one.result() for one in asked]

    assert {answer.status_code for answer in answers} == {200}
    # Each count says when it was made.
    assert len({answer.json()["timestamp"] for answer in answers}) == 1
    assert {answer.json()["totalConversions"] for answer in answers} == {1}


def _waiting(landing: LandingPages) -> int:
    found = landing.connection.execute("select count(*) from pg_locks where not granted")
    (count,) = found.fetchone() or (0,)
    return int(count)


def test_a_creation_invalidates_nothing_in_the_shared_cache(
    server: SharedCache, desk: Desk, accounts: Accounts
) -> None:
    server.client.flushall()
    with web_server(CACHE_URL=server.url) as site:
        answer = api_requests_of(site, accounts)(email="counted@onai.test", key="counted")

    assert answer.status_code == 201
    # Cachalot's names are digests.
    names: Any = server.client.keys("*")
    assert [name for name in names if re.search(rb"[0-9a-f]{40}", name)] == []
