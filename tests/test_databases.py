"""Each app in its own database, Landing only read, and a pooler in between from the first day."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from uuid import uuid4

import django.db
import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connections, router, transaction
from django.db.migrations.recorder import MigrationRecorder

from funnel.models import Lead
from onai.local.postgres import url
from onai.routers import HOME_OF_APP
from sales.models import ActivityEntry, Student
from tests.conftest import LandingPages, run_python
from tests.pooler import Pooler, run_pooler
from tests.settings import BASE_DIR, TEST_DIR, TEST_ENVIRONMENT


@pytest.mark.parametrize(
    ("model", "home"), [(Lead, "landing"), (Student, "tripwire"), (ActivityEntry, "tripwire")]
)
def test_each_model_goes_to_its_own_database(model: Any, home: str) -> None:
    assert router.db_for_read(model) == home
    assert router.db_for_write(model) == home
    assert model.objects.db == home
    # And its table is there, and only there.
    for alias in ("landing", "tripwire"):
        tables = connections[alias].introspection.table_names()
        assert (model._meta.db_table in tables) == (alias == home)


def test_an_app_without_a_home_fails_loudly() -> None:
    with pytest.raises(ImproperlyConfigured):
        MigrationRecorder.Migration.objects.count()


def test_relations_across_databases_are_refused() -> None:
    lead, student, entry = Lead(), Student(), ActivityEntry()

    assert not router.allow_relation(lead, student)
    assert not router.allow_relation(student, lead)
    assert router.allow_relation(student, entry)


@pytest.mark.parametrize(
    "statement",
    [
        "insert into landing_leads (name, phone) values ('x', '1')",
        "update landing_leads set sms_clicked = true",
        "delete from landing_leads",
        "truncate landing_leads",
        "create table mine (id int)",
    ],
)
@pytest.mark.parametrize("in_transaction", [False, True])
def test_a_write_to_landing_fails_in_the_database(statement: str, in_transaction: bool) -> None:
    def write() -> None:
        around = transaction.atomic(using="landing") if in_transaction else nullcontext()
        with around, connections["landing"].cursor() as cursor:
            cursor.execute(statement)

    with pytest.raises(django.db.InternalError, match="read-only transaction"):
        write()


@pytest.mark.parametrize("in_transaction", [False, True])
def test_a_write_to_landing_fails_by_every_way_in(
    landing: LandingPages, in_transaction: bool
) -> None:
    insert = "insert into landing_leads (name, phone) values (%s, %s)"

    def many() -> None:
        with connections["landing"].cursor() as cursor:
            cursor.executemany(insert, [("a", "1"), ("b", "2")])

    def copied() -> None:
        statement = "copy landing_leads (name, phone) from stdin"
        with connections["landing"].cursor() as cursor, cursor.copy(statement) as copy:
            copy.write_row(("a", "1"))

    def streamed() -> None:
        with connections["landing"].cursor() as cursor:
            list(cursor.stream(f"{insert} returning id", ("a", "1")))

    for write in (many, copied, streamed):
        around = transaction.atomic(using="landing") if in_transaction else nullcontext()
        with (
            pytest.raises(
                (django.db.InternalError, psycopg.errors.ReadOnlySqlTransaction), match="read-only"
            ),
            around,
        ):
            write()
    assert Lead.objects.count() == 0


def test_a_write_to_landing_fails_through_the_orm(landing: LandingPages) -> None:
    landing.write({"name": "Кто-то"})

    with pytest.raises(django.db.InternalError, match="read-only transaction"):
        Lead.objects.create(name="x", phone="1")
    with pytest.raises(django.db.InternalError, match="read-only transaction"):
        Lead.objects.update(name="x")

    assert Lead.objects.get().name == "Кто-то"


def test_landing_says_that_it_is_read_only() -> None:
    with connections["landing"].cursor() as cursor:
        cursor.execute("show default_transaction_read_only")
        assert cursor.fetchone() == ("on",)


def test_migrations_never_touch_the_other_database() -> None:
    for alias in ("landing", "tripwire"):
        for app in HOME_OF_APP:
            allowed = router.allow_migrate(alias, app)
            # In production the landing pages own their schema: nothing is migrated there at all.
            assert allowed == (alias == "tripwire" and HOME_OF_APP[app] == "tripwire")


def test_migrating_landing_in_production_creates_nothing() -> None:
    with _scratch_database("theirs") as (url, theirs):
        # It may fail, since the connection only reads, and must change nothing.
        migrate = ("manage.py", "migrate", "--database", "landing")
        run_python(*migrate, environment={**_started(), "LANDING_DATABASE_URL": url})

        found = theirs.execute("select count(*) from pg_tables where schemaname = 'public'")
        assert found.fetchone() == (0,)


PRODUCTION_TRIPWIRE = """
create schema auth;
create table auth.users (id uuid primary key, email varchar(255));
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
create table sales_activity_log (
  id uuid primary key default gen_random_uuid(), manager_id uuid,
  action_type text check (action_type in
    ('user_created', 'email_sent', 'status_changed', 'password_reset', 'user_deleted')),
  target_user_id uuid, details jsonb default '{}', created_at timestamptz default now());
