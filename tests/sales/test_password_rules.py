"""What the Supabase project demands of passwords holds for new students, too, though Supabase looks
at the strength of a password only when one is changed."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client

from onai.identity import passwords
from tests.conftest import Faults, Project
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import CREATE, ONE_USER
from tests.support.people import Accounts
from tests.support.student_changes import path_of

NEW = "/sales-manager/students/new"
MINE = "/auth/v1/user"
SYMBOLS = "!@#$%^&*()_+=[]{};'\\:\"|<>?,./`~"
RULES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    # What the project demands, a password that is too weak, what is said of it, and a good one.
    "length": ({"password_min_length": 16}, GOOD["password"], "не меньше 16 символов", "x" * 16),
    "symbols": (
        {"password_required_characters": ["abcdefghijklmnopqrstuvwxyz", SYMBOLS]},
        GOOD["password"],
        "Добавьте в пароль: один из знаков ! @ # $ % ^.",
        "Kvx7-Rmp3-9w!q",
    ),
    "letters and digits": (
        {
            "password_required_characters": [
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP",
                "0123456789",
            ]
        },
        "--------------",
        "Добавьте в пароль: латинскую букву, цифру.",
        "--------------a1",
    ),
    "cases": (
        {"password_required_characters": ["abcdef", "ABCDEF"]},
        "1234567-------",
        "строчную латинскую букву, заглавную латинскую букву",
        "1234567-----aA",
    ),
}


@pytest.fixture(params=RULES)
def rules(request: pytest.FixtureRequest, project: Project) -> tuple[str, str, str]:
    demanded, weak, sentence, good = RULES[request.param]
    project.set(**demanded)
    return weak, sentence, good


def _form(password: str, **more: str) -> dict[str, str]:
    return {**GOOD, "password": password, "attempt": str(uuid4()), **more}


def test_the_form_refuses_a_weak_password_and_opens_nothing(
    manager: Client, desk: Desk, rules: tuple[str, str, str]
) -> None:
    weak, sentence, good = rules

    refused = manager.post(NEW, _form(weak))

    assert refused.status_code == 400
    assert sentence in " ".join(refused.context["form"].errors["password"])
    desk.assert_no_student()
    assert manager.post(NEW, _form(good)).status_code == 302
    desk.assert_whole_student()


def test_the_form_states_the_projects_minimum_length(
    manager: Client, desk: Desk, project: Project
) -> None:
    project.set(password_min_length=14)
    hint = "Можно оставить этот или вписать свой: от 14 символов."

    refused = manager.post(NEW, _form("Kvx7-Rmp3-9w"))

    assert "не меньше 14 символов" in refused.content.decode()
    assert hint in refused.content.decode()
    assert hint in manager.get(NEW).content.decode()
    desk.assert_no_student()


def test_the_api_refuses_it_and_opens_nothing(
    client: Client, bearer: Callable[[str], dict[str, str]], desk: Desk, rules: tuple[str, str, str]
) -> None:
    weak, sentence, good = rules
    headers = bearer("ayaulym@onai.test")

    def ask(password: str) -> Any:
        body = {**GOOD, "password": password}
        return client.post(CREATE, body, content_type="application/json", headers=headers)

    refused = ask(weak)

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_input")
    assert sentence in refused.json()["fields"]["password"]
    desk.assert_no_student()
    assert ask(good).status_code == 201


def test_a_new_password_is_checked_before_it_is_sent(
    manager: Client, desk: Desk, rules: tuple[str, str, str]
) -> None:
    weak, sentence, good = rules
    assert manager.post(NEW, _form(good)).status_code == 302
    cache.clear()  # and what was learned with it

    refused = manager.post(path_of(desk, "password"), {"password": weak, "attempt": str(uuid4())})

    assert refused.status_code == 400
    assert sentence in " ".join(refused.context["form"].errors["password"])
    assert desk.changes() == []


def test_every_suggestion_is_good_enough(
    manager: Client, rules: tuple[str, str, str], accounts: Accounts
) -> None:
    account = accounts.create()
    suggested = manager.get(NEW).context["form"]["password"].value()

    for password in [suggested, *(passwords.suggest() for _ in range(30))]:
        passwords.check(password, email=GOOD["email"])
    changed = accounts.call("PUT", f"/admin/users/{account['id']}", json={"password": suggested})
    assert changed.status_code == 200


def test_a_suggestion_has_letters_of_both_cases_digits_and_a_symbol() -> None:
    for _ in range(50):
        assert not passwords.STRICTEST.lacking(passwords.suggest())


def test_rules_are_learned_from_the_first_refusal(
    manager: Client, desk: Desk, faults: Faults, project: Project
) -> None:
    faults.set(MINE, status=500)
    assert manager.post(NEW, _form(GOOD["password"])).status_code == 302
    project.set(password_min_length=16, password_required_characters=[SYMBOLS])

    change = {"password": "Another-1-Good", "attempt": str(uuid4())}
    refused = manager.post(path_of(desk, "password"), change)
    assert refused.status_code == 400

    again = manager.post(NEW, _form("Another-1-Good", email="b@onai.test"))
    assert again.status_code == 400
    assert "не меньше 16 символов" in again.content.decode()
    assert passwords.known_rules() == passwords.PasswordRules(16, (SYMBOLS,))
    assert not set(SYMBOLS).isdisjoint(passwords.suggest())


def test_unknown_rules_require_every_kind_of_character(
    manager: Client, desk: Desk, faults: Faults
) -> None:
    faults.set(MINE, status=500)

    refused = manager.post(NEW, _form("only-small-letters"))

    assert refused.status_code == 400
    assert "Возьмите предложенный" in refused.content.decode()
    desk.assert_no_student()
    suggested = manager.get(NEW).context["form"]["password"].value()
    assert manager.post(NEW, _form(suggested)).status_code == 302
    assert faults.met() == 1  # which is not asked for again at once


def test_a_leaked_password_opens_no_account(manager: Client, desk: Desk, project: Project) -> None:
    project.set(pwned_passwords=[GOOD["password"]])

    refused = manager.post(NEW, _form(GOOD["password"]))

    assert refused.status_code == 400
    assert "слишком слабым" in refused.content.decode()
    desk.assert_no_student()
    assert manager.post(NEW, _form("Another-1-Good")).status_code == 302
    desk.assert_whole_student()


@pytest.mark.parametrize("how", [{"status": 504}, {"status": 429}, {"status": 500}])
def test_the_check_for_leaks_may_be_unavailable(
    how: dict[str, int], manager: Client, desk: Desk, faults: Faults, project: Project
) -> None:
    project.set(pwned_passwords=["something-else"])
    faults.set(ONE_USER, method="PUT", times=1, **how)

    assert manager.post(NEW, _form(GOOD["password"])).status_code == 302

    desk.assert_whole_student()


@pytest.mark.parametrize(
    ("told", "rules"),
    [
        (
            {"msg": "weak", "weak_password": {"reasons": ["characters", "pwned"]}},
            passwords.PasswordRules(0, passwords.STRICTEST.required, True),
        ),
        (
            {
                "message": "Password should contain at least one character of each: a,b, c.d."
                " Password is known to be weak and easy to guess, please choose a different one.",
                "weak_password": {"reasons": ["characters", "pwned"]},
            },
            passwords.PasswordRules(0, ("a,b", "c.d"), True),
        ),
        ({"weak_password": "odd"}, passwords.PasswordRules()),
        ({}, passwords.PasswordRules()),
    ],
)
def test_incomplete_answers_are_read_as_far_as_possible(
    told: dict[str, Any], rules: passwords.PasswordRules
) -> None:
    passwords.learn_rules(told)

    assert passwords.known_rules() == rules
