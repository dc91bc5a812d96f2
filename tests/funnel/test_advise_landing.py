"""Which index Landing lacks: measured by `manage.py advise_landing`, told on `/status`."""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from funnel.landing import index_advice
from tests.conftest import LandingPages
from tests.support.outages import landing_outage


@pytest.fixture
def bare(landing: LandingPages) -> Iterator[LandingPages]:
    """Landing without any index on `created_at`."""
    execute = landing.connection.execute
    ((definition,),) = execute(
        "select pg_get_indexdef('landing_leads_created_at'::regclass)"
    ).fetchall()
    execute("drop index landing_leads_created_at")
    yield landing
    for name in ("landing_leads_counted", "landing_leads_by_time", "landing_leads_created_at"):
        execute(f"drop index if exists {name}")
    execute(definition)


def _advised() -> tuple[str, int]:
    """What is told, and the status that it ends with."""
    told = StringIO()
    try:
        call_command("advise_landing", stdout=told)
    except CommandError as error:
        return f"{told.getvalue()}{error}", error.returncode
    return told.getvalue(), 0


def _create(landing: LandingPages, statement: str) -> None:
    landing.connection.execute(statement)


def test_without_an_index_on_the_time_one_is_advised(bare: LandingPages) -> None:
    told, status = _advised()

    assert status == 1
    assert "every page reads the whole table" in told
    assert f"{index_advice.COVERING};" in told
    assert "Seq Scan" in told


def test_an_index_that_includes_what_is_counted_is_advised_beside_a_plain_one(
    landing: LandingPages,
) -> None:
    told, status = _advised()

    assert status == 1
    assert "spares reading the leads" in told
    assert " ms, " in told


def test_the_advised_index_is_the_missing_one(bare: LandingPages) -> None:
    _create(bare, index_advice.COVERING)

    told, status = _advised()

    assert (status, "no index is lacking" in told) == (0, True)
    assert "create index" not in told


def test_the_advice_creates_nothing(landing: LandingPages) -> None:
    before = index_advice.indexes()

    _advised()

    assert index_advice.indexes() == before


def test_an_outage_of_landing_is_reported() -> None:
    with landing_outage():
        told, status = _advised()

    assert status == 2
    assert "create index" not in told


def test_status_reports_a_missing_index(admin: Client, bare: LandingPages) -> None:
    assert "нет индекса по created_at" in admin.get("/status").content.decode()

    _create(bare, index_advice.BY_TIME)
    assert "его покажет manage.py advise_landing" in admin.get("/status").content.decode()

    _create(bare, index_advice.COVERING)
    page = admin.get("/status").content.decode()
    assert "его покажет" not in page
    assert "нет индекса" not in page
