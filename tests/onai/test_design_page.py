"""The page of all components: in the demo in both themes, in the product not at all."""

import pytest
from django.test import Client

from onai import urls
from onai.local import site_settings, site_urls


def test_the_product_has_no_page_of_components(client: Client) -> None:
    assert client.get("/design").status_code == 404


@pytest.mark.urls("onai.local.site_urls")
def test_the_demo_shows_every_component_in_both_themes(client: Client) -> None:
    answer = client.get("/design")
    page = answer.content.decode()

    assert answer.status_code == 200
    light, dark = page.split('<section class="themed" data-theme="')[1:]
    assert (light[:5], dark[:4]) == ("light", "dark")
    for part in (light, dark):
        for component in (
            *('class="bar-chart"', 'class="sparkline"', 'class="card tile"', 'class="tabs"'),
            *('class="button danger"', 'class="field wrong"', 'class="alert"', 'class="step-bar"'),
            *('class="interval"', 'class="badge good"', 'class="card empty"', 'class="explained"'),
        ):
            assert component in part, component
        assert "12 345 678 ₸".replace(" ", "\N{NO-BREAK SPACE}") in part


@pytest.mark.urls("onai.local.site_urls")
def test_no_two_patterns_of_the_components_share_a_name(client: Client) -> None:
    page = client.get("/design").content.decode()
    names = [part.partition('"')[0] for part in page.split(' id="')[1:] if "pattern" not in part]

    for name in (one for one in names if one.startswith(("unfinished", "hatched"))):
        assert names.count(name) == 1, name


def test_the_demo_s_web_server_has_all_addresses_of_the_product() -> None:
    assert site_urls.urlpatterns[1:] == urls.urlpatterns
    assert site_settings.ROOT_URLCONF == "onai.local.site_urls"
