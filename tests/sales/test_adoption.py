"""The predecessor's tables in every shape that was seen: adopted, adapted, or refused in words.

Whatever becomes of one, nothing of it is left half done.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import django.db
import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from onai.identity.roles import Identity, Role
from onai.identity.staff.standing import AccountsHidden
from onai.local import roles
from onai.ops.examination import Down
from sales import adoption
from sales.adoption.access import ACCOUNT_TABLES, tables_of_tripwire
from sales.models import StudentStatus
from sales.probes import ACCOUNTS
from sales.provisioning.change_student import NewStatus, change_student
from sales.provisioning.create_student import NewStudent, create_student
from sales.staff import Manager
from tests.support.adopted_database import (
    LOG,
    STUDENTS,
    Production,
    acting_as,
    documented_grants,
    fresh_copy,
    supabase_of_variants,
)
from tests.support.desk import GOOD
from tests.support.student_changes import FORMS, MANAGER, act_and_follow, signed_in, text_of

ADMIN = "admin@onai.test"


@pytest.fixture(scope="module")
def supabase() -> Iterator[str]:
    with supabase_of_variants() as services:
        yield services


@pytest.fixture
def production(supabase: str, settings: Any) -> Iterator[Production]:
    settings.SUPABASE_AUTH_URL = f"{supabase}/auth/v1"
    with fresh_copy(supabase) as production:
        yield production


@pytest.fixture
def usual(production: Production) -> Production:
    """The tables as they are described."""
    production.as_owner(STUDENTS, LOG)
    return production


def every_act_works(production: Production, role: str = roles.RUN_TIME) -> None:
    """A manager creates a student; an admin does to them whatever can be done."""
    desk = production.desk
    with acting_as(role):
        created = signed_in(MANAGER).post("/sales-manager/students/new", GOOD, follow=True)
        assert "Доступ открыт" in text_of(created)
        admin = signed_in(ADMIN)
        for act in ("status", "password", "data", "delete"):
            form = {**FORMS[act], **({"email": "aru.new@onai.test"} if act == "delete" else {})}
            answer = act_and_follow(admin, desk, act, **form)
            assert answer.status_code == 200, text_of(answer)
    assert {row["state"] for row in desk.changes()} == {"done"}, desk.changes()
    assert desk.rows("select * from tripwire_users where full_name like 'Ару%%'") == []
    assert desk.rows("select * from auth.users where email like 'aru%%'") == []
    log = desk.rows("select action_type, target_user_id from sales_activity_log")
    written = [row["action_type"] for row in log if row["target_user_id"] is not None]
    for kind in ("user_created", "status_changed", "password_reset", "user_deleted"):
        assert kind in written


def test_the_tables_as_described_need_no_adapting(usual: Production) -> None:
    assert "adapted" not in usual.migrate()
    usual.serve()

    every_act_works(usual)


# With what was seen beside the described columns, and a log that was written otherwise.
FURNISHED = """
create function touched() returns trigger language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end $$;
create table tripwire_user_profile (
  user_id uuid primary key, full_name text, modules_completed int default 0);
create function welcomed() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
begin
  insert into tripwire_user_profile (user_id, full_name) values (new.user_id, new.full_name)
  on conflict do nothing;
  return new;
end $$;
alter table tripwire_users
  add generated_password text not null default 'secret', add password_changed boolean default false,
  add phone varchar(20), add onboarding_completed boolean default false,
  add onboarding_completed_at timestamptz,
  add constraint tripwire_users_user_id_key unique (user_id),
  alter price type numeric(10, 2) using price::numeric(10, 2);
