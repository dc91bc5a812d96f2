"""A database of its own with the predecessor's tables, for `migrate` to adopt.

It has the roles of a Supabase project, a stand-in for Supabase Auth that keeps its accounts there,
and the accounts of `tests.support.people`.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import Any

import psycopg
from django.core.management import CommandError, call_command
from django.db import connections
from psycopg.rows import dict_row

from onai.local import roles
from onai.local.postgres import url
from sales import adoption
from tests.settings import BASE_DIR, TEST_DIR, TEST_ENVIRONMENT, TEST_KEYS
from tests.support.desk import Desk
from tests.support.people import PEOPLE, Accounts
from tests.support.ports import free_port
from tests.support.processes import run_python, wait_for

DATABASE, TEMPLATE = "variant", "variant_template"
SOCKET_DIR = str(TEST_DIR / "postgres")
STUDENTS = """
create table tripwire_users (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users(id) on delete cascade,
  full_name text not null, email text unique not null, granted_by uuid, manager_name text,
  welcome_email_sent boolean default false, welcome_email_sent_at timestamptz,
  email_opened boolean default false, first_login_at timestamptz, last_active_at timestamptz,
  modules_completed integer default 0, price integer default 5000,
  status text default 'active' check (status in ('active', 'inactive', 'completed', 'blocked')),
  amocrm_deal_id text, amocrm_contact_id text,
  created_at timestamptz default now(), updated_at timestamptz default now());
"""
LOG = """
create table sales_activity_log (
  id uuid primary key default gen_random_uuid(), manager_id uuid,
  action_type text check (action_type in
    ('user_created', 'email_sent', 'status_changed', 'password_reset', 'user_deleted')),
  target_user_id uuid, details jsonb default '{}', created_at timestamptz default now());
"""


def documented_grants(database: str) -> str:
    """The SQL that docs/operations.md has the operator run: the block that begins so."""
    document = (BASE_DIR / "docs/operations.md").read_text()
    blocks = re.findall(r"```sql\n(.*?)```", document, re.DOTALL)
    (block,) = (one for one in blocks if one.lstrip().startswith(f"-- {database}"))
    return str(block)


@dataclass(slots=True)
class Production:
    """A database with its accounts. `superuser` is a connection with every right; `accounts` the
    stand-in's.
    """

    superuser: "psycopg.Connection[Any]"
    accounts: Accounts

    @property
    def desk(self) -> Desk:
        return Desk(self.superuser)

    def execute(self, *statements: str) -> None:
        for statement in statements:
            self.superuser.execute(statement)

    def as_owner(self, *statements: str) -> None:
        owner = url(SOCKET_DIR, DATABASE, roles.OWNER)
        with psycopg.connect(owner, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def migrate(self, *target: str) -> str:
        """Migrate as the owner, to the end or to an app's migration; returns the output. Raises
        CommandError.
        """
        said = StringIO()
        with acting_as(roles.OWNER):
            call_command("migrate", *target, database="tripwire", fake_initial=True, stdout=said)
        return said.getvalue()

    def check(self, *options: str, role: str = roles.OWNER) -> tuple[int, str]:
        """The exit status and the output of `check_database`."""
        said = StringIO()
        with acting_as(role):
            try:
                call_command("check_database", *options, stdout=said)
            except CommandError as error:
                return error.returncode, said.getvalue() + str(error)
        return 0, said.getvalue()

    def codes(self) -> dict[str, str]:
        """The codes of the findings, with their severities."""
        with acting_as(roles.OWNER):
            findings = adoption.check_before_migrating()
        return {found.code: found.severity.value for found in reversed(findings)}

    def serve(self) -> None:
        """Have the product act with the run-time role and its documented rights."""
        self.as_owner(documented_grants("Tripwire"))
        self.execute(documented_grants("Accounts"))


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    """The product's connection to Tripwire uses this role, in the database of the variant."""
    connection = connections["tripwire"]
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(NAME=DATABASE, USER=role)
    adoption.forget_fitness()
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)
        adoption.forget_fitness()


@contextmanager
def fresh_copy(services: str) -> Iterator[Production]:
    """The template's accounts and nothing else, in a database that is dropped afterwards."""
    with psycopg.connect(url(SOCKET_DIR, "postgres"), autocommit=True) as maintenance:
        maintenance.execute(f"drop database if exists {DATABASE} with (force)")
        maintenance.execute(f"create database {DATABASE} template {TEMPLATE} owner {roles.OWNER}")
        connection = psycopg.connect(
            url(SOCKET_DIR, DATABASE), autocommit=True, row_factory=dict_row
        )
        try:
            yield Production(connection, Accounts(services, TEST_KEYS))
        finally:
            connection.close()
            maintenance.execute(f"drop database {DATABASE} with (force)")


@contextmanager
def supabase_of_variants() -> Iterator[str]:
    """The template, and a stand-in that keeps its accounts in the current copy of it."""
    port = free_port()
    services = f"http://127.0.0.1:{port}"
    environment = {
        **TEST_ENVIRONMENT,
        "TRIPWIRE_DATABASE_URL": url(SOCKET_DIR, DATABASE, roles.RUN_TIME),
        "TRIPWIRE_SUPABASE_URL": services,
        "DJANGO_SETTINGS_MODULE": "onai.local.settings",
    }
    serve = [sys.executable, "-m", "gunicorn", "--log-level", "error", "--threads", "4"]
    with psycopg.connect(url(SOCKET_DIR, "postgres"), autocommit=True) as maintenance:
        maintenance.execute(f"create database {DATABASE} owner {roles.OWNER}")
        with psycopg.connect(url(SOCKET_DIR, DATABASE), autocommit=True) as superuser:
            superuser.execute(roles._TRIPWIRE.replace("database tripwire", f"database {DATABASE}"))
        migrate = ("manage.py", "migrate", "--database", "auth")
        migrated = run_python(*migrate, environment=environment)
        assert migrated.returncode == 0, migrated.stderr
        server = subprocess.Popen(
            [*serve, "--bind", f"127.0.0.1:{port}", "onai.local.wsgi"],
            cwd=BASE_DIR,
            env=environment,
        )
        try:
            wait_for(f"{services}/auth/v1/health")
            accounts = Accounts(services, TEST_KEYS)
            for person in PEOPLE:
                accounts.create(person.email, role=person.role, full_name=person.full_name)
            maintenance.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
                [DATABASE],
            )
            maintenance.execute(f"create database {TEMPLATE} template {DATABASE}")
            yield services
        finally:
            server.terminate()
            server.wait(40)
            maintenance.execute(f"drop database if exists {DATABASE} with (force)")
            maintenance.execute(f"drop database if exists {TEMPLATE} with (force)")
