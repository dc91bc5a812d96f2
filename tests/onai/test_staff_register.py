"""Staff is a register, not a boast: who is let in as staff, and who decides it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from onai.identity.models import StaffMember
from onai.identity.staff import register
from onai.identity.tasks import refresh_staff
from tests.support.desk import GOOD, Desk
from tests.support.outages import accounts_hidden
from tests.support.people import PASSWORD, Accounts
from tests.support.student_changes import act_and_follow, student_of

SignIn = Callable[[str], Client]
STATUS, DECIDE = "/status", "/status/staff"
FUNNEL_API = "/api/traffic-dashboard/funnel"


@pytest.fixture(autouse=True)
def empty_register(desk: Desk) -> None:
    """The fixture `desk` empties the register before and after."""


def _claiming(accounts: Accounts, role: object, email: str = "", **more: Any) -> dict[str, Any]:
    """An account that has its role only where it can write it itself."""
    return accounts.create(
        email, user_metadata={"role": role, "full_name": "Кто Тест"}, app_metadata={}, **more
    )


def _write_own_role(accounts: Accounts, email: str, role: str, password: str = PASSWORD) -> None:
    token = accounts.sign_in(email, password)["access_token"]
    accounts.call("PUT", "/user", token, json={"data": {"role": role}}).raise_for_status()


def _signs_in(email: str, password: str = PASSWORD) -> tuple[int, str]:
    """Status and where one lands, of a fresh browser."""
    answer = Client().post("/login", {"email": email, "password": password})
    return answer.status_code, answer.get("Location", "")


def _api_status(accounts: Accounts, email: str, password: str = PASSWORD) -> int:
    token = accounts.sign_in(email, password)["access_token"]
    header = {"Authorization": f"Bearer {token}"}
    return Client().get(FUNNEL_API, headers=header).status_code


def _decide(admin: Client, account: dict[str, Any], role: str, decision: str) -> Any:
    wanted = {"user_id": account["id"], "role": role, "decision": decision}
    return admin.post(DECIDE, wanted)


def _list(capsys: Any) -> str:
    call_command("staff", "list")
    listed: str = capsys.readouterr().out
    return listed


# --- What counts -------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["admin", "sales"])
def test_a_claimed_role_counts_once_an_admin_confirms_it(
    admin: Client, accounts: Accounts, role: str
) -> None:
    account = _claiming(accounts, role)
    assert _signs_in(account["email"]) == (403, "")
    assert _api_status(accounts, account["email"]) == 403

    page = admin.get(STATUS).content.decode()
    assert account["email"] in page
    assert "Ждут подтверждения роли" in page
    assert _decide(admin, account, role, "confirm").status_code == 302

    home = {"admin": "/funnel", "sales": "/sales-manager"}[role]
    assert _signs_in(account["email"]) == (302, home)
    assert account["email"] not in admin.get(STATUS).content.decode()


def test_signing_in_says_that_the_role_is_unconfirmed(client: Client, accounts: Accounts) -> None:
    account = _claiming(accounts, "sales")

    answer = client.post("/login", {"email": account["email"], "password": PASSWORD})

    assert "ещё не подтверждена" in answer.content.decode()
    assert "__Host-onai_access" not in answer.cookies
    # And it waits for the admin from now on.
    assert [one.user_id for one in register.claims()] == [UUID(account["id"])]


def test_a_refused_claim_stays_refused(admin: Client, accounts: Accounts, capsys: Any) -> None:
    account = _claiming(accounts, "admin")
    admin.get(STATUS)

    _decide(admin, account, "admin", "refuse")

    assert _signs_in(account["email"]) == (403, "")
    assert account["email"] not in admin.get(STATUS).content.decode()
    assert f"{account['email']}  claims admin, refused" in _list(capsys)
    # Another role is another claim.
    _write_own_role(accounts, account["email"], "sales")
    assert account["email"] in admin.get(STATUS).content.decode()


@pytest.mark.parametrize("pinned", [True, False])
def test_a_manager_who_claims_admin_stays_a_manager(
    admin: Client, accounts: Accounts, pinned: bool
) -> None:
    """Given their role by `app_metadata`, or by the register."""
    account = _claiming(accounts, "sales")
    if pinned:
        accounts.call(
            "PUT", f"/admin/users/{account['id']}", json={"app_metadata": {"role": "sales"}}
        )
    else:
        register.refresh()
        _decide(admin, account, "sales", "confirm")
    _write_own_role(accounts, account["email"], "admin")

    assert _signs_in(account["email"]) == (302, "/sales-manager")
    assert _api_status(accounts, account["email"]) == 403
    # What was asked for is told to the admin, who may agree.
    assert account["email"] in admin.get(STATUS).content.decode()
    _decide(admin, account, "admin", "confirm")
    assert _signs_in(account["email"]) == (302, "/funnel")


def test_an_admin_confirms_the_claim_as_shown(admin: Client, accounts: Accounts) -> None:
    account = _claiming(accounts, "sales")
    admin.get(STATUS)
    _write_own_role(accounts, account["email"], "admin")

    _decide(admin, account, "sales", "confirm")

    assert _signs_in(account["email"]) == (302, "/sales-manager")


@pytest.fixture
def student(as_person: SignIn, desk: Desk) -> str:
    """A student with all that is theirs, as the desk creates one."""
    answer = as_person("ayaulym@onai.test").post("/sales-manager/students/new", GOOD)
    assert answer.status_code == 302
    return GOOD["email"]


@pytest.mark.parametrize("word", ["admin", "sales"])
@pytest.mark.parametrize("pinned", [True, False])
def test_a_student_who_claims_a_role_stays_a_student(
    student: str, as_person: SignIn, accounts: Accounts, desk: Desk, word: str, pinned: bool
) -> None:
    if not pinned:  # as the predecessor made them, or as somebody has mended them by hand
        desk.connection.execute(
            "update auth.users set raw_app_meta_data = raw_app_meta_data - 'role' where email = %s",
            [student],
        )
    _write_own_role(accounts, student, word, GOOD["password"])
    register.refresh()

    assert _signs_in(student, GOOD["password"]) == (302, "/welcome")
    assert _api_status(accounts, student, GOOD["password"]) == 403
    boss = as_person("admin@onai.test")
    assert student not in boss.get(STATUS).content.decode()
    act_and_follow(boss, desk, "status", status="blocked", sure="on")
    assert student_of(desk)["status"] == "blocked"
    assert _signs_in(student, GOOD["password"]) == (401, "")
    act_and_follow(boss, desk, "delete", email=student)
    assert (desk.students(), desk.accounts()) == ([], [])


def test_a_student_is_never_staff(
    student: str, accounts: Accounts, desk: Desk, as_person: SignIn
) -> None:
    account = str(student_of(desk)["user_id"])
    role = {"app_metadata": {"role": "admin"}, "user_metadata": {"role": "admin"}}
    accounts.call("PUT", f"/admin/users/{account}", json=role).raise_for_status()

    assert _signs_in(student, GOOD["password"]) == (302, "/welcome")
    assert _api_status(accounts, student, GOOD["password"]) == 403
    refused = _decide(as_person("admin@onai.test"), {"id": account}, "admin", "confirm")
    assert refused.status_code == 409
    with pytest.raises(CommandError, match="студента"):
        call_command("staff", "confirm", student, "--role", "sales")


@pytest.mark.parametrize(
    "odd", ["is_anonymous = true", "role = 'service_role'", "role = null", "role = ''"]
)
@pytest.mark.parametrize("app_metadata", [{"role": "admin"}, {}])
def test_anonymous_and_special_accounts_are_never_staff(
    accounts: Accounts, desk: Desk, odd: str, app_metadata: dict[str, str]
) -> None:
    account = accounts.create(user_metadata={"role": "admin"}, app_metadata=app_metadata)
    call_command("staff", "confirm", account["email"])
    token = accounts.sign_in(account["email"])["access_token"]
    desk.connection.execute(f"update auth.users set {odd} where id = %s", [account["id"]])

    answer = Client().post(FUNNEL_API, headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code in (401, 403)
    # Supabase fails over an account without a role in the database.
    assert _signs_in(account["email"])[0] == (401 if odd == "role = null" else 403)
    assert account["email"] not in [one.email for one in register.all_staff()]


def test_a_role_removed_from_app_metadata_leaves_what_was_confirmed(
    accounts: Accounts, desk: Desk
) -> None:
    confirmed, only_pinned = (accounts.create(role="sales") for _ in range(2))
    call_command("staff", "confirm", confirmed["email"])
    _write_own_role(accounts, only_pinned["email"], "admin")
    _write_own_role(accounts, confirmed["email"], "admin")

    desk.connection.execute(
        "update auth.users set raw_app_meta_data = raw_app_meta_data - 'role' where id = any(%s)",
        [[UUID(confirmed["id"]), UUID(only_pinned["id"])]],
    )

    assert _signs_in(confirmed["email"]) == (302, "/sales-manager")
    assert _signs_in(only_pinned["email"]) == (403, "")


def test_another_role_in_app_metadata_overrides_the_register(
    accounts: Accounts,
) -> None:
    account = _claiming(accounts, "sales")
    call_command("staff", "confirm", account["email"])
    assert _signs_in(account["email"]) == (302, "/sales-manager")

    word = {"app_metadata": {"role": "targetologist"}}
    accounts.call("PUT", f"/admin/users/{account['id']}", json=word).raise_for_status()

    assert _signs_in(account["email"]) == (403, "")
    # Confirmed beside that word, it counts.
    call_command("staff", "confirm", account["email"])
    assert _signs_in(account["email"]) == (302, "/sales-manager")


# --- Who decides -------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["ayaulym@onai.test", "student@onai.test"])
def test_only_admins_decide(as_person: SignIn, accounts: Accounts, email: str) -> None:
    account = _claiming(accounts, "admin")

    refused = _decide(as_person(email), account, "admin", "confirm")

    assert refused.status_code == 403
    assert _signs_in(account["email"]) == (403, "")


def test_a_decision_needs_a_csrf_token(admin: Client, accounts: Accounts) -> None:
    account = _claiming(accounts, "sales")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = admin.cookies

    assert _decide(strict, account, "sales", "confirm").status_code == 403
    assert admin.get(DECIDE).status_code == 405


@pytest.mark.parametrize(
    "wrong",
    [
        {"user_id": "no"},
        {"role": "student"},
        {"role": "owner"},
        {"decision": "promote"},
        {"decision": ""},
    ],
)
def test_an_unknown_decision_is_refused(
    admin: Client, accounts: Accounts, wrong: dict[str, str]
) -> None:
    account = _claiming(accounts, "sales")
    good = {"user_id": account["id"], "role": "sales", "decision": "confirm"}

    assert admin.post(DECIDE, {**good, **wrong}).status_code == 400
    assert _signs_in(account["email"]) == (403, "")


def test_a_decision_about_an_unknown_account_is_refused(admin: Client) -> None:
    nobody = {"id": "00000000-0000-4000-8000-000000000000"}
    assert _decide(admin, nobody, "sales", "confirm").status_code == 404


def test_an_admin_does_not_revoke_themselves(admin: Client, accounts: Accounts) -> None:
    me = accounts.sign_in("admin@onai.test")["user"]
    assert _decide(admin, me, "admin", "revoke").status_code == 409
    assert admin.post("/funnel/refresh").status_code == 302


def test_an_admin_does_not_confirm_themselves_as_less(admin: Client, accounts: Accounts) -> None:
    owner = _claiming(accounts, "admin")
    _decide(admin, owner, "admin", "confirm")
    admin.post("/login", {"email": owner["email"], "password": PASSWORD})

    assert _decide(admin, owner, "sales", "confirm").status_code == 409
    assert _decide(admin, owner, "admin", "confirm").status_code == 302
    assert _signs_in(owner["email"]) == (302, "/funnel")


def test_the_command_confirms_the_first_owner(accounts: Accounts, capsys: Any) -> None:
    account = _claiming(accounts, "admin", "First.Owner@onai.test")
    assert "first.owner@onai.test  claims admin since" in _list(capsys)

    call_command("staff", "confirm", " FIRST.owner@onai.test ")

    assert "confirmed: first.owner@onai.test admin" in capsys.readouterr().out
    assert _signs_in(account["email"]) == (302, "/funnel")
    assert "first.owner@onai.test  admin, confirmed" in _list(capsys)


def test_a_revoked_manager_is_refused_in_spite_of_their_metadata(
    accounts: Accounts, capsys: Any
) -> None:
    account = accounts.create(role="sales")

    call_command("staff", "revoke", account["email"], "--role", "sales")

    assert _signs_in(account["email"]) == (403, "")
    assert f"{account['email']}  revoked" in _list(capsys)
    call_command("staff", "confirm", account["email"])
    assert _signs_in(account["email"]) == (302, "/sales-manager")


def test_the_command_says_why_it_does_nothing(accounts: Accounts, capsys: Any) -> None:
    roleless = accounts.create()
    for arguments, why in (
        (["confirm", "nobody@onai.test"], "no account"),
        (["confirm", roleless["email"]], "claims no staff role"),
        (["revoke", roleless["email"], "--role", "admin"], "is nobody, not admin"),
    ):
        with pytest.raises(CommandError, match=why):
            call_command("staff", *arguments)
    student = accounts.create(user_metadata={"role": "student"})
    call_command("staff", "confirm", student["email"], "--role", "sales")
    assert "but user_metadata.role is 'student'" in capsys.readouterr().out


def test_hidden_accounts_forget_nobody(accounts: Accounts, capsys: Any) -> None:
    account = _claiming(accounts, "sales")
    call_command("staff", "confirm", account["email"])

    with accounts_hidden(), pytest.raises(CommandError, match="не показывает"):
        call_command("staff", "list")

    assert _signs_in(account["email"]) == (302, "/sales-manager")


# --- Complete ----------------------------------------------------------------------------------


def test_two_thousand_claims_of_one_moment_are_all_listed(
    admin: Client, desk: Desk, capsys: Any
) -> None:
    desk.connection.execute(
        "insert into auth.users (id, email, aud, role, raw_user_meta_data, raw_app_meta_data,"
        " created_at, is_sso_user, is_anonymous)"
        " select gen_random_uuid(), 'claim' || n || '@onai.test', 'authenticated', 'authenticated',"
        " '{\"role\": \"sales\"}', '{}', '2026-11-01', false, false"
        " from generate_series(1, 2000) as n"
    )

    page = admin.get(STATUS).content.decode()

    assert "Всего таких 2000" in page.replace("\xa0", "")
    assert len(register.claims()) == 2_000
    listed = _list(capsys)
    assert all(f"claim{n}@onai.test" in listed for n in range(1, 2_001))


def test_an_account_unreadable_by_supabase_is_listed(
    admin: Client, desk: Desk, accounts: Accounts
) -> None:
    """Made by SQL: its tokens are NULL, there is no identity, the e-mail has capitals."""
    desk.connection.execute(
        "insert into auth.users (id, email, aud, role, raw_user_meta_data, confirmation_token,"
        " recovery_token, email_change, is_sso_user, is_anonymous) values (gen_random_uuid(),"
        " 'By.SQL@onai.test', 'authenticated', 'authenticated', '{\"role\": \"sales\"}',"
        " null, null, null, false, false)"
    )

    assert "By.SQL@onai.test" in admin.get(STATUS).content.decode()
    call_command("staff", "confirm", "by.sql@onai.test")
    assert [one.role for one in register.all_staff() if one.email == "By.SQL@onai.test"] == [
        "sales"
    ]


@pytest.mark.parametrize(
    "odd",
    [
        '"admin"',
        "[]",
        "null",
        '{"role": null}',
        '{"role": ["admin"]}',
        '{"role": 1}',
        pytest.param(f'{{"role": "admin", "x": {"[" * 3_000}{"]" * 3_000}}}', id="deep"),
    ],
)
def test_any_value_in_user_metadata_is_read_safely(
    admin: Client, desk: Desk, accounts: Accounts, odd: str
) -> None:
    account = accounts.create(role="sales")
    token = accounts.sign_in(account["email"])["access_token"]
    desk.connection.execute(
        "update auth.users set raw_user_meta_data = %s where id = %s", [odd, account["id"]]
    )

    assert admin.get(STATUS).status_code == 200
    program = {"Authorization": f"Bearer {token}"}
    # Still a manager, by `app_metadata`, and no admin.
    assert Client().post(FUNNEL_API, headers=program).status_code == 403


def test_a_manager_made_a_minute_ago_can_be_handed_a_student(
    student: str, as_person: SignIn, accounts: Accounts, desk: Desk
) -> None:
    boss = as_person("admin@onai.test")
    register.refresh()
    fresh = accounts.create("fresh@onai.test", role="sales", full_name="Новая Тест")
    path = f"/sales-manager/students/{student_of(desk)['id']}/manager"

    assert "Новая Тест" in boss.get(path).content.decode()
    attempt = "00000000-0000-4000-8000-000000000003"
    done = boss.post(path, {"attempt": attempt, "manager_id": fresh["id"]})

    assert done.status_code == 302
    assert str(student_of(desk)["granted_by"]) == fresh["id"]


def test_the_worker_finds_managers_created_by_hand(desk: Desk, accounts: Accounts) -> None:
    account = accounts.create(role="sales")
    desk.connection.execute(
        "update auth.users set created_at = '2025-01-01', updated_at = '2025-01-01' where id = %s",
        [account["id"]],
    )
    assert account["email"] not in [one.email for one in register.all_staff()]

    refresh_staff(0)

    assert account["email"] in [one.email for one in register.all_staff()]


def test_a_deleted_account_leaves_the_register(accounts: Accounts) -> None:
    account = _claiming(accounts, "sales")
    call_command("staff", "confirm", account["email"])
    accounts.call("DELETE", f"/admin/users/{account['id']}").raise_for_status()

    register.refresh()

    assert not StaffMember.known.filter(pk=account["id"]).exists()