alter table tripwire_users alter generated_password drop default;
create trigger touched before update on tripwire_users for each row execute function touched();
create trigger welcomed after insert on tripwire_users for each row execute function welcomed();
alter table tripwire_users enable row level security;
create policy own on tripwire_users for select using (user_id = auth.uid());
alter table sales_activity_log
  add target_user_email text, alter manager_id set not null,
  add constraint log_of foreign key (target_user_id) references auth.users on delete set null,
  drop constraint sales_activity_log_action_type_check,
  add constraint acts check (action_type in ('user_created', 'email_sent', 'user_deleted',
    'user_status_updated', 'student_created', 'welcome_email_sent', 'course_completed'));
"""
# The variant that lacks most.
BARE = """
alter table tripwire_users
  drop constraint tripwire_users_email_key,
  drop email_opened, drop first_login_at, drop last_active_at, drop amocrm_deal_id,
  drop amocrm_contact_id, drop constraint tripwire_users_status_check,
  alter status type varchar(8),
  add constraint statuses check (status in ('active', 'inactive', 'finished')),
  add constraint given foreign key (granted_by) references auth.users;
alter table sales_activity_log
  add constraint log_of foreign key (target_user_id) references auth.users;
"""
UID = """
create function auth.uid() returns uuid language sql stable as
$$ select nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
"""


def _words(production: Production, table: str, name: str) -> str:
    found = production.desk.row(
        "select pg_get_constraintdef(oid) as rule from pg_constraint where conrelid = %s::regclass"
        " and conname = %s and convalidated",
        table,
        name,
    )
    return str(found["rule"])


def test_a_furnished_variant_is_adapted_and_every_act_works(usual: Production) -> None:
    usual.execute(UID)
    usual.as_owner(FURNISHED)

    said = usual.migrate()

    assert 'alter column "generated_password" drop not null' in said
    assert 'drop constraint "log_of"' in said
    words = _words(usual, "sales_activity_log", "acts")
    for word in ("status_changed", "password_reset", "student_created", "course_completed"):
        assert word in words
    usual.serve()
    every_act_works(usual)
    assert usual.desk.rows("select * from sales_activity_log where manager_id is null") == []
    with acting_as(roles.RUN_TIME):
        manager = signed_in(MANAGER)
        manager.post("/sales-manager/students/new", {**GOOD, "email": "dana@onai.test"})
        (student,) = usual.desk.students("dana@onai.test")
        card = text_of(manager.get(f"/sales-manager/students/{student['id']}"))
        results = text_of(manager.get("/sales-manager/results"))
        file = manager.get("/sales-manager/students.csv").getvalue().decode()
    assert student["price"] == 5000
    assert "Цена 5 000 ₸" in card.replace("\xa0", " ")
    assert "5000.00" not in file
    assert "5 000 ₸" in results.replace("\xa0", " ")
    # And there is nothing left to adapt.
    assert "adapted" not in usual.migrate()


def test_a_bare_variant_is_adapted_and_every_act_works(usual: Production) -> None:
    usual.as_owner(BARE)
    usual.execute(
        "insert into tripwire_users (user_id, full_name, email, status, created_at)"
        " select id, 'Другой Тест', email, 'finished', '2025-12-01' from auth.users"
        " where email = 'student@onai.test'"
    )

    usual.migrate()

    words = _words(usual, "tripwire_users", "statuses")
    for word in ("active", "finished", "blocked", "completed"):
        assert word in words
    (old,) = usual.desk.students("student@onai.test")
    assert (old["status"], old["last_active_at"], old["email_opened"]) == ("finished", None, False)
    usual.serve()
    every_act_works(usual)
    with pytest.raises(Exception, match="tripwire_users_email_unique"):
        usual.execute(
            "insert into tripwire_users (user_id, full_name, email)"
            " select id, 'Другой Тест', 'student@onai.test' from auth.users limit 1"
        )


def test_a_missing_log_is_created(production: Production) -> None:
    production.as_owner(STUDENTS)

    production.migrate()
    production.serve()

    every_act_works(production)


def test_a_duplicate_address_is_reported_and_left(usual: Production) -> None:
    usual.as_owner("alter table tripwire_users drop constraint tripwire_users_email_key")
    usual.execute(
        "insert into tripwire_users (user_id, full_name, email)"
        " select id, 'Тест', 'twice@onai.test' from auth.users limit 2"
    )

    usual.migrate()

    assert usual.codes()["email_repeated"] == "note"
    assert len(usual.desk.students("twice@onai.test")) == 2


def test_staff_among_students_are_reported_but_not_mere_claims(usual: Production) -> None:
    usual.migrate()
    boaster = usual.accounts.create(user_metadata={"role": "admin"})["id"]
    make_student = (
        "insert into tripwire_users (user_id, full_name, email)"
        " select id, 'Тест', email from auth.users where {}"
    )

    usual.execute(make_student.format(f"id = '{boaster}'"))
    assert "staff_are_students" not in usual.codes()

    usual.execute(make_student.format(f"email = '{MANAGER}'"))
    assert usual.codes()["staff_are_students"] == "note"


REFUSED = {
    "a required column of theirs": (
        "alter table tripwire_users add cohort_id uuid not null",
        "not_filled",
        'alter table public.tripwire_users alter column "cohort_id" drop not null',
    ),
    "a required column of the log's": (
        "alter table sales_activity_log add target_user_email text not null",
        "not_filled",
        'alter column "target_user_email" drop not null',
    ),
    "no account": ("alter table tripwire_users drop user_id cascade", "column_missing", "user_id"),
    "no kind of act": ("alter table sales_activity_log drop action_type", "column_missing", "act"),
    "a status of a type of its own": (
        "create type course_status as enum ('active', 'inactive');"
        " alter table tripwire_users drop constraint tripwire_users_status_check,"
        " alter status drop default,"
        " alter status type course_status using status::course_status",
        "column_type",
        "type text using status::text",
    ),
    "times without a zone": (
        "alter table tripwire_users alter created_at type timestamp",
        "column_type",
        "using created_at at time zone 'utc'",
    ),
    "ids as text": (
        "alter table sales_activity_log alter manager_id type text",
        "column_type",
        "using manager_id::text::uuid",
    ),
    "a rule over several columns": (
        "alter table tripwire_users add constraint paid check (price > 9000 or status <> 'active')",
        "check_refuses",
        'drop constraint "paid"',
    ),
    "accounts of another table": (
        "create table users (id uuid primary key);"
        " alter table tripwire_users drop constraint tripwire_users_user_id_fkey,"
        " add foreign key (user_id) references users",
        "key_elsewhere",
        "references auth.users",
    ),
    "a view": (
        "alter table tripwire_users rename to kept;"
        " create view tripwire_users as select * from kept",
        "not_a_table",
        "",
    ),
    "a table in sections": (
        "drop table tripwire_users;"
        f" {STUDENTS.strip().removesuffix(';').replace('primary key', '').replace('unique', '')}"
        " partition by hash (id);"
        " create table one partition of tripwire_users for values with (modulus 1, remainder 0)",
        "not_a_table",
        "",
    ),
    "a log by months": (
        "drop table sales_activity_log; create table sales_activity_log (id uuid, manager_id uuid,"
        " action_type text, target_user_id uuid, details jsonb, created_at timestamptz)"
        " partition by range (created_at)",
        "not_a_table",
        "",
    ),
    "a name that is computed": (
        "alter table tripwire_users drop manager_name,"
        " add manager_name text generated always as (full_name) stored",
        "column_generated",
        "alter column manager_name drop expression",
    ),
    "one entry a student": (
        "alter table sales_activity_log add constraint once unique (target_user_id, action_type)",
        "unique_refuses",
        'drop constraint "once"',
    ),
    "one student a manager": (
        "create unique index one_each on tripwire_users (granted_by)",
        "unique_refuses",
        'drop index public."one_each"',
    ),
    "an act of a type of its own, with a rule": (
        "create type act as enum ('user_created', 'email_sent');"
        " alter table sales_activity_log drop constraint sales_activity_log_action_type_check,"
        " alter action_type type act using action_type::act,"
        " add constraint known check (action_type <> 'email_sent' or details is not null)",
        "column_type",
        "type text using action_type::text",
    ),
    "a status of a domain": (
        "create domain course_state as text check (value in ('active', 'inactive'));"
        " alter table tripwire_users drop constraint tripwire_users_status_check,"
        " alter status type course_state",
        "column_type",
        "type text using status::text",
    ),
    "a renamed column": (
        "alter table tripwire_users rename full_name to name",
        "column_missing",
        "full_name",
    ),
    "no key": (
        "alter table tripwire_users drop constraint tripwire_users_pkey",
        "id_not_unique",
        "add primary key (id)",
    ),
    "no students": ("drop table tripwire_users", "students_missing", ""),
}


@pytest.mark.parametrize("shape", REFUSED)
def test_an_unfit_table_is_refused_before_anything_is_done(usual: Production, shape: str) -> None:
    statement, code, advised = REFUSED[shape]
    # Something that would be adapted, too.
    usual.as_owner(statement, "alter table sales_activity_log drop details")
    shapes = (
        "select table_name, column_name, data_type, is_nullable, column_default"
        " from information_schema.columns where table_schema = 'public' order by 1, 2"
    )
    before = usual.desk.rows(shapes)

    with pytest.raises(CommandError, match="Nothing was migrated") as refused:
        usual.migrate()

    assert usual.codes()[code] == "blocks"
    assert advised in str(refused.value)
    assert usual.desk.rows(shapes) == before
    status, said = usual.check()
    assert status == 1
    assert f"Мешает работать [{code}]" in said


@pytest.mark.parametrize(
    "shape",
    [
        *("a required column of theirs", "times without a zone", "a name that is computed"),
        *("one entry a student", "one student a manager", "a status of a domain"),
    ],
)
def test_following_the_advice_mends_the_database(usual: Production, shape: str) -> None:
    statement, code, _ = REFUSED[shape]
    usual.as_owner(statement)
    with acting_as(roles.OWNER):
        (found,) = (one for one in adoption.check_before_migrating() if one.code == code)

    usual.as_owner(*found.sql)

    usual.migrate()
    usual.serve()
    every_act_works(usual)


SPELLINGS = {
    "an array": "status = any (array['active', 'inactive']::text[])",
    "alternatives": "status = 'active' or status = 'inactive' or status is null",
    "a pattern": "status ~ '^(active|inactive)$'",
    "a function": "course_is(status)",
    "capitals": "upper(status) in ('ACTIVE', 'INACTIVE')",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_check_is_widened_in_any_spelling(usual: Production, spelling: str) -> None:
    usual.as_owner(
        "create function course_is(text) returns boolean language sql immutable"
        " as $$ select $1 in ('active', 'inactive') $$",
        "alter table tripwire_users drop constraint tripwire_users_status_check,"
        f" add constraint course check ({SPELLINGS[spelling]})",
    )
    assert usual.codes() == {"check_lacks_words": "adapts"}

    usual.migrate()

    usual.serve()
    every_act_works(usual)


REFUSING = {
    "raises": ("before insert or update or delete", "raise exception 'closed';"),
    "raises for the statement": ("after delete", "raise sqlstate 'P0001';"),
    "leaves rows out": ("before insert", "if new.status is null then return null; end if;"),
}


@pytest.mark.parametrize("how", REFUSING)
def test_a_trigger_that_may_refuse_rows_is_reported(usual: Production, how: str) -> None:
    when, body = REFUSING[how]
    level = "statement" if "statement" in how else "row"
    usual.as_owner(
        f"create function guarded() returns trigger language plpgsql as"
        f" $$ begin {body} return new; end $$",
        f"create trigger guarded {when} on tripwire_users for each {level}"
        " execute function guarded()",
    )

    assert usual.codes() == {"trigger_may_refuse": "note"}
    assert "Триггер guarded таблицы tripwire_users может не дать записать" in usual.check()[1]
    usual.migrate()
    assert usual.codes() == {"trigger_may_refuse": "note"}


def test_only_the_owner_of_the_tables_can_migrate(usual: Production) -> None:
    usual.execute("alter table tripwire_users owner to postgres")

    with pytest.raises(CommandError, match="миграции запускает владелец таблиц"):
        usual.migrate()


def test_migrating_with_accounts_hidden_is_refused(usual: Production) -> None:
    usual.execute(f"alter role {roles.OWNER} nobypassrls")
    try:
        with pytest.raises(CommandError, match="не видит ни одной") as refused:
            usual.migrate()
    finally:
        usual.execute(f"alter role {roles.OWNER} bypassrls")
    assert f'alter role "{roles.OWNER}" bypassrls' in str(refused.value)
    assert usual.desk.rows("select * from pg_tables where tablename = 'sales_letters'") == []


# --- The run-time role, and acts in a database that does not fit ---------------------------------


_DROP_POLICIES = """
do $$
declare statement text;
begin
  for statement in
    select format('drop policy %I on %I.%I', policyname, schemaname, tablename) from pg_policies
    where policyname in ('onai_reads', 'onai_works')
  loop
    execute statement;
  end loop;
