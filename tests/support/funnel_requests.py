"""Requests to the funnel (page, CSV, API), and a month of leads to answer from."""

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.test import Client

from tests.conftest import LandingPages

ALMATY = ZoneInfo("Asia/Almaty")
API = "/api/traffic-dashboard/funnel"
PAGE = "/funnel"
SOURCES, TREND, ADS, SPEED = (f"{PAGE}/{name}" for name in ("sources", "trend", "ads", "speed"))
PAGES = (PAGE, SOURCES, TREND, ADS, SPEED)
RELIABLE = "Насколько это надёжно?"
# Below it stand the marks that are explained, and not those of figures.
LEGEND = "▲ и ▼ — заметное изменение"
SignIn = Callable[[str], Client]
IN_OCTOBER = "from=2026-10-01&to=2026-10-31"


def page_text(client: Client, query: str = "", page: str = PAGE) -> str:
    page = client.get(f"{page}?{query}").content.decode()
    bare = re.sub(r"<[^>]+>", " ", page)
    return unescape(re.sub(r"\s+", " ", bare.replace("\N{NO-BREAK SPACE}", " ")))


def lead(day: int, month: int = 10, **columns: Any) -> dict[str, Any]:
    return {
        "source": "proftest_muha",
        "created_at": datetime(2026, month, day, 12, tzinfo=ALMATY),
        **columns,
    }


def asked_at(moment: datetime, settings: Any) -> None:
    """Have the funnel compare up to this moment, which all its questions share."""
    settings.FUNNEL_CACHE_SECONDS = 10**9
    cache.set("funnel:moment", moment.timestamp())


def csv_rows(client: Client, name: str, query: str) -> list[dict[str, str]]:
    answer = client.get(f"/funnel/tables/{name}.csv?{query}")
    assert answer.status_code == 200
    content = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(content), delimiter=";"))


def write_october(landing: LandingPages) -> None:
    """Ten leads in October, four of them bought; five in September, one bought."""
    bought = {"sms_clicked": True}
    landing.write(
        *(lead(day, **bought) for day in (1, 31)),
        *(lead(day, source="TF4", email_sent=True, **bought) for day in (2, 30)),
        *(lead(day, metadata={"utm_campaign": "winter"}) for day in range(5, 9)),
        *(lead(day, source=None) for day in (9, 10)),
        *(lead(day, month=9) for day in range(2, 6)),
        lead(7, month=9, **bought),
    )
