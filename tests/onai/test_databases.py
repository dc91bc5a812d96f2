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
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connections, router, transaction
from django.db.migrations.recorder import MigrationRecorder

from funnel.models import Lead
from onai.local.postgres import url
from onai.local.roles import AUTH_ADMIN, LANDING_READER, OWNER, RUN_TIME, SUPERUSER
from sales.models import ActivityEntry, Student
from tests.conftest import LandingPages
from tests.settings import BASE_DIR, LANDING_URL, TEST_DIR, TEST_ENVIRONMENT, TRIPWIRE_URL
from tests.support.adopted_database import documented_grants
from tests.support.pooler import Pooler, run_pooler
from tests.support.ports import free_port
from tests.support.processes import run_python, wait_for


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


def test_trigrams_lie_where_supabase_keeps_extensions() -> None:
    socket_dir = str(TEST_DIR / "postgres")

    with psycopg.connect(url(socket_dir, "tripwire", OWNER)) as connection:
        assert connection.execute("select similarity('Аружан', 'Аружан')").fetchone() == (1.0,)
    with psycopg.connect(url(socket_dir, "tripwire", RUN_TIME)) as connection:
        installed = connection.execute(
            "select nspname from pg_extension join pg_namespace n on n.oid = extnamespace"
            " where extname = 'pg_trgm'"
        )
        assert installed.fetchone() == ("extensions",)
        assert connection.execute("show search_path").fetchone() == ('"$user", public',)


@pytest.mark.parametrize(("alias", "role"), [("landing", LANDING_READER), ("tripwire", RUN_TIME)])
def test_the_product_is_no_superuser_passes_no_policy_and_owns_nothing(
    alias: str, role: str
) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "select rolname, rolsuper, rolbypassrls,"
            " (select count(*) from pg_class where relowner = pg_roles.oid)"
            " from pg_roles where rolname = current_user"
        )
        assert cursor.fetchone() == (role, False, False, 0)


_RIGHTS = """
select table_schema, table_name, array_agg(privilege_type::text order by privilege_type)
from information_schema.role_table_grants where grantee = '{role}' group by 1, 2
union all
select 'sequence', sequencename, array['USAGE'] from pg_sequences
where has_sequence_privilege('{role}', format('%I.%I', schemaname, sequencename), 'usage')
union all
select schemaname, tablename, array[policyname, cmd, qual, with_check] from pg_policies
where '{role}' = any(roles)
order by 1, 2, 3
"""


@pytest.mark.parametrize(
    ("address", "role", "owner", "blocks"),
    [
        (TRIPWIRE_URL, RUN_TIME, OWNER, ["Tripwire", "Accounts"]),
        (LANDING_URL, LANDING_READER, SUPERUSER, ["Landing"]),
    ],
    ids=["tripwire", "landing"],
)
def test_the_demo_and_the_tests_have_the_rights_that_the_documents_grant(
    address: str, role: str, owner: str, blocks: list[str]
) -> None:
    rights = _RIGHTS.format(role=role)
    with psycopg.connect(address) as connection:
        ours = connection.execute(rights).fetchall()
        connection.execute(f"drop owned by {role}")
        if owner == OWNER:
            connection.execute(f"set local role {OWNER}")
            connection.execute(f"revoke all on all tables in schema auth from {role}")
            connection.execute("reset role")
        assert connection.execute(rights).fetchall() == []

        for block in blocks:
            # A hosted project's `postgres` may create policies on the accounts.
            acting = SUPERUSER if block == "Accounts" else owner
            connection.execute(f"set local role {acting}")
            connection.execute(documented_grants(block))
            connection.execute("reset role")

        theirs = connection.execute(rights).fetchall()
        connection.rollback()
    assert theirs == ours
    assert len(ours) > 10


def test_supabases_tables_have_row_level_security_and_their_own_owner() -> None:
    with psycopg.connect(TRIPWIRE_URL) as connection:
        tables = connection.execute(
            "select distinct pg_get_userbyid(relowner), relrowsecurity from pg_class"
            " where relnamespace = 'auth'::regnamespace and relkind = 'r'"
            " and relname <> 'django_migrations'"
        ).fetchall()
        connection.execute(f"grant usage on schema auth to {LANDING_READER}")
        connection.execute(f"grant select on auth.users to {LANDING_READER}")
        connection.execute(f"set role {LANDING_READER}")
        seen = connection.execute("select count(*) from auth.users").fetchone()
        connection.rollback()

    assert tables == [(AUTH_ADMIN, True)]
    assert seen == (0,)


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


