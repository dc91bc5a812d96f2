"""People read «1 000», programs 1000: no number in an address, a field or a drawing is spaced."""

import re
from datetime import datetime
from html.parser import HTMLParser
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.test import Client

from tests.conftest import LandingPages
from tests.support.desk import Desk
from tests.support.funnel_requests import ALMATY
from tests.support.student_rows import Sales

# Read out or shown to people.
WORDS = {"aria-label", "title", "alt", "placeholder", "label"}
SPACED = re.compile("\\d[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}]\\d")
PAGES = (
    *("/funnel?from=2026-10-01&to=2026-10-31", "/funnel?count=cohort&from=2026-10-01&by=month"),
    "/funnel/people?from=2026-10-01&to=2026-10-31&step=payment",
    "/funnel/duplicates?from=2026-10-01&to=2026-10-31",
    "/funnel/duplicates?from=2026-10-01&to=2026-10-31&page=999",
    *("/sales-manager", "/sales-manager/results?from=2026-10-01&to=2026-10-31"),
    *("/sales-manager/activity", "/status"),
)


class Attributes(HTMLParser):
    """Everything in a page that a program reads: attributes, and scripts' data."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self._in_data = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, name, value or "") for name, value in attrs if name not in WORDS]
        self._in_data = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._in_data = False

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self.found.append(("script", "text", data))


@pytest.fixture
def crowded(
    landing: LandingPages, sales: Sales, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than 999 of everything: leads, persons who bought twice, pages of them, students."""
    monkeypatch.setattr("funnel.people.duplicates.PAGE", 1)
    landing.connection.execute(
        "insert into landing_leads (name, phone, email, source, email_sent, sms_clicked,"
        " sms_clicked_at, metadata, created_at) select 'Кто-то',"
        " '8700' || lpad((n / 2)::text, 7, '0'), 'n' || n || '@onai.test', 'proftest_muha', true,"
        " true, %(at)s::timestamptz + interval '1400 hours',"
        ' \'{"utm_campaign": "1000"}\', %(at)s from generate_series(2, 2401) n',
        {"at": datetime(2026, 10, 10, 12, tzinfo=ALMATY)},
    )
    for number in range(3):
        sales.add(
            full_name=f"Имя {number}",
            price=1_500_000,
            created_at=datetime(2026, 10, 10, 12, tzinfo=ALMATY),
        )
    desk.connection.execute(
        "insert into tripwire_users (user_id, full_name, email, granted_by, created_at, price)"
        " select user_id, full_name, n || email, granted_by, created_at, price"
        " from tripwire_users, generate_series(1, 400) n"
    )


@pytest.mark.parametrize("path", PAGES)
def test_numbers_in_addresses_have_no_spaces(admin: Client, crowded: None, path: str) -> None:
    answer = admin.get(path)

    assert answer.status_code == 200
    page = answer.content.decode()
    if not path.startswith(("/status", "/sales-manager/activity")):
        assert SPACED.search(re.sub("<[^>]*>", "", page)), "no large number on the page"
    for tag, name, value in Attributes(page).found:
        assert not SPACED.search(unquote(value)), (tag, name, value)
        assert not SPACED.search(unquote(unquote(value))), (tag, name, value)


def test_page_numbers_above_999_work(admin: Client, crowded: None) -> None:
    path = "/funnel/duplicates?from=2026-10-01&to=2026-10-31&page=999"
    page = Attributes(admin.get(path).content.decode())
    (following,) = {value for tag, name, value in page.found if name == "href" and "page=" in value}

    assert parse_qs(urlsplit(following).query)["page"] == ["1000"]
    assert admin.get("/funnel/duplicates" + following).status_code == 200
