"""Connections whose statements end in time, through a transaction-mode pooler too.

Such a pooler keeps nothing of a session and refuses start-up options, so what must hold for a
statement travels with it: in the same message, as a first statement of the same transaction. A
pooler may also keep a statement waiting before the server sees it; therefore the client stops
waiting by itself a little after the server should have ended the statement.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg import ClientCursor, sql
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from onai.db import deadline
from onai.db.circuit import Circuit, circuit

CONNECT_SECONDS = 3.0
# The least that the driver knows.
_LEAST_CONNECT_SECONDS = 2.0
# How long one statement may take where somebody waits for it; on Landing, always.
STATEMENT_SECONDS = 8.0
# How much later than the server the client gives up.
GRACE_SECONDS = 1.0
_INTERVAL_SECONDS = 0.1
_OPEN = (TransactionStatus.IDLE, TransactionStatus.INTRANS)

Answer = TypeVar("Answer")


class DatabaseHangs(psycopg.OperationalError):
    """The database was silent for longer than it may, or was so a moment ago."""


class DeadlinePassed(psycopg.OperationalError):
    """The time of the request is used up, so that nothing more is asked for it."""


class Connection(psycopg.Connection[Any]):
    """A connection on which nobody waits for longer than the deadline and the statement allow."""

    alias = ""
    circuit: Circuit
    # Whether a statement has its limit also where nobody waits.
    always_bounded = False

    def statement_seconds(self) -> float | None:
        """How long a statement may take from now on; None is as long as it takes."""
        left = deadline.left()
        if left is None:
            return STATEMENT_SECONDS if self.always_bounded else None
        return min(STATEMENT_SECONDS, left)

    def wait(
        self, gen: PQGen[Answer], interval: float = _INTERVAL_SECONDS, timeout: float | None = None
    ) -> Answer:
        try:
            return self._wait(gen, interval, timeout)
        except psycopg.Error as error:
            error.add_note(database_note(self.alias))
            raise

    def _wait(self, gen: PQGen[Answer], interval: float, timeout: float | None) -> Answer:
        seconds = self.statement_seconds()
        if seconds is None or timeout is not None:
            return super().wait(gen, interval, timeout)
        if not seconds:
            raise DeadlinePassed("the time of the request is used up")
        if self.info.transaction_status == TransactionStatus.IDLE:
            _ask_or_fail(self.circuit)
        until = monotonic() + seconds + GRACE_SECONDS
        try:
            answer = super().wait(gen, interval, seconds + GRACE_SECONDS)
        except psycopg.OperationalError as error:
            if monotonic() < until:
                self.circuit.answered()
                raise
            # Nothing more can be said on it, since the answer may still come.
            self.pgconn.finish()
            self.circuit.hung()
            raise DatabaseHangs("the database is silent") from error
        except psycopg.Error:
            self.circuit.answered()
            raise
        self.circuit.answered()
        return answer


class ReadOnlyConnection(Connection):
    """One of Landing, where nothing of ours may take long."""

    always_bounded = True


def database_note(alias: str) -> str:
    """What an error's notes say of where it happened."""
    return f"database: {alias}"


def connect(alias: str, parameters: dict[str, Any]) -> Connection:
    """A new connection to the database of this alias, or an error within its time."""
    try:
        connection = _connect(alias, parameters)
    except psycopg.Error as error:
        error.add_note(database_note(alias))
        raise
    connection.alias, connection.circuit = alias, circuit(alias)
    return connection


def _connect(alias: str, parameters: dict[str, Any]) -> Connection:
    guard = circuit(alias)
    left = deadline.left()
    if left == 0:
        raise DeadlinePassed("the time of the request is used up")
    _ask_or_fail(guard)
    kind = (
        ReadOnlyConnection
        if issubclass(parameters["cursor_factory"], ReadOnlyCursor)
        else Connection
    )
    if left is not None:
        allowed = float(parameters.get("connect_timeout", CONNECT_SECONDS))
        parameters = {
            **parameters,
            "connect_timeout": max(_LEAST_CONNECT_SECONDS, min(allowed, left)),
        }
    try:
        connection = kind.connect(**parameters)
    except psycopg.errors.ConnectionTimeout as error:
        guard.hung()
        raise DatabaseHangs("the database does not let in, nor refuses") from error
    except psycopg.Error:
        guard.answered()
        raise
    guard.answered()
    return connection


def _ask_or_fail(guard: Circuit) -> None:
    if not guard.lets_through():
        raise DatabaseHangs("the database hung a moment ago")


class BoundedCursor(ClientCursor[Any]):
    """A cursor whose statements the server ends in time where somebody waits for them."""

    connection: Connection

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        limits = self._limits()
        if not limits or self.connection.info.transaction_status not in _OPEN:
            return super().execute(query, params, **options)
        super().execute(_both(limits, query), params, **options)
        self.nextset()
        return self

    def _limits(self) -> dict[str, str]:
        """The settings that hold for one statement."""
        seconds = self.connection.statement_seconds()
        # Zero would be no limit; but then nothing is sent.
        return {"statement_timeout": f"{max(1, round(seconds * 1_000))}ms"} if seconds else {}


class ReadOnlyCursor(BoundedCursor):
    """A cursor of a connection that only reads.

    It stops every mistake; against malice the wall is a database role with only SELECT. Nor are
    its statements compiled: of a report's many short expressions PostgreSQL makes machine code for
    longer than it takes to count a million rows.
    """

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
        """A transaction that only reads, for what cannot be sent together with its limits."""
        connection = self.connection
        is_idle = connection.info.transaction_status == TransactionStatus.IDLE
        with connection.transaction() if connection.autocommit and is_idle else nullcontext():
            ClientCursor.execute(self, _settings(self._limits()))
            yield

    def _limits(self) -> dict[str, str]:
        return {
            **super()._limits(),
            "transaction_read_only": "on",
            "default_transaction_read_only": "on",
            "jit": "off",
        }


def _both(limits: dict[str, str], query: Any) -> Any:
    """One message of two statements, whose second runs within the limits that the first sets."""
    first = f"{_settings(limits)}; "
    if isinstance(query, bytes):
        return first.encode() + query
    if isinstance(query, sql.Composable):
        return sql.SQL("{}{}").format(sql.SQL(first), query)
    return first + query


def _settings(limits: dict[str, str]) -> str:
    """A statement that sets these until the end of the transaction. All its words are ours."""
    return "select " + ", ".join(
        f"set_config('{name}', '{value}', true)" for name, value in limits.items()
    )
