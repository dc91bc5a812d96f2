"""A database that is slow or silent: whoever waits is told in time, and once."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import django.db
import httpx
import psycopg
import pytest
from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client

from onai import mail
from onai.db import bounded, circuit, deadline
from onai.db.circuit import Circuit
from onai.identity import accounts
from onai.identity.accounts import AccountRefused, Refusal
from onai.web.http_client import http_client
from tests.settings import TEST_ENVIRONMENT, TRIPWIRE_URL
from tests.support.desk import Desk
from tests.support.interruptions import wait_until
from tests.support.people import PASSWORD
from tests.support.pooler import Pooler, run_pooler

CABINET = "/sales-manager"
ALIASES = ("landing", "tripwire")


def _ask(alias: str, statement: str = "select 1") -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()


def _refused_by(alias: str, statement: str = "select 1") -> type[BaseException]:
    with pytest.raises(django.db.OperationalError) as refusal:
        _ask(alias, statement)
    assert refusal.value.__cause__
    return type(refusal.value.__cause__)


def is_running(pid: int) -> bool:
    """Whether this server process is at a statement."""
    with psycopg.connect(TRIPWIRE_URL) as other:
        found = other.execute(
            "select from pg_stat_activity"
            " where pid = %s and state = 'active' and query like '%%sleep%%'",
            [pid],
        )
        return found.fetchone() is not None


@dataclass(frozen=True, slots=True)
class Reader:
    """Both ends of a connection by which somebody asked for a page."""

    server: socket.socket
    browser: socket.socket

    def leave_while_running(self, pid: int, *, freeze: bool = False) -> None:
        """Leave as soon as this server process is at it; it may be frozen then."""
        wait_until(lambda: is_running(pid))
        if freeze:
            os.kill(pid, signal.SIGSTOP)
        self.browser.close()


@contextmanager
def _locked_away(table: str) -> Iterator[None]:
    """Whoever reads this table waits."""
    with psycopg.connect(TEST_ENVIRONMENT["TRIPWIRE_DATABASE_URL"]) as other:
        other.execute(f"lock table {table} in access exclusive mode")
        yield
        other.rollback()


@pytest.fixture
def frozen() -> Iterator[Callable[[str], None]]:
    """Makes the server's end of this thread's connection fall silent."""
    stopped: list[int] = []

    def freeze(alias: str) -> None:
        (pid,) = _ask(alias, "select pg_backend_pid()")
        os.kill(pid, signal.SIGSTOP)
        stopped.append(pid)

    yield freeze
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    for alias in ALIASES:
        connections[alias].close()


@pytest.fixture
def hangs(monkeypatch: pytest.MonkeyPatch) -> list[Circuit]:
    """Every time that somebody found a database silent."""
    found: list[Circuit] = []
    remembered = Circuit.hung

    def hung(self: Circuit) -> None:
        found.append(self)
        remembered(self)

    monkeypatch.setattr(Circuit, "hung", hung)
    monkeypatch.setattr(bounded, "STATEMENT_SECONDS", 0.3)
    monkeypatch.setattr(bounded, "GRACE_SECONDS", 0.2)
    # Longer than this test runs, however busy the machine.
    monkeypatch.setattr(circuit, "REMEMBERED_SECONDS", 600)
    return found


def test_pages_wait_once_for_a_silent_tripwire(
    admin: Client, desk: Desk, frozen: Callable[[str], None], hangs: list[Circuit]
) -> None:
    frozen("tripwire")

    first, second = admin.get(CABINET), admin.get(CABINET)

    assert first.status_code in (200, 503)
    assert second.status_code == first.status_code
    assert hangs == [circuit.circuit("tripwire")]
    # Landing is another database.
    assert _ask("landing") == (1,)


def test_a_request_has_one_deadline_for_all_its_statements(
    admin: Client, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "STATEMENT_SECONDS", 0.5)
    monkeypatch.setattr(deadline, "REQUEST_SECONDS", 0.7)
    ended: list[str] = []

    def note(execute: Any, *asked: Any) -> Any:
        try:
            return execute(*asked)
        except django.db.OperationalError as error:
            ended.append(type(error.__cause__).__name__)
            raise

    with _locked_away("tripwire_users"), connections["tripwire"].execute_wrapper(note):
        page = admin.get(CABINET)

    assert page.status_code in (200, 503)
    # Waiting for the lock takes all the time there is after two statements at the most.
    assert ended.count("QueryCanceled") <= 2
    assert set(ended) <= {"QueryCanceled", "DeadlinePassed"}


@pytest.mark.parametrize("alias", ALIASES)
def test_after_the_deadline_no_statement_is_sent(alias: str) -> None:
    _ask(alias)

    with deadline.within(0):
        assert _refused_by(alias) is bounded.DeadlinePassed
        connections[alias].close()
        assert _refused_by(alias) is bounded.DeadlinePassed

    assert _ask(alias) == (1,)


def test_after_the_deadline_no_other_service_is_called(desk: Desk) -> None:
    with deadline.within(0):
        with pytest.raises(AccountRefused) as refused:
            accounts.open_student_account(
                uuid4(), email="late@onai.test", full_name="Поздний Тест", password=PASSWORD
            )
        with pytest.raises(mail.NotSentYet):
            mail.send(mail.Letter("late@onai.test", "…", "…", "…"), idempotency_key="late")

    # Certainly nothing has begun.
    assert refused.value.why is Refusal.UNREACHABLE
    assert desk.accounts("late@onai.test") == desk.mailbox("late@onai.test") == []


@pytest.fixture(params=["headers", "body"])
def slow_service(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a service that sends its headers or its body a byte at a time."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    at_once = head if request.param == "body" else b""
    pause = threading.Event()

    def serve() -> None:
        with suppress(OSError):
            client, _ = listener.accept()
            with client:
                client.sendall(at_once)
                for byte in (head + b"x" * 100)[len(at_once) :]:
                    client.sendall(bytes([byte]))
                    pause.wait(0.05)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        pause.set()
        thread.join()


def test_a_service_that_answers_a_byte_at_a_time_is_not_awaited(slow_service: str) -> None:
    client = http_client(connect=timedelta(seconds=3), read=timedelta(seconds=6))

    with deadline.within(0.5), pytest.raises(httpx.ReadTimeout):
        client.get(slow_service)


def test_the_shorter_of_two_nested_limits_holds() -> None:
    with deadline.within(0), deadline.within(600):
        assert deadline.left() == 0
    with deadline.within(600):
        with deadline.within(0):
            assert deadline.left() == 0
        assert deadline.left()
    assert deadline.left() is None


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("in_transaction", [False, True])
def test_a_request_whose_client_left_is_not_computed(alias: str, in_transaction: bool) -> None:
    url = TEST_ENVIRONMENT[f"{alias.upper()}_DATABASE_URL"]
    statement = "select pg_sleep(600)"
    with deadline.within(0.3):
        if in_transaction:
            with (
                pytest.raises(django.db.OperationalError),
                django.db.transaction.atomic(using=alias),
            ):
                _ask(alias, statement)
        else:
            assert _refused_by(alias, statement) is psycopg.errors.QueryCanceled

    with psycopg.connect(url) as other:
        running = other.execute(
            "select count(*) from pg_stat_activity where state = 'active' and query like %s"
            " and pid <> pg_backend_pid()",
            [f"%{statement}%"],
        )
        assert running.fetchone() == (0,)


def test_limits_do_not_outlive_their_statement() -> None:
    with deadline.within(60):
        _ask("tripwire")

    assert _ask("tripwire", "show statement_timeout") == ("0",)


def test_commands_have_no_time_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounded, "STATEMENT_SECONDS", 0.01)

    assert _ask("tripwire", "select pg_sleep(0.2) is null") == (False,)


def test_a_savepoint_can_be_rolled_back_after_an_error() -> None:
    with deadline.within(60), django.db.transaction.atomic(using="tripwire"):
        with pytest.raises(django.db.DataError), django.db.transaction.atomic(using="tripwire"):
            _ask("tripwire", "select 1 / 0")
        assert _ask("tripwire") == (1,)


@pytest.mark.parametrize(
    "asked",
    [
        ("select 50 %% 7, %s", ["a%b"]),
        (psycopg.sql.SQL("select 50 %% 7, %s"), ["a%b"]),
        (b"select 50 %% 7, %s", ["a%b"]),
    ],
)
@pytest.mark.parametrize("alias", ALIASES)
def test_limits_do_not_change_the_result_of_a_statement(alias: str, asked: Any) -> None:
    connections[alias].ensure_connection()
    with deadline.within(60), connections[alias].connection.cursor() as cursor:
        cursor.execute(*asked)
        assert cursor.fetchall() == [(1, "a%b")]
        assert cursor.rowcount == 1
        cursor.execute("select 'a%b'")
        assert cursor.fetchone() == ("a%b",)


def test_one_request_at_a_time_tries_a_database_that_hung() -> None:
    one = Circuit()
    assert one.lets_through()
    one.hung()
    assert not one.lets_through()

    one._closed_until = 0
    with ThreadPoolExecutor(8) as askers:
        answers = [askers.submit(one.lets_through) for _ in range(50)]
        assert sum(answer.result() for answer in answers) == 1

    one.answered()
    assert one.lets_through()
    assert one.lets_through()


def test_a_refusal_by_the_database_is_not_an_outage(hangs: list[Circuit], desk: Desk) -> None:
    one = circuit.circuit("tripwire")
    one._hung, one._closed_until = True, 0
    with deadline.within(60):
        with _locked_away("tripwire_users"):
            slow = _refused_by("tripwire", "select count(*) from tripwire_users")
        assert slow is psycopg.errors.QueryCanceled
        assert _ask("tripwire") == (1,)
    assert hangs == []


def test_a_streamed_answer_has_its_limit_for_each_piece() -> None:
    had: list[float | None] = []

    def pieces() -> Iterator[bytes]:
        for piece in (b"a", b"", b"b"):
            had.append(deadline.left())
            yield piece

    view: Any = lambda request: StreamingHttpResponse(pieces())  # noqa: E731
    response: Any = deadline.DeadlineMiddleware(view)(HttpRequest())

    assert list(response.streaming_content) == [b"a", b"", b"b"]
    assert len(had) == 3
    assert None not in had
    assert deadline.left() is None


@pytest.fixture
def reader() -> Iterator[Reader]:
    """Somebody who reads a page at a socket of the server's."""
    server, browser = socket.socketpair()
    with server, browser:
        yield Reader(server, browser)


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("frozen_too", [False, True])
def test_a_statement_is_cancelled_when_its_reader_leaves(
    alias: str, frozen_too: bool, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "STATEMENT_SECONDS", 30)
    monkeypatch.setattr(bounded, "GRACE_SECONDS", 0.2)
    (pid,) = _ask(alias, "select pg_backend_pid()")
    with ThreadPoolExecutor(1) as others:
        left = others.submit(reader.leave_while_running, pid, freeze=frozen_too)
        with deadline.within(600, client=reader.server):
            assert _refused_by(alias, "select pg_sleep(10)") is bounded.ClientLeft
        left.result()
    if frozen_too:
        os.kill(pid, signal.SIGCONT)
        connections[alias].close()

    wait_until(lambda: not is_running(pid))
    assert _ask(alias) == (1,)