end $$
"""


@pytest.fixture
def blind(usual: Production) -> Iterator[str]:
    """A role with every right of the product's, that row level security filters."""
    usual.migrate()
    usual.serve()
    usual.execute(_DROP_POLICIES, "create role blind login", f"grant {roles.RUN_TIME} to blind")
    try:
        yield "blind"
    finally:
        usual.execute("drop owned by blind", "drop role blind")


def _create(email: str = "aru@onai.test") -> None:
    manager = UUID(int=7)
    create_student(
        NewStudent(email, "Ару Сапарова", "Kvx7-Rmp3-9wTq", Manager(manager, "М")),
        asker=Identity(manager, "m@onai.test", "М", Role.SALES),
    )


def test_a_role_that_sees_no_accounts_says_so_and_begins_nothing(
    usual: Production, blind: str
) -> None:
    with acting_as(blind):
        with pytest.raises(AccountsHidden):
            _create()
        with pytest.raises(AccountsHidden):
            change_student(
                uuid4(),
                NewStatus(StudentStatus.BLOCKED),
                asker=Identity(uuid4(), "a@onai.test", "А", Role.ADMIN),
                attempt=uuid4(),
            )
        with pytest.raises(CommandError, match="accounts are hidden from this role"):
            call_command("compare_accounts")
        with pytest.raises(Down, match="не видит ни одной") as told:
            ACCOUNTS.check()
        assert told.value.reason == "accounts_hidden"
        assert 'alter role "blind" bypassrls' in str(told.value.advice)
    assert usual.desk.accounts() == usual.desk.creations() == []
    status, said = usual.check(role=blind)
    assert status == 1
    assert "[accounts_hidden]" in said


