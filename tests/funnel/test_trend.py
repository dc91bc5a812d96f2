"""The page of one metric over time: tabs, chart, table, and purchases by the day they were made."""

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.core.cache import cache
from django.test import Client

from funnel.question import FunnelQuestion
from funnel.report.answers import Topic, answers
from funnel.web.wording import METRICS
from onai.periods import Unit
from tests.conftest import LandingPages
from tests.funnel.test_funnel_answers import NOVEMBER
from tests.support import generated_leads as plain
from tests.support.funnel_requests import (
    ALMATY,
    API,
    IN_OCTOBER,
    TREND,
    csv_rows,
    lead,
    page_text,
    write_october,
)


def _page(client: Client, query: str) -> str:
    return client.get(f"{TREND}?{query}").content.decode()


def _said_by_columns(page: str) -> list[str]:
    found = re.findall(r'<li tabindex="0"><span>([^<]*)</span></li>', page)
    return [text.replace("\N{NO-BREAK SPACE}", " ") for text in found]


@pytest.mark.parametrize("metric", METRICS)
def test_a_tab_keeps_the_rest_of_the_address(admin: Client, metric: str) -> None:
    query = f"{IN_OCTOBER}&compare=last-month&by=week&count=cohort&source=TF4"

    page = unescape(_page(admin, f"{query}&page=3"))
    answer = admin.get(f"{TREND}?{query}&metric={metric}")

    assert f'href="?{query}&metric={metric}"' in page
    assert re.search(rf'aria-current="true"\s*>{METRICS[metric]}</a>', answer.content.decode())


def test_the_table_has_the_values_of_the_bars(admin: Client, landing: LandingPages) -> None:
    write_october(landing)

    for metric in METRICS:
        query = f"metric={metric}&{IN_OCTOBER}&by=week"
        page, text = _page(admin, query), page_text(admin, query, TREND)
        said = _said_by_columns(page)
        if metric == "bought":
            continue  # No purchase of these leads has a moment.
        assert len(said) == 5
        for column in said:
            days, _, value = column.partition(": ")
            assert f"{days} {value.partition(', было')[0]} " in re.sub("не целиком ", "", text)


def test_the_compared_span_lies_behind_the_bars(admin: Client, landing: LandingPages) -> None:
    write_october(landing)
    landing.write(lead(1, month=8))

    compared = _page(admin, f"metric=leads&{IN_OCTOBER}&by=month&compare=last-month")
    alone = _page(admin, "metric=leads&from=2026-08-01&to=2026-08-31")

    assert _said_by_columns(compared) == [
        "1–31 октября: 10, было 5".replace("–", "–\N{WORD JOINER}")
    ]
    assert 'class="chart-ghost"' in compared
    # Nothing came before August.
    assert 'class="chart-ghost"' not in alone
    assert "было:" not in alone


def test_days_without_anything_say_so_instead_of_drawing_it(
    admin: Client, landing: LandingPages
) -> None:
    landing.write(lead(3))

    page = _page(admin, f"metric=revenue&{IN_OCTOBER}")

    assert "За эти дни показать нечего: везде ноль." in page
    assert "<rect" not in page
    assert "Выручка: 0" in page_text(admin, f"metric=revenue&{IN_OCTOBER}", TREND)


def test_a_purchase_stands_on_the_day_of_the_lead_or_on_its_own(
    admin: Client, landing: LandingPages
) -> None:
    bought = datetime(2026, 10, 9, 12, tzinfo=ALMATY)
    landing.write(
        lead(3, sms_clicked=True, sms_clicked_at=bought),
        lead(4, month=8, sms_clicked=True, sms_clicked_at=bought + timedelta(hours=1)),
        lead(5, sms_clicked=True),
        lead(6, sms_clicked=False, sms_clicked_at=bought),
        lead(6, sms_clicked=True, sms_clicked_at=bought + timedelta(days=40)),
    )

    by_lead = page_text(admin, f"metric=purchases&{IN_OCTOBER}", TREND)
    by_purchase = page_text(admin, f"metric=bought&{IN_OCTOBER}", TREND)

    assert "Покупки по дню заявки: 3," in by_lead
    assert "3 октября: 1," in by_lead
    assert "Покупки по дню покупки: 2, было 0." in by_purchase
    assert "9 октября: 2, было 0" in by_purchase
    assert "3 октября: 0" in by_purchase


def test_purchases_by_their_own_day_are_of_the_chosen_leads(
    admin: Client, landing: LandingPages
) -> None:
    at = datetime(2026, 10, 9, 12, tzinfo=ALMATY)
    for source in ("TF4", "proftest_muha", None):
        landing.write(lead(1, source=source, sms_clicked=True, sms_clicked_at=at))

    def count(query: str) -> int:
        days = admin.get(f"{API}?include=purchaseDays&{IN_OCTOBER}&{query}").json()["purchaseDays"]
        return sum(day["now"] for day in days)

    assert count("") == 3
    assert count("source=TF4") == 1
    assert count("source=") == 1
    assert count("count=cohort") == 1


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("seed", [1, 2])
def test_purchase_days_agree_with_a_count_by_hand(
    landing: LandingPages, unit: Unit, seed: int
) -> None:
    question = FunnelQuestion(NOVEMBER, unit=unit)
    rows = plain.many(question, 800, seed=seed)
    cache.clear()
    plain.fill(landing, rows)
    moments = [
        row["sms_clicked_at"] for row in rows if row["sms_clicked"] and row["sms_clicked_at"]
    ]

    found = answers(question, [Topic.PURCHASE_DAYS]).purchase_days

    for day in found.days:
        assert day.now == sum(
            day.bucket.period.start <= at < day.bucket.period.end for at in moments
        )
        compared = day.bucket.compared
        until = question.cuts().before
        assert (
            day.before == sum(compared.start <= at < min(compared.end, until) for at in moments)
            if compared
            else day.before is None
        )
    assert found.now == sum(day.now for day in found.days)
    assert found.before == sum(day.before or 0 for day in found.days)


def test_the_file_holds_every_metric_whatever_tab_is_open(
    admin: Client, landing: LandingPages
) -> None:
    write_october(landing)

    rows = csv_rows(admin, "over-time", f"metric=bought&{IN_OCTOBER}&by=month")

    assert (rows[0]["Лиды"], rows[0]["Все покупки"], rows[0]["Выручка, ₸"]) == ("10", "4", "20000")
    assert rows[0]["Покупки по дню покупки"] == "0"
