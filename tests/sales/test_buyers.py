"""Buyers: persons joined from Landing's leads and deals, their signals, and their students."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from sales.handoff import buyers as joining
from sales.handoff import rounds
from tests.conftest import LandingPages
from tests.settings import LANDING_URL
from tests.support.buyers import Buyers, ago
from tests.support.desk import Desk
from tests.support.optional_tables import taken_away
from tests.support.outages import landing_outage
from tests.support.student_rows import Sales

HUMAN = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/131 Mobile Safari/537.36"


@pytest.fixture
def world(landing: LandingPages, desk: Desk) -> Buyers:
    return Buyers(landing, desk)


# --- Signals -----------------------------------------------------------------------------------


def test_a_click_opens_a_line_with_what_the_lead_says(world: Buyers) -> None:
    lead = world.clicked(
        email="Dana@Onai.Test",
        source="proftest_muha",
        metadata={"utmParams": {"utm_source": "ig", "utm_term": 7}, "utm_source": "fb"},
    )

    (line,) = world.join()

    assert (line["name"], line["phone"], line["email"]) == (
        "Дана Ким",
        "+7 700 000 00 11",
        "Dana@Onai.Test",
    )
    assert (line["source"], line["lead_id"]) == ("proftest_muha", lead)
    assert line["utm"] == {"utm_source": "fb", "utm_term": "7"}
    assert ago(hours=3) < line["clicked_at"] < ago(hours=1)
    assert line["waiting_since"] == line["clicked_at"]


def test_each_signal_is_kept_with_the_moment_it_was_first_seen(world: Buyers) -> None:
    lead = world.clicked()
    world.chose(lead, "card", ago(hours=3))
    world.chose(lead, "kaspi", ago(hours=1))
    world.won(77, "8 (700) 000-00-11", amount=5000, sale_date=ago(minutes=30))

    (line,) = world.join()

    assert line["chose_how"] == "card"
    assert line["chose_at"] < line["clicked_at"] < line["won_at"]
    assert line["won_amount"] == 5000
    assert line["waiting_since"] == line["chose_at"]


def test_a_signal_keeps_its_first_moment_when_landing_tells_a_later_one(world: Buyers) -> None:
    lead = world.clicked()
    (first,) = world.join()

    world.change(lead, sms_clicked_at=ago(minutes=1))
    (line,) = world.join()

    assert line["clicked_at"] == line["waiting_since"] == first["clicked_at"]


def test_a_payment_method_in_the_metadata_is_a_choice(world: Buyers) -> None:
    world.lead(metadata={"paymentMethod": "manager"})

    (line,) = world.join()

    assert (line["chose_how"], line["chose_at"]) == ("manager", line["created_at"])


def test_a_choice_without_its_moment_that_comes_later_is_new(world: Buyers) -> None:
    lead = world.lead()
    assert world.join() == []
    world.change(lead, metadata=Jsonb({"paymentMethod": "kaspi"}))

    (line,) = world.join()

    assert line["chose_at"] > ago(minutes=5)


@pytest.mark.parametrize(
    ("user_agent", "opens"),
    [
        (HUMAN, True),
        ("Mozilla/5.0 (Linux; CUBOT X18) Chrome/120", True),
        ("WhatsApp/2.24.10 A", False),
        ("TelegramBot (like TwitterBot)", False),
        ("facebookexternalhit/1.1", False),
        ("", False),
    ],
)
def test_only_a_persons_click_on_a_short_link_counts(
    world: Buyers, user_agent: str, opens: bool
) -> None:
    world.followed(world.lead(), user_agent)

    assert bool(world.join()) == opens


def test_a_lead_without_signals_opens_no_line_and_its_person_is_known(world: Buyers) -> None:
    world.lead(email="dana@onai.test")

    assert world.join() == []
    assert [row["email"] for row in world.everybody()] == ["dana@onai.test"]


def test_a_mark_that_disappears_is_kept_and_marked(world: Buyers) -> None:
    lead = world.clicked()
    (before,) = world.join()
    world.change(lead, sms_clicked=False, sms_clicked_at=None)

    (line,) = world.join()

    assert line["clicked_at"] == before["clicked_at"]
    assert list(line["gone"]) == ["clicked"]
    world.change(lead, sms_clicked=True)
    (again,) = world.join()
    assert (again["gone"], again["clicked_at"]) == ({}, before["clicked_at"])


def test_a_table_closed_to_us_makes_no_mark_disappear(world: Buyers) -> None:
    world.chose(world.lead())
    world.won(77, "87000000012")
    before = world.join()
    with taken_away("journey_stages", "express_course_sales", "short_links", "short_link_clicks"):
        assert world.join() == before
        world.clicked(phone="87000000013")
        assert len(world.join()) == 3


@pytest.mark.parametrize("signals", [["won"], ["won", "chose"], ["clicked"]])
def test_the_configured_signals_open_a_line(
    world: Buyers, settings: Any, signals: list[str]
) -> None:
    settings.QUEUE_SIGNALS = signals
    world.clicked("Клик", "87000000021")
    world.chose(world.lead("Выбор", "87000000022"))
    world.won(77, world_phone := "87000000023")
    world.lead("Сделка", world_phone)

    opened = {"won": "Сделка", "chose": "Выбор", "clicked": "Клик"}
    assert {line["name"] for line in world.join()} == {opened[one] for one in signals}


# --- Persons -----------------------------------------------------------------------------------


def test_three_spellings_of_a_phone_and_two_emails_are_one_person(world: Buyers) -> None:
    world.clicked(phone="+7 701 123-45-67", email="dana@onai.test")
    world.clicked(phone="87011234567", email="dana.work@onai.test")
    world.clicked(phone="7011234567", email=None)
    world.won(77, "8 701 123 45 67")

    (line,) = world.join()

    assert line["ambiguity"] == ""
    assert line["won_at"]


def test_one_email_with_two_phones_is_one_person(world: Buyers) -> None:
    world.clicked(phone="87000000021", email="DANA@onai.test")
    world.clicked(phone="87000000022", email=" dana@onai.test ")

    assert len(world.join()) == 1


def test_a_deal_is_of_the_lead_that_the_crm_names(world: Buyers) -> None:
    world.lead(phone="87000000021", amocrm_lead_id="77")
    world.won(77, "87000000022")

    (line,) = world.join()

    assert (line["name"], bool(line["won_at"])) == ("Дана Ким", True)


def test_a_deal_without_a_known_lead_opens_a_line(world: Buyers) -> None:
    world.won(77, "87000000022", original_utm_source="ig", utm_source="crm")

    (line,) = world.join()

    assert (line["name"], line["phone"], line["utm"]) == (
        "",
        "87000000022",
        {"utm_source": "ig"},
    )


def test_a_family_that_shares_a_phone_stays_apart_and_says_so(world: Buyers) -> None:
    world.clicked("Дана Ким", email="dana@onai.test")
    world.clicked("Ержан Ким", email="yerzhan@onai.test")
    world.won(77, "87000000011")

    lines = world.join()

    assert sorted(line["name"] for line in lines) == ["", "Дана Ким", "Ержан Ким"]
    assert {line["ambiguity"] for line in lines} == {"shared_phone"}


def test_two_emails_with_one_name_and_phone_are_one_person(world: Buyers) -> None:
    world.clicked("Дана Ким", email="dana@onai.test")
    world.clicked("ким  дана", email="dana2@onai.test")
    world.clicked("Дана", email="dana3@onai.test")

    (line,) = world.join()

    assert line["ambiguity"] == ""


def test_leads_without_phone_and_email_are_not_joined(world: Buyers) -> None:
    for _ in range(2):
        world.clicked("Дана Ким", "нет", email=None)

    assert len(world.join()) == 2


def test_a_phone_of_more_than_fifty_contacts_identifies_nobody(
    world: Buyers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "CROWDED", 3)
    for number in range(3):
        world.clicked(f"Имя {number}", email=None)
    assert len(world.join()) == 1
    world.clicked("Имя 4", email=None)

    lines = world.join()

    assert len(lines) == 4
    assert {line["ambiguity"] for line in lines} == {"shared_phone"}


def test_a_changed_lead_joins_another_person_or_leaves_one(world: Buyers) -> None:
    first = world.clicked("Дана Ким", "87000000021")
    world.clicked("Айя Серик", "87000000022")
    assert len(world.join()) == 2

    world.change(first, phone="87000000022")
    assert len(world.join()) == 1
    assert len(world.everybody()) == 1

    world.change(first, phone="87000000023")
    assert len(world.join()) == 2


def test_a_lead_merged_into_an_older_one_stays_one_person(world: Buyers) -> None:
    older = world.lead("Дана", source="proftest_muha", created_at=ago(days=9))
    younger = world.clicked("Дана Ким", source="expresscourse", email="dana@onai.test")
    world.join()
    world.delete(younger)
    world.change(older, name="Дана Ким", email="dana@onai.test")

    (line,) = world.join()

    assert (line["name"], line["source"], list(line["gone"])) == (
        "Дана Ким",
        "proftest_muha",
        ["clicked"],
    )


def test_a_student_stays_the_buyer_who_is_joined_with_an_older_one(
    world: Buyers, sales: Sales
) -> None:
    world.clicked("Дана Ким", "87000000021", created_at=ago(hours=9))
    younger = world.clicked("Дана", "87000000022", email="dana@onai.test")
    sales.add("dana@onai.test")
    assert len(world.join()) == 1

    world.change(younger, phone="87000000021")

    assert world.join() == []
    (buyer,) = world.everybody()
    match = world.desk.row("select buyer_id, how from sales_student_leads")
    assert match == {"buyer_id": buyer["id"], "how": "email"}


def test_a_deleted_lead_keeps_its_line_marked(world: Buyers) -> None:
    lead = world.clicked()
    world.join()
    world.delete(lead)

    (line,) = world.join()

    assert list(line["gone"]) == ["clicked"]


def test_a_deleted_deal_keeps_its_line_marked(world: Buyers) -> None:
    world.won(77, "87000000011", amount=5000)
    world.join()
    world.landing.connection.execute("delete from express_course_sales")

    (line,) = world.join()

    assert (list(line["gone"]), line["won_amount"]) == (["won"], None)


# --- Students ----------------------------------------------------------------------------------


def test_students_are_found_by_email_and_by_phone_and_never_by_name(
    world: Buyers, sales: Sales
) -> None:
    world.clicked("Дана Ким", "87000000021", email="dana@onai.test")
    world.clicked("Айя Серик", "87000000022", email=None)
    world.clicked("Ару Сапарова", "87000000023", email="other@onai.test")
    sales.add("DANA@onai.test", full_name="Другое Имя")
    called = sales.add("aya@onai.test", full_name="Айя")
    sales.add("aru@onai.test", full_name="Ару Сапарова")
    world.desk.connection.execute(
        "insert into sales_student_phones values (%s, '+77000000022')", [called["id"]]
    )

    (line,) = world.join()

    assert line["name"] == "Ару Сапарова"
    assert world.matches() == {"DANA": "email", "aya": "phone"}


def test_a_student_created_outside_closes_the_line_by_the_next_round(
    world: Buyers, sales: Sales
) -> None:
    world.clicked(email="dana@onai.test", source="TF4")
    assert len(world.join()) == 1
    sales.add("dana@onai.test", created_at=ago(days=400))

    assert world.join() == []

    kept = world.desk.row("select * from sales_student_leads")
    assert (kept["how"], kept["source"], kept["first_signal"]) == ("email", "TF4", "clicked")
    (buyer,) = world.everybody()
    assert buyer["closed_reason"] == "access"


def test_an_access_that_was_there_before_the_signal_opens_no_line(
    world: Buyers, sales: Sales
) -> None:
    lead = world.lead(email="dana@onai.test")
    sales.add("dana@onai.test")
    world.join()
    world.change(lead, sms_clicked=True)

    assert world.join() == []


def test_a_student_with_a_familys_phone_is_not_matched_until_a_person_decides(
    world: Buyers, sales: Sales
) -> None:
    world.clicked("Ержан Ким", email="yerzhan@onai.test")
    student = sales.add("dana@onai.test", full_name="Дана Ким")
    world.desk.connection.execute(
        "insert into sales_student_phones values (%s, '+77000000011')", [student["id"]]
    )

    (line,) = world.join()

    assert (line["name"], world.matches()) == ("Ержан Ким", {})


def test_a_phone_that_other_software_wrote_is_taken_over(world: Buyers, sales: Sales) -> None:
    world.clicked(email=None)
    world.desk.connection.execute("alter table tripwire_users add phone varchar(20)")
    try:
        sales.add("dana@onai.test", phone="8 700 000 00 11")
        assert world.join() == []
    finally:
        world.desk.connection.execute("alter table tripwire_users drop phone")
    assert world.matches() == {"dana": "phone"}


# --- Rounds ------------------------------------------------------------------------------------


def test_a_repeated_round_changes_nothing(world: Buyers) -> None:
    world.chose(world.clicked(email="dana@onai.test"))
    world.won(77, "87000000012")
    world.join()
    before = world.desk.rows("select * from sales_buyers order by id")

    world.join()

    assert world.desk.rows("select * from sales_buyers order by id") == before


def test_changes_of_sixty_days_are_seen_in_pages_and_older_ones_by_the_nights_pass(
    world: Buyers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "PAGE", 2)
    monkeypatch.setattr(rounds, "PAGES", 2)
    old = [
        world.lead(f"Давно {n}", f"8700000010{n}", created_at=ago(days=100 + n)) for n in range(5)
    ]
    young = [world.lead(f"Имя {n}", f"8700000020{n}", created_at=ago(days=n + 1)) for n in range(9)]
    for _ in range(6):
        world.join()
    for lead in (*old, *young):
        world.change(lead, sms_clicked=True)

    for _ in range(3):
        world.join()
    assert {line["name"] for line in world.lines()} == {f"Имя {n}" for n in range(9)}
    rounds.begin_full_pass()
    for _ in range(3):
        world.join()
    assert len(world.lines()) == 14


def test_a_page_that_was_not_kept_is_read_again(
    world: Buyers, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.clicked()

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(joining, "regroup", dies)
        with pytest.raises(KeyboardInterrupt):
            world.join()
    assert world.desk.rows("select * from sales_buyer_contacts") == []

    assert len(world.join()) == 1


def test_clocks_an_hour_apart_lose_nobody(world: Buyers) -> None:
    for minutes in (60, 30, 0, -30, -60):
        at = ago(minutes=minutes)
        world.clicked(f"Имя {minutes}", f"870000003{abs(minutes):02d}{int(minutes < 0)}",
                      created_at=at, sms_clicked_at=at)  # fmt: skip
        world.join()
    world.clicked("Потом", "87000000399", created_at=ago(minutes=1) - timedelta(hours=1))

    assert len(world.join()) == 6


def test_without_landing_a_round_still_finds_the_students(
    sold: Any, desk: Desk, sales: Sales
) -> None:
    with psycopg.connect(LANDING_URL, autocommit=True) as connection:
        world = Buyers(LandingPages(connection), desk)
        world.clicked(email="dana@onai.test")
        world.join()
    sales.add("dana@onai.test")
    with landing_outage():
        rounds.run_round()

    assert world.lines() == []