@pytest.fixture
def a_role_that_may_write(landing: LandingPages) -> Iterator[None]:
    """Somebody gave our role more than it needs, so that only the connection is in the way."""
    landing.connection.execute(f"grant all on landing_leads to {LANDING_READER}")
    landing.connection.execute(f"alter role {LANDING_READER} bypassrls")
    yield
    landing.connection.execute(f"alter role {LANDING_READER} nobypassrls")
    landing.connection.execute(
        f"revoke insert, update, delete, truncate on landing_leads from {LANDING_READER}"
    )


@pytest.mark.usefixtures("a_role_that_may_write")
@pytest.mark.parametrize("in_transaction", [False, True])
def test_a_write_to_landing_fails_by_every_way_in(in_transaction: bool) -> None:
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


def test_jit_is_off_on_landing() -> None:
    with connections["landing"].cursor() as cursor:
        cursor.execute("show jit")
        assert cursor.fetchone() == ("off",)


def test_the_connection_to_landing_reports_itself_read_only() -> None:
    with connections["landing"].cursor() as cursor:
        cursor.execute("show default_transaction_read_only")
        assert cursor.fetchone() == ("on",)


def test_migrations_never_touch_the_other_database() -> None:
    for alias in ("landing", "tripwire"):
        for app in settings.DATABASE_OF_APP:
            allowed = router.allow_migrate(alias, app)
            # In production the landing pages own their schema: nothing is migrated there at all.
            assert allowed == (alias == "tripwire" and settings.DATABASE_OF_APP[app] == "tripwire")


def test_migrating_landing_in_production_creates_nothing() -> None:
    with _scratch_database("theirs") as (url, theirs):
        # It may fail, since the connection only reads, and must change nothing.
        migrate = ("manage.py", "migrate", "--database", "landing")
        run_python(*migrate, environment={**_started(), "LANDING_DATABASE_URL": url})

        found = theirs.execute("select count(*) from pg_tables where schemaname = 'public'")
        assert found.fetchone() == (0,)


PRODUCTION_TABLES = """
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
create index idx_tripwire_users_email on tripwire_users (email);
create index idx_tripwire_users_user_id on tripwire_users (user_id);
create index idx_tripwire_users_granted_by on tripwire_users (granted_by);
create index idx_tripwire_users_status on tripwire_users (status);
create index idx_tripwire_users_created_at on tripwire_users (created_at);
create table sales_activity_log (
  id uuid primary key default gen_random_uuid(), manager_id uuid,
  action_type text check (action_type in
    ('user_created', 'email_sent', 'status_changed', 'password_reset', 'user_deleted')),
  target_user_id uuid, details jsonb default '{}', created_at timestamptz default now());
create index idx_sales_activity_log on sales_activity_log (manager_id, created_at desc);
insert into auth.users (id, email, is_sso_user, is_anonymous)
  values ('00000000-0000-0000-0000-000000000001', 'a@onai.test', false, false);
insert into tripwire_users (user_id, full_name, email)
  values ('00000000-0000-0000-0000-000000000001', 'Старый Тест', 'a@onai.test');
insert into sales_activity_log (action_type, target_user_id)
  values ('user_created', '00000000-0000-0000-0000-000000000001');
"""

USING_WHAT_WAS_ADOPTED = """
import django; django.setup()
from uuid import uuid4
from onai.web.problems import Problem
from onai.identity.roles import Identity, Role
from sales.models import Student
from sales.provisioning.create_student import NewStudent, create_student
from sales.staff import Manager
old = Student.objects.get()
print(old.full_name, old.price, old.status, old.welcome_email_sent)
me = Identity(uuid4(), "m@onai.test", "М", Role.SALES)
def create(email):
    new = NewStudent(email, "Новый Тест", "Kvx7-Rmp3-9wTq", Manager(me.user_id, "М"))
    return create_student(new, asker=me)
done = create("b@onai.test")
print(done.request.state, done.student.price, done.letter.state)
try:
    create("a@onai.test")
except Problem as problem:
    print(problem.code)
"""