def test_readyz_names_the_accounts_that_are_hidden(usual: Production, blind: str) -> None:
    with acting_as(blind):
        answer = Client().get("/readyz").json()

    assert answer["ready"] is True
    assert answer["dependencies"]["accounts"] == "down"
    assert answer["reasons"]["accounts"] == "accounts_hidden"


def test_a_table_without_a_policy_is_named(usual: Production, blind: str) -> None:
    with acting_as(roles.OWNER):
        tables = [*ACCOUNT_TABLES, *(f"public.{name}" for name in tables_of_tripwire())]
    for table in tables:
        usual.execute(
            f"create policy onai_works on {table} to blind using (true) with check (true)"
        )

    with acting_as(blind):
        _create()

    assert len(usual.desk.students()) == 1
    usual.execute("drop policy onai_works on sales_letters")
    status, said = usual.check(role=blind)
    assert status == 1
    assert "не может читать или писать: sales_letters" in said


def test_missing_grants_are_named(usual: Production) -> None:
    usual.migrate()
    usual.serve()
    usual.execute(f"revoke insert on sales_requests from {roles.RUN_TIME}")
    usual.execute(f"revoke usage on sequence procrastinate_jobs_id_seq from {roles.RUN_TIME}")

    _, said = usual.check(role=roles.RUN_TIME)

    assert f'grant insert on public.sales_requests to "{roles.RUN_TIME}";' in said
    assert f'grant usage on sequence procrastinate_jobs_id_seq to "{roles.RUN_TIME}";' in said
    with acting_as(roles.RUN_TIME), pytest.raises(adoption.DatabaseUnfit, match="database_unfit"):
        _create()


