"""`manage.py staff`: the register of staff for operators, also where there is no admin."""

import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from onai.identity.models import StaffMember
from onai.identity.roles import STAFF, Role, role_named
from onai.identity.staff import register
from onai.identity.staff.register import Candidate
from onai.web.problems import Problem

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "List who is staff or claims to be; confirm or revoke somebody's role."

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True, metavar="list|confirm|revoke")
        acts.add_parser("list", help="everybody who is staff, claims to be, or was refused")
        for act, what in (
            ("confirm", "let an account have a role: the one it claims, or --role"),
            ("revoke", "take every staff role from an account"),
        ):
            one = acts.add_parser(act, help=what)
            one.add_argument("email", metavar="EMAIL")
            one.add_argument("--role", choices=[role.value for role in STAFF])

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            register.refresh()
            match options["act"]:
                case "list":
                    self._list()
                case "confirm":
                    self._confirm(options["email"], role_named(options["role"]))
                case _:
                    self._revoke(options["email"], options["role"])
        except Problem as problem:
            raise CommandError(f"{problem.message} {problem.advice}") from problem

    def _list(self) -> None:
        members = list(StaffMember.known.order_by("role", "email"))
        for member in members:
            self.stdout.write(f"{member.email or member.user_id}  {_state(member)}")
        if not members:
            self.stdout.write("nobody")

    def _confirm(self, email: str, role: Role | None) -> None:
        account = _only_account(email)
        role = role or role_named(account.metadata.claimed)
        if role not in STAFF:
            raise CommandError(f"{email} claims no staff role; say which: --role sales")
        register.confirm(account, role, by=None)
        logger.info("staff_confirmed", extra={"account_id": str(account.user_id), "role": role})
        self.stdout.write(f"confirmed: {account.email} {role}")
        counts = StaffMember.known.get(pk=account.user_id).role
        if counts != role:
            self.stdout.write(
                f"but user_metadata.role is {account.metadata.claimed!r}, so the account is"
                f" {counts or 'nobody'} until that says {role.value!r} too"
            )

    def _revoke(self, email: str, role: str | None) -> None:
        account = _only_account(email)
        has = StaffMember.objects.filter(pk=account.user_id).values_list("role", flat=True).first()
        if role and role != has:
            raise CommandError(f"{email} is {has or 'nobody'}, not {role}; nothing changed")
        register.revoke(account, by=None)
        logger.info("staff_revoked", extra={"account_id": str(account.user_id)})
        self.stdout.write(f"revoked: {account.email}")


def _only_account(email: str) -> Candidate:
    found = register.accounts_named(email)
    if not found:
        raise CommandError(f"{email} has no account that may be staff")
    if len(found) > 1:
        raise CommandError(f"{len(found)} accounts have the address {email}")
    return found[0]


def _state(member: StaffMember) -> str:
    said = []
    if member.role:
        by = "confirmed" if member.confirmed_role else "by app_metadata"
        said.append(f"{member.role}, {by}")
    if not member.reviewed:
        said.append("taken over by the first migration, not looked through yet")
    if member.revoked:
        said.append("revoked")
    if member.claimed_role and member.claimed_role == member.refused_role:
        said.append(f"claims {member.claimed_role}, refused")
    elif member.claimed_role:
        said.append(f"claims {member.claimed_role} since {member.claimed_at:%Y-%m-%d %H:%M}Z")
    return "; ".join(said) or "nobody"
