"""The theme of the pages: chosen in the header, kept by the browser, the system's where none is."""

import pytest
from django.test import Client


def _theme_of(client: Client, path: str = "/login") -> str:
    page = client.get(path).content.decode()
    return page.partition('data-theme="')[2].partition('"')[0]


def test_a_new_browser_gets_the_theme_of_its_system(client: Client) -> None:
    assert _theme_of(client) == "system"


@pytest.mark.parametrize("theme", ["light", "dark", "system"])
def test_a_chosen_theme_stays_on_every_page(client: Client, theme: str) -> None:
    answer = client.post("/theme", {"theme": theme, "next": "/login?next=%2Ffunnel"})

    assert (answer.status_code, answer["Location"]) == (302, "/login?next=%2Ffunnel")
    assert _theme_of(client) == theme
    assert _theme_of(client, "/no-such-page") == theme


def test_the_cookie_lasts_a_year_and_is_of_no_use_to_scripts(client: Client) -> None:
    cookie = client.post("/theme", {"theme": "dark"}).cookies["theme"]

    assert cookie["max-age"] == 365 * 24 * 3600
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.parametrize("theme", ["", "pink", "DARK", '"><script>'])
def test_an_unknown_theme_is_the_systems(client: Client, theme: str) -> None:
    client.post("/theme", {"theme": theme})

    assert _theme_of(client) == "system"


def test_a_forged_cookie_is_the_systems_theme(client: Client) -> None:
    client.cookies["theme"] = '"><script>'

    assert _theme_of(client) == "system"


@pytest.mark.parametrize(
    "elsewhere", ["https://example.com/", "//example.com", "javascript:alert(1)"]
)
def test_the_way_back_leads_to_no_other_site(client: Client, elsewhere: str) -> None:
    assert client.post("/theme", {"theme": "dark", "next": elsewhere})["Location"] == "/"


def test_the_menu_marks_the_chosen_theme(admin: Client) -> None:
    admin.post("/theme", {"theme": "dark"})

    page = admin.get("/status").content.decode()
    chosen = [one for one in page.split("<button") if "aria-pressed" in one]
    assert len(chosen) == 1
    assert 'value="dark"' in chosen[0]
