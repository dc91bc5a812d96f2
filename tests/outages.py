"""Landing going away under the product, as the tests need it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import close_old_connections

from onai.local import postgres
from tests.settings import TEST_DIR


@contextmanager
def landing_outage() -> Iterator[None]:
    """Landing lets nobody in, and throws out who was."""
    maintenance = postgres.url(str(TEST_DIR / "postgres"), "postgres")
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute("alter database landing allow_connections false")
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'landing'"
        )
        try:
            yield
        finally:
            connection.execute("alter database landing allow_connections true")
            # What Django itself does where one request ends and the next begins.
            close_old_connections()
