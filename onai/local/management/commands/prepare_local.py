"""Makes the embedded databases ready: schemas, migrations and, unless told otherwise, demo data.

Repeating it does no harm: it only dates the demo's leads anew, relative to now. What was added or
changed by hand stays.
"""

from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections, transaction
from django.utils import timezone

from onai.local import roles
from onai.local.auth.accounts import hash_password, identify_by_email
from onai.local.auth.models import User
from onai.local.demo_data.accounts import PASSWORD, DemoAccount, demo_tripwire
from onai.local.demo_data.leads import demo_leads

_ALIASES = ("auth", "mailbox", "landing", "tripwire")
_TABLES = Path(__file__).parents[2] / "tables"
# What other software made around the product's tables, and what docs/operations.md then grants.
_STATEMENTS = (
    ("landing", (_TABLES / "landing.sql").read_text(), roles.LANDING_GRANTS),
    ("auth", (_TABLES / "auth.sql").read_text(), roles.AUTH_POLICIES),
    ("tripwire", (_TABLES / "tripwire.sql").read_text(), roles.TRIPWIRE_GRANTS),
)


class Command(BaseCommand):
    help = "Prepare the embedded databases of the demo and of the tests."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--empty", action="store_true", help="migrate, but load no demo data")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("• migrating the databases")
        for alias in _ALIASES:
            call_command("migrate", database=alias, verbosity=0)
        for alias, *statements in _STATEMENTS:
            with connections[alias].cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        if not options["empty"]:
            self.stdout.write("• loading the demo data")
            _load_leads()
            _load_tripwire()


def _load_leads() -> None:
    """The leads are dated relative to now each time, so that the report stands on any day."""
    leads = demo_leads(timezone.now())
    model = apps.get_model("funnel", "Lead")
    model._default_manager.bulk_create(
        [model(**lead) for lead in leads],
        update_conflicts=True,
        unique_fields=["id"],
        # All of them: an older version of the demo may have told another story.
        update_fields=[name for name in leads[0] if name != "id"],
    )


def _load_tripwire() -> None:
    """Accounts and students are loaded once: from then on they belong to whoever tries the demo."""
    demo = demo_tripwire(timezone.now())
    student = apps.get_model("sales", "Student")
    if student._default_manager.exists():
        return
    password = hash_password(PASSWORD)
    with transaction.atomic(using="auth"):
        for account in demo.accounts:
            _create_account(account, password)
    for name, rows in (("Student", demo.students), ("ActivityEntry", demo.activity)):
        model = apps.get_model("sales", name)
        model._default_manager.bulk_create([model(**row) for row in rows], ignore_conflicts=True)


def _create_account(account: DemoAccount, password: str) -> None:
    user, _ = User.objects.update_or_create(
        pk=account.id,
        defaults={
            "email": account.email,
            "encrypted_password": password,
            "email_confirmed_at": account.created_at,
            "raw_user_meta_data": {**account.metadata, "email_verified": True},
            "raw_app_meta_data": {
                "provider": "email",
                "providers": ["email"],
                "role": account.role,
            },
        },
    )
    # Django stamps a new row with the present moment; a demo account has a past.
    User.objects.filter(pk=account.id).update(created_at=account.created_at)
    identify_by_email(user, verified=False)
