"""`manage.py pin_roles`: roles go where their holders cannot rewrite them."""

from typing import Any

from django.core.management import call_command

from tests.people import Accounts


def _legacy(accounts: Accounts, role: object) -> dict[str, Any]:
    """An account as the predecessor made it: its role is where it can rewrite it."""
    return accounts.create(user_metadata={"role": role} if role else {}, app_metadata={})


def _pinned(accounts: Accounts, account: dict[str, Any]) -> str | None:
    found = accounts.call("GET", f"/admin/users/{account['id']}").json()
    role: str | None = found["app_metadata"].get("role")
    return role


def test_it_only_tells_unless_told_to_apply(accounts: Accounts, capsys: Any) -> None:
    student = _legacy(accounts, "student")

    call_command("pin_roles")

    assert f"would pin: {student['email']} student" in capsys.readouterr().out
    assert _pinned(accounts, student) is None


def test_students_are_pinned_and_staff_only_where_vouched_for(
    accounts: Accounts, capsys: Any
) -> None:
    student, manager = _legacy(accounts, "student"), _legacy(accounts, "sales")
    climber, nobody = _legacy(accounts, "admin"), _legacy(accounts, None)
    odd = _legacy(accounts, ["admin"])

    call_command(
        "pin_roles", "--apply", "--staff", manager["email"].upper(), "--staff", odd["email"]
    )

    assert _pinned(accounts, student) == "student"
    assert _pinned(accounts, manager) == "sales"
    assert [_pinned(accounts, one) for one in (climber, nobody, odd)] == [None, None, None]
    assert f"left alone: {climber['email']} says it is 'admin'" in capsys.readouterr().out


def test_every_page_of_accounts_is_looked_at(accounts: Accounts, monkeypatch: Any) -> None:
    # The predecessor saw only the first page.
    monkeypatch.setattr("onai.management.commands.pin_roles._PAGE", 2)
    students = [_legacy(accounts, "student") for _ in range(5)]

    call_command("pin_roles", "--apply")

    assert {_pinned(accounts, student) for student in students} == {"student"}


def test_a_pinned_role_is_left_as_it_is(accounts: Accounts) -> None:
    demoted = accounts.create(user_metadata={"role": "admin"}, app_metadata={"role": "student"})

    call_command("pin_roles", "--apply", "--staff", demoted["email"])

    assert _pinned(accounts, demoted) == "student"
