"""What a person types as an e-mail or a name: one spelling of it, or which letter is wrong."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from onai.contacts import emails, names
from tests.support.desk import GOOD, Desk
from tests.support.people import PASSWORD
from tests.support.student_changes import act_and_follow, student_of

NEW = "/sales-manager/students/new"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ARU@OnAi.Test", "aru@onai.test"),
        ("mailto:aru@onai.test?subject=x", "aru@onai.test"),
        ("MAILTO:aru%40onai.test", "aru@onai.test"),
        ("mailto://aru@onai.test", "aru@onai.test"),
        ("Ару Сапарова <aru@onai.test>", "aru@onai.test"),
        ('"Ару, Сапарова" <mailto:aru@onai.test>;', "aru@onai.test"),
        ("«aru@onai.test».", "aru@onai.test"),
        ("(aru@onai.test),", "aru@onai.test"),
        ("\ufeff\u200b\u202aaru@onai.test\u202c\u00a0\u2800\u00ad", "aru@onai.test"),
        ("aru@on\u00adai.te\u200bst", "aru@onai.test"),
        ("ａｒｕ＠ｏｎａｉ．ｔｅｓｔ", "aru@onai.test"),
        ("aru@onai。test", "aru@onai.test"),
        ("\u212aim@onai.test", "kim@onai.test"),
        ("aru@пример.test", "aru@xn--e1afmkfd.test"),
        ("aru@ПРИМЕР.test", "aru@xn--e1afmkfd.test"),
        ("aru@XN--E1AFMKFD.test", "aru@xn--e1afmkfd.test"),
        ("aru@қазақ.kz", "aru@xn--80aau21bd.kz"),
        ("aru@сахар.рф", "aru@xn--80aa2cbv.xn--p1ai"),
        ("aru@münchen.test", "aru@xn--mnchen-3ya.test"),
        (f"{'a' * 64}@onai.test", f"{'a' * 64}@onai.test"),
        ("o'brien+kz_1@mail.onai.test", "o'brien+kz_1@mail.onai.test"),
    ],
)
def test_an_address_has_one_normal_form(typed: str, kept: str) -> None:
    assert emails.clean(typed) == kept


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("aru@onаi.test", "русская буква «а»: aru@on[а]i.test"),
        ("aru@xn--oni-7cd.test", "русская буква «а»: aru@on[а]i.test"),
        ("аru@onai.test", "русская буква «а»: [а]ru@onai.test"),
        ("aru@onai.tеst", "русская буква «е»: aru@onai.t[е]st"),
        ("aru@сахар.test", "русская буква «с»"),
        ("aru@mail.ру", "русская буква «р»"),
        ("aru@onaі.test", "нелатинская буква «і»"),
        ("aru@οnai.test", "нелатинская буква «ο»"),
        ("aru@ονο.test", "нелатинская буква «ο»"),
        ("aru@onaı.test", "нелатинская буква «ı»"),
        ("ARU@ONAİ.TEST", "нелатинская буква «İ»"),
        ("aɡru@onai.test", "нелатинская буква «ɡ»"),
        ("aru@straße.test", "нелатинская буква «ß»"),
        ("aru@օոօ.test", "нелатинская буква «օ»"),
        ("aru@o\u0336nai.test", "символ «\u0336», которого в адресах не бывает"),
        ("aru@\u0301onai.test", "символ «\u0301», которого в адресах не бывает"),
        ("aru@приме\u0301р.test", "символ «\u0301», которого в адресах не бывает"),
        ("aru☎@onai.test", "символ «☎», которого в адресах не бывает"),
        ("aru@on☎ai.test", "символ «☎», которого в адресах не бывает"),
    ],
)
def test_a_look_alike_letter_in_an_address_is_named(typed: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        emails.clean(typed)
    assert sentence in refused.value.messages[0]


@pytest.mark.parametrize(
    "typed",
    [
        *("a@localhost", "a@[127.0.0.1]", "a@[IPv6:::1]", "a@127.0.0.10", "aru", "@onai.test"),
        *("aru@", "aru@onai", "aru@.test", "aru@onai..test", ".aru@onai.test", "a..b@onai.test"),
        *("a@onai.test, b@onai.test", "Ару aru@onai.test", "a ru@onai.test", "a@b@onai.test"),
        *('"a b"@onai.test', "aru@on_ai.test", "aru@-onai.test", "aru@xn--a.test", "нет", "-", ""),
        *("aru@mail.localhost", "aru@localhost.localdomain", "aru@nas.local", "aru@db.internal"),
        *("aru@onai.invalid", "aru@1.168.192.in-addr.arpa", "aru@onai.LAN"),
        *("<>", "mailto:", "aru@xn--.test", f"aru@{'b' * 64}.test", f"aru@{'ж' * 60}.test"),
    ],
)
def test_an_undeliverable_address_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError) as refused:
        emails.clean(typed)
    assert "Это не похоже на адрес почты." in refused.value.messages[0]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("mailto:" * 9_000 + "aru@onai.test", "Адрес слишком длинный"),
        (f"{'a' * 65}@onai.test", "Перед @ слишком много символов: поместится 64."),
        (f"{'a' * 60}@{'b' * 63}.{'c' * 63}.{'d' * 62}.onai.test", "Адрес слишком длинный"),
    ],
)
def test_a_long_address_names_the_part_that_is_too_long(typed: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        emails.clean(typed)
    assert sentence in refused.value.messages[0]


_PARTS = st.sampled_from(
    [
        *(
            "aru",
            "onai.test",
            "@",
            ".",
            " ",
            "<",
            ">",
            "mailto:",
            "xn--e1afmkfd",
            "пример",
            "а",
            "ο",
        ),
        *("K", "İ", "ı", "＠", "。", "\u200b", "\u00ad", '"', ",", "ß", "%40", "é", "e\u0301", "️"),
    ]
)
_TYPED = st.lists(_PARTS | st.characters(), max_size=8).map("".join)


@given(_TYPED | st.builds("{}@{}".format, _TYPED, _TYPED) | st.emails())
def test_normalising_an_address_twice_changes_nothing(typed: str) -> None:
    try:
        cleaned = emails.clean(typed)
    except ValidationError:
        return
    assert emails.clean(cleaned) == cleaned
    assert cleaned.isascii()
    assert cleaned == cleaned.lower()
    assert re.fullmatch(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+", cleaned)


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.ru", "gmail.com"),
        ("gmáil.com", "gmail.com"),
        ("mial.ru", "mail.ru"),
        ("mail.ry", "mail.ru"),
        ("yadnex.ru", "yandex.ru"),
        ("yandex.rk", "yandex.ru"),
        ("iclod.com", "icloud.com"),
        ("hotmial.com", "hotmail.com"),
        ("outlok.com", "outlook.com"),
        ("lst.ru", "list.ru"),
        ("ibox.ru", "inbox.ru"),
        ("bk.rru", "bk.ru"),
        ("school.con", "school.com"),
    ],
)
def test_a_domain_close_to_a_common_one_needs_confirmation(domain: str, meant: str) -> None:
    assert emails.probably_meant(emails.clean(f"aru@{domain}")) == f"aru@{meant}"


@pytest.mark.parametrize(
    "domain",
    [
        *("gmail.com", "mail.ru", "yandex.kz", "ya.ru", "bk.ru", "mail.kz", "ymail.com", "vk.ru"),
        *("onai.test", "mail.onai.test", "narxoz.kz", "nis.edu.kz", "kaspi.kz", "пример.test"),
        *("mail.com", "yandex.com", "outlook.kz", "proton.me", "yandex.com.tr", "yandex.kg"),
        *("yahoo.ca", "hotmail.cz", "outlook.cl", "inbox.eu", "cloud.com", "gmx.net", "mail.ee"),
    ],
)
def test_unrelated_domains_need_no_confirmation(domain: str) -> None:
    assert emails.probably_meant(emails.clean(f"aru@{domain}")) is None


# --- Names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Да\u00adна Ким", "Дана Ким"),
        ("\u200eДана\u200b\ufeff Ким\u2060", "Дана Ким"),
        ("\u202aДана\u202c \u2066Ким\u2069", "Дана Ким"),
        ("Дана\u3164\u2800Ким", "Дана Ким"),
        ("Дана\u00a0\u2003Ким", "Дана Ким"),
        ("Тои\u0306баев", "Тойбаев"),
        ("\u0301Ару \u0302Ким", "Ару Ким"),
        ("Ар\u034fу", "Ару"),
        ("Ар\ufe0fу\ufe0e К\U000e0100им", "Ару Ким"),
        ("А\u2065ру\ufff0\U000e0fff Ки\ufffeм\U0001ffff", "Ару Ким"),
        ("葛\U000e0100城 1\ufe0f\u20e3 ❤\ufe0f\ufe0f", "葛\U000e0100城 1\ufe0f\u20e3 ❤\ufe0f"),
        ("Дана 👩\u200d🚀 ❤️\u200d🔥 👍🏽", "Дана 👩\u200d🚀 ❤️\u200d🔥 👍🏽"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("Да\u200dна", "Дана"),
        ("Әйгерім Нұрланқызы", "Әйгерім Нұрланқызы"),
        ("Oʻktam G‘ulomov O'Brien", "Oʻktam G‘ulomov O'Brien"),
        ("李小龍", "李小龍"),
        ("Nguyễn Thị", "Nguyễn Thị"),
    ],
)
def test_a_name_is_stored_without_invisible_characters(typed: str, kept: str) -> None:
    assert names.clean(typed) == kept


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("\u2800\u2800\u2800", "нет ничего, что можно увидеть"),
        ("\u3164", "нет ничего, что можно увидеть"),
        ("\u115f\u1160\uffa0", "нет ничего, что можно увидеть"),
        ("\u0301\u0301\u0301", "нет ничего, что можно увидеть"),
        ("\u200b\u00ad\u2060\ufeff\u180e", "нет ничего, что можно увидеть"),
        ("\u034f\u17b4", "нет ничего, что можно увидеть"),
        ("А\u0301\u0301\u0301", "слишком короткое"),
        ("А\u2800", "слишком короткое"),
        ("Ару\x1bКим", "невидимые символы"),
        ("Ару\u202dКим", "невидимые символы"),
        ("Ару\ue000", "невидимые символы"),
        ("Я \u0301\u200d" * 5_000, "слишком длинное: поместится 120 символов"),
    ],
)
def test_an_invisible_name_is_refused(typed: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        names.clean(typed)
    assert sentence in refused.value.messages[0]


_ODD = st.sampled_from(
    "аЯ é\u0301\u0306и\u200d\u200c\u00ad\u3164\u2800❤️🔥👩🏽\u202a\u034fعक़ \u1100"
)


@given(st.text(_ODD, max_size=12) | st.text(max_size=12))
def test_normalising_a_name_twice_changes_nothing(typed: str) -> None:
    try:
        cleaned = names.clean(typed)
    except ValidationError:
        return
    assert names.clean(cleaned) == cleaned
    assert cleaned == " ".join(cleaned.split())


# --- Where they are typed -----------------------------------------------------------------------


@pytest.fixture
def manager(as_person: Callable[[str], Client]) -> Client:
    return as_person("ayaulym@onai.test")


def _text(answer: Any) -> str:
    return unescape(answer.content.decode())


def test_a_student_is_created_with_the_normalised_address(manager: Client, desk: Desk) -> None:
    typed = {"email": "Ару <mailto:ARU@пример.test>;", "full_name": "Тои\u0306баев\u00ad \u3164Ару"}

    manager.post(NEW, {**GOOD, **typed})

    student = student_of(desk)
    assert student["email"] == "aru@xn--e1afmkfd.test"
    assert student["full_name"] == "Тойбаев Ару"


def test_the_page_names_the_letter_and_keeps_typed_text(manager: Client, desk: Desk) -> None:
    answer = manager.post(NEW, {**GOOD, "email": "aru@onаi.test", "full_name": "\u3164\u3164"})

    assert answer.status_code == 400
    assert "русская буква «а»: aru@on[а]i.test" in _text(answer)
    assert "нет ничего, что можно увидеть" in _text(answer)
    assert 'value="aru@onаi.test"' in _text(answer)
    desk.assert_no_student()


def test_a_likely_typing_error_is_accepted_once_confirmed(manager: Client, desk: Desk) -> None:
    typed = {**GOOD, "email": "aru@gmial.com"}

    asked = manager.post(NEW, typed)

    assert asked.status_code == 400
    assert "Может быть, aru@gmail.com?" in _text(asked)
    assert 'name="confirm_email"' in _text(asked)
    assert 'value="aru@gmial.com"' in _text(asked)
    desk.assert_no_student()
    assert manager.post(NEW, {**typed, "confirm_email": "on"}).status_code == 302
    assert student_of(desk)["email"] == "aru@gmial.com"


def test_a_common_domain_needs_no_confirmation(manager: Client, desk: Desk) -> None:
    assert 'name="confirm_email"' not in _text(manager.get(NEW))
    answer = manager.post(NEW, {**GOOD, "full_name": ""})
    assert 'name="confirm_email"' not in _text(answer)


def test_a_correction_accepts_the_same_addresses_and_names(manager: Client, desk: Desk) -> None:
    manager.post(NEW, GOOD)
    name = {"full_name": GOOD["full_name"]}

    refused = act_and_follow(manager, desk, "data", email="aru@οnai.test", **name)
    asked = act_and_follow(manager, desk, "data", email="aru@gmial.com", **name)

    assert "нелатинская буква «ο»" in _text(refused)
    assert "Может быть, aru@gmail.com?" in _text(asked)
    assert 'name="confirm_email"' in _text(asked)
    assert student_of(desk)["email"] == GOOD["email"]
    act_and_follow(manager, desk, "data", email="aru@gmial.com", confirm_email="on", **name)
    assert student_of(desk)["email"] == "aru@gmial.com"
    # Who has it already is not asked again over a name.
    act_and_follow(manager, desk, "data", email="aru@gmial.com", full_name="Тои\u0306баева Ару")
    assert student_of(desk)["full_name"] == "Тойбаева Ару"


def test_a_pasted_address_confirms_a_deletion(
    as_person: Callable[[str], Client], desk: Desk
) -> None:
    boss = as_person("admin@onai.test")
    boss.post(NEW, {**GOOD, "email": "aru@пример.test"})

    assert act_and_follow(boss, desk, "delete", email="aru@onаi.test").status_code == 400
    act_and_follow(boss, desk, "delete", email="Ару <ARU@пример.test>")

    assert desk.rows("select 1 from tripwire_users") == []


@pytest.mark.parametrize(
    "typed", ["mailto:admin@onai.test", "\u200bADMIN@onai.test.", "Админ <admin@onai.test>"]
)
def test_a_pasted_address_signs_in(client: Client, desk: Desk, typed: str) -> None:
    answer = client.post("/login", {"email": typed, "password": PASSWORD})
    assert answer.status_code == 302


def test_the_sign_in_form_names_the_letter_too(client: Client, desk: Desk) -> None:
    answer = client.post("/login", {"email": "admin@onаi.test", "password": PASSWORD})
    assert answer.status_code == 400
    assert "русская буква «а»: admin@on[а]i.test" in _text(answer)
