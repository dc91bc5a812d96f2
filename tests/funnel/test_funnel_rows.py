"""Rows of the funnel (over time, time to buy, UTM marks) and their changes."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from onai.periods import business_day
from tests.conftest import LandingPages
from tests.support.funnel_requests import (
    ALMATY,
    API,
    IN_OCTOBER,
    RELIABLE,
    SOURCES,
    SPEED,
    TREND,
    csv_rows,
    lead,
    page_text,
    write_october,
)


@pytest.fixture
def october(landing: LandingPages) -> LandingPages:
    write_october(landing)
    return landing


@pytest.mark.parametrize(("by", "points", "cut"), [("day", 31, 0), ("week", 5, 2), ("month", 1, 0)])
def test_leads_are_counted_by_day_week_or_month(
    admin: Client, october: LandingPages, by: str, points: int, cut: int
) -> None:
    found = admin.get(f"{API}?{IN_OCTOBER}&by={by}").json()["overTime"]
    page = admin.get(f"{TREND}?{IN_OCTOBER}&by={by}").content.decode()

    assert len(found) == points
    assert sum(point["isCut"] for point in found) == cut
    assert sum(point["leads"]["now"] for point in found) == 10
    # One bar per row; a bar of an incomplete week is hatched, and the key says what that means.
    assert page.count('<li tabindex="0">') == points
    assert page.count('class="unfinished"') == cut
    assert page.count("не целиком") == cut + bool(cut)


def test_a_longer_period_is_shown_by_week_or_month(admin: Client, landing: LandingPages) -> None:
    def unit(query: str) -> str:
        by: str = admin.get(f"{API}?{query}").json()["by"]
        return by

    assert unit("from=2026-09-01&to=2026-10-31") == "day"
    assert unit("from=2026-05-01&to=2026-10-31") == "week"
    assert unit("from=2024-05-01&to=2026-10-31") == "month"
    assert unit("from=2024-05-01&to=2026-10-31&by=week") == "week"


def test_the_fastest_quarter_is_shown_from_four_purchases_on(
    admin: Client, landing: LandingPages
) -> None:
    came = datetime(2026, 10, 3, 12, tzinfo=ALMATY)
    for source, purchases in (("TF4", 3), ("proftest_muha", 4)):
        for hours in range(1, purchases + 1):
            bought = came + timedelta(hours=hours)
            landing.write(lead(3, source=source, sms_clicked=True, sms_clicked_at=bought))

    of_three = page_text(admin, f"{IN_OCTOBER}&source=TF4", SPEED)
    of_four = page_text(admin, f"{IN_OCTOBER}&source=proftest_muha", SPEED)

    assert "Обычно 2 ч было —" in of_three
    assert "Команда TF4 2 ч было — — — 3 из 3" in of_three
    assert "Быстрые 25 % 1 ч 45 мин Обычно 2 ч 30 мин было — Медленные 25 % 3 ч 15 мин" in of_four
    assert "Муха 2 ч 30 мин было — 1 ч 45 мин 3 ч 15 мин 4 из 4" in of_four


def test_time_to_buy_counts_purchases_without_a_usable_time(
    admin: Client, landing: LandingPages
) -> None:
    came = datetime(2026, 10, 3, 12, tzinfo=ALMATY)
    for hours in (2, 26, 50):
        landing.write(lead(3, sms_clicked=True, sms_clicked_at=came + timedelta(hours=hours)))
    landing.write(
        lead(3, sms_clicked=True),
        lead(3, sms_clicked=True, sms_clicked_at=came - timedelta(hours=1)),
    )

    text = page_text(admin, IN_OCTOBER, SPEED)
    found = admin.get(f"{API}?{IN_OCTOBER}").json()["timeToBuy"]["all"]

    assert "Обычно покупают через 1 день 2 часа после заявки." in text
    reliable = text.partition(RELIABLE)[2]
    assert "Время известно у 3 из 5 покупок. Без времени: 1." in reliable
    assert "Время раньше самой заявки, поэтому не в счёт: 1." in reliable
    assert (found["lowerSeconds"], found["medianSeconds"]) == (14 * 3_600, 26 * 3_600)
    assert (found["timed"], found["withoutMoment"], found["beforeLead"]) == (3, 1, 1)


def test_utm_marks_are_read_from_both_places_in_metadata(
    admin: Client, landing: LandingPages
) -> None:
    landing.write(
        lead(3, metadata={"utm_campaign": "winter"}, sms_clicked=True),
        lead(4, metadata={"utmParams": {"utm_campaign": "winter"}}),
        lead(5, metadata={"utm_campaign": "summer", "utmParams": {"utm_campaign": "winter"}}),
        lead(6),
    )

    utm = admin.get(f"{API}?{IN_OCTOBER}").json()["utm"]

    campaigns = {row["value"]: row["leads"]["now"] for row in utm["campaign"]["values"]}
    assert campaigns == {"winter": 2, "summer": 1}
    assert utm["campaign"]["without"]["leads"]["now"] == 1
    assert utm["medium"]["values"] == []


def test_every_row_over_time_is_compared_with_its_matching_day(
    admin: Client, landing: LandingPages
) -> None:
    # The first 18 days of November are compared with the first 18 of October.
    for month, buyers in ((10, 2), (11, 12)):
        for day in (3, 4):
            came = datetime(2026, month, day, 12, tzinfo=ALMATY)
            bought = {"sms_clicked": True, "sms_clicked_at": came + timedelta(hours=day)}
            landing.write(*({"created_at": came, **bought} for _ in range(buyers)))
    landing.write({"created_at": datetime(2026, 9, 1, tzinfo=ALMATY)})
    query = "from=2026-11-01&to=2026-11-18&compare=last-month"

    rows = admin.get(f"{API}?{query}").json()["overTime"]
    page = page_text(admin, query, TREND)
    file = csv_rows(admin, "over-time", query)

    third = rows[2]
    assert third["compared"] == {"from": "2026-10-03", "to": "2026-10-03", "days": 1}
    assert {key: third["purchases"][key] for key in ("now", "before", "verdict")} == {
        "now": 12,
        "before": 2,
        "verdict": "within-chance",
    }
    # All purchases fall on two days, so the spread is too wide for a verdict.
    assert third["purchases"]["pValue"] > 0.05
    assert third["conversion"]["before"] == 100
    assert "3 ноября 12 ≈ было 2" in page
    assert (file[2]["Все покупки"], file[2]["Все покупки, было"]) == ("12", "2")
    assert file[2]["Сравнение с"] == "03.10.2026"
    # «Все покупки» already holds the last step, so it has no second column.
    assert "Оплата экспресс-курса" not in file[2]


def test_dates_of_two_years_are_written_with_the_year(admin: Client, landing: LandingPages) -> None:
    landing.write(lead(3, created_at=datetime(2024, 12, 31, 12, tzinfo=ALMATY)))

    text = page_text(admin, "metric=leads&from=2024-12-30&to=2025-01-05&by=week", TREND)

    assert "30 декабря 2024 – 5 января 2025: 1" in text


def test_a_row_without_a_matching_day_is_not_compared(admin: Client, landing: LandingPages) -> None:
    landing.write({"created_at": datetime(2026, 1, 1, tzinfo=ALMATY)})
    query = "from=2026-03-28&to=2026-03-31&compare=last-month"

    body = admin.get(f"{API}?{query}").json()
    rows = body["overTime"]
    file = csv_rows(admin, "over-time", query)

    assert [row["before"] is None for row in body["timeToBuy"]["overTime"]] == [
        False,
        True,
        True,
        True,
    ]
    assert [row["compared"] and row["compared"]["to"] for row in rows] == [
        "2026-02-28",
        None,
        None,
        None,
    ]
    assert rows[1]["leads"]["verdict"] == "no-data"
    assert (file[1]["Сравнение с"], file[1]["Сравнение по"]) == ("", "")


def test_every_row_of_time_to_buy_is_compared(admin: Client, landing: LandingPages) -> None:
    landing.write(lead(1, created_at=datetime(2026, 1, 1, tzinfo=ALMATY)))
    for month, hours in ((9, 20), (10, 3)):
        came = datetime(2026, month, 15, 12, tzinfo=ALMATY)
        for source, buyers in (("TF4", 9), ("proftest_muha", 3)):
            for n in range(buyers):
                clicked = came + timedelta(hours=hours, minutes=n)
                landing.write(
                    lead(
                        1,
                        source=source,
                        created_at=came,
                        sms_clicked=True,
                        sms_clicked_at=clicked,
                    )
                )
    query = f"{IN_OCTOBER}&compare=last-month&by=month"

    times = admin.get(f"{API}?{query}").json()["timeToBuy"]
    text = page_text(admin, query, SPEED)
    file = csv_rows(admin, "time-to-buy", query)

    of_sources = {one["source"]: one for one in times["sources"]}
    assert of_sources["TF4"]["verdict"] == times["all"]["verdict"] == "beyond-chance"
    assert of_sources["TF4"]["before"]["medianSeconds"] == (20 * 60 + 4) * 60
    assert of_sources["TF4"]["changeSeconds"] == -17 * 3_600
    assert of_sources["proftest_muha"]["verdict"] == "too-few"
    assert times["overTime"][0]["verdict"] == "beyond-chance"
    assert "Думать стали меньше." in text
    assert "3 ч 4 мин ▼ быстрее, было 20 ч 4 мин" in text
    assert "Команда TF4 3 ч 4 мин ▼ быстрее, было 20 ч 4 мин 3 ч 2 мин 3 ч 6 мин 9 из 9" in text
    assert [(row["Чьи покупки"], row["С"]) for row in file] == [
        ("Все", ""),
        ("Команда TF4", ""),
        ("Муха", ""),
        ("Все", "01.10.2026"),
    ]
    assert file[1]["Половина быстрее, ч, было"] == "20,07"


def test_future_days_are_not_called_unfinished(admin: Client, landing: LandingPages) -> None:
    today = business_day()
    query = f"from={today - timedelta(days=1)}&to={today + timedelta(days=2)}&by=day"
    landing.write({"created_at": datetime.now(UTC)})

    rows = admin.get(f"{API}?{query}").json()["overTime"]
    text = page_text(admin, query, TREND)

    assert [(row["isRunning"], row["isToCome"]) for row in rows] == [
        (False, False),
        (True, False),
        (False, True),
        (False, True),
    ]
    assert "Период ещё не закончился, цифры вырастут." in text
    assert text.count(" ещё идёт ") == 1
    assert text.count("ещё не наступили") == 2


def test_a_long_table_is_paged_and_the_csv_file_has_every_row(
    admin: Client, landing: LandingPages
) -> None:
    query = "from=2026-01-01&to=2026-06-30&by=day"
    landing.write(lead(3, month=5))

    first, last = (page_text(admin, f"{query}&page={page}", TREND) for page in (1, 6))

    assert "Страница 1 из 6" in first
    assert "30 июня 0" in first
    assert "1 января 0" not in first
    assert "Страница 6 из 6" in last
    assert "1 января 0" in last
    assert page_text(admin, f"{query}&page=7", TREND) == last.replace("page=6", "page=7")
    assert len(csv_rows(admin, "over-time", query)) == 181


def test_a_source_named_with_spaces_can_be_clicked(admin: Client, landing: LandingPages) -> None:
    landing.write(lead(5, source="  "))

    page = admin.get(f"{SOURCES}?{IN_OCTOBER}").content.decode()

    assert re.search(r'open=\+\+"[^>]*><bdi>Пробелы вместо имени</bdi>', page)


def test_the_change_of_a_source_is_corrected_for_the_number_of_sources(
    admin: Client, landing: LandingPages
) -> None:
    landing.write(lead(1, created_at=datetime(2026, 1, 1, tzinfo=ALMATY)))
    for month, bought in ((9, 3), (10, 5)):
        for day in range(1, 31):
            sold = {"source": "TF4", "sms_clicked": True}
            landing.write(lead(day, month), *(lead(day, month, **sold) for _ in range(bought)))

    body = admin.get(f"{API}?{IN_OCTOBER}&compare=last-month").json()

    tf4 = next(row for row in body["sources"] if row["source"] == "TF4")
    assert body["funnel"]["purchases"]["verdict"] == "beyond-chance"
    assert tf4["purchases"]["verdict"] == "within-chance"
