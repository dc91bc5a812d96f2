"""Lists of people: only admins see them, each export is logged, no personal data is kept."""

import logging
import pickle
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db import close_old_connections, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from onai.db import bounded
from tests.conftest import LandingPages
from tests.support.lead_rows import DAYS, Row, lead, lines_of, many, text_of, write
from tests.support.outages import landing_outage

PAGE, FILE, API = "/funnel/people", "/funnel/people.csv", "/api/traffic-dashboard/people"

SignIn = Callable[[str], Client]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return many()


def _names(client: Client, **query: Any) -> list[str]:
    body = client.get(API, {**DAYS, "step": "proftest", **query}).json()
    assert body["success"], body
    return [one["name"] for one in body["people"]]


# --- Access, cache and log ---------------------------------------------------------------------


@pytest.mark.parametrize("path", [PAGE, FILE, API])
def test_only_admins_may_list_people(landing: LandingPages, as_person: SignIn, path: str) -> None:
    landing.write(lead(phone="+7 700 000-45-67", sms_clicked=True))
    for email in ("ayaulym@onai.test", "student@onai.test"):
        answer = as_person(email).get(path, DAYS)
        assert answer.status_code == 403
        assert "000-45-67" not in answer.content.decode()
    stranger = Client().get(path, DAYS)
    assert stranger.status_code == (401 if path == API else 302)
    assert "no-store" in as_person("admin@onai.test").get(path, DAYS)["Cache-Control"]


def _everything_cached() -> bytes:
    return b"".join(
        pickle.loads(value) if isinstance(pickle.loads(value), bytes) else value
        for value in cache._cache.values()  # type: ignore[attr-defined]
    )


def test_no_personal_data_is_cached(admin: Client, landing: LandingPages) -> None:
    landing.write(
        lead(name="Тайна Имени", phone="+7 700 000-45-67", email="dana@onai.test", sms_clicked=True)
    )
    for path in (PAGE, FILE, API):
        answer = admin.get(path, {**DAYS, "step": "payment", "q": "тайна"})
        shown = b"".join(answer) if answer.streaming else answer.content
        assert "Тайна Имени" in shown.decode()

    kept = _everything_cached()

    assert b"proftest_a" in kept, "nothing is cached at all"
    for secret in ("Тайна", "тайна", "000-45-67", "77000004567", "dana@onai.test"):
        assert secret.encode() not in kept


def test_a_new_lead_is_listed_at_once(admin: Client, landing: LandingPages) -> None:
    assert _names(admin) == []
    landing.write(lead())
    assert _names(admin) == ["Дана Ким"]


def test_every_export_is_logged(
    admin: Client, landing: LandingPages, caplog: pytest.LogCaptureFixture
) -> None:
    landing.write(*(lead(name=f"Тайна {number}", sms_clicked=True) for number in range(3)))
    caplog.set_level(logging.INFO)

    lines_of(admin.get(FILE, {**DAYS, "step": "payment", "source": "proftest_a", "q": "тайна"}))

    (ended,) = [one for one in caplog.records if "xport" in one.getMessage()]
    told = ended.__dict__
    assert ended.getMessage() == "exported"
    assert (told["file"], told["visitor"]) == (FILE, "127.0.0.1")
    assert UUID(told["user_id"])
    assert (told["step"], told["lost"], told["sources"]) == ("payment", False, ["proftest_a"])
    assert (told["first_day"], told["last_day"]) == ("2026-10-01", "2026-10-31")
    assert (told["searched"], told["rows"], told["complete"]) == (True, 3, True)
    assert "айна" not in "".join(str(vars(record)) for record in caplog.records)


def test_an_interrupted_download_is_logged(
    admin: Client, landing: LandingPages, rows: list[Row], caplog: pytest.LogCaptureFixture
) -> None:
    write(landing, rows)
    caplog.set_level(logging.INFO)

    answer: Any = admin.get(FILE, {**DAYS, "step": "express"})
    chunks = iter(answer.streaming_content)
    for _ in range(3):
        next(chunks)
    answer.close()

    ended = caplog.records[-1]
    assert ended.getMessage() == "exported"
    assert (ended.rows, ended.complete) == (1, False)  # type: ignore[attr-defined]


def test_a_head_request_does_not_export(admin: Client, landing: LandingPages) -> None:
    assert admin.head(FILE).status_code == 405


def test_a_database_error_shows_and_logs_no_personal_data(
    admin: Client, landing: LandingPages, caplog: pytest.LogCaptureFixture
) -> None:
    landing.write(lead(name="Тайна Имени", sms_clicked=True))
    query = {**DAYS, "step": "payment", "q": "тайна"}
    for path in (PAGE, API):
        assert admin.get(path, query).status_code == 200
    landing.connection.execute("alter table landing_leads rename column name to mislaid")
    try:
        page, api, file = (admin.get(path, query) for path in (PAGE, API, FILE))
    finally:
        landing.connection.execute("alter table landing_leads rename column mislaid to name")

    assert (page.status_code, api.status_code, file.status_code) == (503, 503, 503)
    assert api.json()["code"] == "leads_unreadable"
    assert "прочесть лиды не даёт" in text_of(page)
    assert "Тайна" not in text_of(page)
    assert "тайна" not in caplog.text.lower()


def test_after_an_outage_of_a_list_the_figures_are_still_cached(admin: Client) -> None:
    with landing_outage():
        close_old_connections()
        assert admin.get(API).json()["code"] == "figures_unavailable"
        assert "мы нигде больше не храним" in text_of(admin.get(PAGE))
    assert admin.get("/funnel").status_code == 200

    with CaptureQueriesContext(connections["landing"]) as captured:
        assert admin.get("/funnel").status_code == 200

    assert len(captured) == 0


def test_without_the_landing_database_the_lists_answer_503(admin: Client) -> None:
    with landing_outage():
        close_old_connections()
        assert [admin.get(path).status_code for path in (PAGE, API, FILE)] == [503] * 3


def test_a_slow_list_query_times_out(
    admin: Client, landing: LandingPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "STATEMENT_SECONDS", 0.3)
    with landing.connection.transaction():
        landing.connection.execute("set local idle_in_transaction_session_timeout = '5s'")
        landing.connection.execute("lock table landing_leads in access exclusive mode")
        assert admin.get(PAGE).status_code == 503
