"""What `/status` says of the learning platform, where a student's letter leads."""

from typing import Any

import pytest
from django.test import Client

from tests.conftest import Faults
from tests.settings import SERVICES
from tests.support.student_changes import text_of

PAGE = f"{SERVICES}/platform/login"


@pytest.mark.parametrize(
    ("login_url", "how", "told"),
    [
        (PAGE, {}, "Учебная платформа : отвечает"),
        (PAGE, {"status": 403}, "Учебная платформа : отвечает"),
        (PAGE, {"status": 503}, "отвечает ошибкой 503"),
        (PAGE, {"status": 404}, "отвечает ошибкой 404"),
        (PAGE, {"drop": True}, "Учебная платформа : не отвечает"),
        ("http://127.0.0.1:1/login", {}, "Учебная платформа : не отвечает"),
        ("https://desk.onai.test/login", {}, "это адрес этого сайта"),
        ("https://localhost/login", {}, "это адрес этого сайта"),
    ],
    # By number: the port is another one in each process of the tests.
    ids=range(8),
)
def test_the_platform_is_asked_and_is_another_site(
    admin: Client, settings: Any, faults: Faults, login_url: str, how: Any, told: str
) -> None:
    settings.PLATFORM_LOGIN_URL, settings.SITE_URL = login_url, "https://desk.onai.test"
    if how:
        faults.set("/platform/login", **how)

    page = text_of(admin.get("/status"))

    assert told in page
    assert ("PLATFORM_LOGIN_URL" in page) == (not told.endswith(" : отвечает"))


@pytest.mark.parametrize(
    ("location", "is_ours"),
    [("https://desk.onai.test/", True), ("/courses", False), ("https://p.onai.test/", False)],
)
def test_a_platform_address_that_redirects_to_this_site_is_reported(
    admin: Client, settings: Any, faults: Faults, location: str, is_ours: bool
) -> None:
    settings.PLATFORM_LOGIN_URL, settings.SITE_URL = PAGE, "https://desk.onai.test"
    faults.set("/platform/login", status=302, headers={"Location": location})

    assert ("ведёт на этот сайт" in text_of(admin.get("/status"))) == is_ours
