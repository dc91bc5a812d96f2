"""Nothing is said of figures where it may not be, and numbers, signs and words say the same."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.http import QueryDict
from django.test import Client

from onai.web.period_form import PeriodForm
from sales.cabinet import statistics
from sales.cabinet.sales_change import compared_sales
from tests.conftest import LandingPages
from tests.support.funnel_requests import ALMATY, API, LEGEND, asked_at, lead, page_text
from tests.support.spread_leads import forget_after, write_evenly
from tests.support.student_changes import SignIn
from tests.support.student_rows import RESULTS, Sales, text_on

OF_30_DAYS = "from=2026-10-01&to=2026-10-30"


def _headline(client: Client, query: str) -> str:
    return page_text(client, query).partition(LEGEND)[0]


@pytest.mark.parametrize(("now", "change"), [(3_001, 1), (2_999, -1)])
def test_a_change_too_small_to_be_written_has_no_sign(
    admin: Client, landing: LandingPages, now: int, change: int
) -> None:
    write_evenly(landing, date(2026, 9, 1), 30, 3_000)
    write_evenly(landing, date(2026, 10, 1), 30, now)

    answer = admin.get(f"{API}?{OF_30_DAYS}")

    leads = answer.json()["funnel"]["leads"]
    assert (leads["change"], leads["changePercent"], leads["verdict"]) == (
        change,
        0,
        "within-chance",
    )
    assert b"-0.0" not in answer.content
    text = _headline(admin, OF_30_DAYS)
    assert f"{now // 1_000} {now % 1_000:03} ≈ было 3 000, обычное колебание" in text
    assert "0,0 %," not in text


@pytest.mark.parametrize("missing", [1, 3])
def test_days_before_the_first_lead_are_not_compared(
    admin: Client, landing: LandingPages, missing: int
) -> None:
    recorded = 30 - missing
    write_evenly(
        landing, date(2026, 9, 1) + timedelta(days=missing), recorded + 30, (recorded + 30) * 100
    )

    leads = admin.get(f"{API}?{OF_30_DAYS}").json()["funnel"]["leads"]

    assert leads["tested"] == {
        "now": 3_000,
        "before": recorded * 100,
        "days": 30,
        "daysBefore": recorded,
    }
    assert (leads["change"], leads["changePercent"], leads["verdict"]) == (0, 0, "within-chance")
    text = _headline(admin, OF_30_DAYS)
    assert "3 000 как было в день" in text
    assert "▲" not in text


@pytest.mark.parametrize(
    ("query", "at", "first_lead"),
    [
        # Of the compared month two days are missing: all there is up to the same moment.
        ("from=2026-11-01&to=2026-11-30", "2026-11-02 18:00", "2026-10-03 18:00"),
        # Nobody had come yesterday by this time: nobody was counted yet.
        ("from=2026-11-10&to=2026-11-10", "2026-11-10 10:00", "2026-11-09 15:00"),
        (
            "from=2026-11-04&to=2026-11-10&compare=last-month",
            "2026-11-10 10:00",
            "2026-10-07 09:00",
        ),
    ],
)
def test_time_before_the_first_record_is_not_zero(
    admin: Client, landing: LandingPages, settings: Any, query: str, at: str, first_lead: str
) -> None:
    moment, first = (datetime.fromisoformat(one).replace(tzinfo=ALMATY) for one in (at, first_lead))
    every_quarter = timedelta(minutes=15)
    came = ((moment - first) // every_quarter) + 1
    landing.write(*({"created_at": first + every_quarter * n} for n in range(came)))
    asked_at(moment, settings)

    leads = admin.get(f"{API}?{query}").json()["funnel"]["leads"]

    assert leads["now"] > 0
    assert (leads["before"], leads["change"], leads["verdict"]) == (None, None, "no-data")
    text = _headline(admin, query)
    assert "Сравнивать не с чем: первая заявка пришла" in text
    assert "было 0" not in text


def test_future_days_show_no_zero(admin: Client, landing: LandingPages, settings: Any) -> None:
    moment = datetime(2026, 11, 10, 12, tzinfo=ALMATY)
    write_evenly(landing, date(2026, 9, 1), 80, 80 * 20, buyers=1, each=10)
    forget_after(landing, moment)
    asked_at(moment, settings)

    rows = admin.get(f"{API}?from=2026-11-09&to=2026-11-12").json()["overTime"]

    of_today, of_tomorrow = rows[1], rows[2]
    assert (of_today["leads"]["now"], of_today["leads"]["before"]) == (10, 10)
    for figure in ("leads", "purchases", "revenue", "conversion"):
        told = of_tomorrow[figure]
        assert (told["before"], told["verdict"]) == (None, "period-unfinished")
        assert told["change"] is None


def test_different_figures_are_not_called_the_same(
    admin: Client, landing: LandingPages, settings: Any
) -> None:
    """The youngest of today's leads have not bought yet; of those that could, as many have."""
    moment = datetime(2026, 11, 10, 9, tzinfo=ALMATY)
    write_evenly(
        landing, date(2026, 8, 1), 102, 102 * 50, buyers=5, each=50, after=timedelta(hours=60)
    )
    forget_after(landing, moment)
    asked_at(moment, settings)
    query = "from=2026-10-22&to=2026-11-10"

    purchases = admin.get(f"{API}?{query}").json()["funnel"]["purchases"]

    assert (purchases["now"], purchases["before"], purchases["change"]) == (85, 100, 0)
    assert purchases["tested"] == {"now": 85, "before": 85, "days": 16.375, "daysBefore": 16.375}
    text = _headline(admin, query)
    # The base that is told is the one that was compared.
    assert "Покупки 85 ≈ 85 против 85" in text
    assert "10,32 %" not in text
    assert "969 как было" in text