def test_tables_of_production_are_adopted_with_their_rows() -> None:
    with _scratch_database("adopted") as (url, production), _supabase_of(url) as services:
        production.execute(PRODUCTION_TABLES)
        before = production.execute("select * from tripwire_users").fetchall()
        environment = {
            **_started(),
            "TRIPWIRE_DATABASE_URL": url,
            "TRIPWIRE_SUPABASE_URL": services,
        }
        migrate = ("manage.py", "migrate", "--database", "tripwire", "--fake-initial")

        migrated = run_python(*migrate, environment=environment)

        assert migrated.returncode == 0, migrated.stderr
        assert production.execute("select * from tripwire_users").fetchall() == before
        used = run_python("-c", USING_WHAT_WAS_ADOPTED, environment=environment)
        assert used.stdout.splitlines() == [
            "Старый Тест 5000 active False",
            "done 5000 sent",
            "email_taken",
        ], used.stderr
        joined = (
            "select count(*), count(account.id) from tripwire_users student"
            " left join auth.users account on account.id = student.user_id"
        )
        assert production.execute(joined).fetchone() == (2, 2)
        log = production.execute("select action_type from sales_activity_log order by created_at")
        assert log.fetchall() == [("user_created",), ("user_created",), ("email_sent",)]
        # And Supabase takes a student along with its account.
        production.execute("delete from auth.identities")
        production.execute("delete from auth.users where email = 'b@onai.test'")
        assert production.execute("select count(*) from sales_letters").fetchone() == (0,)


def test_our_tables_are_hidden_from_supabases_data_api() -> None:
    # It serves what is in `public` without row level security to whoever has the public key.
    with connections["tripwire"].cursor() as cursor:
        cursor.execute(
            "select relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace"
            " where nspname = 'public' and relkind = 'r' and not relrowsecurity"
        )
        open_tables = {name for (name,) in cursor.fetchall()}
    assert open_tables <= {"django_migrations", "tripwire_users", "sales_activity_log"}


@contextmanager
def _supabase_of(url: str) -> Iterator[str]:
    """A stand-in for Supabase Auth whose accounts are in this database."""
    environment = {
        **TEST_ENVIRONMENT,
        "TRIPWIRE_DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "onai.local.settings",
    }
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create schema auth authorization {AUTH_ADMIN}")
    migrated = run_python("manage.py", "migrate", "--database", "auth", environment=environment)
    assert migrated.returncode == 0, migrated.stderr
    port = free_port()
    serve = [sys.executable, "-m", "gunicorn", "--log-level", "error", "--threads", "4"]
    server = subprocess.Popen(
        [*serve, "--bind", f"127.0.0.1:{port}", "onai.local.wsgi"], cwd=BASE_DIR, env=environment
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/auth/v1/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(40)


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
def pooler() -> Iterator[Pooler]:
    yield from run_pooler()


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
from funnel.report.answers import answers
from funnel.question import FunnelQuestion
from onai.periods import Period
from sales.models import Student

for _ in range(12):  # more often than any driver's threshold for preparing
    assert Lead.objects.filter(name="pooled").count() == 3
    assert len(list(Lead.objects.iterator(chunk_size=1))) == 3  # would be a server-side cursor
    assert Student.objects.filter(email="nobody@onai.test").count() == 0
assert answers(FunnelQuestion(Period.last_days(30))).report.proftest.reached == 3
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


def test_the_product_works_through_a_transaction_mode_pooler(
    pooler: Pooler, landing: LandingPages, tmp_path: Path
) -> None:
    landing.write(*({"id": uuid4(), "name": "pooled", "source": "proftest_a"} for _ in range(3)))
    script = tmp_path / "pooled.py"
    script.write_text(THROUGH_THE_POOLER)

    done = _through(pooler, script)

    assert done.stdout.strip().endswith("all the same through the pooler"), done.stderr


WAITING_IN_THE_QUEUE = """
import os
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "onai.settings"
django.setup()
from onai.db import bounded
from funnel.report.answers import answers
from funnel.question import FunnelQuestion
from funnel.landing.statement import FiguresUnavailable
from onai.periods import Period
bounded.STATEMENT_SECONDS = 0.5
try:
    answers(FunnelQuestion(Period.last_days(30)))
except FiguresUnavailable:
    print("told")
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

    # Whoever waits for the pooler waits for ever, since its connections stay busy.
    assert done.stdout.strip() == "told", done.stderr
