"""Anybody can write any source into a lead: however many there are, page and API stay bounded."""

import json
import re
from datetime import date, datetime

import pytest
from django.test import Client

from funnel.landing.statement import ask
from funnel.question import FunnelQuestion
from funnel.report.answers import Topic, statement_for
from onai.periods import Period
from tests.conftest import LandingPages
from tests.support.funnel_requests import ADS, ALMATY, API, IN_OCTOBER, csv_rows, page_text

PAGE = "/funnel/sources"
SOURCES, BIG = 1_200, 5


@pytest.fixture
def many(landing: LandingPages) -> None:
    """Of each of 1 200 sources one lead, of five of them nine more, and every second one bought."""
    landing.connection.execute(
        "insert into landing_leads"
        " (name, phone, source, email_sent, sms_clicked, sms_clicked_at, metadata, created_at)"
        " select 'Кто-то', '+7700' || lpad(n::text, 7, '0'), 'proftest_' || lpad(n::text, 4, '0'),"
        " true, n %% 2 = 0, case when n %% 2 = 0 then %(at)s + interval '1 hour' end,"
        " jsonb_build_object('utm_campaign', 'offer' || n), %(at)s"
        " from generate_series(1, %(sources)s) n, generate_series(1, 10) copy"
        " where n <= %(big)s or copy = 1",
        {"sources": SOURCES, "big": BIG, "at": datetime(2026, 10, 10, 12, tzinfo=ALMATY)},
    )


@pytest.mark.parametrize("counting", ["reported", "cohort"])
def test_the_biggest_sources_are_listed_and_the_others_summed(
    admin: Client, many: None, counting: str
) -> None:
    answer = admin.get(f"{API}?{IN_OCTOBER}&count={counting}").json()

    listed, others = answer["sources"], answer["otherSources"]
    assert (len(listed), others["count"]) == (200, SOURCES - 200)
    big = {f"proftest_{number:04}" for number in range(1, BIG + 1)}
    assert big <= {row["source"] for row in listed}
    for figure in ("leads", "purchases", "revenue"):
        whole = answer["funnel"][figure]["now"]
        told = sum(row[figure]["now"] for row in listed)
        assert told + others[figure]["now"] == whole, figure
        assert others[figure]["now"] > 0
    assert others["leads"]["now"] == SOURCES - 200
    shares = sum(row["shareOfLeads"]["now"] for row in (*listed, others))
    assert shares == pytest.approx(100, abs=10)  # each is rounded
    assert len(answer["timeToBuy"]["sources"]) == 200
    assert len(json.dumps(answer)) < 2_000_000


def test_the_page_says_how_many_more_there_are(admin: Client, many: None) -> None:
    def text(query: str) -> str:
        return page_text(admin, f"{IN_OCTOBER}&{query}", PAGE)

    page = admin.get(f"{PAGE}?{IN_OCTOBER}").content.decode()

    assert len(set(re.findall(r"proftest_\d{4}", page))) == 20
    assert "Страница 1 из 10" in text("")
    assert "ещё 1 000 источников" not in text("")
    assert "ещё 1 000 источников" in text("page=10")
    assert "ещё 1 000 источников" not in text("q=proftest_0001")
    assert "Искали среди самых больших" in text("q=nobody")


def test_the_file_lists_every_source(admin: Client, many: None) -> None:
    rows = csv_rows(admin, "sources", IN_OCTOBER)

    assert len(rows) == SOURCES
    assert sum(int(row["Лиды"]) for row in rows) == SOURCES + 9 * BIG
    assert len(csv_rows(admin, "time-to-buy", IN_OCTOBER)) > SOURCES // 2


@pytest.mark.parametrize("counting", ["reported", "cohort"])
def test_utm_values_are_bounded_too(
    admin: Client, many: None, landing: LandingPages, counting: str
) -> None:
    without = {"source": "proftest_0001", "sms_clicked": True}
    landing.write({**without, "created_at": datetime(2026, 10, 11, 12, tzinfo=ALMATY)})

    answer = admin.get(f"{API}?{IN_OCTOBER}&count={counting}").json()

    campaigns = answer["utm"]["campaign"]
    assert campaigns["thereAreMore"] is True
    assert len(campaigns["values"]) == 199  # and the leads without one
    for figure in ("leads", "purchases", "revenue"):
        told = (*campaigns["values"], campaigns["others"], campaigns["without"])
        whole = answer["funnel"][figure]["now"]
        assert sum(row[figure]["now"] for row in told) == whole, figure
    last = f"{IN_OCTOBER}&count={counting}&page=7"
    assert "остальные метки вместе" in page_text(admin, last, ADS)
    rows = csv_rows(admin, "utm", f"{IN_OCTOBER}&count={counting}")
    assert len({row["Значение"] for row in rows if row["Метка"] == rows[0]["Метка"]}) >= SOURCES


def test_marks_with_a_different_value_on_each_lead_are_counted_in_time(
    admin: Client, landing: LandingPages
) -> None:
    leads = 20_000
    landing.connection.execute(
        "insert into landing_leads (name, phone, metadata, created_at)"
        " select 'Кто-то', '+77000000000', jsonb_build_object('utm_content', 'click' || n), %(at)s"
        " from generate_series(1, %(leads)s) n",
        {"leads": leads, "at": datetime(2026, 10, 10, 12, tzinfo=ALMATY)},
    )

    answer = admin.get(f"{API}?{IN_OCTOBER}&include=utm")

    assert answer.status_code == 200
    content = answer.json()["utm"]["content"]
    assert len(content["values"]) + content["others"]["leads"]["now"] == leads


def test_few_sources_have_no_others(admin: Client, landing: LandingPages) -> None:
    landing.write({"source": "TF4", "created_at": datetime(2026, 10, 10, 12, tzinfo=ALMATY)})

    answer = admin.get(f"{API}?{IN_OCTOBER}").json()

    assert answer["otherSources"] is None
    assert [row["source"] for row in answer["sources"]] == ["TF4"]
    assert answer["utm"]["campaign"]["others"] is None


@pytest.mark.parametrize("path", ["/funnel/people", "/funnel/duplicates", f"{PAGE}?source=TF4"])
def test_the_choice_of_sources_is_bounded(admin: Client, many: None, path: str) -> None:
    page = admin.get(f"{path}{'&' if '?' in path else '?'}{IN_OCTOBER}").content.decode()

    assert 0 < len(set(re.findall(r"proftest_\d{4}", page))) <= 200


def test_the_database_returns_no_more_rows_than_are_shown(many: None) -> None:
    question = FunnelQuestion(Period(date(2026, 10, 1), date(2026, 10, 31)))

    found = ask(*statement_for(question, tuple(Topic)))

    one_by_one_and_the_others = 200 + 1
    assert len({source for source, *_ in found["sources"]}) == one_by_one_and_the_others
    assert len({value for value, *_ in found["utm_campaign"]}) == one_by_one_and_the_others
    timed = {source for _, _, source, *_ in found["quartiles"] if source}
    assert len(timed) == 200
    groups = {group for group, *_ in found["groups"]}
    assert len(groups) <= 64
