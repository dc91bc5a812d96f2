"""What the pages of the funnel, `/status` and the log say of a mark that has fallen silent."""

import logging
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from funnel.tasks import watch_signals
from funnel.web.wording import METRICS
from tests.conftest import LandingPages
from tests.support.funnel_requests import ADS, PAGES, SOURCES, SPEED, TREND, page_text
from tests.support.outages import landing_outage
from tests.support.student_rows import Sales
from tests.support.watched_leads import signal, write_weeks

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOTICE = "Клики по SMS не отмечаются с"
INCOMPLETE = "этап «Оплата» неполный."


@pytest.fixture
def silent_clicks(landing: LandingPages) -> None:
    """Clicks stopped ten days ago while leads go on."""
    write_weeks(landing, each=3, clicked_until=10 * DAY)


@pytest.mark.usefixtures("silent_clicks")
@pytest.mark.parametrize("page", [*PAGES, "/funnel/people", "/funnel/duplicates"])
def test_every_page_says_since_when_clicks_are_not_marked(admin: Client, page: str) -> None:
    # A list of persons waits for nothing: it says what is known.
    watch_signals(0)

    text = page_text(admin, "", page)

    assert NOTICE in text
    assert INCOMPLETE in text


def test_accesses_are_said_to_be_incomplete_since_none_has_been_opened(
    admin: Client, landing: LandingPages, sales: Sales
) -> None:
    write_weeks(landing)
    for days in range(12, 45):
        sales.add(created_at=datetime.now(UTC) - days * DAY)

    text = page_text(admin)

    assert "Доступы не открываются с" in text
    assert re.search("Доступ открыт неполно с ", text)


@pytest.mark.usefixtures("silent_clicks")
def test_figures_of_a_silent_mark_are_shown_and_called_incomplete(admin: Client) -> None:
    overview = admin.get("/funnel").content.decode()

    # Three tiles, the last two steps of the path, the last stage, and the sources: leads and
    # messages are whole.
    assert overview.count("неполно с ") == 7
    assert re.search("Выручка [1-9]", page_text(admin))
    assert "Покупки и выручка: неполно с " in page_text(admin, "", SOURCES)
    for metric in ("purchases", "bought", "conversion", "revenue"):
        assert f"{METRICS[metric]}, неполно" in page_text(admin, f"metric={metric}", TREND)
    assert "Известно время, неполно" in page_text(admin, "", SPEED)
    assert "неполно с " in page_text(admin, "metric=revenue", TREND)
    assert "неполно с " not in page_text(admin, "metric=leads", TREND)
    assert "неполно с " in page_text(admin, "step=payment", "/funnel/people")
    assert "неполно с " not in page_text(admin, "step=express", "/funnel/people")


def test_purchases_of_advertisements_are_called_incomplete_too(
    admin: Client, landing: LandingPages
) -> None:
    write_weeks(landing, each=3, clicked_until=10 * DAY)
    landing.connection.execute("""update landing_leads set metadata = '{"utm_campaign": "a"}'""")

    assert "Покупки и выручка: неполно с " in page_text(admin, "", ADS)


@pytest.mark.usefixtures("silent_clicks")
def test_a_period_before_the_silence_is_whole(admin: Client) -> None:
    today = datetime.now(UTC).date()
    days = f"from={today - 30 * DAY}&to={today - 15 * DAY}"

    text = page_text(admin, days)

    assert NOTICE not in text
    assert "неполно" not in text


def test_pages_have_no_notice_while_all_marks_come(admin: Client, landing: LandingPages) -> None:
    write_weeks(landing)

    text = page_text(admin)

    assert "неполно" not in text
    assert "не отмечаются" not in text


def test_when_leads_stop_the_marks_that_stop_with_them_are_not_listed(
    admin: Client, landing: LandingPages
) -> None:
    write_weeks(landing, until=2 * DAY)

    text = page_text(admin)

    assert "Заявки не приходят с" in text
    assert "Письма не отправляются" not in text
    assert NOTICE not in text


