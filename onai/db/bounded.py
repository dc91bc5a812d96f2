"""Connections whose statements end in time, also through a transaction-mode pooler.

- The server ends a statement. Such a pooler keeps nothing of a session and refuses start-up
  options, so the limit travels in the same message as the statement, as the first statement of the
  same transaction.
- A pooler may keep a statement waiting before the server sees it, and a server may be frozen. So
  the client stops waiting a little later by itself, and hangs up.
- While it waits, it looks now and then whether the client of the request is still connected, and
  cancels the statement if not. This needs no other thread.
"""

from contextlib import suppress
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg import ClientCursor, sql
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from onai.db import deadline
from onai.db.circuit import Circuit, circuit

CONNECT_SECONDS = 3.0
# The shortest time that the driver supports.
_LEAST_CONNECT_SECONDS = 2.0
# The limit of one statement where somebody waits for it; on Landing, always.
STATEMENT_SECONDS = 8.0
# How much later than the server the client gives up, and the limit of a cancellation.
GRACE_SECONDS = 1.0
# How often to look whether the client is still connected.
_INTERVAL_SECONDS = 0.1
_OPEN = (TransactionStatus.IDLE, TransactionStatus.INTRANS)
# Compiling a report's many short expressions takes PostgreSQL longer than counting a million rows.
_ALWAYS = {"jit": "off"}
_READ_ONLY = {"transaction_read_only": "on", "default_transaction_read_only": "on"}
# A page of students asks for a few rows of tables that lie in memory: an index finds them sooner
# than reading the tables, which PostgreSQL thinks quicker as long as it expects a disk that turns.
# And it may keep the ids of half a million accounts in memory instead of looking up each of them.
_WRITING = {"random_page_cost": "1.1", "work_mem": "32MB"}

Answer = TypeVar("Answer")


class DatabaseHangs(psycopg.OperationalError):
    """The database was silent for longer than allowed, or was so a moment ago."""


class DeadlinePassed(psycopg.OperationalError):
    """The time of the request is used up, so no further statement is sent."""


class ClientLeft(DeadlinePassed):
    """The client of the request is gone."""


class Connection(psycopg.Connection[Any]):
    """A connection on which no wait is longer than the deadline and the statement's limit allow."""

    alias = ""
    circuit: Circuit
    # On this connection a statement has its limit even where nobody waits.
    only_reads = False

    def statement_seconds(self) -> float | None:
        """The limit of a statement from now on; None for no limit."""
        left = deadline.left()
        if left is None:
            return STATEMENT_SECONDS if self.only_reads else None
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
        _require_time()
        if self.info.transaction_status == TransactionStatus.IDLE:
            _require_life(self.circuit)
        try:
            answer = super().wait(self._while_wanted(gen), interval, seconds + GRACE_SECONDS)
        except psycopg.OperationalError as error:
            silent = self.info.transaction_status == TransactionStatus.ACTIVE
            if silent:  # The answer may still arrive, so the connection cannot be used again.
                self.pgconn.finish()
            if deadline.client_has_left():
                raise ClientLeft from error
            if silent:
                self.circuit.hung()
                raise DatabaseHangs("the database is silent") from error
            self.circuit.answered()
            raise
        except psycopg.Error:
            self.circuit.answered()
            raise
        self.circuit.answered()
        return answer

    def _while_wanted(self, gen: PQGen[Answer]) -> PQGen[Answer]:
        """The steps of `gen`. When the client leaves meanwhile, the server is told to stop."""
        give_up_at = None
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and deadline.client_has_left():
                    if give_up_at is None:
                        give_up_at = monotonic() + GRACE_SECONDS
                        with suppress(psycopg.OperationalError):
                            self.cancel_safe(timeout=GRACE_SECONDS)
                    elif monotonic() > give_up_at:
                        raise ClientLeft
                wanted = gen.send(ready)
        except StopIteration as end:
            answer: Answer = end.value
            return answer


def database_note(alias: str) -> str:
    """The database that an error's notes name."""
    return f"database: {alias}"


def connect(alias: str, parameters: dict[str, Any], *, read_only: bool = False) -> Connection:
    """A new connection to the database of this alias, or an error within the limit."""
    try:
        connection = _connect(circuit(alias), parameters)
    except psycopg.Error as error:
        error.add_note(database_note(alias))
        raise
    connection.alias, connection.circuit, connection.only_reads = alias, circuit(alias), read_only
    return connection


def _connect(guard: Circuit, parameters: dict[str, Any]) -> Connection:
    _require_time()
    _require_life(guard)
    left = deadline.left()
    if left is not None:
        allowed = min(float(parameters.get("connect_timeout", CONNECT_SECONDS)), left)
        parameters["connect_timeout"] = max(_LEAST_CONNECT_SECONDS, allowed)
    try:
        connection = Connection.connect(**parameters)
    except psycopg.errors.ConnectionTimeout as error:
        guard.hung()
        raise DatabaseHangs("the database does not let in, nor refuses") from error
    except psycopg.Error:
        guard.answered()
        raise
    guard.answered()
    return connection


def _require_time() -> None:
    if deadline.left() == 0:
        raise (
            ClientLeft("the client has left")
            if deadline.client_has_left()
            else DeadlinePassed("the time of the request is used up")
        )


def _require_life(guard: Circuit) -> None:
    if not guard.lets_through():
        raise DatabaseHangs("the database hung a moment ago")


class BoundedCursor(ClientCursor[Any]):
    """A cursor whose statements the server ends in time where somebody waits for them.

    On Landing it also only reads. That stops mistakes; against malice the protection is a database
    role with only SELECT.
    """

    connection: Connection

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        settings = self._settings()
        if not settings or self.connection.info.transaction_status not in _OPEN:
            return super().execute(query, params, **options)
        super().execute(_both(settings, query), params, **options)
        self.nextset()
        return self

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        self._require_writing()
        super().executemany(query, params_seq, **options)

    def copy(self, statement: Any, params: Any = None, **options: Any) -> Any:
        self._require_writing()
        return super().copy(statement, params, **options)

    def stream(self, query: Any, params: Any = None, **options: Any) -> Any:
        self._require_writing()
        return super().stream(query, params, **options)

    def _settings(self) -> dict[str, str]:
        """The settings that hold for one statement."""
        seconds = self.connection.statement_seconds()
        if seconds is None:
            return {}
        settings = _ALWAYS | (_READ_ONLY if self.connection.only_reads else _WRITING)
        return settings | {"statement_timeout": f"{max(1, round(seconds * 1_000))}ms"}

    def _require_writing(self) -> None:
        """Refuses statements that cannot be sent together with their settings, which no reader
        needs.
        """
        if self.connection.only_reads:
            raise psycopg.errors.ReadOnlySqlTransaction("this connection is read-only")


def _both(settings: dict[str, str], query: Any) -> Any:
    """One message of two statements: the first sets these settings until the end of the
    transaction.
    """
    # No part of it comes from outside.
    assignments = (f"set_config('{name}', '{value}', true)" for name, value in settings.items())
    first = f"select {', '.join(assignments)}; "
    if isinstance(query, bytes):
        return first.encode() + query
    if isinstance(query, sql.Composable):
        return sql.SQL("{}{}").format(sql.SQL(first), query)
    return first + query
