"""The demo's rows give the report of December 2025 on whatever day and at whatever hour."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from onai.local.demo_data.accounts import demo_tripwire
from onai.local.demo_data.leads import demo_leads
from onai.periods import Period, business_day
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
def test_the_demo_gives_the_numbers_of_the_report(moment: datetime, days_later: int) -> None:
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
def test_no_row_is_in_the_future(moment: datetime) -> None:
    demo = demo_tripwire(moment)
    for row in [*demo_leads(moment), *demo.students, *demo.activity]:
        for name, value in row.items():
            if isinstance(value, datetime):
                assert value <= moment, name


def test_the_same_moment_gives_the_same_rows() -> None:
    assert demo_leads(MOMENTS[0]) == demo_leads(MOMENTS[0])
    assert demo_tripwire(MOMENTS[0]) == demo_tripwire(MOMENTS[0])


def test_only_the_dates_depend_on_the_day() -> None:
    def undated(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{k: v for k, v in row.items() if not k.endswith("_at")} for row in rows]

    assert undated(demo_leads(MOMENTS[0])) == undated(demo_leads(MOMENTS[-1]))


def test_every_column_has_plausible_values() -> None:
    leads = demo_leads(MOMENTS[0])

    for name in leads[0]:
        values = [lead[name] for lead in leads]
        assert any(value not in (None, {}, False) for value in values), name
    flags = ("email_sent", "email_clicked", "sms_sent", "sms_clicked")
    assert all({lead[flag] for lead in leads} == {True, False, None} for flag in flags)
    assert any(lead["sms_clicked"] and not lead["sms_clicked_at"] for lead in leads)
    assert any("utmParams" in lead["metadata"] for lead in leads)
    assert any("utm_source" in lead["metadata"] for lead in leads)


def test_older_leads_fill_the_months_before() -> None:
    window = _window(MOMENTS[0])
    before = Period(window.first_day - timedelta(days=30), window.first_day - timedelta(days=1))

    plain = count(demo_leads(MOMENTS[0]), before.start, before.end)

    assert plain.visitors > 50
    assert plain.purchases > 0


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_the_moments_of_a_lead_are_in_order(moment: datetime) -> None:
    way = ("created", "email_sent", "email_opened", "email_clicked", "sms_sent", "sms_clicked")
    for lead in demo_leads(moment):
        moments = [lead[f"{step}_at"] for step in way if lead[f"{step}_at"]]
        assert moments == sorted(moments), lead
        assert lead["updated_at"] == moments[-1]
        for flag in ("email_sent", "email_clicked", "sms_sent", "sms_clicked"):
            assert lead[flag] or lead[f"{flag}_at"] is None
        assert not lead["email_clicked"] or (lead["email_opened_at"] and lead["email_sent"])


def test_a_surname_agrees_with_the_given_name() -> None:
    """Whoever bears a woman's surname bears no man's given name, and the other way round."""
    rows = [*demo_leads(MOMENTS[0]), *demo_tripwire(MOMENTS[0]).students]
    names = [(row.get("name") or row["full_name"]).split() for row in rows]
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


def test_there_are_50_accounts_two_of_them_managers() -> None:
    demo = demo_tripwire(MOMENTS[0])

    roles = [account.role for account in demo.accounts]
    assert len(roles) == len({account.email for account in demo.accounts}) == 50
    assert (roles.count("admin"), roles.count("sales")) == (1, 2)
    assert {row["email"] for row in demo.students} == {
        account.email for account in demo.accounts if account.role == "student"
    }
