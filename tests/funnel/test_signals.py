"""Which marks of the funnel still come, as the API tells it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.core.cache import cache
from django.test import Client

from onai.local.roles import LANDING_READER
from tests.conftest import LandingPages
from tests.settings import LANDING_URL
from tests.support.desk import Desk
from tests.support.optional_tables import taken_away
from tests.support.outages import landing_outage
from tests.support.student_rows import Sales, text_on
from tests.support.watched_leads import SIGNALS, signal, signals, write_weeks

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IDS = [
    *("leads", "proftest", "email_sent", "sms_sent", "email_clicked", "sms_clicked"),
    *("payment_chosen", "crm_won", "access_opened", "signed_in"),
]


def states(admin: Client) -> dict[str, str]:
    return {one["id"]: one["state"] for one in signals(admin)["signals"]}


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)


def test_signals_are_for_admins(client: Client, as_person: Callable[[str], Client]) -> None:
    assert client.get(SIGNALS).status_code == 401
    assert as_person("ayaulym@onai.test").get(SIGNALS).status_code == 403


def test_marks_that_come_are_alive_with_their_expectation(
    admin: Client, landing: LandingPages, desk: Desk
) -> None:
    write_weeks(landing, a_day=60, each=3)

    found = signals(admin)

    assert (found["success"], found["stale"]) == (True, False)
    assert [one["id"] for one in found["signals"]] == IDS
    by_id = {one["id"]: one for one in found["signals"]}
    for mark, expected in (("leads", 60), ("proftest", 60), ("sms_sent", 60), ("sms_clicked", 20)):
        one = by_id[mark]
        assert (one["state"], one["silentSince"]) == ("alive", None), mark
        assert one["expectedPerDay"] == pytest.approx(expected, rel=0.05)
        assert _moment(found["asOf"]) - _moment(one["lastSeen"]) < 3 * HOUR
    assert set(by_id["leads"]) >= {
        *("id", "state", "lastSeen", "silentSince", "expectedPerDay", "message"),
    }
    assert [one["source"] for one in found["sources"]] == ["proftest_kenesary"]


def test_a_mark_that_never_came_has_the_state_never(
    admin: Client, landing: LandingPages, desk: Desk
) -> None:
    write_weeks(landing)

    one = signal(admin, "email_clicked")

    assert one["state"] == "never"
    assert (one["lastSeen"], one["silentSince"], one["expectedPerDay"]) == (None, None, None)
    assert one["message"] == "Клики по письмам: ещё ни разу."
    assert {states(admin)[mark] for mark in ("crm_won", "access_opened")} == {"never"}


@pytest.mark.parametrize(
    ("each", "silent_for"), [(3, 24 * HOUR), (20, 6 * DAY)], ids=["20 a day", "3 a day"]
)
def test_clicks_that_stop_while_leads_go_on_are_silent_since_the_last_one(
    admin: Client, landing: LandingPages, each: int, silent_for: timedelta
) -> None:
    write_weeks(landing, each=each, clicked_until=silent_for)

    one = signal(admin, "sms_clicked")

    assert one["state"] == "silent"
    assert one["silentSince"] == one["lastSeen"]
    since = datetime.now(UTC) - _moment(one["silentSince"])
    assert silent_for < since < silent_for + DAY
    assert one["expectedPerDay"] == pytest.approx(60 / each, rel=0.1)
    assert {mark for mark, state in states(admin).items() if state == "silent"} == {"sms_clicked"}


@pytest.mark.parametrize("hours", [1, 5])
def test_a_pause_that_is_no_silence_is_not_called_one(
    admin: Client, landing: LandingPages, hours: int
) -> None:
    write_weeks(landing, each=3, clicked_until=hours * HOUR)

    assert signal(admin, "sms_clicked")["state"] == "alive"


def test_a_busy_mark_is_not_silent_before_three_hours(admin: Client, landing: LandingPages) -> None:
    write_weeks(landing, a_day=2_400, over=10 * DAY, until=2.9 * HOUR)
    assert signal(admin, "leads")["state"] == "alive"

    landing.connection.execute("update landing_leads set created_at = created_at - '1 h'::interval")
    cache.clear()
    assert signal(admin, "leads")["state"] == "silent"


def test_a_mark_that_has_been_silent_for_months_stays_silent_with_its_expectation(
    admin: Client, landing: LandingPages
) -> None:
    write_weeks(landing, each=3, over=200 * DAY, clicked_until=150 * DAY)

    one = signal(admin, "sms_clicked")

    assert one["state"] == "silent"
    assert 150 * DAY < datetime.now(UTC) - _moment(one["silentSince"]) < 151 * DAY
    assert one["expectedPerDay"] == pytest.approx(20, rel=0.1)


def test_a_mark_that_resumes_is_alive(admin: Client, landing: LandingPages) -> None:
    write_weeks(landing, each=3, clicked_until=10 * DAY)
    assert signal(admin, "sms_clicked")["state"] == "silent"

    landing.write({"sms_clicked": True, "sms_clicked_at": datetime.now(UTC)})
    cache.clear()

    one = signal(admin, "sms_clicked")
    assert (one["state"], one["silentSince"]) == ("alive", None)


def test_a_mark_that_comes_at_a_quarter_of_its_pace_is_slow(
    admin: Client, landing: LandingPages
) -> None:
    write_weeks(landing, each=3, clicked_until=4 * DAY)
    write_weeks(landing, each=12, over=4 * DAY)

    one = signal(admin, "sms_clicked")

    assert one["state"] == "slow"
    assert "за три дня, обычно около 5" in one["message"]


def test_marks_without_moments_are_not_silent_because_the_last_leads_are_young(
    admin: Client, landing: LandingPages
) -> None:
    write_weeks(landing, each=3, clicked_until=36 * HOUR, timed=False)
    assert signal(admin, "sms_clicked")["state"] == "alive"

    landing.connection.execute(
        "update landing_leads set sms_clicked = null where created_at > %s",
        [datetime.now(UTC) - 6 * DAY],
    )
    cache.clear()
    assert signal(admin, "sms_clicked")["state"] == "silent"


def test_a_click_of_a_clock_that_is_ahead_is_seen_now(admin: Client, landing: LandingPages) -> None:
    write_weeks(landing, each=3)
    landing.write({"sms_clicked": True, "sms_clicked_at": datetime.now(UTC) + HOUR})

    found = signals(admin)
    one = next(one for one in found["signals"] if one["id"] == "sms_clicked")

    assert one["lastSeen"] == found["asOf"]


def test_a_big_source_that_stops_is_silent_by_itself(admin: Client, landing: LandingPages) -> None:
    write_weeks(landing, source="proftest_kenesary", a_day=60)
    write_weeks(landing, source="proftest_arystan", a_day=40, until=2 * DAY)
    write_weeks(landing, source="TF4", a_day=1, over=20 * DAY)

    found = signals(admin)

    of_sources = {one["source"]: one["state"] for one in found["sources"]}
    assert of_sources == {"proftest_kenesary": "alive", "proftest_arystan": "silent"}
    assert next(one for one in found["signals"] if one["id"] == "leads")["state"] == "alive"


@pytest.mark.usefixtures("sold")
def test_an_outage_of_landing_is_no_silence(admin: Client) -> None:
    with psycopg.connect(LANDING_URL, autocommit=True) as connection:
        write_weeks(LandingPages(connection))
    with landing_outage():
        assert admin.get(SIGNALS).json()["code"] == "figures_unavailable"
    before = states(admin)

    with landing_outage():
        admin.post("/funnel/refresh")
        found = signals(admin)

    assert found["stale"] is True
    assert {one["id"]: one["state"] for one in found["signals"]} == before


def test_without_a_table_or_the_right_to_read_it_a_mark_is_unknown(
    admin: Client, landing: LandingPages, desk: Desk
) -> None:
    write_weeks(landing)

    with taken_away("express_course_sales"):
        one = signal(admin, "crm_won")
    assert (one["state"], one["lastSeen"], one["expectedPerDay"]) == ("unknown", None, None)
    assert one["message"] == "Выигранные сделки в CRM: неизвестно, таблицы нет."

    cache.clear()
    with psycopg.connect(LANDING_URL, autocommit=True) as owner:
        owner.execute(f"revoke select on express_course_sales from {LANDING_READER}")
        try:
            assert "не дано право" in signal(admin, "crm_won")["message"]
        finally:
            owner.execute(f"grant select on express_course_sales to {LANDING_READER}")


def test_hidden_leads_are_not_reported_as_never(admin: Client, landing: LandingPages) -> None:
    landing.write({"source": "TF4"})
    with psycopg.connect(LANDING_URL, autocommit=True) as owner:
        owner.execute("alter policy onai_reads on landing_leads using (false)")
        try:
            answer = admin.get(SIGNALS)
        finally:
            owner.execute("alter policy onai_reads on landing_leads using (true)")

    assert (answer.status_code, answer.json()["code"]) == (503, "leads_hidden")


def test_a_chosen_way_to_pay_is_read_from_stages_and_from_leads(
    admin: Client, landing: LandingPages
) -> None:
    write_weeks(landing)
    assert signal(admin, "payment_chosen")["state"] == "never"

    landing.write({"metadata": {"paymentMethod": "kaspi"}})
    cache.clear()
    with taken_away("journey_stages"):
        assert signal(admin, "payment_chosen")["state"] == "alive"

    cache.clear()
    landing.connection.execute(
        "insert into journey_stages (lead_id, stage, created_at)"
        " select gen_random_uuid(), 'payment_kaspi', now() - n * '1 hour'::interval"
        " from generate_series(1, 900) n"
    )
    assert signal(admin, "payment_chosen")["expectedPerDay"] == pytest.approx(24, rel=0.05)


def test_deals_accesses_and_sign_ins_are_watched(
    admin: Client, landing: LandingPages, sales: Sales, desk: Desk
) -> None:
    landing.connection.execute(
        "insert into express_course_sales (deal_id, sale_date)"
        " select n, now() - n * '1 hour'::interval from generate_series(24, 900) n"
    )
    now = datetime.now(UTC)
    student = sales.add(created_at=now - 2 * HOUR)
    desk.connection.execute(
        "update auth.users set last_sign_in_at = %s where id = %s",
        [now - HOUR, student["user_id"]],
    )

    by_id = {one["id"]: one for one in signals(admin)["signals"]}

    assert by_id["crm_won"]["state"] == "silent"
    assert by_id["access_opened"]["state"] == by_id["signed_in"]["state"] == "alive"
    assert now - _moment(by_id["signed_in"]["lastSeen"]) < 61 * timedelta(minutes=1)


# --- The mailer --------------------------------------------------------------------------------


def test_leads_without_message_or_error_mean_that_the_mailer_is_down(
    admin: Client, landing: LandingPages
) -> None:
    write_weeks(landing, a_day=24, until=2 * HOUR)
    assert signals(admin)["mailer"]["state"] == "working"

    minutes = timedelta(minutes=1)
    now = datetime.now(UTC)
    for age in (31, 50):
        landing.write({"source": "proftest_kenesary", "created_at": now - age * minutes})
    landing.write(
        {"source": "proftest_kenesary", "created_at": now - 29 * minutes},
        {"source": "proftest_kenesary", "created_at": now - 40 * minutes, "sms_error": "нет"},
    )
    cache.clear()
    mailer = signals(admin)["mailer"]

    assert (mailer["state"], mailer["waiting"]) == ("down", 2)
    assert now - _moment(mailer["since"]) < 51 * minutes
    assert mailer["message"].startswith("Рассылка стоит: без письма и SMS ждут 2 заявки")

    landing.write({"created_at": now - 5 * minutes, "email_sent": True})
    cache.clear()
    passed_over = signals(admin)["mailer"]
    assert (passed_over["state"], passed_over["waiting"]) == ("down", 2)
    assert passed_over["message"].startswith("Без письма и SMS остались 2 заявки")


def test_sources_that_are_never_mailed_wait_for_nothing(
    admin: Client, landing: LandingPages
) -> None:
    write_weeks(landing, source="expresscourse", mailed=False)
    assert signals(admin)["mailer"] == {
        "state": "working",
        "waiting": 0,
        "since": None,
        "message": "Рассылка работает.",
    }

    write_weeks(landing, source="proftest_muha", over=2 * HOUR, mailed=False, a_day=48)
    cache.clear()
    mailer = signals(admin)["mailer"]
    assert (mailer["state"], mailer["waiting"]) == ("down", 3)
    assert mailer["message"].startswith("Рассылка стоит: без письма и SMS ждут 3 заявки")


def test_errors_of_the_mailer_are_counted_by_text_without_contacts(
    admin: Client, landing: LandingPages
) -> None:
    now = datetime.now(UTC)
    landing.write(
        *(
            {"email_error": f"550 5.1.1 no mailbox aru{n}@onai.test", "created_at": now - HOUR}
            for n in range(3)
        ),
        {"sms_error": "operator rejected +7 (700) 000-00-01", "created_at": now - HOUR},
        {"sms_error": "operator rejected 87000000002", "created_at": now - HOUR},
        {"sms_error": "too old", "created_at": now - 8 * DAY},
    )

    assert signals(admin)["errors"] == [
        {"channel": "email", "text": "550 5.1.1 no mailbox …", "count": 3},
        {"channel": "sms", "text": "operator rejected …", "count": 2},
    ]


def test_the_rarer_errors_of_the_mailer_are_counted_together(
    admin: Client, landing: LandingPages
) -> None:
    at = datetime.now(UTC) - HOUR
    often = [{"email_error": f"code {code}", "created_at": at} for code in "abcde" for _n in "12"]
    rare = [{"email_error": f"code {code}", "created_at": at} for code in "fgh"]
    landing.write(*often, *rare)

    found = signals(admin)["errors"]

    assert found[-1] == {"channel": "email", "text": "", "count": 3}
    assert sum(one["count"] for one in found) == 13
    assert "письма: другие ошибки — 3" in text_on(admin.get("/status"))


# --- The second source of clicks ---------------------------------------------------------------


@pytest.fixture
def clicked_links(landing: LandingPages) -> None:
    """Three leads opened the link of an SMS, one of them twice; of a fourth a messenger made a
    preview only."""
    agents = (
        ["Mozilla/5.0 (Linux; Android 14) Chrome/130"] * 2,
        ["Mozilla/5.0 (iPhone)"],
        ["Mozilla/5.0 (Linux; CUBOT X18) Chrome/120"],
        ["TelegramBot (like TwitterBot)", "WhatsApp/2.24", "facebookexternalhit/1.1"],
    )
    for number, of_lead in enumerate(agents):
        landing.connection.execute(
            "with lead as (insert into landing_leads (name, phone, source)"
            "   values ('Кто-то', '', 'TF4') returning id),"
            " link as (insert into short_links (short_code, original_url, lead_id, source)"
            "   select %s, 'https://onai.test', id::text, 'sms' from lead returning id)"
            " insert into short_link_clicks (short_link_id, user_agent)"
            " select id, unnest(%s::text[]) from link",
            [f"code{number}", of_lead],
        )


@pytest.mark.usefixtures("clicked_links")
def test_clicks_on_short_links_are_a_second_source(admin: Client, landing: LandingPages) -> None:
    one = signal(admin, "sms_clicked")

    assert one["secondSource"]["table"] == "short_link_clicks"
    assert one["secondSource"]["leads"] == 3
    assert one["secondSource"]["lastSeen"] is not None
    assert signal(admin, "email_clicked")["secondSource"]["leads"] == 0
    assert signal(admin, "leads")["secondSource"] is None
    assert one["state"] == "never"

    cache.clear()
    with taken_away("short_link_clicks"):
        assert signal(admin, "sms_clicked")["secondSource"] is None
