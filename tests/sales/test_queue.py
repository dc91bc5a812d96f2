"""The queue: who paid and waits, whose turn it is, and the way of a line to its access."""

import csv
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connections
from django.test import Client

from tests.conftest import LandingPages
from tests.settings import LANDING_URL
from tests.support.buyers import Buyers, ago
from tests.support.desk import GOOD, Desk
from tests.support.optional_tables import taken_away
from tests.support.outages import landing_outage, tripwire_outage
from tests.support.people import Accounts
from tests.support.student_changes import ADMIN, MANAGER, OTHER, SignIn, signed_in, text_of
from tests.support.student_rows import CABINET, Sales

QUEUE, API = f"{CABINET}/queue", "/api/tripwire-manager/queue"
NEW = f"{CABINET}/students/new"


@pytest.fixture
def world(landing: LandingPages, desk: Desk) -> Buyers:
    return Buyers(landing, desk)


def _line(world: Buyers, **row: Any) -> UUID:
    """The line of one person who clicked."""
    world.clicked(**{"email": "dana@onai.test", **row})
    (line,) = world.join()
    return UUID(str(line["id"]))


def _act(client: Client, line: UUID, act: str, **body: str) -> Any:
    return client.post(f"{QUEUE}/{line}/{act}", body, follow=True)


def _json(client: Client, **query: str) -> dict[str, Any]:
    answer = client.get(API, query)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def _log(desk: Desk) -> list[str]:
    rows = desk.rows(
        "select details ->> 'change' as act from sales_activity_log order by created_at"
    )
    return [row["act"] for row in rows if row["act"]]


# --- What it shows -----------------------------------------------------------------------------


def test_the_longest_wait_comes_first_with_who_why_and_since_when(
    world: Buyers, manager: Client
) -> None:
    world.clicked("Позже", "87000000021", sms_clicked_at=ago(hours=1))
    first = world.lead("Раньше", "87000000022", email="early@onai.test", source="TF4")
    world.chose(first, "kaspi", ago(hours=30))
    world.join()

    text = text_of(manager.get(QUEUE))

    assert text.index("Раньше") < text.index("Позже")
    assert "2 человека" in text
    assert "выбор способа оплаты: Каспи" in text
    assert "Ждёт 1 д 6 ч" in text or "Ждёт 1 день" in text
    page = manager.get(QUEUE).content.decode()
    assert 'href="tel:+77000000022"' in page
    [chat] = re.findall(r'href="(https://wa\.me/77000000022\?text=[^"]+)"', page)
    assert "Здравствуйте, Раньше!" in unquote(chat)
    assert "логином будет early@onai.test" in unquote(chat)
    assert "8 700 000 00 22" in page


def test_the_api_tells_the_queue_in_its_shape(world: Buyers, manager: Client) -> None:
    lead = world.clicked(email=None, source=None)
    world.chose(lead, "kaspi", ago(hours=3))
    (line,) = world.join()

    answer = _json(manager)

    (told,) = answer.pop("lines")
    assert answer == {"success": True, "count": 1, "next": None}
    chose, clicked = told.pop("signals")
    assert (chose["kind"], chose["detail"], clicked["kind"]) == ("chose", "kaspi", "clicked")
    assert chose["at"] == told.pop("waitingSince")
    assert chose["at"].endswith("Z")
    assert told == {
        "id": str(line["id"]),
        "name": "Дана Ким",
        "phone": "+77000000011",
        "email": None,
        "source": None,
        "state": "waiting",
        "claimedBy": None,
        "claimedUntil": None,
        "ambiguity": None,
    }


def test_pages_follow_each_other_and_hold_everybody_once(world: Buyers, manager: Client) -> None:
    for number in range(60):
        world.clicked(f"Имя {number}", f"87000001{number:03d}", sms_clicked_at=ago(hours=number))
    world.join()

    names, after = [], ""
    while after is not None:
        page = _json(manager, after=after)
        assert page["count"] == 60
        names += [line["name"] for line in page["lines"]]
        after = page["next"]

    assert names == [f"Имя {number}" for number in reversed(range(60))]


def test_an_invalid_parameter_is_reported(manager: Client) -> None:
    for query in ({"state": "nonsense"}, {"after": "nonsense"}):
        assert manager.get(QUEUE, query).status_code == 400
        assert manager.get(API, query).status_code == 400


def test_the_badge_on_every_page_counts_the_lines(world: Buyers, manager: Client) -> None:
    assert 'class="rooms-count"' not in manager.get(CABINET).content.decode()
    _line(world)

    for page in (CABINET, f"{CABINET}/activity", NEW, QUEUE):
        assert re.search(r'class="rooms-count"\s*>1<', manager.get(page).content.decode()), page


def test_the_file_holds_the_lines(world: Buyers, manager: Client) -> None:
    _line(world, name="=HYPERLINK(1)")

    answer = manager.get(f"{QUEUE}.csv")
    body = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    head, row = list(csv.reader(io.StringIO(body), delimiter=";"))

    assert head[:3] == ["Имя", "Телефон", "Почта"]
    assert row[:3] == ["'=HYPERLINK(1)", "8 700 000 00 11", "dana@onai.test"]


def test_an_open_page_renews_its_lines_alone(world: Buyers, manager: Client) -> None:
    _line(world)

    answer = manager.get(QUEUE, headers={"HX-Request": "true", "HX-Target": "live"})

    assert answer.content.decode().lstrip().startswith("<div")
    assert "Дана Ким" in text_of(answer)
    assert answer["X-Fragment-For"]


def test_a_signal_that_disappeared_is_marked(world: Buyers, manager: Client) -> None:
    lead = world.clicked()
    world.join()
    world.change(lead, sms_clicked=False, sms_clicked_at=None)
    world.join()

    assert "отметка исчезла" in text_of(manager.get(QUEUE))
    (signal,) = _json(manager)["lines"][0]["signals"]
    assert signal["goneAt"]


def test_a_line_says_that_a_family_shares_the_phone(world: Buyers, manager: Client) -> None:
    world.clicked("Дана Ким", email="dana@onai.test")
    world.clicked("Ержан Ким", email="yerzhan@onai.test")
    world.join()

    assert "Этот телефон есть и у другого человека" in text_of(manager.get(QUEUE))


# --- Whose turn it is --------------------------------------------------------------------------


def test_a_claim_holds_for_half_an_hour_and_can_be_given_back(
    world: Buyers, manager: Client, desk: Desk, colleague: Any
) -> None:
    line = _line(world)

    assert "вы занимаетесь до" in text_of(_act(manager, line, "claim"))

    (claimed,) = _json(manager, state="claimed")["lines"]
    assert claimed["claimedBy"]["name"] == "Аяулым Тест"
    assert claimed["claimedUntil"]
    assert _json(manager, state="waiting")["count"] == 0
    other = signed_in(OTHER)
    refused = _act(other, line, "claim")
    assert refused.status_code == 409
    assert "занимается Аяулым Тест" in text_of(refused)
    assert _act(other, line, "release").status_code == 409
    assert _act(other, line, "close", reason="not_paid").status_code == 409
    assert "свободна" in text_of(_act(manager, line, "release"))
    _act(other, line, "claim")
    desk.connection.execute("update sales_buyers set claimed_until = now()")
    assert _json(manager, state="waiting")["count"] == 1
    assert _log(desk) == ["queue_claim", "queue_release", "queue_claim"]


def test_a_claim_that_has_ended_is_anybodys(
    world: Buyers, manager: Client, desk: Desk, colleague: Any
) -> None:
    line = _line(world)
    _act(manager, line, "claim")
    desk.connection.execute("update sales_buyers set claimed_until = now() - interval '1 second'")

    assert "вы занимаетесь до" in text_of(_act(signed_in(OTHER), line, "claim"))


@pytest.mark.parametrize(("act", "body"), [("release", {}), ("close", {"reason": "not_paid"})])
def test_an_admin_may_do_both_with_a_line_that_a_manager_works_on(
    world: Buyers, manager: Client, desk: Desk, act: str, body: dict[str, str]
) -> None:
    line = _line(world)
    _act(manager, line, "claim")

    assert _act(signed_in(ADMIN), line, act, **body).status_code == 200
    assert _log(desk) == ["queue_claim", f"queue_{act}"]


def test_of_simultaneous_claims_one_wins_and_the_other_names_the_winner(
    world: Buyers, as_person: SignIn, desk: Desk, colleague: Any
) -> None:
    line = _line(world)
    clients = [signed_in(MANAGER), signed_in(OTHER)]

    def claim(client: Client) -> Any:
        try:
            return client.post(f"{QUEUE}/{line}/claim")
        finally:
            connections.close_all()

    for _round in range(5):
        desk.connection.execute("update sales_buyers set claimed_until = null, claimed_by = null")
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(claim, clients))
        assert sorted(answer.status_code for answer in answers) == [302, 409]
        (loser,) = [answer for answer in answers if answer.status_code == 409]
        winner = desk.row("select claimed_name from sales_buyers")["claimed_name"]
        assert f"занимается {winner}" in text_of(loser)


@pytest.mark.parametrize(
    ("reason", "said"),
    [("not_paid", "не оплатил"), ("duplicate", "дубль"), ("refund", "возврат")],
)
def test_a_line_is_closed_with_a_reason_and_opened_again(
    world: Buyers, manager: Client, desk: Desk, reason: str, said: str
) -> None:
    line = _line(world)
    assert "Почему закрываем" in text_of(manager.get(f"{QUEUE}/{line}/close"))

    closed = text_of(_act(manager, line, "close", reason=reason, note="звонили дважды"))

    assert f"Закрыто без доступа: Дана Ким, {said}." in closed
    assert "Никто не ждёт" in closed
    assert world.join() == []
    (told,) = _json(manager, state="closed")["lines"]
    assert told["state"] == "closed"
    assert f"{said}, звонили дважды" in text_of(manager.get(QUEUE, {"state": "closed"}))
    assert f"{said}: звонили дважды" in text_of(manager.get(f"{CABINET}/activity"))
    assert "Ждёт" in text_of(_act(manager, line, "reopen"))
    assert _log(desk) == ["queue_close", "queue_reopen"]


@pytest.mark.parametrize(
    "wrong",
    [{}, {"reason": "access"}, {"reason": "other"}, {"reason": "refund", "note": "а" * 501}],
)
def test_a_line_is_not_closed_without_a_good_reason(
    world: Buyers, manager: Client, wrong: dict[str, str]
) -> None:
    line = _line(world)

    assert _act(manager, line, "close", **wrong).status_code == 400
    assert _json(manager)["count"] == 1


def test_a_line_closed_as_unpaid_opens_again_when_its_deal_is_won(
    world: Buyers, manager: Client
) -> None:
    line = _line(world)
    _act(manager, line, "close", reason="not_paid")
    world.won(77, "87000000011", sale_date=ago(hours=-1))

    assert [row["id"] for row in world.join()] == [line]


def test_a_closed_line_cannot_be_claimed_nor_closed_twice(world: Buyers, manager: Client) -> None:
    line = _line(world)
    _act(manager, line, "close", reason="duplicate")

    assert _act(manager, line, "claim").status_code == 409
    assert _act(manager, line, "close", reason="refund").status_code == 409
    assert _act(manager, uuid4(), "claim").status_code == 404


def test_a_manager_sees_only_the_closed_lines_of_their_own(
    world: Buyers, manager: Client, colleague: Any
) -> None:
    line = _line(world)
    _act(manager, line, "close", reason="duplicate")
    other = signed_in(OTHER)

    assert _json(other, state="closed")["count"] == 0
    assert _act(other, line, "reopen").status_code == 404
    assert _json(signed_in(ADMIN), state="closed")["count"] == 1


def test_a_purchase_is_added_by_hand(world: Buyers, manager: Client, desk: Desk) -> None:
    body = {"name": "Айя", "phone": "8 700 000 00 55", "email": ""}
    assert "Айя" in text_of(manager.post(f"{QUEUE}/report", body, follow=True))
    (line,) = _json(manager)["lines"]
    assert [signal["kind"] for signal in line["signals"]] == ["by_hand"]
    assert manager.post(f"{QUEUE}/report", {"name": "Айя"}).status_code == 400
    # The lead that comes later is the same person.
    world.clicked("Айя Серик", "+7 700 000 00 55")
    assert len(world.join()) == 1
    assert _log(desk) == ["queue_report"]


def test_the_student_and_strangers_are_refused(world: Buyers, client: Client, bearer: Any) -> None:
    assert client.get(QUEUE).status_code == 302
    assert client.get(API).status_code == 401
    student = bearer("student@onai.test")
    assert client.get(API, headers=student).status_code == 403
    assert client.get(API, headers=bearer(MANAGER)).status_code == 200


# --- The access --------------------------------------------------------------------------------


def _fields(answer: Any) -> dict[str, str]:
    """The values of the form that creates a student."""
    page = answer.content.decode()
    form = page[page.index("data-new-student") :]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form, re.DOTALL):
        name, value = (re.search(rf'\b{one}="([^"]*)"', tag) for one in ("name", "value"))
        if name and value:
            found[name[1]] = value[1]
    return found


def test_the_life_of_a_line_from_the_click_to_the_course(
    world: Buyers, manager: Client, desk: Desk, accounts: Accounts
) -> None:
    lead = world.clicked(email="Dana@onai.test", source="TF4")
    world.join()
    page = manager.get(QUEUE).content.decode()
    (path,) = re.findall(r'href="(/sales-manager/students/new\?line=[^"]+)"', page)
    fields = _fields(manager.get(path))
    assert (fields["email"], fields["full_name"]) == ("Dana@onai.test", "Дана Ким")
    assert fields["phone"] == "8 700 000 00 11"

    # The manager gives the course to another address.
    answer = manager.post(NEW, {**fields, "email": "work@onai.test", "password": GOOD["password"]})

    assert answer.status_code == 302
    assert _json(manager)["count"] == 0
    kept = desk.row("select * from sales_student_leads")
    assert (kept["lead_id"], kept["how"], kept["source"]) == (lead, "id", "TF4")
    assert kept["first_signal"] == "clicked"
    assert world.join() == []
    (buyer,) = world.everybody()
    assert buyer["closed_reason"] == "access"
    assert accounts.sign_in("work@onai.test", GOOD["password"])


def test_an_access_opened_without_the_queue_closes_the_line_at_once(
    world: Buyers, manager: Client
) -> None:
    _line(world, email="aru@onai.test")

    manager.post(NEW, GOOD)

    assert _json(manager)["count"] == 0


@pytest.mark.parametrize(
    "who", ["8 (700) 000-00-11", "+77000000011", " DANA@onai.test ", "дана", "Ким Дана"]
)
def test_an_exact_phone_or_email_or_a_name_in_the_queue_fills_in_the_form(
    world: Buyers, manager: Client, desk: Desk, who: str
) -> None:
    _line(world)

    answer = manager.post(NEW, {"who": who, "find": "1"})

    fields = _fields(answer)
    assert (fields["email"], fields["full_name"]) == ("dana@onai.test", "Дана Ким")
    assert "переход по ссылке на оплату" in text_of(answer)
    assert _log(desk) == ([] if who.strip().lower()[:1] in "дк" else ["lead_found"])


def test_a_lead_of_this_minute_is_found_before_any_round(world: Buyers, manager: Client) -> None:
    world.lead(email="dana@onai.test")

    for who in ("dana@onai.test", "87000000011"):
        fields = _fields(manager.post(NEW, {"who": who, "find": "1"}))
        assert fields["full_name"] == "Дана Ким"


@pytest.mark.parametrize("who", ["Дана", "0000011", "dana@", "@onai.test", "8700", "", "д"])
def test_an_inexact_search_finds_nobody_outside_the_queue(
    world: Buyers, manager: Client, who: str
) -> None:
    world.lead(email="dana@onai.test")
    world.join()

    answer = manager.post(NEW, {"who": who, "find": "1"})

    assert answer.status_code == 200
    assert "Дана Ким" not in text_of(answer)
    assert not _fields(answer).get("email")


def test_several_persons_with_one_phone_are_offered_to_choose_from(
    world: Buyers, manager: Client
) -> None:
    world.clicked("Дана Ким", email="dana@onai.test")
    world.clicked("Ержан Ким", email="yerzhan@onai.test")
    world.join()

    answer = manager.post(NEW, {"who": "87000000011", "find": "1"})

    assert {"Дана Ким", "Ержан Ким"} <= set(
        re.findall(r"<bdi>([^<]*)</bdi>", answer.content.decode())
    )
    assert "email" not in _fields(answer) or not _fields(answer)["email"]


# --- The other way round -----------------------------------------------------------------------


def test_an_access_without_payment_is_listed_explained_and_taken_back(
    world: Buyers, manager: Client, sales: Sales
) -> None:
    gift = sales.add("gift@onai.test", full_name="Подарок Тест")
    sales.add("other@onai.test", full_name="Чужой Тест", granted_by=sales.ids["botagoz"])
    sales.add("dana@onai.test", full_name="Дана Ким")
    world.clicked(email="dana@onai.test")
    world.join()
    page = f"{QUEUE}/no-payment"
    assert "Подарок Тест" in text_of(manager.get(page))
    assert "Чужой Тест" not in text_of(manager.get(page))
    assert "Дана Ким" not in text_of(manager.get(page))
    purchase = f"{CABINET}/students/{gift['id']}/purchase"
    assert manager.post(purchase, {"explain": "1", "reason": "подарок"}).status_code == 403

    admin = signed_in(ADMIN)
    assert "Аяулым Тест : 1" in text_of(admin.get(page)) or "Аяулым Тест: 1" in text_of(
        admin.get(page)
    )
    assert admin.post(purchase, {"explain": "1", "reason": ""}).status_code == 400
    admin.post(purchase, {"explain": "1", "reason": "подарок"})
    assert "Подарок Тест" not in text_of(admin.get(page))
    assert "Объяснено: подарок" in text_of(admin.get(purchase))
    admin.post(f"{purchase}/undo")
    assert "Подарок Тест" in text_of(admin.get(page))


def test_a_match_is_made_by_hand_and_undone(
    world: Buyers, manager: Client, sales: Sales, desk: Desk
) -> None:
    student = sales.add("work@onai.test", full_name="Дана Ким")
    _line(world)
    assert "Похоже на студента Дана Ким" in text_of(manager.get(QUEUE))
    purchase = f"{CABINET}/students/{student['id']}/purchase"
    found = manager.post(purchase, {"who": "87000000011", "find": "1"})
    (buyer,) = re.findall(r'name="buyer" value="([^"]+)"', found.content.decode())

    tied = manager.post(f"{purchase}/tie", {"buyer": buyer}, follow=True)

    assert "вручную, Аяулым Тест" in text_of(tied)
    assert world.join() == []
    assert "по почте 0" in text_of(manager.get(QUEUE))
    assert "вручную 1" in text_of(manager.get(QUEUE))
    manager.post(f"{purchase}/undo")
    assert len(world.join()) == 1
    assert _log(desk) == ["lead_found", "lead_tied", "lead_untied"]


def test_a_line_stays_closed_while_another_student_is_its_buyer(
    world: Buyers, manager: Client, sales: Sales
) -> None:
    sales.add("dana@onai.test")
    sister = sales.add("sister@onai.test")
    world.clicked(email="dana@onai.test")
    assert world.join() == []
    (buyer,) = world.everybody()
    purchase = f"{CABINET}/students/{sister['id']}/purchase"
    manager.post(f"{purchase}/tie", {"buyer": str(buyer["id"])})

    manager.post(f"{purchase}/undo")

    assert world.matches() == {"dana": "email", "sister": "undone"}
    assert world.join() == []


