"""Copies roles to where users cannot rewrite them: from user_metadata to app_metadata.

Accounts that the predecessor made have their role in `user_metadata` alone, which every signed-in
user may change. So a claim to be staff is pinned only for e-mails that whoever runs this names.
"""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from supabase_auth.types import User

from onai.identity import supabase
from onai.identity.roles import Role, role_named

_PAGE = 200


class Command(BaseCommand):
    help = "Give every account its role in app_metadata, which it cannot change itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--apply", action="store_true", help="write; without it, only tell")
        parser.add_argument(
            "--staff",
            action="append",
            default=[],
            metavar="EMAIL",
            help="an admin or sales manager whose claim you vouch for; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        vouched = {email.strip().lower() for email in options["staff"]}
        pinned = doubtful = 0
        for account in list(_unpinned_accounts()):
            email = (account.email or "").lower()
            claim = account.user_metadata.get("role")
            role = role_named(claim)
            if role is None or (role is not Role.STUDENT and email not in vouched):
                doubtful += 1
                self.stdout.write(f"left alone: {email} says it is {claim!r}")
                continue
            pinned += 1
            if options["apply"]:
                supabase.administration().update_user_by_id(
                    account.id, {"app_metadata": {"role": role.value}}
                )
            self.stdout.write(f"{'pinned' if options['apply'] else 'would pin'}: {email} {role}")
        self.stdout.write(f"{pinned} to pin, {doubtful} left alone (name staff with --staff EMAIL)")


def _unpinned_accounts() -> Iterator[User]:
    """Every account without a role in app_metadata, however many pages there are."""
    page = 1
    while accounts := supabase.administration().list_users(page, _PAGE):
        yield from (one for one in accounts if one.app_metadata.get("role") is None)
        page += 1
