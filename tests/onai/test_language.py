"""The language of the pages: Russian until another is chosen in the header, and then kept."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import translation

from onai.templatetags import russian
from tests.support.people import PASSWORD


def _language_of(client: Client, path: str = "/login") -> str:
    page = client.get(path).content.decode()
    return page.partition('<html lang="')[2].partition('"')[0]


@pytest.mark.parametrize("accepted", ["en-US,en;q=0.9", "kk", ""])
def test_a_new_browser_sees_russian_whatever_it_accepts(client: Client, accepted: str) -> None:
    answer = client.get("/login", headers={"accept-language": accepted})

    assert (answer["Content-Language"], 'lang="ru"' in answer.content.decode()) == ("ru", True)


@pytest.mark.parametrize("language", ["kk", "en", "ru"])
def test_a_chosen_language_stays_on_every_page(client: Client, language: str) -> None:
    answer = client.post("/language", {"language": language, "next": "/login?next=%2Ffunnel"})

    assert (answer.status_code, answer["Location"]) == (302, "/login?next=%2Ffunnel")
    assert _language_of(client) == language
    assert _language_of(client, "/no-such-page") == language
    assert client.get("/login")["Content-Language"] == language


def test_the_cookie_lasts_a_year_and_is_of_no_use_to_scripts(client: Client) -> None:
    cookie = client.post("/language", {"language": "kk"}).cookies["language"]

    assert cookie["max-age"] == 365 * 24 * 3600
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")


@pytest.mark.parametrize("language", ["", "fr", "KK", '"><script>', "kk-latn"])
def test_an_unknown_language_changes_nothing(client: Client, language: str) -> None:
    client.post("/language", {"language": "kk"})
    client.post("/language", {"language": language})

    assert _language_of(client) == "kk"


@pytest.mark.parametrize("forged", ["fr", '"><script>', "ru,kk"])
def test_a_forged_cookie_is_russian(client: Client, forged: str) -> None:
    client.cookies["language"] = forged

    assert _language_of(client) == "ru"


@pytest.mark.parametrize(
    "elsewhere", ["https://example.com/", "//example.com", "javascript:alert(1)"]
)
def test_the_way_back_leads_to_no_other_site(client: Client, elsewhere: str) -> None:
    answer = client.post("/language", {"language": "kk", "next": elsewhere})

    assert answer["Location"] == "/"


def test_the_header_offers_each_language_by_its_own_name(admin: Client) -> None:
    for reader, page in ((Client(), "/login"), (admin, "/status")):
        reader.post("/language", {"language": "en"})
        shown = reader.get(page).content.decode()
        buttons = [one for one in shown.split("<button") if 'name="language"' in one]

        assert [one.partition(' lang="')[2][:2] for one in buttons] == ["kk", "ru", "en"]
        for name, button in zip(("Қазақша", "Русский", "English"), buttons, strict=True):
            assert name in button
        assert ["aria-current" in one for one in buttons] == [False, False, True]


def test_a_cache_on_the_way_keeps_an_answer_for_its_language_alone(client: Client) -> None:
    assert "Cookie" in client.get("/login")["Vary"]


def test_the_next_visitor_of_a_process_sees_their_own_language(client: Client) -> None:
    client.post("/language", {"language": "kk"})
    _language_of(client)

    assert _language_of(Client()) == "ru"


def test_a_page_that_refuses_a_request_speaks_the_readers_language(client: Client) -> None:
    client.post("/language", {"language": "en"})

    refused = client.get("/login", headers={"host": "elsewhere.test"})

    assert (refused.status_code, refused["Content-Language"]) == (400, "en")
    assert '<html lang="en"' in refused.content.decode()


def test_programs_are_answered_in_russian(client: Client) -> None:
    answer = client.get("/api/traffic-dashboard/funnel", headers={"accept-language": "en"})

    assert answer.json()["error"] == "Нужно войти."


@pytest.mark.parametrize("language", ["ru", "kk", "en"])
def test_what_everybody_may_keep_has_its_language_in_its_address(language: str) -> None:
    client = Client()
    client.post("/language", {"language": "ru" if language == "kk" else "kk"})

    manifest = client.get(f"/manifest.webmanifest?language={language}")
    offline = client.get(f"/offline?language={language}")

    assert json.loads(manifest.content)["lang"] == language
    assert f'<html lang="{language}"' in offline.content.decode()
    assert not offline.cookies
    assert "public" in offline["Cache-Control"]


def test_the_page_without_a_network_is_kept_in_the_chosen_language(client: Client) -> None:
    client.post("/language", {"language": "kk"})

    assert 'OFFLINE = "/offline?language=kk"' in client.get("/service-worker.js").content.decode()
    assert "/manifest.webmanifest?language=kk" in client.get("/login").content.decode()


def test_the_choice_outlives_signing_in_and_out(client: Client) -> None:
    client.post("/language", {"language": "kk"})
    client.post("/login", {"email": "admin@onai.test", "password": PASSWORD})
    assert _language_of(client, "/status") == "kk"

    client.post("/logout")
    assert _language_of(client) == "kk"


@pytest.mark.parametrize(
    ("language", "day", "of_year", "moment"),
    [
        ("ru", "26 ноября 2026", "26 ноября", "26 ноября, 14:05"),
        ("kk", "2026 ж. 26 қараша", "26 қараша", "26 қараша, 14:05"),
        ("en", "November 26, 2026", "November 26", "November 26, 14:05"),
    ],
)
def test_days_are_written_as_the_language_writes_them(
    language: str, day: str, of_year: str, moment: str
) -> None:
    at = datetime(2026, 11, 26, 9, 5, tzinfo=UTC)
    with translation.override(language):
        assert russian.day(date(2026, 11, 26)) == day
        assert russian.day_of_year(at) == of_year
        assert russian.moment_of_year(at) == moment


@pytest.mark.parametrize(
    ("language", "money", "share"),
    [
        ("ru", "12\xa0345\xa0678\xa0₸", "8,57\xa0%"),
        ("kk", "12\xa0345\xa0678\xa0₸", "8,57\xa0%"),
        ("en", "12,345,678\xa0₸", "8.57%"),
    ],
)
def test_numbers_are_written_as_the_language_writes_them(
    language: str, money: str, share: str
) -> None:
    with translation.override(language):
        assert russian.tenge(12_345_678) == money
        assert russian.percent(Decimal("8.57")) == share


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("ru", ["1 минуту назад", "3 минуты назад", "11 минут назад", "21 минуту назад"]),
        ("kk", ["1 минут бұрын", "3 минут бұрын", "11 минут бұрын", "21 минут бұрын"]),
        ("en", ["1 minute ago", "3 minutes ago", "11 minutes ago", "21 minutes ago"]),
    ],
)
def test_a_noun_follows_its_number(language: str, told: list[str]) -> None:
    with translation.override(language):
        assert [russian.ago(timedelta(minutes=one)) for one in (1, 3, 11, 21)] == told


@pytest.mark.parametrize(
    ("language", "told"),
    [("ru", "1\xa0д 5\xa0ч"), ("kk", "1\xa0күн 5\xa0сағ"), ("en", "1\xa0d 5\xa0h")],
)
def test_a_duration_has_the_units_of_the_language(language: str, told: str) -> None:
    with translation.override(language):
        assert russian.duration(timedelta(hours=29)) == told
