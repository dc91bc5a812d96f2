"""How this product talks to PostgreSQL, so that a transaction-mode pooler may stand in between.

Such a pooler keeps nothing of a session and refuses start-up options, so there are no prepared
statements, no server-side cursors, and what must hold for a statement travels in its transaction.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.db import connections
from psycopg import ClientCursor
from psycopg.pq import TransactionStatus

CONNECT_TIMEOUT_SECONDS = 3
STATEMENT_TIMEOUT_MS = 8_000
DEADLINE_SECONDS = 12.0
_NETWORK_TIMEOUT_MS = 15_000


# How long a statement may take, where somebody waits for it; elsewhere, in a migration or in an
# operator's command, as long as it takes.
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def somebody_waits() -> Iterator[None]:
    """Within it every statement on Tripwire ends in time, if need be by hanging up."""
    token = _deadline.set(DEADLINE_SECONDS)
    try:
        yield
    finally:
        _deadline.reset(token)


class BoundedCursor(ClientCursor[Any]):
    """A cursor whose statements end in time where somebody waits for them."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        seconds = _deadline.get()
        if seconds is None:
            return super().execute(query, params, **options)
        with _hanging_up_after(seconds, self.connection.fileno()):
            return super().execute(query, params, **options)


class ReadOnlyCursor(ClientCursor[Any]):
    """A cursor of a connection that only reads.

    Every transaction begins as READ ONLY and with a statement time-out, also the one-statement
    transactions of autocommit mode, and whoever hangs in a pooler's queue hangs up in time. It
    stops every mistake; against malice the wall is a database role with only SELECT.

    Nor are its statements compiled: of a report's many short expressions PostgreSQL makes machine
    code for longer than it takes to count a million rows.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        with self._guarded():
            return super().execute(query, params, **options)

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        with self._guarded():
            super().executemany(query, params_seq, **options)

    @contextmanager
    def copy(self, statement: Any, params: Any = None, **options: Any) -> Iterator[Any]:
        with self._guarded(), super().copy(statement, params, **options) as copy:
            yield copy

    def stream(self, query: Any, params: Any = None, **options: Any) -> Iterator[Any]:
        with self._guarded():
            yield from super().stream(query, params, **options)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        connection = self.connection
        with _hanging_up_after(DEADLINE_SECONDS, connection.fileno()):
            if connection.info.transaction_status != TransactionStatus.IDLE:
                yield
                return
            connection.read_only = True
            with connection.transaction() if connection.autocommit else nullcontext():
                super().execute(
                    "select set_config('default_transaction_read_only', 'on', true),"
                    " set_config('statement_timeout', %s, true), set_config('jit', 'off', true)",
                    [str(STATEMENT_TIMEOUT_MS)],
                )
                yield


@contextmanager
def _hanging_up_after(seconds: float, descriptor: int) -> Iterator[None]:
    """A pooler without a free connection keeps a statement waiting before any time-out of the
    server's begins; then only the client can end it."""
    timer = threading.Timer(seconds, _hang_up, [descriptor])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _hang_up(descriptor: int) -> None:
    with socket.socket(fileno=os.dup(descriptor)) as connection, suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def database(url_config: dict[str, Any], *, read_only: bool = False) -> dict[str, Any]:
    """One entry of DATABASES, from what `onai.env` read of a database's URL.

    The URL's own options win over ours. `read_only` makes the database refuse every write.
    """
    options: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        # A host that went away without a word is noticed, rather than waited for for minutes.
        "tcp_user_timeout": _NETWORK_TIMEOUT_MS,
        "keepalives_idle": 30,
    }
    options["cursor_factory"] = ReadOnlyCursor if read_only else BoundedCursor
    options.update(url_config.get("OPTIONS", {}))
    # A socket's folder can only be an option of the URL; there `dbshell` does not look for it.
    place = {name.upper(): options.pop(name) for name in ("host", "port") if name in options}
    return {
        **url_config,
        **place,
        "OPTIONS": options,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def clock(alias: str) -> datetime:
    """The database's clock: the one that all processes share, whatever their own say."""
    with connections[alias].cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment
