"""What the load balancer asks, and what an owner reads when something is down."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.db import connections
from django.test import Client

from onai import shared_cache
from onai.ops import examination, health, probes
from onai.ops.examination import Down, Probe
from tests.conftest import Faults
from tests.support.outages import landing_outage, tripwire_outage

SignIn = Callable[[str], Client]


@pytest.fixture
def outage() -> Callable[[], AbstractContextManager[None]]:
    return landing_outage


def test_healthz_answers_for_any_host_and_asks_nothing(
    client: Client, faults: Faults, outage: Any
) -> None:
    faults.set("/auth/v1", drop=True)
    client.cookies["__Host-onai_access"] = "whatever"
    client.cookies["__Host-onai_refresh"] = "whatever"

    with outage():
        answer = client.get("/healthz", headers={"host": "10.0.0.7"})

    assert (answer.status_code, answer.content) == (200, b"ok")
    assert not answer.cookies


def test_readyz_reports_that_all_is_well(client: Client) -> None:
    answer = client.get("/readyz", headers={"host": "10.0.0.7"})

    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "faults": [],
        "dependencies": {"landing": "ok", "tripwire": "ok", "auth": "ok", "accounts": "ok"},
        "reasons": {},
    }


def _down(answer: Any) -> list[str]:
    states = answer.json()["dependencies"]
    return [name for name, state in states.items() if state == "down"]


def test_a_process_is_ready_and_names_the_database_that_is_down(
    client: Client, outage: Any
) -> None:
    with outage():
        answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert _down(answer) == ["landing"]
    assert "postgres" not in answer.content.decode()


# The delayed one would be well in the end: it is not waited for.
@pytest.mark.parametrize("failure", [{"status": 500}, {"drop": True}, {"delay": 4}])
def test_readyz_reports_within_its_limit_that_sign_in_is_down(
    client: Client, faults: Faults, failure: dict[str, Any]
) -> None:
    faults.set("/auth/v1/health", **failure)

    answer = client.get("/readyz")

    assert (answer.status_code, _down(answer)) == (200, ["auth"])


class Hanging:
    """A probe that answers when it is let go, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.go_on = threading.Event()

    def check(self) -> str:
        self.asked += 1
        assert self.go_on.wait(30)
        return "отвечает"


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    """A dependency that hangs beside those that work."""
    probe = Hanging()
    monkeypatch.setattr(examination, "PATIENCE_SECONDS", 0.5)
    working = Probe("working", "Часть, что работает", lambda: "отвечает", "")
    dependencies = [working, Probe("frozen", "Замёрзшая часть", probe.check, "Ждать")]
    monkeypatch.setattr(health, "DEPENDENCIES", dependencies)
    monkeypatch.setattr("onai.ops.status.DEPENDENCIES", dependencies)
    yield probe
    probe.go_on.set()
    for thread in threading.enumerate():
        if thread.name == "probe frozen":
            thread.join(30)


def test_a_hanging_part_is_reported_down_and_probed_once(admin: Client, hanging: Hanging) -> None:
    first = admin.get("/readyz")
    second = admin.get("/readyz")

    for answer in (first, second):
        assert (answer.status_code, _down(answer)) == (200, ["frozen"])
        assert answer.json()["reasons"] == {"frozen": "timeout"}
    assert "Замёрзшая часть" in admin.get("/status").content.decode()
    assert hanging.asked == 1


