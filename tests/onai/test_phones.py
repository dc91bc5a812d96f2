"""Phones and e-mails as people write them: whose they are, in Python and in PostgreSQL alike."""

import random
import re

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher, format_number

from funnel.models import Lead
from funnel.people.duplicates import page_of_duplicates
from funnel.people.listing import PeopleFilter, everybody
from funnel.stages import StageId
from onai.contacts import emails, phones
from tests.conftest import LandingPages
from tests.support.lead_rows import DAYS, PERIOD, bought_by, lead

# What is written, and whose number it is.
NUMBERS: tuple[tuple[str, str | None], ...] = (
    ("+7 701 123-45-67", "+77011234567"),
    ("87011234567", "+77011234567"),
    ("7011234567", "+77011234567"),
    ("007 701 123 45 67", "+77011234567"),
    ("+7 (700) 000-00-11", "+77000000011"),
    ("8 (700) 000 00 11", "+77000000011"),
    ("77000000011", "+77000000011"),
    ("+7 8 700 000 00 11", "+77000000011"),
    ("+78700 0000011", "+77000000011"),
    ("8 7 700 000 00 11", "+77000000011"),
    ("+8 700 000 00 11", "+77000000011"),
    ("8 +7 700 000 00 11", "+77000000011"),
    ("7 8 700 0000011", "+77000000011"),
    ("8 10 7 700 000 00 11", "+77000000011"),
    ("8~10 998 90 000 00 11", "+998900000011"),
    ("0700000011", "0700000011"),
    ("0700 00-00-11", "0700000011"),
    ("+0700000011", "0700000011"),
    ("+82 10-0000-0011", "+821000000011"),
    ("0082 10 0000 0011", "+821000000011"),
    ("+82 (0)10-0000-0011", "+821000000011"),
    ("821000000011", "+821000000011"),
    ("+82 010-0000-0011", "+821000000011"),
    ("+996 0700 000 011", "+996700000011"),
    ("9960700000011", "+996700000011"),
    ("00 44 020 7946 0011", "+442079460011"),
    ("+39 06 0000 0011", "+390600000011"),
    ("+225 07 00 00 00 11", "+2250700000011"),
    ("77000000011.0", "+77000000011"),
    (" +77000000011.00 ", "+77000000011"),
    ("998900000011.0", "+998900000011"),
    ("+998 90 000 00 11", "+998900000011"),
    ("998900000011", "+998900000011"),
    ("00998900000011", "+998900000011"),
    ("+996 700 000 011", "+996700000011"),
    ("+1 (202) 555-01-11", "+12025550111"),
    ("+49 30 1234567", "+49301234567"),
    ("+44 20 7946 0011", "+442079460011"),
    ("9161234567", "9161234567"),
    ("+7 916 123-45-67", "+79161234567"),
    ("8 916 123-45-67", "+79161234567"),
    ("8 700 000 00 11 доб. 12", "+77000000011"),
    ("+7 700 000 00 11 ext 5", "+77000000011"),
    ("87000000011вн3", "+77000000011"),
    ("+77000000011 #12", "+77000000011"),
    ("8 700 000 00 11, доб 12", "+77000000011"),
    ("87000000011x12", "+77000000011"),
    ("8 (7172) 00-00-11 вн. 204", "+77172000011"),
    ("+77000000011;ext=5", "+77000000011"),
    ("+7 700 000 00 11, 8 700 000 00 12", "+77000000011"),
    ("87000000011/87000000012", "+77000000011"),
    ("87000000011 или 87000000012", "+77000000011"),
    ("87000000011 87000000012", "+77000000011"),
    ("7000000011 7000000012", "+77000000011"),
    ("+77000000011+77000000012", "+77000000011"),
    ("8 700 000 00 11\n8 700 000 00 12", "+77000000011"),
    ("8700000001187000000012", "+77000000011"),
    ("+7 / 700 000 00 11", "+77000000011"),
    ("8 700 000 00 11 / 12", "+77000000011"),
    ("８７０００００００１１", "+77000000011"),
    ("＋７ ７００ ０００ ００ １１", "+77000000011"),
    ("٨٧٠٠٠٠٠٠٠١١", "+77000000011"),
    ("\u202a+7 700 000 00 11\u202c", "+77000000011"),
    ("8\xa0700‑000‑00‑11", "+77000000011"),
    ("тел. 8 700 000 00 11", "+77000000011"),
    ("WhatsApp: +77000000011", "+77000000011"),
    ("8.700.000.00.11", "+77000000011"),
    ("8,700,000,00,11", "+77000000011"),
    ("(+7) 700 000 00 11", "+77000000011"),
    ("tel:+77000000011", "+77000000011"),
    ("8 700 000 00 11" + "(" * 5_000, "+77000000011"),
    ("(" * 5_000 + "8 700 000 00 11", None),
    ("+7 (___) ___-__-__", None),
    ("+7", None),
    ("8", None),
    ("+7 (700) ___-__-__", None),
    ("+7 (700) 000-00-1_", None),
    ("8 (700) 000-__-__", None),
    ("нет", None),
    ("-", None),
    ("", None),
    ("0", None),
    ("00000000000", None),
    ("0000000000", None),
    ("+7 000 000 00 00", None),
    ("1111111111", None),
    ("+", None),
    ("12345", None),
    ("7000000", None),
    ("+7 777 777 77 77", None),
    ("8 777 777 77 77", None),
    ("+7000000011", None),
    ("123", None),
    ("90 000 00 11", "900000011"),
    ("272-00-11", None),
    ("8700000001", None),
    ("+99999999999999999999", None),
    ("7 123 456 789 012", "7123456789012"),
    ("(495) 123-45-67", "4951234567"),
    ("8-800-555-35-35", "+78005553535"),
    ("00 7 700 000 00 11", "+77000000011"),
    ("+852 5123 4567", "+85251234567"),
    ("8 700 000 00 11 ", "+77000000011"),
    ("87000000011\n", "+77000000011"),
    ("+86 138 0000 0011", "+8613800000011"),
    ("+7 700 000 00 11 (вацап)", "+77000000011"),
    ("8 700 000 00 11 (вн. 3), 8 727 000 00 12", "+77000000011"),
)
EMAILS: tuple[tuple[str, str | None], ...] = (
    ("aru@onai.test", "aru@onai.test"),
    (" ARU@OnAi.Test ", "aru@onai.test"),
    ("\u200baru@onai.test\u00a0", "aru@onai.test"),
    ("mailto:aru@onai.test", "aru@onai.test"),
    ("Ару <aru@onai.test>", "aru@onai.test"),
    ("<mailto:aru@onai.test>;", "aru@onai.test"),
    ("aru@onai.test,", "aru@onai.test"),
    ("«aru@onai.test».", "aru@onai.test"),
    ("o'brien+kz@mail.onai.test", "o'brien+kz@mail.onai.test"),
    ("нет", None),
    ("-", None),
    ("", None),
    ("@", None),
    ("нет@нет.нет", None),
    ("a@localhost", None),
    ("aru@", None),
    ("aru@onai", None),
    ("@onai.test", None),
    ("a@b@onai.test", None),
    ("aru@onai..test", None),
    ("не помню aru@onai.test", None),
)


