"""The page of UTM marks: one table, a tab for each mark, a verdict a line."""

import re
from html import unescape

from django.test import Client

from tests.conftest import LandingPages
from tests.support.funnel_requests import ADS, IN_OCTOBER, RELIABLE, lead, page_text


def _sold(landing: LandingPages, campaign: str, leads: int, bought: int) -> None:
    for number in range(leads):
        metadata = {"utm_campaign": campaign, "utm_medium": "cpc"}
        landing.write(lead(5, metadata=metadata, sms_clicked=number < bought))


def test_a_line_says_what_a_mark_sold_and_how_it_stands(
    admin: Client, landing: LandingPages
) -> None:
    landing.write(lead(1, month=1))
    _sold(landing, "winter", leads=60, bought=30)
    _sold(landing, "summer", leads=60, bought=2)
    landing.write(lead(6, metadata={"utm_campaign": "new"}), lead(7))

    text = page_text(admin, IN_OCTOBER, ADS)

    assert "Больше всего покупок у «winter»: 30 покупок." in text
    assert "winter 60 30 50,00 % 150 000 ₸ лучше" in text
    assert "summer 60 2 3,33 % 10 000 ₸ хуже" in text
    assert "new 1 0 0,00 % 0 ₸ рано судить" in text
    assert "без метки 1 0" in text
    # What the verdict rests on is said once, below.
    assert text.count("скорее всего, от") == text.partition(RELIABLE)[2].count("скорее всего, от")


def test_a_tab_shows_another_mark_and_keeps_the_address(
    admin: Client, landing: LandingPages
) -> None:
    _sold(landing, "winter", leads=2, bought=1)
    query = f"{IN_OCTOBER}&compare=last-month&source=proftest_muha"

    page = unescape(admin.get(f"{ADS}?{query}&page=2").content.decode())
    medium = admin.get(f"{ADS}?{query}&mark=medium").content.decode()

    for mark in ("campaign", "medium", "content"):
        assert f'href="?{query}&mark={mark}"' in page
    assert "<bdi>cpc</bdi>" in medium
    assert "<bdi>winter</bdi>" not in medium
    assert re.search(r'aria-current="true"\s*>Типы трафика \(utm_medium\)</a>', medium)


def test_days_without_a_mark_say_so(admin: Client, landing: LandingPages) -> None:
    landing.write(lead(5))

    text = page_text(admin, f"{IN_OCTOBER}&mark=content", ADS)

    assert "За эти дни ни одна метка не принесла покупок." in text
    assert "За эти дни ни у одной заявки нет такой метки." in text


def test_a_very_long_mark_is_shortened(admin: Client, landing: LandingPages) -> None:
    _sold(landing, "Ә" * 300, leads=1, bought=1)

    text = page_text(admin, IN_OCTOBER, ADS)

    assert f"{'Ә' * 80}…" in text
    assert "Ә" * 81 not in text
