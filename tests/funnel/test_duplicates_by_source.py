"""The list of persons with more than one purchase, filtered by source."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from funnel.people import duplicates
from tests.conftest import LandingPages
from tests.support.lead_rows import DAYS, INSIDE, bought_by, lines_of, text_of

PAGE, FILE = "/funnel/duplicates", "/funnel/duplicates.csv"
API = "/api/traffic-dashboard/duplicates"


def test_a_buyer_of_two_sources_is_found_when_both_are_chosen(
    admin: Client, landing: LandingPages
) -> None:
    """A phone joins expresscourse and TF4, an e-mail joins this TF4 row and one with no source."""
    landing.write(
        bought_by("87000004567", source="expresscourse"),
        bought_by("87000004567", "dana@onai.test", source="TF4"),
        bought_by("87000004568", "dana@onai.test", source=None),
        bought_by("87000004569", source="expresscourse"),
        bought_by("87000004569", source="expresscourse"),
    )

    def found(*sources: str) -> list[int]:
        body = admin.get(API, {**DAYS, "source": sources}).json()
        assert body["sources"] == list(sources)
        return [buyer["purchases"] for buyer in body["buyers"]]

    assert found() == [3, 2]
    assert found("expresscourse") == [2]
    assert sorted(found("expresscourse", "TF4")) == [2, 2]
    assert found("TF4", "") == [2]
    assert found("") == []
    text = text_of(admin.get(PAGE, {**DAYS, "source": ["TF4", ""]}))
    assert "1 человек, 2 покупки" in text
    assert "больше одной покупки среди покупок выбранных источников" in text
    assert len(lines_of(admin.get(FILE, {**DAYS, "source": ["TF4", ""]}))) == 1 + 2
    nobody = text_of(admin.get(PAGE, {**DAYS, "source": "TF4"}))
    assert "у выбранных источников никто не купил дважды" in nobody


def test_the_link_in_the_funnel_opens_the_counted_persons(
    admin: Client, landing: LandingPages
) -> None:
    landing.write(
        bought_by("87000004567", name="Дана Ким", source="a&b"),
        bought_by("87000004567", name="Дана Ким", source=""),
        bought_by("87000004568", name="Ян Ли", source="TF4"),
        bought_by("87000004568", name="Ян Ли", source="TF4"),
    )
    funnel = admin.get("/funnel", {**DAYS, "source": ["a&b", ""]})

    link = re.search(r'href="([^"]+)"\s*>Сверка<', funnel.content.decode())

    assert link
    listed = admin.get(unescape(link[1]))
    assert "Похоже, есть дубли: 2 покупки, 1 разный телефон" in text_of(listed)
    assert "1 человек, 2 покупки" in text_of(listed)
    assert "Дана Ким — 2 покупки" in text_of(listed)
    back = re.search(r'href="([^"]+)"\s*>Обзор<', listed.content.decode())
    assert back
    assert parse_qs(urlsplit(unescape(back[1])).query, keep_blank_values=True) == {
        **{name: [day] for name, day in DAYS.items()},
        "source": ["a&b", ""],
    }


def test_links_keep_the_chosen_sources_and_the_page_names_them(
    admin: Client, landing: LandingPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "PAGE", 1)
    for phone in ("87000004567", "87000004568"):
        for source in ("proftest_muha", None):
            landing.write(bought_by(phone, source=source))
    question = "from=2026-10-01&to=2026-10-31&source=proftest_muha&source="

    page = unescape(admin.get(f"{PAGE}?{question}").content.decode())

    assert 'href="?period=7-days&source=proftest_muha&source="' in page
    assert f'href="?{question}&page=2"' in page
    assert f'href="{FILE}?{question}"' in page
    chosen = re.findall(r"checked\s*>\s*([^<]+?)\s*</label>", page)
    assert sorted(chosen) == ["Без источника", "Муха"]
    # Once, in the form for custom dates.
    kept = re.findall(r'type="hidden"\s+name="source"\s+value="proftest_muha"', page)
    assert len(kept) == 1
    assert f'href="?{question}"' in unescape(
        admin.get(f"{PAGE}?{question}&page=2").content.decode()
    )


@pytest.mark.parametrize("source", ["\0", "x" * 501, [str(number) for number in range(51)]])
def test_invalid_sources_are_reported(
    admin: Client, landing: LandingPages, source: str | list[str]
) -> None:
    page, api, file = (admin.get(path, {"source": source}) for path in (PAGE, API, FILE))

    assert (page.status_code, api.status_code, file.status_code) == (400, 400, 400)
    sentence = "Источников не больше 50, и каждый — обычный текст."
    assert sentence in text_of(page)
    assert api.json()["code"] == "invalid_input"
    assert api.json()["fields"] == {"source": sentence}


def test_the_link_back_keeps_the_period(admin: Client, landing: LandingPages) -> None:
    for months in (1, 60):
        landing.write(bought_by("87000004567", created_at=INSIDE - timedelta(days=30 * months)))
        back = re.search(
            r'href="([^"]+)"\s*>Обзор<', admin.get(f"{PAGE}?period=all").content.decode()
        )
        assert back
        assert admin.get(unescape(back[1])).status_code == 200
