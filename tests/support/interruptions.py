"""Interruptions of an act on a student: locks, threads, retries, and the worker afterwards."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
from django.db import connections
from django.test import Client

from sales import letters
from tests.settings import TRIPWIRE_URL
from tests.support import plain_http
from tests.support.desk import GOOD, Desk, Row
from tests.support.people import Accounts
from tests.support.processes import run_worker
from tests.support.server import Site

# Paths of the stand-ins that can be made to fail.
USERS, ONE_USER, LETTERS = "/auth/v1/admin/users", "/auth/v1/admin/users/", "/emails"
CREATE = "/api/tripwire-manager/create-student"
Ask = Callable[..., httpx.Response]


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Writers to this table wait."""
    with psycopg.connect(TRIPWIRE_URL) as other:
        other.execute(f"lock table {table} in share mode")
        yield
        other.rollback()


def wait_until(condition: Callable[[], Any]) -> None:
    """Wait until the condition holds; bounded."""
    pause = threading.Event()
    for _ in range(400):
        if condition():
            return
        pause.wait(0.025)
    raise AssertionError("it never came to that")


def is_waited_for(desk: Desk, table: str) -> bool:
    return bool(
        desk.rows(
            "select 1 from pg_locks where not granted and relation = %s::regclass",
            table,
        )
    )


def work_later(desk: Desk) -> str:
    """Let time pass and run the worker; returns its log."""
    desk.time_passes()
    return str(run_worker().stderr)


def post_in_own_thread(answers: list[Any], client: Client, path: str, form: dict[str, str]) -> None:
    try:
        answers.append(client.post(path, form))
    finally:
        connections.close_all()


def api_requests_of(site: Site, accounts: Accounts, person: str = "ayaulym@onai.test") -> Ask:
    """A function that creates students through the API of this server."""
    token = accounts.sign_in(person)["access_token"]

    def ask(key: str = "the same", **changes: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        return plain_http.post(
            site.address + CREATE, json={**GOOD, **changes}, headers=headers, timeout=40
        )

    return ask


def letter_of(desk: Desk) -> Row:
    """The only letter, and how long it waits."""
    return desk.row("select *, due_at - now() as wait from sales_letters")


def deliver_again(desk: Desk) -> Row:
    """Make the letter due and run the job that tries it."""
    desk.time_passes()
    letters.deliver(letter_of(desk)["id"])
    return letter_of(desk)
