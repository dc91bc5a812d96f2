"""A role of the database from which row level security keeps the leads."""

from collections.abc import Iterator

import psycopg
import pytest
from django.core.cache import cache
from django.test import Client

from funnel.landing.visibility import PROBE
from onai.db.visibility import Visibility, visibility
from onai.local.roles import LANDING_GRANTS, LANDING_READER
from onai.ops.examination import Down
from tests.conftest import LandingPages
from tests.settings import LANDING_URL

API = "/api/traffic-dashboard/funnel"


@pytest.fixture
def reader(landing: LandingPages) -> Iterator["psycopg.Connection[object]"]:
    """The product's role has SELECT on the leads and no policy to see any."""
    with psycopg.connect(LANDING_URL, autocommit=True) as owner:
        owner.execute("drop policy onai_reads on landing_leads")
        yield owner
        owner.execute(LANDING_GRANTS)


@pytest.mark.usefixtures("reader")
def test_hidden_leads_are_not_reported_as_zeros(admin: Client, landing: LandingPages) -> None:
    landing.write({"source": "TF4", "sms_clicked": True})

    page, api = admin.get("/funnel"), admin.get(API)

    assert (page.status_code, api.status_code) == (503, 503)
    assert api.json()["code"] == "leads_hidden"
    assert "не показывает нам ни одной строки" in page.content.decode()
    with pytest.raises(Down, match="не видно ни одной строки"):
        PROBE.check()


def test_with_a_policy_leads_are_visible_even_when_there_are_none(
    admin: Client, landing: LandingPages, reader: "psycopg.Connection[object]"
) -> None:
    reader.execute(LANDING_GRANTS)

    assert admin.get(API).json()["totalConversions"] == 0
    landing.write({"source": "TF4", "sms_clicked": True})
    cache.clear()
    assert admin.get(API).json()["totalConversions"] == 1
    assert PROBE.check() == "видны"


def test_status_reports_hidden_leads(admin: Client, landing: LandingPages) -> None:
    assert "Лиды в базе Landing" in admin.get("/status").content.decode()


def test_a_table_is_missing_not_granted_filtered_or_seen(
    reader: "psycopg.Connection[object]",
) -> None:
    def seen() -> Visibility:
        return visibility("landing", "kept.things")

    assert seen() is Visibility.MISSING
    try:
        reader.execute("create schema kept")
        reader.execute("create table kept.things (id int)")
        reader.execute("alter table kept.things enable row level security")
        assert seen() is Visibility.NOT_GRANTED
        reader.execute(f"grant select on kept.things to {LANDING_READER}")
        assert seen() is Visibility.NOT_GRANTED  # of the schema nothing may be used
        reader.execute(f"grant usage on schema kept to {LANDING_READER}")
        assert seen() is Visibility.FILTERED
        reader.execute("insert into kept.things values (1)")
        assert seen() is Visibility.FILTERED
        reader.execute("create policy own on kept.things using (id = 2)")
        assert seen() is Visibility.FILTERED
        reader.execute("create policy all_rows on kept.things to postgres using (true)")
        assert seen() is Visibility.FILTERED  # which is another role's
        reader.execute("alter policy own on kept.things using (id = 1)")
        assert seen() is Visibility.SEEN
        reader.execute(f"create policy ours on kept.things to {LANDING_READER} using (true)")
        reader.execute("truncate kept.things")
        assert seen() is Visibility.SEEN  # and empty
    finally:
        reader.execute("drop schema if exists kept cascade")
