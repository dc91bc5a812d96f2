"""Prepares the embedded databases: schemas, migrations and, by default, demo data.

It can be repeated: demo rows get new dates relative to now, and what was added or changed by hand
stays.
"""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from onai.local import roles
from onai.local.demo_data.load import load_landing, load_queue, load_tripwire

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
            load_landing()
            load_tripwire()
            load_queue()
