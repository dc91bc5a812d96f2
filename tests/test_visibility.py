"""A role of the database from which row level security keeps the leads."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connections
from django.test import Client

from funnel.visibility import PROBE
from onai.db.visibility import Visibility, visibility
from onai.ops.examination import Down
from tests.conftest import LandingPages
from tests.settings import TEST_ENVIRONMENT

API = "/api/traffic-dashboard/funnel"


@pytest.fixture
def reader(landing: LandingPages) -> Iterator["psycopg.Connection[object]"]:
    """The product reads as a role that has SELECT on the leads and no policy to see any."""
    with psycopg.connect(TEST_ENVIRONMENT["LANDING_DATABASE_URL"], autocommit=True) as owner:
        owner.execute("create role funnel_reader")
        owner.execute("grant select on landing_leads to funnel_reader")
        owner.execute("alter table landing_leads enable row level security")
        with connections["landing"].cursor() as cursor:
            cursor.execute("set role funnel_reader")
        try:
            yield owner
        finally:
            connections["landing"].close()
            owner.execute("drop policy if exists onai_reads on landing_leads")
            owner.execute("alter table landing_leads disable row level security")
            owner.execute("drop owned by funnel_reader")
            owner.execute("drop role funnel_reader")


@pytest.mark.usefixtures("reader")
def test_hidden_leads_are_not_told_as_zeros(admin: Client, landing: LandingPages) -> None:
    landing.write({"source": "TF4", "sms_clicked": True})

    page, api = admin.get("/funnel"), admin.get(API)

    assert (page.status_code, api.status_code) == (503, 503)
    assert api.json()["code"] == "leads_hidden"
    assert "не показывает нам ни одной строки" in page.content.decode()
    with pytest.raises(Down, match="не видно ни одной строки"):
        PROBE.check()


def test_with_a_policy_they_are_seen(
    admin: Client, landing: LandingPages, reader: "psycopg.Connection[object]"
) -> None:
    reader.execute(
        "create policy onai_reads on landing_leads for select to funnel_reader using (true)"
    )
    landing.write({"source": "TF4", "sms_clicked": True})

    assert admin.get(API).json()["totalConversions"] == 1
    assert PROBE.check() == "видны"


def test_that_there_are_none_yet_is_no_failure(admin: Client, landing: LandingPages) -> None:
    assert admin.get(API).json()["totalConversions"] == 0
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
        reader.execute("grant select on kept.things to funnel_reader")
        assert seen() is Visibility.NOT_GRANTED  # of the schema nothing may be used
        reader.execute("grant usage on schema kept to funnel_reader")
        assert seen() is Visibility.FILTERED
        reader.execute("insert into kept.things values (1)")
        assert seen() is Visibility.FILTERED
        reader.execute("create policy own on kept.things using (id = 2)")
        assert seen() is Visibility.FILTERED
        reader.execute("create policy all_rows on kept.things to postgres using (true)")
        assert seen() is Visibility.FILTERED  # which is another role's
        reader.execute("alter policy own on kept.things using (id = 1)")
        assert seen() is Visibility.SEEN
        reader.execute("create policy ours on kept.things to funnel_reader using (true)")
        reader.execute("truncate kept.things")
        assert seen() is Visibility.SEEN  # and empty
    finally:
        reader.execute("drop schema if exists kept cascade")