UNFIT = {
    "a word is missing": "alter table tripwire_users drop constraint tripwire_users_status_check,"
    " add constraint statuses check (status in ('active', 'inactive'))",
    "an act is missing": "alter table sales_activity_log"
    " drop constraint sales_activity_log_action_type_check,"
    " add constraint acts check (action_type in ('user_created', 'email_sent'))",
    "a value is wanted": "alter table sales_activity_log add target_user_email text not null"
    " default '-'; alter table sales_activity_log alter target_user_email drop default",
}


@pytest.mark.parametrize("what", UNFIT)
def test_no_act_begins_in_an_unfit_database(usual: Production, what: str) -> None:
    usual.migrate()
    usual.serve()
    with acting_as(roles.RUN_TIME):
        manager = signed_in(MANAGER)
        assert manager.post("/sales-manager/students/new", GOOD).status_code == 302
    usual.as_owner(UNFIT[what])

    with acting_as(roles.RUN_TIME):
        answer = act_and_follow(manager, usual.desk, "status", **FORMS["status"])

    assert answer.status_code == 503
    assert "check_database" in text_of(answer)
    assert usual.desk.changes() == []
    (account,) = usual.desk.accounts()
    assert account["banned_until"] is None
    # What is asked for after it was mended is done.
    usual.migrate() if what != "a value is wanted" else usual.as_owner(
        "alter table sales_activity_log alter target_user_email drop not null"
    )
    with acting_as(roles.RUN_TIME):
        assert act_and_follow(manager, usual.desk, "status", **FORMS["status"]).status_code == 200
    (student,) = usual.desk.students()
    assert student["status"] == "blocked"


