"""The databases for the settings, plain statements, and the clock that all processes share."""

from datetime import datetime
from typing import Any

from django.db import connections

from onai.db.bounded import CONNECT_SECONDS, BoundedCursor

_NETWORK_TIMEOUT_MS = 15_000


def database(url_config: dict[str, Any], *, read_only: bool = False) -> dict[str, Any]:
    """One entry of DATABASES, from a parsed database URL.

    The URL's own options win over ours. `read_only` makes the database refuse every write.
    """
    options: dict[str, Any] = {
        "connect_timeout": round(CONNECT_SECONDS),
        # Notices a host that vanished, instead of waiting for minutes.
        "tcp_user_timeout": _NETWORK_TIMEOUT_MS,
        "keepalives_idle": 30,
        "cursor_factory": BoundedCursor,
    }
    options.update(url_config.get("OPTIONS", {}))
    # A socket's folder can only be an option of the URL, where `dbshell` does not look.
    place = {name.upper(): options.pop(name) for name in ("host", "port") if name in options}
    return {
        **url_config,
        **place,
        "ENGINE": "onai.db.postgresql",
        # Read by that backend; an option would reach psycopg through the job queue.
        "READ_ONLY": read_only,
        "OPTIONS": options,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def rows(alias: str, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    """The rows that a statement returns. Raises Django's database errors."""
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def value(alias: str, statement: str, parameters: Any = None) -> Any:
    """The first column of the first row; None without a row. Raises Django's database errors."""
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, parameters)
        row = cursor.fetchone()
    return row[0] if row else None


def clock(alias: str) -> datetime:
    """The database's clock (UTC), which all processes share whatever their own clocks say."""
    moment: datetime = value(alias, "select clock_timestamp()")
    return moment


def role(alias: str) -> str:
    """The name of the role that we connect as."""
    return str(value(alias, "select current_user"))