def test_a_page_shows_its_figures_where_the_marks_cannot_be_read(
    admin: Client, landing: LandingPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_weeks(landing, over=5 * DAY)
    monkeypatch.setattr("funnel.signals.lead_reader._STATEMENT", "select nothing")

    page = admin.get("/funnel")

    assert page.status_code == 200
    assert "За 30 дней" in page.content.decode()


def test_a_page_warns_while_leads_get_no_message(admin: Client, landing: LandingPages) -> None:
    write_weeks(landing, until=2 * HOUR)
    landing.write({"source": "proftest_kenesary", "created_at": datetime.now(UTC) - 40 * HOUR / 60})

    assert "Рассылка стоит: без письма и SMS ждут 1 заявка" in page_text(admin)
    assert "Рассылка стоит" not in page_text(
        admin, f"to={date(2026, 1, 2)}&from={date(2026, 1, 1)}"
    )


def test_the_reported_stage_says_that_it_is_a_click(admin: Client, landing: LandingPages) -> None:
    landing.write({"source": "TF4", "sms_clicked": True})

    assert "Переход по ссылке из SMS" in page_text(admin)
    (stage,) = (
        one
        for one in admin.get("/api/traffic-dashboard/funnel").json()["stages"]
        if one["id"] == "payment"
    )
    assert (stage["title"], stage["metrics"]["purchases"]) == ("Paid Express Course (5K)", 1)


def test_the_overview_counts_short_links_beside_the_stages(
    admin: Client, landing: LandingPages, without_optional_tables: None
) -> None:
    assert "Клики по коротким ссылкам неизвестны" in page_text(admin)


# --- /status and the log -----------------------------------------------------------------------


@pytest.mark.usefixtures("silent_clicks")
def test_status_names_every_mark_and_what_is_silent(admin: Client) -> None:
    text = page_text(admin, "", "/status")

    assert f"Отметки воронки : {NOTICE}" in text
    assert "Заявки: последний раз" in text
    assert "Клики по письмам: ещё ни разу" in text
    assert "Рассылка лендингов : Рассылка работает." in text


def test_status_tells_errors_of_the_mailer(admin: Client, landing: LandingPages) -> None:
    landing.write({"source": "TF4", "sms_error": "operator rejected +7 700 000 00 00"})

    assert "SMS: operator rejected … — 1" in page_text(admin, "", "/status")


@pytest.mark.usefixtures("silent_clicks")
def test_every_hour_a_line_of_the_log_says_what_is_silent(
    admin: Client, landing: LandingPages, caplog: Any
) -> None:
    expected = signal(admin, "sms_clicked")["silentSince"]
    caplog.clear()

    with caplog.at_level(logging.INFO):
        watch_signals(0)

    (line,) = (record for record in caplog.records if record.message == "signals")
    assert line.levelname == "WARNING"
    assert line.silent == ["sms_clicked"]
    assert datetime.fromisoformat(line.silent_since["sms_clicked"]) - datetime.fromisoformat(
        expected
    ) < timedelta(seconds=1)
    assert line.unmailed == 0


@pytest.mark.usefixtures("silent_clicks")
def test_the_hourly_job_renews_the_reading_of_the_pages(
    admin: Client, landing: LandingPages
) -> None:
    assert signal(admin, "sms_clicked")["state"] == "silent"
    landing.write({"sms_clicked": True, "sms_clicked_at": datetime.now(UTC)})
    assert signal(admin, "sms_clicked")["state"] == "silent"

    watch_signals(0)

    assert signal(admin, "sms_clicked")["state"] == "alive"


@pytest.mark.usefixtures("sold")
def test_an_outage_is_logged_as_one(caplog: Any) -> None:
    with landing_outage():
        watch_signals(0)

    assert [one.message for one in caplog.records if one.levelname == "WARNING"] == [
        "signals_unread"
    ]
    cache.clear()
