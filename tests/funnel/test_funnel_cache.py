"""How old the figures may be, and what happens when the database cannot give them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import close_old_connections, connections
from django.test import Client

from onai.db import bounded
from tests.conftest import LandingPages
from tests.support.outages import landing_outage

API = "/api/traffic-dashboard/funnel"


def _purchases(client: Client) -> int:
    body = client.get(API).json()
    assert body["success"] is True
    found: int = body["totalConversions"]
    return found


def test_a_second_request_sends_no_statement(admin: Client, sold: Callable[[], None]) -> None:
    sold()
    first = admin.get(API).json()
    admin.get("/funnel")

    with landing_outage():
        # Not a statement, not even a connection: there is no database to ask.
        second = admin.get(API).json()
        page = admin.get("/funnel")

    assert second == first
    assert second["totalConversions"] == 1
    assert page.status_code == 200


def test_a_changed_row_shows_after_the_cache_expires(
    admin: Client, sold: Callable[[], None], settings: Any
) -> None:
    now = datetime.now(UTC)
    sold()
    with time_machine.travel(now, tick=False) as clock:
        assert _purchases(admin) == 1
        counted_at = admin.get(API).json()["timestamp"]
        sold()
        clock.shift(settings.FUNNEL_CACHE_SECONDS - 1)
        assert _purchases(admin) == 1
        assert admin.get(API).json()["timestamp"] == counted_at
        clock.shift(2)
        assert _purchases(admin) == 2
        assert admin.get(API).json()["timestamp"] > counted_at


def test_as_of_is_the_databases_clock(admin: Client, sold: Callable[[], None]) -> None:
    # The web server's clock is twenty minutes off; the figures are of the moment the database says.
    began = datetime.now(UTC)
    with time_machine.travel(began + timedelta(minutes=20), tick=False):
        timestamp = datetime.fromisoformat(admin.get(API).json()["timestamp"])

    assert timestamp - began < timedelta(seconds=30)


def _unavailable(
    client: Client,
    message: str = "Это не значит, что продаж нет.",
    *,
    code: str = "figures_unavailable",
) -> None:
    page, api = client.get("/funnel"), client.get(API)

    assert (page.status_code, api.status_code) == (503, 503)
    assert message in page.content.decode()
    assert api.json()["code"] == code
    assert set(api.json()) == {"success", "error", "code"}
    assert page["Retry-After"] == "30"


def test_an_unreachable_landing_is_not_a_day_without_sales(
    admin: Client, sold: Callable[[], None]
) -> None:
    sold()

    with landing_outage():
        close_old_connections()
        _unavailable(admin)
        _unavailable(admin)

    assert _purchases(admin) == 1


def test_a_connection_that_broke_between_requests_is_noticed(
    admin: Client, sold: Callable[[], None]
) -> None:
    connections["landing"].ensure_connection()
    with landing_outage():
        pass

    assert _purchases(admin) == 0


def test_a_slow_database_is_not_awaited(
    admin: Client, landing: LandingPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "STATEMENT_SECONDS", 0.3)
    landing.write({"sms_clicked": True})
    with landing.connection.transaction():
        # The lock does not outlast this: a product that waits gets figures after all.
        landing.connection.execute("set local idle_in_transaction_session_timeout = '5s'")
        landing.connection.execute("lock table landing_leads in access exclusive mode")
        _unavailable(admin, "Выберите период короче.", code="figures_take_too_long")

    assert _purchases(admin) == 1


def test_a_missing_table_is_reported_and_not_cached(admin: Client, landing: LandingPages) -> None:
    landing.write({"sms_clicked": True})
    landing.connection.execute("alter table landing_leads rename to mislaid")
    try:
        _unavailable(admin, "прочесть лиды не даёт", code="leads_unreadable")
        people = admin.get("/api/traffic-dashboard/people?step=payment")
        assert (people.status_code, people.json()["code"]) == (503, "leads_unreadable")
    finally:
        landing.connection.execute("alter table mislaid rename to landing_leads")

    assert _purchases(admin) == 1


def test_without_the_shared_cache_the_database_is_asked(
    admin: Client, sold: Callable[[], None], settings: Any
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "OPTIONS": {"IGNORE_EXCEPTIONS": True},
        }
    }
    sold()
    assert _purchases(admin) == 1
    sold()
    assert _purchases(admin) == 2


def test_an_outage_reveals_nothing_private(
    admin: Client, sold: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    with landing_outage():
        close_old_connections()
        answer = admin.get(API)

    assert "postgres" not in answer.content.decode()
    assert any(record.getMessage() == "figures_unavailable" for record in caplog.records)


def test_kept_figures_are_written_in_each_order_that_is_asked_for(
    admin: Client, landing: LandingPages
) -> None:
    """By purchases the page of the course comes first, by name the team."""
    landing.write({"source": "TF4"}, {"source": "expresscourse", "sms_clicked": True})

    def first(query: str = "") -> str:
        source: str = admin.get(f"{API}?{query}").json()["sources"][0]["source"]
        return source

    found = [first(), first("sort=name"), first(), first("sort=name")]

    assert found == ["expresscourse", "TF4", "expresscourse", "TF4"]