@pytest.fixture(scope="module")
def pooler() -> Iterator[Pooler]:
    yield from run_pooler()


def test_a_statement_is_cancelled_through_a_pooler_too(pooler: Pooler, reader: Reader) -> None:
    parameters = {"conninfo": pooler.url("landing"), "autocommit": True}
    with (
        bounded.connect("landing", parameters) as connection,
        deadline.within(600, client=reader.server),
    ):
        ((pid,),) = connection.execute("select pg_backend_pid()")
        with ThreadPoolExecutor(1) as others:
            left = others.submit(reader.leave_while_running, pid)
            with pytest.raises(bounded.ClientLeft):
                connection.execute("select pg_sleep(10)")
            left.result()

    wait_until(lambda: not is_running(pid))


def test_a_count_that_serves_others_goes_on(reader: Reader) -> None:
    with deadline.within(600, client=reader.server):
        reader.browser.close()
        assert deadline.left() == 0
        with deadline.for_others_too():
            assert deadline.left()
            assert _ask("landing") == (1,)
        assert deadline.left() == 0


def test_no_statement_is_sent_for_a_reader_who_left(reader: Reader) -> None:
    reader.browser.close()

    with deadline.within(600, client=reader.server):
        assert _refused_by("tripwire") is bounded.ClientLeft


