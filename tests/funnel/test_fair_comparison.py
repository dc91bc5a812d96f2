"""What is said of a difference is what is true of it: at equal exposure and equal age."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from tests.conftest import LandingPages
from tests.support.funnel_requests import (
    ALMATY,
    API,
    LEGEND,
    RELIABLE,
    SPEED,
    asked_at,
    csv_rows,
    lead,
    page_text,
)
from tests.support.spread_leads import forget_after, write_evenly


def _headline(client: Client, query: str) -> str:
    return page_text(client, query).partition(LEGEND)[0]


@pytest.mark.parametrize(
    ("march", "february", "percent", "told"),
    [
        (2_800, 2_700, -6.3, "−6,3 % в день, было 2 700"),
        (3_000, 2_700, 0.4, "+0,4 % в день, было 2 700"),
        (310, 280, 0, "310 как было"),
    ],
)
def test_months_of_unequal_length_are_compared_by_the_day(
    admin: Client, landing: LandingPages, march: int, february: int, percent: float, told: str
) -> None:
    write_evenly(landing, date(2026, 1, 1), 31, 310)
    write_evenly(landing, date(2026, 2, 1), 28, february)
    write_evenly(landing, date(2026, 3, 1), 31, march)
    query = "from=2026-03-01&to=2026-03-31&compare=last-month"

    leads = admin.get(f"{API}?{query}").json()["funnel"]["leads"]

    assert leads["changePercent"] == percent
    assert (leads["change"] > 0, leads["change"] < 0) == (percent > 0, percent < 0)
    assert leads["tested"] == {"now": march, "before": february, "days": 31, "daysBefore": 28}
    text = _headline(admin, query)
    assert told in text
    assert "▲" not in text


@pytest.mark.parametrize(("at", "counted"), [("00:05", 720), ("12:00", 760), ("23:55", 800)])
def test_an_unfinished_period_is_compared_up_to_the_same_moment(
    admin: Client, landing: LandingPages, settings: Any, at: str, counted: int
) -> None:
    moment = datetime.fromisoformat(f"2026-11-10 {at}").replace(tzinfo=ALMATY)
    write_evenly(landing, date(2026, 10, 1), 41, 41 * 80)
    landing.connection.execute("delete from landing_leads where created_at >= %s", [moment])
    asked_at(moment, settings)

    found = admin.get(f"{API}?from=2026-11-01&to=2026-11-10").json()

    leads = found["funnel"]["leads"]
    assert (leads["now"], leads["before"], leads["change"]) == (counted, counted, 0)
    assert (leads["changePercent"], leads["verdict"]) == (0, "within-chance")
    last = found["overTime"][-1]["leads"]
    assert (last["now"], last["change"]) == (counted - 720, 0)


@pytest.mark.parametrize("days", [1, 7, 10])
def test_an_unfinished_period_can_be_judged(
    admin: Client, landing: LandingPages, settings: Any, days: int
) -> None:
    first = date(2026, 11, 10) - timedelta(days=days - 1)
    moment = datetime(2026, 11, 10, 12, tzinfo=ALMATY)
    before = (first - date(2026, 9, 1)).days
    write_evenly(landing, date(2026, 9, 1), before, before * 200)
    write_evenly(landing, first, days, days * 80)
    landing.connection.execute("delete from landing_leads where created_at >= %s", [moment])
    asked_at(moment, settings)
    query = f"from={first}&to=2026-11-10"

    leads = admin.get(f"{API}?{query}").json()["funnel"]["leads"]

    assert (leads["verdict"], leads["changePercent"]) == ("beyond-chance", -60)
    assert "▼ −60 %" in _headline(admin, query)


def test_young_leads_do_not_count_as_a_drop(
    admin: Client, landing: LandingPages, settings: Any
) -> None:
    """Of 400 a day 24 buy 31 hours later; asked at nine about yesterday, hardly anyone has."""
    moment = datetime(2026, 11, 10, 9, tzinfo=ALMATY)
    later = timedelta(hours=31)
    write_evenly(landing, date(2026, 9, 1), 71, 71 * 400, buyers=24, each=400, after=later)
    forget_after(landing, moment)
    asked_at(moment, settings)

    yesterday = admin.get(f"{API}?from=2026-11-09&to=2026-11-09").json()
    text = _headline(admin, "from=2026-11-09&to=2026-11-09")

    for name in ("purchases", "revenue", "conversion"):
        figure = yesterday["funnel"][name]
        assert (figure["verdict"], figure["change"], figure["pValue"]) == ("too-young", None, None)
    assert yesterday["funnel"]["purchases"]["before"] == 24
    assert yesterday["funnel"]["leads"]["verdict"] == "within-chance"
    assert "сравнивать рано" in text
    assert "▼" not in text
    # Of a month the leads that are old enough are compared, and nothing has changed.
    month = admin.get(f"{API}?from=2026-10-12&to=2026-11-10").json()
    purchases = month["funnel"]["purchases"]
    assert purchases["now"] < purchases["before"]
    assert purchases["tested"]["now"] == purchases["tested"]["before"] > 600
    assert (purchases["verdict"], purchases["change"]) == ("within-chance", 0)
    assert month["funnel"]["conversion"]["change"] == 0
    assert month["compared"]["purchasesByThen"] == 100
    _, _, told = page_text(admin, "from=2026-10-12&to=2026-11-10").partition(RELIABLE)
    assert "за это время приходит 100 % покупок" in told
    # The base that is told is that of the difference, and not another figure that contradicts it.
    now, old = purchases["now"], purchases["tested"]["now"]
    assert f"Покупки {now} ≈ {old} против {old}" in told
    money = f"{old * 5_000:,} ₸".replace(",", " ")
    assert f"{money} против {money}" in told
    assert "6,14 % против 6,14 %" in told
    assert "против" not in told.partition("Заявки")[2].partition("→")[0]
    # Nor do the rows of the last days fall.
    assert {row["purchases"]["verdict"] for row in month["overTime"][-3:]} == {"too-young"}


def test_late_purchases_are_compared_at_equal_age(
    admin: Client, landing: LandingPages, settings: Any
) -> None:
    """Half of the purchases come after five days: at three, half are there in either span."""
    moment = datetime(2026, 11, 10, 9, tzinfo=ALMATY)
    for after in (timedelta(hours=2), timedelta(days=5)):
        write_evenly(landing, date(2026, 9, 1), 71, 71 * 50, buyers=5, each=50, after=after)
    forget_after(landing, moment)
    asked_at(moment, settings)

    found = admin.get(f"{API}?from=2026-11-01&to=2026-11-10").json()

    purchases = found["funnel"]["purchases"]
    assert purchases["tested"]["now"] == purchases["tested"]["before"]
    assert (purchases["verdict"], purchases["change"]) == ("within-chance", 0)
    assert 50 <= found["compared"]["purchasesByThen"] < 60


@pytest.mark.parametrize(
    ("now", "before", "is_longer", "told"),
    [
        # The medians say an hour longer, and nearly everybody was quicker.
        (((49, 1), (51, 25)), ((51, 24), (49, 100)), False, "Думать стали меньше."),
        (((51, 24), (49, 100)), ((49, 1), (51, 25)), True, "Думать стали дольше."),
        (((60, 3),), ((60, 9),), False, "Думать стали меньше."),
    ],
)
def test_direction_and_verdict_of_the_time_to_buy_agree(
    admin: Client,
    landing: LandingPages,
    now: tuple[tuple[int, int], ...],
    before: tuple[tuple[int, int], ...],
    is_longer: bool,
    told: str,
) -> None:
    landing.write(lead(1, created_at=datetime(2026, 1, 1, tzinfo=ALMATY)))
    for month, groups in ((10, now), (9, before)):
        came = datetime(2026, month, 5, 12, tzinfo=ALMATY)
        for buyers, hours in groups:
            bought = {"sms_clicked": True, "sms_clicked_at": came + timedelta(hours=hours)}
            landing.write(*({"created_at": came, **bought} for _ in range(buyers)))
    query = "from=2026-10-01&to=2026-10-31&compare=last-month"

    times = admin.get(f"{API}?{query}").json()["timeToBuy"]["all"]

    assert (times["verdict"], times["isLonger"]) == ("beyond-chance", is_longer)
    assert (times["changeSeconds"] > 0) is is_longer
    assert told in page_text(admin, query, SPEED)


def test_a_new_price_leaves_the_revenue_of_earlier_leads_as_it_was(
    admin: Client, landing: LandingPages, settings: Any
) -> None:
    settings.COURSE_PRICE_KZT = ((None, 5_000), (date(2026, 10, 16), 6_000))
    landing.write(lead(1, created_at=datetime(2026, 1, 1, tzinfo=ALMATY)))
    for source in ("TF4", "proftest_muha"):
        bought: dict[str, Any] = {"source": source, "sms_clicked": True}
        landing.write(*(lead(day, **bought) for day in (15, 16)), lead(20, 9, **bought))
    query = "from=2026-10-01&to=2026-10-31&compare=last-month"

    found = admin.get(f"{API}?{query}").json()
    before = admin.get(f"{API}?from=2026-09-01&to=2026-10-15").json()

    assert found["totalRevenue"] == 2 * 5_000 + 2 * 6_000
    assert found["stages"][2]["metrics"] == {"purchases": 4, "revenue": 22_000}
    assert found["stages"][1]["metrics"]["avgValue"] == 6_000
    revenue = found["funnel"]["revenue"]
    assert (revenue["now"], revenue["before"], revenue["change"]) == (22_000, 10_000, 11_667)
    assert [row["revenue"]["now"] for row in found["sources"]] == [11_000, 11_000]
    assert sum(row["revenue"]["now"] for row in found["overTime"]) == 22_000
    assert sum(int(row["Выручка, ₸"]) for row in csv_rows(admin, "sources", query)) == 22_000
    # Whatever becomes of the price later, these days have earned what they did.
    assert before["totalRevenue"] == 4 * 5_000
    assert before["stages"][1]["metrics"]["avgValue"] == 5_000
    assert "по цене дня заявки, сейчас 6 000 ₸" in page_text(admin, query)