insert into auth.users values ('00000000-0000-0000-0000-000000000001', 'a@onai.test');
insert into tripwire_users (user_id, full_name, email)
  values ('00000000-0000-0000-0000-000000000001', 'Старый Тест', 'a@onai.test');
"""


def test_productions_tables_are_adopted_with_their_rows() -> None:
    with _scratch_database("adopted") as (url, production):
        production.execute(PRODUCTION_TRIPWIRE)
        environment = {**_started(), "TRIPWIRE_DATABASE_URL": url}
        migrate = ("manage.py", "migrate", "--database", "tripwire", "--fake-initial")

        migrated = run_python(*migrate, environment=environment)

        assert migrated.returncode == 0, migrated.stderr
        read = (
            "import django; django.setup(); from sales.models import Student;"
            "s = Student.objects.get(); print(s.full_name, s.price, s.status)"
        )
        shown = run_python("-c", read, environment=environment)
        assert shown.stdout.strip() == "Старый Тест 5000 active", shown.stderr


@contextmanager
def _scratch_database(name: str) -> "Iterator[tuple[str, psycopg.Connection[Any]]]":
    """An empty database beside the tests' own: its address, and a connection to it."""
    socket_dir = str(TEST_DIR / "postgres")
    with psycopg.connect(url(socket_dir, "postgres"), autocommit=True) as maintenance:
        maintenance.execute(f"create database {name}")
        try:
            with psycopg.connect(url(socket_dir, name), autocommit=True) as connection:
                yield url(socket_dir, name), connection
        finally:
            maintenance.execute(f"drop database {name} with (force)")


def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def _started() -> dict[str, str]:
    return {name: value for name, value in TEST_ENVIRONMENT.items() if name != "PATH"}


@pytest.fixture(scope="module")
def pooler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pooler]:
    yield from run_pooler(tmp_path_factory.mktemp("pooler"))


def _through(pooler: Pooler, script: Path) -> "subprocess.CompletedProcess[str]":
    environment = {
        **TEST_ENVIRONMENT,
        "LANDING_DATABASE_URL": pooler.url("landing"),
        "TRIPWIRE_DATABASE_URL": pooler.url("tripwire"),
    }
    return subprocess.run(
        [sys.executable, str(script)],
        cwd=BASE_DIR,
        env={**environment, "PYTHONPATH": str(BASE_DIR)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


THROUGH_THE_POOLER = """
import os
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "onai.settings"
django.setup()
from django.db import InternalError, connections
from funnel.models import Lead
from funnel.report import funnel_report
from onai.periods import Period
from sales.models import Student

for _ in range(12):  # more often than any driver's threshold for preparing
    assert Lead.objects.filter(name="pooled").count() == 3
    assert len(list(Lead.objects.iterator(chunk_size=1))) == 3  # would be a server-side cursor
    assert Student.objects.filter(email="nobody@onai.test").count() == 0
assert funnel_report(Period.last_days(30)).proftest.reached == 3
try:
    with connections["landing"].cursor() as cursor:
        cursor.execute("delete from landing_leads")
except InternalError as error:
    assert "read-only transaction" in str(error)
else:
    raise AssertionError("the pooler let a write through")
with connections["landing"].cursor() as cursor:
    cursor.execute("select count(*) from pg_prepared_statements")
    assert cursor.fetchone() == (0,)
print("all the same through the pooler")
"""


def test_everything_works_through_a_transaction_mode_pooler(
    pooler: Pooler, landing: LandingPages, tmp_path: Path
) -> None:
    landing.write(*({"id": uuid4(), "name": "pooled", "source": "proftest_a"} for _ in range(3)))
    script = tmp_path / "pooled.py"
    script.write_text(THROUGH_THE_POOLER)

    done = _through(pooler, script)

    assert done.stdout.strip().endswith("all the same through the pooler"), done.stderr


WAITING_IN_THE_QUEUE = """
import os, time
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "onai.settings"
django.setup()
from onai import postgres
from funnel.report import FiguresUnavailable, funnel_report
from onai.periods import Period
postgres.DEADLINE_SECONDS = 1.0
began = time.monotonic()
try:
    funnel_report(Period.last_days(30))
except FiguresUnavailable:
    print("told after", round(time.monotonic() - began), "s")
"""


def test_a_pooler_without_a_free_connection_is_not_waited_for(
    pooler: Pooler, tmp_path: Path
) -> None:
    script = tmp_path / "waiting.py"
    script.write_text(WAITING_IN_THE_QUEUE)
    busy = [psycopg.connect(pooler.url("landing")) for _ in range(pooler.size)]
    try:
        for connection in busy:
            connection.execute("select 1")  # and its transaction stays open

        done = _through(pooler, script)
    finally:
        for connection in busy:
            connection.close()

    assert done.stdout.strip() in ("told after 1 s", "told after 2 s"), done.stderr