def _request(method: str, reader: Reader) -> HttpRequest:
    request = HttpRequest()
    request.method, request.META["gunicorn.socket"] = method, reader.server
    return request


@pytest.mark.parametrize(("method", "has_left"), [("GET", True), ("HEAD", True), ("POST", False)])
def test_a_reader_may_leave_and_a_write_is_finished(
    reader: Reader, method: str, has_left: bool
) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        reader.browser.close()
        assert deadline.client_has_left() is has_left
        return HttpResponse()

    request = _request(method, reader)

    assert deadline.DeadlineMiddleware(view)(request).status_code == 200
    # Nobody would read an answer to what was still waiting when its client left.
    assert deadline.DeadlineMiddleware(view)(request).status_code == 499


def test_a_download_ends_when_its_reader_leaves(reader: Reader) -> None:
    def rows() -> Iterator[bytes]:
        yield b"a"
        reader.browser.close()
        _ask("tripwire")
        yield b"b"

    view: Any = lambda request: StreamingHttpResponse(rows())  # noqa: E731
    response: Any = deadline.DeadlineMiddleware(view)(_request("GET", reader))

    pieces = iter(response.streaming_content)
    assert next(pieces) == b"a"
    with pytest.raises(django.db.OperationalError) as refusal:
        next(pieces)
    assert isinstance(refusal.value.__cause__, bounded.ClientLeft)