def test_a_claim_goes_to_the_line_that_another_is_joined_with(
    world: Buyers, manager: Client
) -> None:
    world.clicked("Дана Ким", "87000000021", created_at=ago(hours=9))
    younger = world.clicked("Дана", "87000000022", created_at=ago(hours=5))
    for line in world.join():
        if line["name"] == "Дана":
            _act(manager, UUID(str(line["id"])), "claim")

    world.change(younger, phone="87000000021")
    world.join()

    (line,) = _json(manager)["lines"]
    assert line["claimedBy"]["name"] == "Аяулым Тест"


def test_a_match_that_a_person_undid_is_not_made_again(
    world: Buyers, manager: Client, sales: Sales
) -> None:
    student = sales.add("dana@onai.test")
    world.clicked(email="dana@onai.test")
    assert world.join() == []

    manager.post(f"{CABINET}/students/{student['id']}/purchase/undo")

    assert len(world.join()) == 1
    assert world.matches() == {"dana": "undone"}


# --- Outages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [QUEUE, f"{QUEUE}/no-payment"])
@pytest.mark.parametrize(
    ("tables", "told"),
    [
        (("express_course_sales",), "Сделок CRM сайт не видит"),
        (("journey_stages",), "Этапы заявок сайт не видит"),
        (("short_links",), "Переходов по коротким ссылкам сайт не видит"),
        (("short_link_clicks",), "Переходов по коротким ссылкам сайт не видит"),
    ],
)
def test_the_queue_says_which_signals_it_cannot_know(
    world: Buyers, manager: Client, page: str, tables: tuple[str, ...], told: str
) -> None:
    assert "сайт не видит" not in text_of(manager.get(page))

    with taken_away(*tables):
        said = text_of(manager.get(page))

    assert told in said
    assert said.count("сайт не видит") == 1


def test_without_landing_the_queue_is_shown_and_says_so(
    sold: Any, desk: Desk, manager: Client
) -> None:
    with psycopg.connect(LANDING_URL, autocommit=True) as connection:
        _line(Buyers(LandingPages(connection), desk))
    with landing_outage():
        text = text_of(manager.get(QUEUE))
        found = text_of(manager.post(NEW, {"who": "87000000011", "find": "1"}))
        assert _json(manager)["count"] == 1

    assert "База лидов (Landing) не отвечает" in text
    assert "Дана Ким" in text
    assert "База лидов (Landing) не отвечает" in found
    assert "Дана Ким" in found


def test_during_an_outage_of_tripwire_the_page_says_so(manager: Client, world: Buyers) -> None:
    manager.get(QUEUE)
    with tripwire_outage():
        page, api = manager.get(QUEUE), manager.get(API)

    assert "База сейчас не отвечает" in text_of(page) or page.status_code == 503
    assert api.status_code == 503
    assert json.loads(api.content)["code"] == "database_unavailable"


# --- The owner's overview ----------------------------------------------------------------------


def test_the_overview_shows_how_many_wait_and_the_longest_wait(
    world: Buyers, as_person: SignIn, desk: Desk
) -> None:
    admin = as_person(ADMIN)
    assert "доступа" not in text_of(admin.get("/funnel"))
    world.clicked(sms_clicked_at=ago(hours=50))
    world.clicked("Айя", "87000000012")
    world.join()

    page = admin.get("/funnel")

    assert "2 человека ждут доступа, дольше всех — 2 д" in text_of(page)
    assert f'href="{QUEUE}"' in page.content.decode()
    assert "ждут доступа" not in text_of(admin.get("/funnel/trend"))


def test_other_signals_open_other_lines_by_the_next_round(
    world: Buyers, manager: Client, settings: Any
) -> None:
    world.clicked()
    assert len(world.join()) == 1
    settings.QUEUE_SIGNALS = ["won"]

    assert world.join() == []