@pytest.mark.parametrize("late", [80, 100])
def test_the_share_of_purchases_by_the_age_is_reported(
    admin: Client, landing: LandingPages, settings: Any, late: int
) -> None:
    moment = datetime(2026, 11, 10, 9, tzinfo=ALMATY)
    for hours in (2, late):
        after = timedelta(hours=hours)
        write_evenly(landing, date(2026, 8, 1), 102, 102 * 50, buyers=5, each=50, after=after)
    forget_after(landing, moment)
    asked_at(moment, settings)

    found = admin.get(f"{API}?from=2026-10-12&to=2026-11-10").json()

    purchases = found["funnel"]["purchases"]
    assert purchases["tested"]["now"] == purchases["tested"]["before"] > 130
    assert (purchases["change"], purchases["verdict"]) == (0, "within-chance")
    assert 50 <= found["compared"]["purchasesByThen"] < 55


def test_the_shift_of_times_has_the_direction_of_the_verdict(
    admin: Client, landing: LandingPages
) -> None:
    """Nearly all take an hour, a minute less now; one takes three days now."""
    landing.write(lead(1, created_at=datetime(2026, 1, 1, tzinfo=ALMATY)))
    for month, minutes in ((10, [*[60] * 20, 3 * 24 * 60]), (9, [61] * 21)):
        came = datetime(2026, month, 5, 12, tzinfo=ALMATY)
        for took in minutes:
            bought = {"sms_clicked": True, "sms_clicked_at": came + timedelta(minutes=took)}
            landing.write({"created_at": came, **bought})

    times = admin.get(f"{API}?{OF_30_DAYS}").json()["timeToBuy"]["all"]

    assert (times["isLonger"], times["verdict"]) == (True, "within-chance")
    assert times["changeSeconds"] >= 0


def test_the_last_day_of_a_long_month_has_no_same_moment(
    admin: Client, landing: LandingPages, settings: Any
) -> None:
    """All of a month of 30 days has been by then."""
    moment = datetime(2026, 10, 31, 12, tzinfo=ALMATY)
    write_evenly(landing, date(2026, 8, 1), 92, 920)
    forget_after(landing, moment)
    asked_at(moment, settings)
    query = "from=2026-10-01&to=2026-10-31&compare=last-month"

    leads = admin.get(f"{API}?{query}").json()["funnel"]["leads"]

    assert (leads["now"], leads["before"], leads["changePercent"]) == (305, 300, 0)
    assert "к этому же времени" not in page_text(admin, query)
    previous = query.removesuffix("&compare=last-month")
    assert "к этому же времени, 12:00" in page_text(admin, previous)


def test_the_cabinet_does_not_compare_future_days(sales: Sales, as_person: SignIn) -> None:
    manager = as_person("ayaulym@onai.test")
    today = datetime.now(ALMATY).replace(hour=0, minute=0, second=0, microsecond=0)
    for ago in range(90):
        sales.add(created_at=today - timedelta(days=ago, hours=-0.0001))
    first, last = (today.date() + timedelta(days=ahead) for ahead in (3, 9))

    text = text_on(manager.get(f"{RESULTS}?from={first}&to={last}"))

    board = text.partition("Продажи</span>")[2].partition("</li>")[0]
    assert "сравнивать рано" in board
    assert "было" not in board


def test_the_cabinet_does_not_compare_its_first_day_of_sales(
    sales: Sales,
) -> None:
    for hour in (15, 16, 20):
        sales.add(created_at=datetime(2026, 11, 10, hour, tzinfo=ALMATY))
    sales.add(created_at=datetime(2026, 11, 11, 9, tzinfo=ALMATY))

    for hour, before in ((10, None), (23, 3)):
        with time_machine.travel(datetime(2026, 11, 11, hour, tzinfo=ALMATY), tick=False):
            chosen = PeriodForm(QueryDict("period=today")).chosen
            now = statistics.figures(chosen.period, manager_id=None)
            change = compared_sales(chosen, now, manager_id=None)
        assert change
        assert (change.sales.now, change.sales.before) == (1, before)
