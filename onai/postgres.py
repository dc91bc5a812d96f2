"""How this product talks to PostgreSQL, so that a transaction-mode pooler may stand in between.

Such a pooler keeps nothing of a session and refuses start-up options, so there are no prepared
statements, no server-side cursors, and what must hold for a statement travels in its transaction.
"""

from typing import Any

from psycopg import ClientCursor
from psycopg.pq import TransactionStatus

CONNECT_TIMEOUT_SECONDS = 3
STATEMENT_TIMEOUT_MS = 8_000
_NETWORK_TIMEOUT_MS = 15_000


class ReadOnlyCursor(ClientCursor[Any]):
    """A cursor of a connection that only reads.

    Every transaction begins as READ ONLY and with a statement time-out, also the one-statement
    transactions of autocommit mode: a write fails in the database, whoever's SQL it is in.
    """

    def execute(self, query: Any, params: Any = None, **kwargs: Any) -> Any:
        connection = self.connection
        if connection.info.transaction_status != TransactionStatus.IDLE:
            return super().execute(query, params, **kwargs)
        connection.read_only = True
        if not connection.autocommit:
            self._begin_guarded()
            return super().execute(query, params, **kwargs)
        with connection.transaction():
            self._begin_guarded()
            return super().execute(query, params, **kwargs)

    def _begin_guarded(self) -> None:
        super().execute(
            "select set_config('default_transaction_read_only', 'on', true),"
            " set_config('statement_timeout', %s, true)",
            [str(STATEMENT_TIMEOUT_MS)],
        )


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
    if read_only:
        options["cursor_factory"] = ReadOnlyCursor
    return {
        **url_config,
        "OPTIONS": {**options, **url_config.get("OPTIONS", {})},
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