def test_a_good_result_is_remembered_for_a_minute(usual: Production) -> None:
    usual.migrate()
    usual.serve()

    with acting_as(roles.RUN_TIME):
        adoption.require_fit()
        with CaptureQueriesContext(connections["tripwire"]) as asked:
            adoption.require_fit()

    assert len(asked) == 0


def test_the_documented_grants_make_a_role_that_does_everything_and_owns_nothing(
    usual: Production,
) -> None:
    usual.migrate()
    # Under another name, since the tests have the role already.
    usual.as_owner(documented_grants("Tripwire").replace("sales_desk", "another_desk"))
    usual.execute(documented_grants("Accounts").replace("sales_desk", "another_desk"))

    try:
        every_act_works(usual, "another_desk")
        with acting_as("another_desk"):
            adoption.require_fit()
            for forbidden in (
                "alter table tripwire_users disable row level security",
                "create table kept (id int)",
                "insert into auth.users (id) values (gen_random_uuid())",
                "select * from auth.refresh_tokens",
            ):
                with (
                    pytest.raises(django.db.ProgrammingError),
                    connections["tripwire"].cursor() as cursor,
                ):
                    cursor.execute(forbidden)
    finally:
        usual.as_owner(
            "revoke all on auth.users, auth.identities, auth.sessions from another_desk",
            "revoke usage on schema auth from another_desk",
        )
        usual.execute("drop owned by another_desk", "drop role another_desk")