def _keys(landing: LandingPages, column: str, texts: list[str]) -> dict[str, str | None]:
    landing.write(*({"name": text, column: text} for text in texts))
    key_of = {"phone": phones.key_of, "email": emails.key_of}[column]
    return dict(Lead.objects.values_list("name", key_of(column)))


@pytest.mark.parametrize(("written", "key"), NUMBERS)
def test_python_normalises_a_phone(written: str, key: str | None) -> None:
    assert phones.key(written) == key


def test_the_database_normalises_a_phone_alike(landing: LandingPages) -> None:
    assert _keys(landing, "phone", [written for written, _ in NUMBERS]) == dict(NUMBERS)


def test_python_and_the_database_agree_on_any_input(landing: LandingPages) -> None:
    dice = random.Random(17)
    parts = (
        *"0123456789",
        "7",
        "8",
        "700",
        "000",
        "+",
        "+7",
        "00",
        "810",
        "(0)",
        " ",
        "-",
        "(",
        ")",
    )
    others = (",", "/", "доб. ", "x", "\n", "_", "７", "＋", "\u202a", "\u00a0", "998", "77", "")
    texts = {
        "".join(dice.choices((*parts, *parts, *others), k=dice.randrange(28))) for _ in range(4_000)
    }

    found = _keys(landing, "phone", sorted(texts))

    assert {text: key for text, key in found.items() if key != phones.key(text)} == {}
    assert len(found) == len(texts)
    assert sum(key is not None for key in found.values()) > 500, "too few are numbers to tell"


