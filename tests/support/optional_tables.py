"""Takes away other software's tables, as in a database that never had them."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from onai.db import optional_tables
from onai.local.roles import LANDING_GRANTS, LANDING_READER, OWNER, RUN_TIME, TRIPWIRE_GRANTS
from tests.settings import BASE_DIR, LANDING_URL, TRIPWIRE_URL

IN_LANDING = (
    *("journey_stages", "express_course_sales", "short_links", "short_link_clicks"),
    *("traffic_stats", "exchange_rates"),
)
IN_TRIPWIRE = ("tripwire_progress", "tripwire_user_profile", "certificates", "users")


@contextmanager
def taken_away(*tables: str) -> Iterator[None]:
    """The named tables are not there; without names, none of the optional ones is."""
    gone = tables or IN_LANDING + IN_TRIPWIRE
    with (
        _moved(LANDING_URL, [name for name in IN_LANDING if name in gone]),
        _moved(TRIPWIRE_URL, [name for name in IN_TRIPWIRE if name in gone]),
    ):
        optional_tables.forget()
        yield
    optional_tables.forget()


@contextmanager
def closed() -> Iterator[None]:
    """The optional tables are there, and our roles have no right on them."""
    roles = ((LANDING_URL, LANDING_READER, IN_LANDING), (TRIPWIRE_URL, RUN_TIME, IN_TRIPWIRE))
    for url, role, tables in roles:
        with psycopg.connect(url, autocommit=True) as superuser:
            superuser.execute(f"revoke all on {', '.join(tables)} from {role}")
    optional_tables.forget()
    try:
        yield
    finally:
        with psycopg.connect(LANDING_URL, autocommit=True) as superuser:
            superuser.execute(LANDING_GRANTS)
        with psycopg.connect(TRIPWIRE_URL, autocommit=True) as superuser:
            # A right that two roles have granted stands twice.
            superuser.execute(f"set role {OWNER}")
            superuser.execute(TRIPWIRE_GRANTS)
        optional_tables.forget()


@contextmanager
def _moved(url: str, tables: list[str]) -> Iterator[None]:
    """Out of the schema and back, with their rows, rights and policies."""
    with psycopg.connect(url, autocommit=True) as superuser:
        if "users" in tables:
            superuser.execute("drop trigger on_auth_user_created on auth.users")
        # An account's deletion reaches them as their owner.
        superuser.execute("create schema put_away; grant usage on schema put_away to public")
        for name in tables:
            superuser.execute(f"alter table public.{name} set schema put_away")
        try:
            yield
        finally:
            for name in tables:
                superuser.execute(f"alter table put_away.{name} set schema public")
            superuser.execute("drop schema put_away")
            if "users" in tables:
                made = (BASE_DIR / "onai/local/tables/tripwire.sql").read_text()
                superuser.execute(made)
