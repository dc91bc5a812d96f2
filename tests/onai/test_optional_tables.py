"""Tables of other software, which may be missing or closed to us."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from funnel.landing.optional_tables import PROBE as LANDING
from funnel.landing.optional_tables import SHORT_LINK_CLICKS
from onai.db import optional_tables
from onai.db.visibility import Visibility
from onai.local.roles import LANDING_GRANTS, LANDING_READER
from onai.ops.examination import Down
from sales.adoption.optional_tables import PROBE as TRIPWIRE
from tests.conftest import LandingPages
from tests.settings import LANDING_URL
from tests.support.optional_tables import taken_away

TABLE = "short_link_clicks"


@pytest.fixture
def owner(landing: LandingPages) -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(LANDING_URL, autocommit=True) as owner:
        yield owner
        owner.execute(LANDING_GRANTS)


def test_a_table_is_readable_missing_not_granted_hidden_or_lacks_columns(
    owner: "psycopg.Connection[Any]",
) -> None:
    assert SHORT_LINK_CLICKS.look() is Visibility.SEEN
    owner.execute(f"alter table {TABLE} rename user_agent to agent")
    assert SHORT_LINK_CLICKS.look() is Visibility.LACKS_COLUMNS
    assert "user_agent" in SHORT_LINK_CLICKS.in_words(Visibility.LACKS_COLUMNS)
    owner.execute(f"alter table {TABLE} rename agent to user_agent")
    owner.execute(f"drop policy onai_reads on {TABLE}")
    assert SHORT_LINK_CLICKS.look() is Visibility.FILTERED
    owner.execute(f"revoke select on {TABLE} from {LANDING_READER}")
    assert SHORT_LINK_CLICKS.look() is Visibility.NOT_GRANTED
    with taken_away(TABLE):
        assert SHORT_LINK_CLICKS.look() is Visibility.MISSING


def test_the_answer_is_remembered(owner: "psycopg.Connection[Any]") -> None:
    assert SHORT_LINK_CLICKS.readable()
    owner.execute(f"revoke select on {TABLE} from {LANDING_READER}")

    with CaptureQueriesContext(connections["landing"]) as asked:
        assert SHORT_LINK_CLICKS.readable()

    assert len(asked) == 0
    optional_tables.forget()
    assert not SHORT_LINK_CLICKS.readable()


def test_status_says_which_tables_cannot_be_read_and_how_to_open_them(
    owner: "psycopg.Connection[Any]", admin: Client
) -> None:
    assert LANDING.check() == "читаются все"
    owner.execute(f"drop policy onai_reads on {TABLE}")

    page = admin.get("/status").content.decode()

    assert f"не читаются: {TABLE}" in page
    with pytest.raises(Down) as told:
        LANDING.check()
    assert "неизвестно, кто перешёл по короткой ссылке" in str(told.value.advice)
    for statement in str(told.value.advice).splitlines()[1:]:
        owner.execute(statement)
    assert LANDING.check() == "читаются все"


@pytest.mark.usefixtures("without_optional_tables")
def test_a_missing_table_is_no_fault() -> None:
    assert "journey_stages" in LANDING.check()
    assert "certificates" in TRIPWIRE.check()
