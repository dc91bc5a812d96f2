"""The sentences on top of the overview, in worlds of which the cause is known."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pytest
from django.test import Client

from tests.conftest import LandingPages
from tests.support.funnel_requests import ALMATY, lead, page_text

OCTOBER = "from=2026-10-01&to=2026-10-30"
_WORLD = """
insert into landing_leads (name, phone, source, created_at, email_sent, email_clicked,
  sms_sent, sms_clicked, sms_clicked_at)
select 'Кто-то', '', %(source)s, came, mailed, mailed and n %% 3 = 0,
  mailed, mailed and n %% 10 = 0, case when mailed and n %% 10 = 0 then came + interval '1 hour' end
from (
  select n, %(first)s::timestamptz + (n + 0.5) / %(a_day)s * interval '1 day' as came,
    %(mailed)s and n %% 10 < 9 as mailed
  from generate_series(0, %(a_day)s * 30 - 1) n
) as leads
"""


@dataclass(frozen=True, slots=True)
class Month:
    """Leads a day of two sources; whether they get messages."""

    kenesary: int = 30
    muha: int = 20
    mailed: bool = True


def _live_through(landing: LandingPages, september: Month, october: Month) -> None:
    landing.write(lead(1, created_at=datetime(2026, 1, 1, tzinfo=ALMATY)))
    for first, month in ((date(2026, 9, 1), september), (date(2026, 10, 1), october)):
        start = datetime.combine(first, datetime.min.time(), ALMATY)
        for source, a_day in (("proftest_kenesary", month.kenesary), ("proftest_muha", month.muha)):
            told = {"source": source, "first": start, "a_day": a_day, "mailed": month.mailed}
            if a_day:
                landing.connection.execute(_WORLD, told)


def _sentences(admin: Client) -> str:
    """What stands between the first sentence and the days."""
    text = page_text(admin, OCTOBER)
    return text.partition("₸.")[2].partition("1 октября — ")[0].strip()


USUAL = Month()


def test_nothing_happened(admin: Client, landing: LandingPages) -> None:
    _live_through(landing, USUAL, USUAL)

    assert _sentences(admin) == "Всё как обычно. Больше всего людей теряем здесь: 800 не перешли ."


def test_one_source_stopped(admin: Client, landing: LandingPages) -> None:
    _live_through(landing, USUAL, replace(USUAL, muha=0))

    told = _sentences(admin)

    assert "Муха : заявок нет, было 600." in told
    assert "Тест проходит на 40 % меньше людей." in told
    assert "Кенесары" not in told
    assert "обычно" not in told


def test_the_messages_stopped(admin: Client, landing: LandingPages) -> None:
    _live_through(landing, USUAL, replace(USUAL, mailed=False))

    page = page_text(admin, OCTOBER)

    told = page.partition("покупок нет.")[2].partition("1 октября — ")[0]
    step = "До шага «Отправлено письмо или SMS» доходит меньше: 0,0 % вместо 90,0 %,"
    assert f"{step} кто не дошёл ." in told
    assert "Больше всего людей теряем здесь: 1 500 без сообщения ." in told
    assert "Тест проходит" not in told


def test_the_traffic_doubled(admin: Client, landing: LandingPages) -> None:
    _live_through(landing, USUAL, Month(kenesary=60, muha=40))

    told = _sentences(admin)

    assert "Тест проходит на 100 % больше людей." in told
    assert "Кенесары : +90 покупок." in told
    assert "Муха : +60 покупок." in told
    assert "До шага" not in told


def test_three_sentences_at_most_and_the_largest_first(
    admin: Client, landing: LandingPages
) -> None:
    _live_through(landing, USUAL, Month(kenesary=90, muha=0))

    told = _sentences(admin).partition("Больше всего")[0]

    assert told.count(". ") <= 3
    assert told.index("Кенесары : +180 покупок.") < told.index("Муха")


def test_each_sentence_leads_to_whom_it_is_about(admin: Client, landing: LandingPages) -> None:
    _live_through(landing, USUAL, replace(USUAL, muha=0))

    page = admin.get(f"/funnel?{OCTOBER}").content.decode()

    sentences = page.partition('<p class="changes">')[2].partition("</p>")[0]
    assert f'href="?{OCTOBER.replace("&", "&amp;")}&amp;source=proftest_muha"' in sentences
    assert "step=clicked&amp;lost=1" in sentences


@pytest.mark.parametrize("hours", [1, 9])
def test_a_period_too_young_to_compare_claims_nothing(
    admin: Client, landing: LandingPages, hours: int
) -> None:
    now = datetime.now(ALMATY)
    landing.write(*(lead(1, created_at=now - timedelta(hours=hours)) for _ in range(5)))

    told = page_text(admin, "period=today").partition("Выручка")[0]

    for claim in ("Всё как обычно", "меньше", "больше людей", "+"):
        assert claim not in told.partition("Сегодня")[2].partition("цифры вырастут")[0]
