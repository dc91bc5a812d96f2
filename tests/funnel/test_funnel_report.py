"""Every figure of the funnel, against a plain count of the same rows."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from funnel.people.duplicates import DuplicateCheck, page_of_duplicates
from funnel.question import FunnelQuestion
from funnel.report.answers import Topic, answers
from funnel.report.sources import Source
from funnel.report.stage_report import FunnelReport, StageStatus
from funnel.stats.comparison import share
from onai.local.demo_data.leads import demo_leads
from onai.periods import Period
from tests.conftest import LandingPages
from tests.support.plain_funnel import count, half_up

ALMATY = ZoneInfo("Asia/Almaty")
PERIOD = Period(date(2025, 11, 23), date(2025, 12, 22))
INSIDE = datetime(2025, 12, 1, 12, tzinfo=ALMATY)


def _report() -> FunnelReport:
    return answers(FunnelQuestion(PERIOD), ()).report


def _sources() -> tuple[Source, ...]:
    return answers(FunnelQuestion(PERIOD), (Topic.SOURCES,)).sources.rows


def _agrees(report: FunnelReport, rows: list[dict[str, Any]]) -> None:
    plain = count(rows, report.period.start, report.period.end)
    proftest, express, payment = report.stages
    assert (proftest.reached, express.reached, payment.reached) == (
        plain.visitors,
        plain.emailed,
        plain.purchases,
    )
    assert proftest.conversion_rate == 100
    assert express.conversion_rate == half_up(plain.emailed, plain.visitors, 0)
    assert payment.conversion_rate == half_up(plain.purchases, plain.emailed, 0)
    assert Fraction(report.overall_conversion) == half_up(plain.purchases, plain.visitors, 2)
    assert report.revenue == plain.purchases * 5_000
    sources = _sources()
    assert {
        row.source: (
            row.funnel.leads.now,
            row.funnel.steps[1].reached.now,
            row.funnel.purchases.now,
        )
        for row in sources
    } == plain.sources
    for row in sources:
        conversion = row.funnel.conversion
        assert row.funnel.revenue.now == row.funnel.purchases.now * 5_000
        if conversion.percent is None:
            assert not conversion.whole
        else:
            assert Fraction(conversion.percent) == half_up(conversion.part, conversion.whole, 2)
    duplicates = page_of_duplicates(PERIOD).check
    assert duplicates.purchases == plain.purchases
    assert duplicates.distinct_phones == len(plain.phones)
    assert duplicates.distinct_emails == len(plain.emails)
    assert duplicates.without_phone == plain.purchases - plain.phones.total()
    assert duplicates.without_email == plain.purchases - plain.emails.total()
    assert duplicates.repeated_phones == len(plain.repeated_phones)
    assert duplicates.repeated_emails == len(plain.repeated_emails)


def test_the_report_of_december_2025(landing: LandingPages) -> None:
    evening = datetime(2025, 12, 22, 23, 55, tzinfo=ALMATY)
    rows = demo_leads(evening)
    landing.write(*rows)

    report = _report()

    assert [stage.reached for stage in report.stages] == [350, 380, 30]
    assert [stage.conversion_rate for stage in report.stages] == [100, 109, 8]
    assert [stage.status for stage in report.stages] == ["success", "success", "warning"]
    assert [(stage.gained, stage.lost) for stage in report.stages] == [(0, 0), (30, 0), (0, 350)]
    assert report.revenue == 150_000
    assert report.overall_conversion == Decimal("8.57")
    bought = {row.source: row.funnel.purchases.now for row in _sources()}
    sold = {source: count for source, count in bought.items() if count}
    assert sold == {"proftest_kenesary": 19, "proftest_arystan": 9, "expresscourse": 2}
    assert list(bought)[:3] == list(sold)
    assert page_of_duplicates(PERIOD).check == DuplicateCheck(30, 30, 29, 0, 1, 0, 0)
    assert not page_of_duplicates(PERIOD).check.found
    _agrees(report, rows)


def _strange_rows() -> list[dict[str, Any]]:
    """25 000 leads in the window, made to break a count, and as many as fit around its edges."""
    dice = random.Random(7)
    sources = [
        *(
            "proftest_kenesary",
            "proftest",
            "proftest_",
            "PROFTEST_x",
            "xproftest_a",
            "expresscourse",
        ),
        *(None, "", " ", "proftest%", "TF4", "<script>alert(1)</script>", "O\"Brien's"),
        "مصدر \u202etxt",
    ]
    flags = (True, False, None)
    seconds = int((PERIOD.end - PERIOD.start).total_seconds())
    rows = [
        {
            "source": dice.choice(sources),
            "email_sent": dice.choice(flags),
            "sms_clicked": dice.choice(flags),
            "phone": _spelling(dice, dice.randrange(6_000)),
            "email": _email(dice, dice.randrange(6_000)),
            "created_at": PERIOD.start + timedelta(seconds=dice.randrange(seconds)),
        }
        for _ in range(25_000)
    ]
    for edge in (PERIOD.start, PERIOD.end):
        for offset in (-1, 0, 1):
            moment = edge + timedelta(seconds=offset)
            flagged: dict[str, Any] = {
                "email_sent": True,
                "sms_clicked": True,
                "source": "proftest_edge",
            }
            rows.append({**flagged, "phone": f"edge {offset}", "created_at": moment})
    return rows


def _spelling(dice: random.Random, number: int) -> str:
    local = f"700{number:07d}"
    return dice.choice(
        (
            f"+7{local}",
            f"8{local}",
            local,
            f"+7 ({local[:3]}) {local[3:6]}-{local[6:8]}-{local[8:]}",
            f"007{local}",
            f" 8 {local[:3]} {local[3:]} доб. 1" if number % 50 == 0 else f"8-{local}",
            "нет" if number % 40 == 0 else local,
            "" if number % 40 == 1 else local,
        )
    )


def _email(dice: random.Random, number: int) -> str | None:
    address = f"Lead{number}@onai.test"
    return dice.choice((address, address.lower(), address.upper(), f" {address} ", None, ""))


def test_odd_rows_are_counted_like_any(landing: LandingPages) -> None:
    rows = _strange_rows()
    landing.write_many(INSIDE, rows)

    report = _report()

    _agrees(report, rows)
    assert page_of_duplicates(PERIOD).check.found
    assert "PROFTEST_x" in {row.source for row in _sources()}


@pytest.mark.parametrize(
    ("moment", "counted"),
    [
        (datetime(2025, 11, 22, 18, 59, 59, tzinfo=UTC), 0),  # 23:59:59 in Almaty, the day before
        (datetime(2025, 11, 22, 19, 0, 0, tzinfo=UTC), 1),
        (datetime(2025, 12, 22, 18, 59, 59, tzinfo=UTC), 1),
        (datetime(2025, 12, 22, 19, 0, 0, tzinfo=UTC), 0),
    ],
)
def test_a_day_begins_and_ends_at_midnight_in_almaty(
    landing: LandingPages, moment: datetime, counted: int
) -> None:
    landing.write({"source": "proftest_a", "created_at": moment})

    assert _report().proftest.reached == counted


def test_almaty_was_six_hours_ahead_before_march_2024() -> None:
    spring = Period(date(2024, 2, 29), date(2024, 3, 1))

    assert spring.start == datetime(2024, 2, 28, 18, tzinfo=UTC)
    assert spring.end == datetime(2024, 3, 1, 19, tzinfo=UTC)
    assert spring.days == 2


@pytest.mark.parametrize(
    "source", ["proftest", "proftest_", "proftest_kenesary", "proftestX", "proftest%"]
)
def test_a_source_that_begins_with_proftest_is_of_the_test(
    landing: LandingPages, source: str
) -> None:
    landing.write({"source": source, "created_at": INSIDE})

    assert _report().proftest.reached == 1


@pytest.mark.parametrize("source", ["PROFTEST_x", "xproftest_a", " proftest_a", "", None])
def test_other_sources_are_not_proftest(landing: LandingPages, source: str | None) -> None:
    landing.write({"source": source, "created_at": INSIDE})

    report = _report()

    assert report.proftest.reached == 0
    assert [row.funnel.leads.now for row in _sources()] == [1]


def test_three_spellings_of_a_phone_are_one_buyer(landing: LandingPages) -> None:
    for phone in ("+7 700 000-45-67", "87000004567", "7000004567"):
        landing.write({"phone": phone, "sms_clicked": True, "created_at": INSIDE})
    landing.write({"phone": "87000004568", "sms_clicked": True, "created_at": INSIDE})

    duplicates = page_of_duplicates(PERIOD).check

    assert duplicates.distinct_phones == 2
    assert (duplicates.repeated_phones, duplicates.repeated_emails) == (1, 0)


@pytest.mark.parametrize("path", ["/funnel/sources", "/funnel/people", "/funnel/ads?utm=campaign"])
def test_names_and_sources_may_hold_anything(admin: Any, landing: LandingPages, path: str) -> None:
    strange = "<b onclick='x'>\"Ә\" & \u202eمرحبا"
    landing.write({"name": strange, "source": strange, "metadata": {"utm_campaign": strange}})

    page = admin.get(path).content.decode()

    assert strange not in page
    assert "&lt;b onclick=&#x27;x&#x27;&gt;" in page


def test_an_empty_period_has_zeros_and_a_moment(landing: LandingPages) -> None:
    before = datetime.now(UTC)

    report = _report()

    assert [stage.reached for stage in report.stages] == [0, 0, 0]
    assert [stage.conversion_rate for stage in report.stages] == [100, 0, 0]
    assert report.overall_conversion == 0
    assert _sources() == ()
    assert report.express.status is StageStatus.WARNING
    assert before <= report.as_of <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("part", "whole", "decimals", "percent"),
    [
        (380, 350, 0, "109"),
        (30, 380, 0, "8"),
        (30, 350, 2, "8.57"),
        (1, 200, 0, "1"),  # 0.5 goes up, where banker's rounding would give 0
        (5, 1_000, 0, "1"),
        (3, 200, 0, "2"),
        (1, 16_000, 2, "0.01"),
        (1, 0, 0, "0"),
        (0, 0, 2, "0.00"),
    ],
)
def test_shares_are_rounded_half_up(part: int, whole: int, decimals: int, percent: str) -> None:
    assert str(share(part, whole, decimals=decimals)) == percent


@pytest.mark.parametrize(
    ("emailed", "purchases", "express", "payment"),
    [(30, 6, "warning", "warning"), (31, 7, "success", "success")],
)
def test_a_stage_does_well_only_above_its_threshold(
    landing: LandingPages, emailed: int, purchases: int, express: str, payment: str
) -> None:
    rows = [{"source": "proftest_a", "email_sent": n < emailed} for n in range(100)]
    for row in rows[:purchases]:
        row["sms_clicked"] = True
    landing.write_many(INSIDE, rows)

    report = _report()

    assert [stage.status for stage in report.stages] == ["success", express, payment]


def test_the_price_is_the_configured_one(landing: LandingPages, settings: Any) -> None:
    settings.COURSE_PRICE_KZT = 7_500
    landing.write({"source": "TF4", "sms_clicked": True, "created_at": INSIDE})

    report = _report()

    assert (report.revenue, _sources()[0].funnel.revenue.now) == (7_500, 7_500)


@pytest.mark.parametrize("leads", [0, 1, 3_000])
def test_the_report_takes_one_statement_for_any_number_of_rows(
    landing: LandingPages, leads: int
) -> None:
    landing.write_many(INSIDE, [{"source": f"proftest_{n}"} for n in range(leads)])

    with CaptureQueriesContext(connections["landing"]) as statements:
        report = _report()

    assert report.proftest.reached == leads
    assert len(statements) == 1
