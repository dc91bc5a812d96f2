"""Why a database does not answer is told: in the log by a word, on /status with what to do."""

import json
import logging
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.test import Client

from onai.db import bounded, outage
from onai.db.outage import Reason

Move = Callable[..., None]


@pytest.fixture
def move_landing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Move]:
    """Landing has another address, in every thread."""
    place = connections.settings["landing"]

    def move(host: str, port: int = 5432, **options: str) -> None:
        connections["landing"].close()
        monkeypatch.setitem(place, "HOST", host)
        monkeypatch.setitem(place, "PORT", port)
        monkeypatch.setitem(place, "OPTIONS", {**place["OPTIONS"], **options})

    yield move
    connections["landing"].close()


@pytest.fixture
def server() -> Iterator[Callable[[bytes], int]]:
    """Listens, and answers whoever begins to talk PostgreSQL with these bytes."""
    listening: list[socket.socket] = []

    def serve(reply: bytes) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listening.append(listener)

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(reply)

        threading.Thread(target=answer, daemon=True).start()
        return int(listener.getsockname()[1])

    yield serve
    for listener in listening:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _fatal(state: str, message: str) -> bytes:
    fields = f"SFATAL\0VFATAL\0C{state}\0M{message}\0\0".encode()
    return b"E" + struct.pack("!I", len(fields) + 4) + fields


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """What the product has written to its log."""
    written = StringIO()
    (handler,) = (one for one in logging.getLogger().handlers if one.get_name() == "stderr")
    monkeypatch.setattr(handler, "stream", written)
    for one in handler.filters:
        monkeypatch.setattr(one, "_written", {})
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


SAID = [
    ("28P01", 'password authentication failed for user "x"', Reason.PASSWORD, "имя или пароль"),
    ("28000", 'role "x" does not exist', Reason.PASSWORD, "имя или пароль"),
    ("28000", 'no pg_hba.conf entry for host "1.2.3.4", no encryption', Reason.TLS, "TLS"),
    ("53300", "sorry, too many clients already", Reason.FULL, "через пулер"),
    ("XX000", "MaxClientsInSessionMode: max clients reached", Reason.FULL, "через пулер"),
    ("08P01", "no more connections allowed (max_client_conn)", Reason.FULL, "через пулер"),
    ("3D000", 'database "x" does not exist', Reason.DATABASE, "имя базы"),
    ("XX000", "Tenant or user not found", Reason.TENANT, "код-проекта"),
    ("57P03", "the database system is starting up", Reason.CLOSED, "никого не пускает"),
    ("53100", "could not write init file: No space left on device", Reason.NO_SPACE, "место"),
]


@pytest.mark.parametrize("case", SAID)
def test_the_servers_own_reason_is_logged(
    admin: Client,
    move_landing: Move,
    server: Callable[[bytes], int],
    log: Callable[[], list[dict[str, Any]]],
    case: tuple[str, str, Reason, str],
) -> None:
    state, message, reason, words = case
    move_landing("127.0.0.1", server(_fatal(state, message)), sslmode="disable")

    _is_told(admin, log, reason, words)


def _is_told(
    admin: Client, log: Callable[[], list[dict[str, Any]]], reason: Reason, words: str
) -> None:
    assert admin.get("/funnel").status_code == 503
    (line,) = [line for line in log() if line["levelname"] == "ERROR"]
    assert (line["message"], line["reason"]) == ("figures_unavailable", reason)
    assert line["database"] == "landing"
    assert "exc_info" not in line
    page = admin.get("/status").content.decode()
    assert words in page
    assert "LANDING_DATABASE_URL" in page
    assert admin.get("/readyz").json()["reasons"] == {"landing": reason}


def test_a_server_without_tls_is_named_as_the_reason(
    admin: Client, move_landing: Move, server: Callable[[bytes], int], log: Any
) -> None:
    move_landing("127.0.0.1", server(b"N"), sslmode="require")

    _is_told(admin, log, Reason.TLS, "TLS")


def test_an_unresolved_name_is_named_as_the_reason(
    admin: Client, move_landing: Move, log: Any
) -> None:
    move_landing("nowhere.invalid")

    _is_told(admin, log, Reason.NAME, "адрес сервера не находится")


def test_a_closed_port_is_named_as_the_reason(admin: Client, move_landing: Move, log: Any) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as once:
        port = once.getsockname()[1]
    move_landing("127.0.0.1", port)

    _is_told(admin, log, Reason.REFUSED, "не принимает соединение")


@pytest.mark.parametrize("host", ["db.abcdefgh.supabase.co", "127.0.0.1"])
@pytest.mark.parametrize(
    "said",
    [
        'connection to server at "2a05:d018::1", port 5432 failed: Network is unreachable',
        "connection is bad: failed: Cannot assign requested address",
        "failed to resolve host 'db.abcdefgh.supabase.co': [Errno -5] No address associated",
    ],
)
def test_without_ipv6_the_advice_is_the_poolers_address(
    move_landing: Move, host: str, said: str
) -> None:
    move_landing(host)

    told = outage.explain("landing", psycopg.OperationalError(said))

    assert told.reason in (Reason.NETWORK, Reason.NAME)
    assert ("pooler.supabase.com, порт 6543" in told.advice) == (host != "127.0.0.1")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        # The last attempt's failure comes first.
        (
            "connection failed: Connection refused\nMultiple connection attempts failed. All"
            " failures were:\n- host: 'x': failed: Network is unreachable",
            Reason.REFUSED,
        ),
        # The words of an address are not the server's.
        (
            'connection to server at "ssl-password.onai.test", port 1 failed: Connection refused',
            Reason.REFUSED,
        ),
        ("connection timeout expired", Reason.TIMEOUT),
        ("consuming input failed: server closed the connection unexpectedly", Reason.LOST),
        ("the connection is closed", Reason.LOST),
        ("something that nobody has met", Reason.LOST),
    ],
)
def test_the_reason_is_read_from_the_message(said: str, reason: Reason) -> None:
    assert outage.reason(psycopg.OperationalError(said)) is reason


def test_a_bug_is_not_reported_as_an_outage() -> None:
    for error in (
        psycopg.errors.UndefinedTable("x"),
        psycopg.errors.DeadlockDetected("x"),
        ZeroDivisionError(),
        None,
    ):
        assert outage.reason(error) is None


def test_an_outage_is_one_counted_line_a_minute(
    admin: Client, move_landing: Move, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_landing("nowhere.invalid")
    for _ in range(20):
        assert admin.get("/funnel").status_code == 503
    assert len([line for line in log() if line["levelname"] == "ERROR"]) == 1

    monkeypatch.setattr("onai.ops.logs._SECONDS_BETWEEN_EQUAL_LINES", 0)
    admin.get("/funnel")

    assert [line.get("repeated") for line in log() if line["levelname"] == "ERROR"] == [None, 19]


def test_a_reader_who_left_is_not_logged(log: Any) -> None:
    try:
        raise bounded.ClientLeft
    except bounded.ClientLeft:
        logging.getLogger("onai").exception("figures_unavailable")

    assert log() == []


def test_a_crash_is_logged_with_its_traceback(log: Any) -> None:
    for _ in range(2):
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            logging.getLogger("onai").exception("crashed")

    assert ["ZeroDivisionError" in line["exc_info"] for line in log()] == [True, True]
