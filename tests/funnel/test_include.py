"""What the API tells beside the report is asked for by name, and is of one moment."""

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.conftest import LandingPages
from tests.support.funnel_requests import API, IN_OCTOBER, write_october

REPORT = {"success", "stages", "totalRevenue", "totalConversions", "overallConversionRate"}
TOPICS = {
    "funnel": {"funnel"},
    "sources": {"sources", "otherSources"},
    "overTime": {"overTime"},
    "timeToBuy": {"timeToBuy"},
    "utm": {"utm"},
}
ALL_KEYS = set().union(*TOPICS.values())


@pytest.fixture
def october(landing: LandingPages) -> LandingPages:
    write_october(landing)
    return landing


@pytest.mark.parametrize("topics", [[one] for one in TOPICS] + [["overTime", "sources"]])
def test_included_answers_equal_those_of_the_whole(
    admin: Client, october: LandingPages, topics: list[str]
) -> None:
    whole = admin.get(f"{API}?{IN_OCTOBER}").json()

    with CaptureQueriesContext(connections["landing"]) as statements:
        some = admin.get(f"{API}?{IN_OCTOBER}&include={','.join(topics)}").json()

    told = set().union(*(TOPICS[topic] for topic in topics))
    assert set(some) & ALL_KEYS == told
    assert set(some) >= REPORT | {"timestamp", "period", "compared", "stale"}
    for key in told | REPORT | {"period"}:
        assert some[key] == whole[key], key
    assert len(statements) == 1


@pytest.mark.parametrize("query", ["", "include=", "include=utm,funnel,sources,timeToBuy,overTime"])
def test_every_answer_is_included_by_default(
    admin: Client, october: LandingPages, query: str
) -> None:
    assert set(admin.get(f"{API}?{IN_OCTOBER}&{query}").json()) >= ALL_KEYS


@pytest.mark.parametrize("include", ["money", "sources,money", "overtime", "sources;utm"])
def test_an_unknown_answer_is_refused_with_the_known_ones(
    admin: Client, landing: LandingPages, include: str
) -> None:
    answer = admin.get(API, {"include": include})

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_input"
    for topic in TOPICS:
        assert topic in answer.json()["fields"]["include"]


def test_one_stage_asks_for_the_report_only(admin: Client, october: LandingPages) -> None:
    stage = admin.get(f"{API}/payment?{IN_OCTOBER}").json()["stage"]

    assert stage["metrics"]["purchases"] == 4