def test_a_part_is_probed_again_once_its_hanging_probe_ends(
    client: Client, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _down(client.get("/readyz")) == ["frozen"]
    hanging.go_on.set()
    monkeypatch.setattr(examination, "KEPT_SECONDS", 0)

    assert _down(client.get("/readyz")) == []
    assert _down(client.get("/readyz")) == []
    assert hanging.asked >= 2


def test_simultaneous_probes_share_one_examination(
    hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "KEPT_SECONDS", 60)
    monkeypatch.setattr(examination, "PATIENCE_SECONDS", 60)
    with ThreadPoolExecutor(20) as askers:
        answers = [askers.submit(Client().get, "/readyz") for _ in range(20)]
        hanging.go_on.set()
        assert {answer.result().status_code for answer in answers} == {200}

    assert hanging.asked == 1


def test_a_crashing_probe_reports_its_part_down() -> None:
    def check() -> str:
        raise ZeroDivisionError

    # The crash is told by its thread, as any is.
    told: list[Any] = []
    before, threading.excepthook = threading.excepthook, told.append
    try:
        (part,) = examination.examine([Probe("broken", "Сломанная", check, "")])
    finally:
        threading.excepthook = before

    assert not part.works
    assert [crash.exc_type for crash in told] == [ZeroDivisionError]


@pytest.mark.parametrize("is_down", [True, False])
def test_an_answer_with_an_error_is_not_reported_as_silence(
    is_down: bool,
) -> None:
    """A database that answers with an error is not said to be silent."""

    def check() -> str:
        with connections["tripwire"].cursor() as cursor:
            cursor.execute("select 1" if is_down else "select nothing")
        return ""

    with tripwire_outage() if is_down else nullcontext():
        (part,) = examination.examine([Probe(f"told {is_down}", "", check, "")])

    seen = "не отвечает" if is_down else "отвечает ошибкой 42703"
    assert (part.works, part.seen) == (False, f"не узнать: база Tripwire {seen}")


@pytest.mark.parametrize("applied", [True, False])
def test_only_unapplied_migrations_make_a_process_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch, applied: bool
) -> None:
    def check() -> str:
        if applied:
            raise Down("не узнать: база Tripwire не отвечает")
        raise Down("не применены: 2", reason=probes.NOT_MIGRATED)

    monkeypatch.setattr(health, "MIGRATIONS", Probe("migrations", "", check, ""))
    monkeypatch.setattr(health, "_was_migrated", threading.Event())

    answer = client.get("/readyz")

    assert answer.status_code == (200 if applied else 503)
    assert answer.json()["faults"] == ([] if applied else ["not_migrated"])
    assert "migrations" not in answer.json()["dependencies"]


def test_a_stopping_process_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    told_to_end = threading.Event()
    told_to_end.set()
    monkeypatch.setattr(health, "stopping", told_to_end)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["faults"]) == (503, ["stopping"])
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("debug", [False, True])
def test_a_process_without_its_static_files_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any, debug: bool
) -> None:
    settings.DEBUG = debug  # then, as in the demo, nothing is collected, and pages do without
    # As in production, where pages name files as `collectstatic` wrote down.
    monkeypatch.setattr(health, "staticfiles_storage", ManifestStaticFilesStorage(tmp_path))

    answer = client.get("/readyz")

    expected = (200, []) if debug else (503, ["static_files_missing"])
    assert (answer.status_code, answer.json()["faults"]) == expected


def test_a_shared_cache_that_is_down_is_reported_and_harmless(admin: Client, settings: Any) -> None:
    settings.CACHES = {"default": shared_cache.configuration("redis://:hush@127.0.0.1:1/0")}

    assert admin.get("/readyz").status_code == 200
    page = admin.get("/status").content.decode()
    assert "CACHE_URL" in page
    assert "hush" not in page


def test_status_says_what_to_do(admin: Client, faults: Faults, outage: Any) -> None:
    faults.set("/auth/v1/health", status=500)

    with outage():
        page = admin.get("/status").content.decode()

    assert "База Landing (лиды)" in page
    assert "LANDING_DATABASE_URL" in page
    assert "Воронка показывает последние удачные цифры, если они есть" in page
    assert "отвечает ошибкой 500" in page
    # No worker runs beside these tests.
    assert "python manage.py procrastinate worker" in page
    words = " ".join(page.split())
    broken = words.count('class="part broken"')
    assert broken >= 5
    assert f"Не работают {broken} частей из" in words
    assert TRIPWIRE_ADVICE not in page


TRIPWIRE_ADVICE = "TRIPWIRE_DATABASE_URL"