@pytest.mark.parametrize(
    ("written", "key"), [case for case in NUMBERS if (case[1] or "")[:1] == "+"]
)
def test_normalised_phones_agree_with_the_numbering_plans(written: str, key: str) -> None:
    found = next(iter(PhoneNumberMatcher(written, "KZ", leniency=Leniency.VALID)), None)
    assert found is None or format_number(found.number, PhoneNumberFormat.E164) == key


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("+7 (700) 000-00-11", "8 700 000 00 11"),
        ("7000000011", "8 700 000 00 11"),
        ("+7 8 700 000 00 11", "8 700 000 00 11"),
        ("８ 700 000 00 11", "8 700 000 00 11"),
        ("8 +7 700 000 00 11", "8 700 000 00 11"),
        ("8,700,000,00,11", "8 700 000 00 11"),
        ("+7 916 000-00-11", "8 916 000 00 11"),
        ("+82 1000000011", "+82 10-0000-0011"),
        ("998900000011", "+998 90 000 00 11"),
        ("00998900000011", "+998 90 000 00 11"),
        ("87000000011 #12", "8 700 000 00 11 доб. 12"),
        ("77000000011.0", "8 700 000 00 11"),
        ("+996 0700 000 011", "+996 700 000 011"),
        ("87000000011 вн. 12", "8 700 000 00 11 вн. 12"),
        ("тел. 87000000011, мама", "тел. 8 700 000 00 11, мама"),
        ("+77000000011+77000000012", "8 700 000 00 11, 8 700 000 00 12"),
        ("87000000011/+998900000012", "8 700 000 00 11/+998 90 000 00 12"),
        ("0700 000 011", "0700 000 011"),
        ("+7 (___) ___-__-__", "+7 (___) ___-__-__"),
        ("нет", "нет"),
        ("", ""),
    ],
)
def test_a_phone_is_shown_as_dialled_with_everything_beside_it(written: str, shown: str) -> None:
    assert phones.spelled(written) == shown


_TYPED = st.lists(
    st.sampled_from([*"0123456789+-() ,/x", "+7", "8700", "000", "0011", " доб. ", "+998", "90"]),
    max_size=14,
).map("".join)


@given(_TYPED | st.sampled_from([written for written, _ in NUMBERS]))
def test_a_phone_as_shown_identifies_the_same_person(written: str) -> None:
    shown = phones.spelled(written)
    assert phones.key(shown) == phones.key(written)
    assert phones.spelled(shown) == shown


def test_a_placeholder_address_identifies_nobody(landing: LandingPages) -> None:
    assert _keys(landing, "email", [written for written, _ in EMAILS]) == dict(EMAILS)


@pytest.mark.parametrize(("written", "key"), [case for case in EMAILS if case[1]])
def test_the_forms_spell_an_address_as_the_database_does(written: str, key: str) -> None:
    assert emails.clean(written) == key


@pytest.mark.parametrize(
    ("phone", "email"),
    [
        ("+7 (___) ___-__-__", "нет"),
        ("+7", "-"),
        ("8 (700) 000-__-__", "no"),
        ("+7 000 000 00 00", "a@localhost"),
        ("нет", ""),
    ],
)
def test_a_shared_placeholder_does_not_join_persons(
    landing: LandingPages, phone: str, email: str
) -> None:
    landing.write(*(bought_by(phone, email) for _ in range(3)))

    assert page_of_duplicates(PERIOD).persons == 0
    duplicates = page_of_duplicates(PERIOD).check
    assert (duplicates.distinct_phones, duplicates.without_phone) == (0, 3)
    assert (duplicates.distinct_emails, duplicates.without_email) == (0, 3)


def test_a_person_is_found_by_any_spelling_of_their_phone(landing: LandingPages) -> None:
    for phone in ("+998 90 000 00 11", "998900000011", "00 998 90 000-00-11 доб. 2"):
        landing.write(bought_by(phone))
    # The same digits, and another country or none.
    landing.write(
        bought_by("0700000011"), bought_by("8 700 000 00 11"), bought_by("8 700 000 00 12")
    )

    (buyer,) = page_of_duplicates(PERIOD).buyers

    assert buyer.purchases == 3


def test_the_page_shows_a_foreign_number_with_its_plus(
    admin: Client, landing: LandingPages
) -> None:
    landing.write(*(bought_by(phone) for phone in ("+82 10-0000-0011", "00821000000011")))

    page = admin.get("/funnel/duplicates", DAYS).content.decode()

    assert page.count('href="tel:+821000000011"') == page.count("+82 10-0000-0011") == 2


def test_a_lead_is_found_by_its_phone_as_stored_or_as_shown(landing: LandingPages) -> None:
    # Other words than those of an extension are looked for in names.
    words = re.compile("тел|tel|WhatsApp|или|вацап")
    numbers = {
        one.strip() for one, key in NUMBERS if key and len(one) < 60 and not words.search(one)
    }
    assert len(numbers) > 50
    landing.write(*(lead(phone=written, email=None) for written in numbers))

    lost = []
    for written in numbers:
        for text in {written, phones.spelled(written)}:
            wanted = PeopleFilter(PERIOD, StageId.PROFTEST, text=text)
            if written not in {one.phone for one in everybody(wanted)}:
                lost.append((written, text))
    assert lost == []
