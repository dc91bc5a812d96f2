"""Takes a database away from the product while it runs."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import close_old_connections

from onai.local import postgres
from onai.local.roles import AUTH_POLICIES, RUN_TIME
from tests.settings import TEST_DIR, TRIPWIRE_URL


@contextmanager
def landing_outage() -> Iterator[None]:
    """Landing refuses connections and ends those it has."""
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
            # As Django does between two requests.
            close_old_connections()


@contextmanager
def tripwire_outage() -> Iterator[None]:
    """Tripwire refuses the product's connections and ends those it has."""
    maintenance = postgres.url(str(TEST_DIR / "postgres"), "postgres")
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f"alter role {RUN_TIME} nologin")
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = 'tripwire' and usename = %s",
            [RUN_TIME],
        )
        close_old_connections()
        try:
            yield
        finally:
            connection.execute(f"alter role {RUN_TIME} login")
            close_old_connections()


@contextmanager
def accounts_hidden() -> Iterator[None]:
    """Row level security filters every account, as for a role without a policy."""
    with psycopg.connect(TRIPWIRE_URL, autocommit=True) as superuser:
        superuser.execute(
            "drop policy onai_reads on auth.users; drop policy onai_reads on auth.identities;"
            "drop policy onai_works on auth.sessions"
        )
        try:
            yield
        finally:
            superuser.execute(AUTH_POLICIES)
