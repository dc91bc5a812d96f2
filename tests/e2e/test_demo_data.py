"""Demo data: gives the figures of the December 2025 report, whenever it is generated."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from onai.local.demo_data.accounts import demo_tripwire
from onai.local.demo_data.leads import demo_leads
from onai.local.demo_data.marks import landing_tables
from onai.local.demo_data.names import name_of
from onai.local.demo_data.people import demo_people, silent_since
from onai.periods import Period, business_day
from tests.conftest import LandingPages
from tests.support.plain_funnel import count

ALMATY = ZoneInfo("Asia/Almaty")
MOMENTS = [
    datetime(2025, 12, 22, 18, 55, tzinfo=ALMATY),
    datetime(2026, 1, 1, 0, 0, 0, tzinfo=ALMATY),
    datetime(2026, 2, 28, 23, 59, 59, tzinfo=ALMATY),
    datetime(2026, 3, 1, 0, 0, 1, tzinfo=ALMATY),
    datetime(2028, 2, 29, 12, tzinfo=ALMATY),
    datetime(2026, 7, 14, 20, 30, tzinfo=UTC),  # already tomorrow in Almaty
    datetime(2031, 11, 30, 4, 59, tzinfo=ALMATY),
]


def _window(moment: datetime) -> Period:
    today = business_day(moment)
    return Period(today - timedelta(days=29), today)


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
@pytest.mark.parametrize("days_later", [0, 1])
def test_the_demo_shows_the_figures_of_the_report(moment: datetime, days_later: int) -> None:
    leads = demo_leads(moment)
    period = _window(moment + timedelta(days=days_later))  # the demo may run past midnight

    plain = count(leads, period.start, period.end)

    assert (plain.visitors, plain.emailed, plain.purchases) == (350, 380, 30)
    sold = {name: bought for name, (_, _, bought) in plain.sources.items() if bought}
    assert sold == {"proftest_kenesary": 19, "proftest_arystan": 9, "expresscourse": 2}
    assert (len(plain.phones), len(plain.emails)) == (30, 29)
    assert not plain.repeated_phones
    assert not plain.repeated_emails


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_no_demo_row_is_in_the_future(moment: datetime) -> None:
    demo = demo_tripwire(moment)
    tables = [demo.students, demo.activity, *demo.tables.values()]
    for row in chain(demo_leads(moment), *landing_tables(moment).values(), *tables):
        for name, value in row.items():
            # The next attempt at a waiting letter or an open request may be in the future.
            may_be_later = name in ("due_at", "give_up_at", "leased_until")
            if isinstance(value, datetime) and not may_be_later:
                assert value <= moment, name
    for account in demo.accounts:
        assert account.created_at <= moment
        assert account.last_sign_in_at is None or account.last_sign_in_at <= moment


def test_the_same_moment_gives_the_same_rows() -> None:
    assert demo_leads(MOMENTS[0]) == demo_leads(MOMENTS[0])
    assert demo_tripwire(MOMENTS[0]) == demo_tripwire(MOMENTS[0])


def test_only_the_dates_depend_on_the_day() -> None:
    def undated(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{k: v for k, v in row.items() if not k.endswith("_at")} for row in rows]

    assert undated(demo_leads(MOMENTS[0])) == undated(demo_leads(MOMENTS[-1]))


def test_every_column_that_production_fills_has_values() -> None:
    leads = demo_leads(MOMENTS[0])

    for name in leads[0]:
        values = [lead[name] for lead in leads]
        is_filled = any(value not in (None, {}, False) for value in values)
        assert is_filled == (name != "email_opened_at"), name  # nothing writes this column
    flags = ("email_sent", "email_clicked", "sms_sent", "sms_clicked")
    assert all({lead[flag] for lead in leads} == {True, False, None} for flag in flags)
    assert any(lead["sms_clicked"] and not lead["sms_clicked_at"] for lead in leads)
    assert any("utmParams" in lead["metadata"] for lead in leads)
    assert any("utm_source" in lead["metadata"] for lead in leads)
    methods = {lead["metadata"].get("paymentMethod") for lead in leads}
    assert methods == {"kaspi", "card", "manager", None}
    assert any(lead["name"] != lead["name"].strip() for lead in leads)
    assert any(lead["email"] is None for lead in leads if lead["source"] == "expresscourse")


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_demo_leads_get_email_and_sms_ten_minutes_after_the_test(moment: datetime) -> None:
    for lead in demo_leads(moment):
        if lead["source"] == "expresscourse":
            marks = ("email_sent", "sms_sent", "email_error", "sms_error")
            assert not any(lead[mark] for mark in marks)
            continue
        assert lead["sms_sent"] or lead["sms_error"]
        for name in ("email_sent_at", "sms_sent_at"):
            if lead[name] is not None:
                waited = lead[name] - lead["created_at"]
                assert timedelta(minutes=7) < waited < timedelta(minutes=13)


def test_few_demo_leads_click_the_link_in_the_email() -> None:
    assert sum(bool(lead["email_clicked"]) for lead in demo_leads(MOMENTS[0])) == 9


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_the_click_mark_stops_while_leads_and_short_link_clicks_continue(moment: datetime) -> None:
    since = silent_since(moment)
    leads = demo_leads(moment)
    marked = [lead["sms_clicked_at"] for lead in leads if lead["sms_clicked_at"]]
    clicks = landing_tables(moment)["short_link_clicks"]
    people = [click for click in clicks if "iPhone" in click["user_agent"]]

    assert max(marked) == since
    assert timedelta(days=12) < moment - since < timedelta(days=14)
    assert not any(lead["sms_clicked"] for lead in leads if lead["created_at"] > since)
    assert sum(lead["created_at"] > since for lead in leads) > 100
    assert len(people) > 20
    assert all(click["clicked_at"] > since for click in clicks)
    assert len(clicks) > len(people)  # the rest are link previews


def test_the_site_reports_only_the_click_mark_as_silent(
    admin: Client, landing: LandingPages
) -> None:
    landing.write(*demo_leads(datetime.now(UTC)))

    signals = admin.get("/api/traffic-dashboard/signals").json()

    assert [one["id"] for one in signals["signals"] if one["state"] == "silent"] == ["sms_clicked"]
    assert not any(one["state"] == "silent" for one in signals["sources"])


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_the_demo_has_about_40_won_deals_and_40_new_students(moment: datetime) -> None:
    period = _window(moment)
    sales = landing_tables(moment)["express_course_sales"]
    students = demo_tripwire(moment).students
    won = sum(period.start <= sale["sale_date"] < period.end for sale in sales)
    opened = sum(period.start <= student["created_at"] < period.end for student in students)

    assert 38 <= won <= 44
    assert 38 <= opened <= 44


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_demo_letters_are_in_every_state(moment: datetime) -> None:
    demo = demo_tripwire(moment)
    letters = demo.tables["sales_letters"]
    states = Counter((letter["state"], letter["delivery"]) for letter in letters)
    signed_in = {one.email: one.last_sign_in_at for one in demo.accounts}

    for state in (("failed", "accepted"), ("pending", "accepted")):
        assert states[state] == 1
    for delivery in ("delayed", "undelivered", "suppressed", "complained"):
        assert states["sent", delivery] == 1
    assert states["sent", "delivered"] > 20
    for letter in letters:
        if letter["state"] != "sent" or letter["delivery"] in ("undelivered", "suppressed"):
            assert signed_in[letter["recipient"]] is None
        assert letter["state"] != "pending" or letter["give_up_at"] > moment


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_demo_buyers_wait_from_minutes_to_three_days(moment: datetime) -> None:
    waited = sorted(
        moment - person.chose_at
        for person in demo_people(moment)
        if person.chose_at and not person.access_at and moment - person.chose_at < timedelta(days=4)
    )

    assert len(waited) == 7
    assert waited[0] < timedelta(minutes=10)
    assert timedelta(days=2) < waited[-1] < timedelta(days=3)


def test_some_demo_students_never_signed_in_and_some_are_inactive() -> None:
    demo = demo_tripwire(MOMENTS[0])
    students = [account for account in demo.accounts if account.role == "student"]
    never = [one for one in students if one.last_sign_in_at is None]
    quiet = [
        one
        for one in students
        if one.last_sign_in_at and MOMENTS[0] - one.last_sign_in_at > timedelta(days=7)
    ]

    assert len(never) > 8
    assert len(quiet) > 5
    assert len(demo.tables["certificates"]) > 2
    assert not any(name in demo.students[0] for name in ("email_opened", "first_login_at"))


def test_the_demo_has_acts_under_way_and_one_that_was_refused() -> None:
    demo = demo_tripwire(MOMENTS[0])
    requests = demo.tables["sales_requests"]
    students = {row["id"]: row["status"] for row in demo.students}

    assert [(row["kind"], row["state"]) for row in requests] == [
        ("creation", "open"),
        ("creation", "refused"),
        ("status", "open"),
    ]
    assert not {row["email"] for row in requests[:2]} & {row["email"] for row in demo.students}
    assert students[requests[2]["student_id"]] == "inactive"


def test_one_access_of_the_demo_without_a_payment_is_explained() -> None:
    demo = demo_tripwire(MOMENTS[0])
    (gift,) = demo.tables["sales_student_leads"]
    (student,) = [row for row in demo.students if row["id"] == gift["student_id"]]
    (act,) = [row for row in demo.activity if row["details"].get("change") == "access_explained"]

    assert (gift["how"], bool(gift["note"])) == ("explained", True)
    assert act["target_user_id"] == student["user_id"]
    assert act["details"]["after"] == gift["note"]


def test_the_demo_has_leads_in_earlier_months() -> None:
    window = _window(MOMENTS[0])
    before = Period(window.first_day - timedelta(days=30), window.first_day - timedelta(days=1))

    plain = count(demo_leads(MOMENTS[0]), before.start, before.end)

    assert plain.visitors > 50
    assert plain.purchases > 0


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_the_events_of_a_demo_lead_are_in_order(moment: datetime) -> None:
    for lead in demo_leads(moment):
        for way in (("created", "email_sent", "email_clicked"), ("created", "sms_sent")):
            moments = [lead[f"{step}_at"] for step in way if lead[f"{step}_at"]]
            assert moments == sorted(moments), lead
        if lead["sms_clicked_at"]:
            assert lead["created_at"] < lead["sms_clicked_at"]
        assert lead["updated_at"] >= lead["created_at"]
        for flag in ("email_sent", "email_clicked", "sms_sent", "sms_clicked"):
            assert lead[flag] or lead[f"{flag}_at"] is None
        assert not lead["email_clicked"] or lead["email_sent"]


def test_a_surname_agrees_with_the_given_name() -> None:
    """No given name occurs with both feminine and masculine surnames."""
    names = [name_of(number).split() for number in range(2_000)]
    women = {given for given, surname in names if surname.endswith("ва")}
    men = {given for given, surname in names if surname.endswith("в")}

    assert {"Айгерим", "Лаура", "Шолпан"} <= women
    assert {"Қайрат", "Марат", "Тимур"} <= men
    assert not women & men
    assert len({surname for _, surname in names}) > 30


def test_the_demo_holds_no_real_person() -> None:
    for lead in demo_leads(MOMENTS[0]):
        digits = "".join(letter for letter in lead["phone"] if letter.isdigit())
        assert digits[-10:].startswith("700000")
        assert lead["email"] is None or lead["email"].endswith("@onai.test")


def test_the_demo_has_50_accounts_two_of_them_managers() -> None:
    demo = demo_tripwire(MOMENTS[0])

    roles = [account.role for account in demo.accounts]
    assert len(roles) == len({account.email for account in demo.accounts}) == 50
    assert (roles.count("admin"), roles.count("sales")) == (1, 2)
    assert {row["email"] for row in demo.students} == {
        account.email for account in demo.accounts if account.role == "student"
    }
