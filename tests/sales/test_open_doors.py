"""Ways past the site to Tripwire's tables: found, told, and shut by `check_database --close`."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from onai.local import roles
from onai.ops.examination import Down
from sales import adoption
from sales.probes import PROBES
from tests.support.adopted_database import (
    LOG,
    STUDENTS,
    Production,
    acting_as,
    fresh_copy,
    supabase_of_variants,
)

(TABLES,) = (probe for probe in PROBES if probe.name == "tripwire_tables")
DOORS = """
create function rpc_get_tripwire_users() returns setof tripwire_users
language sql security definer as $$ select * from tripwire_users $$;
create function rpc_delete_tripwire_user(whom uuid) returns void
language plpgsql security definer as $$
begin
  execute 'delete from tripwire_users where user_id = $1' using whom;
end $$;
create function rpc_update_tripwire_user_status(whom uuid, word text) returns void
language sql security definer as $$ update tripwire_users set status = word where user_id = whom $$;
create procedure reset_log() language sql security definer as
$$ delete from sales_activity_log $$;
create function harmless() returns int language sql security definer as $$ select 1 $$;
create function own_rights() returns setof tripwire_users
language sql as $$ select * from tripwire_users $$;
create view students_list as select full_name, email from tripwire_users;
create view students_shown with (security_invoker = true) as select email from tripwire_users;
create materialized view students_count as select count(*) from tripwire_users;
alter table tripwire_users enable row level security;
create policy own_read on tripwire_users for select to authenticated using (user_id = auth.uid());
create policy own_write on tripwire_users for update to authenticated
  using (user_id = auth.uid());
create policy all_log on sales_activity_log for select using (auth.role() = 'authenticated');
alter table sales_activity_log enable row level security;
"""
SUPABASE = f"""
create function auth.uid() returns uuid language sql stable as
$$ select nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
create function auth.role() returns text language sql stable as $$ select 'authenticated'::text $$;
alter default privileges for role {roles.OWNER} in schema public
  grant all on tables to anon, authenticated, service_role;
alter default privileges for role {roles.OWNER} in schema public
  grant all on functions to anon, authenticated, service_role;
"""


@pytest.fixture(scope="module")
def supabase() -> Iterator[str]:
    with supabase_of_variants() as services:
        yield services


@pytest.fixture
def production(supabase: str) -> Iterator[Production]:
    with fresh_copy(supabase) as production:
        production.execute(SUPABASE)
        production.as_owner(STUDENTS, LOG, DOORS)
        yield production


def _as(production: Production, role: str, statement: str) -> Any:
    """What one of the data API's roles gets for a statement; the refusal is the answer, too."""
    with production.superuser.transaction(force_rollback=True):
        production.execute(f"set local role {role}")
        try:
            with production.superuser.transaction():
                return production.superuser.execute(statement).rowcount
        except psycopg.errors.InsufficientPrivilege:
            return "refused"


def test_every_open_door_is_reported_with_its_remedy(production: Production) -> None:
    production.migrate()

    status, said = production.check()

    assert status == 2
    for statement in (
        "revoke execute on function rpc_get_tripwire_users() from public, anon, authenticated;",
        "revoke execute on function rpc_delete_tripwire_user(uuid) from public",
        "revoke execute on function rpc_update_tripwire_user_status(uuid,text) from public",
        "revoke execute on procedure reset_log() from public",
        "revoke all on students_list from public, anon, authenticated;",
        "revoke all on students_count from public",
        "revoke insert, update, delete, truncate on public.tripwire_users from public",
        "revoke select on public.sales_activity_log from public",
    ):
        assert statement in said, said
    assert "«own_write»" in said
    for innocent in ("harmless", "own_rights", "students_shown"):
        assert innocent not in said


def test_closing_revokes_rights_and_keeps_what_the_platform_needs(
    production: Production,
) -> None:
    production.migrate()
    change = "update tripwire_users set price = 0"
    assert _as(production, "authenticated", change) == 0  # they may, of their own rows
    assert _as(production, "anon", "select * from rpc_get_tripwire_users()") == 0

    status, said = production.check("--close")

    assert (status, "nothing of it is open" in said) == (0, True), said
    assert "done: revoke execute on function rpc_get_tripwire_users()" in said
    for role in ("anon", "authenticated"):
        for statement in (
            change,
            "select * from rpc_get_tripwire_users()",
            "select rpc_delete_tripwire_user(gen_random_uuid())",
            "call reset_log()",
            "select * from students_list",
            "select * from sales_activity_log",
        ):
            assert _as(production, role, statement) == "refused", (role, statement)
    # A student still reads their own row, and the platform's server calls what it called.
    assert _as(production, "authenticated", "select * from tripwire_users") == 0
    assert _as(production, "service_role", "select * from rpc_get_tripwire_users()") == 0
    assert production.check("--close")[1].startswith("nothing to close")


def test_revoking_from_public_keeps_the_service_role(
    production: Production,
) -> None:
    production.as_owner(
        "revoke execute on function rpc_get_tripwire_users() from anon, authenticated, service_role"
    )
    production.migrate()

    production.check("--close")

    assert _as(production, "anon", "select * from rpc_get_tripwire_users()") == "refused"
    assert _as(production, "service_role", "select * from rpc_get_tripwire_users()") == 0


def test_tables_without_row_security_are_shut_from_the_data_api(production: Production) -> None:
    production.migrate()
    production.as_owner(
        "alter table tripwire_users disable row level security",
        "alter table sales_letters disable row level security",
    )
    assert _as(production, "anon", "select * from sales_letters") == 0

    _, said = production.check()
    status, _ = production.check("--close")

    assert "Таблица tripwire_users открыта через API данных" in said
    assert status == 0
    assert _as(production, "anon", "select * from tripwire_users") == "refused"
    assert production.desk.row(
        "select relrowsecurity from pg_class where relname = 'sales_letters'"
    )["relrowsecurity"]


def test_a_grant_on_one_column_is_reported(production: Production) -> None:
    production.as_owner(
        "revoke all on tripwire_users from anon, authenticated",
        "grant update (price) on tripwire_users to authenticated",
    )
    production.migrate()

    _, said = production.check("--close")

    assert "authenticated: update" not in said.partition("done")[2].partition("Открытая")[2]
    assert _as(production, "authenticated", "update tripwire_users set price = 0") == "refused"


def test_a_policy_on_user_metadata_is_reported(
    production: Production,
) -> None:
    production.execute(
        "create function auth.jwt() returns jsonb language sql as $$ select '{}'::jsonb $$"
    )
    production.as_owner(
        "create policy staff on tripwire_users for select to authenticated"
        " using (auth.jwt() -> 'user_metadata' ->> 'role' = 'admin')"
    )
    production.migrate()

    status, said = production.check("--close")

    assert status == 2
    assert 'drop policy "staff" on public.tripwire_users;' in said


def test_a_grant_that_cannot_be_revoked_is_not_reported_as_revoked(production: Production) -> None:
    production.migrate()
    production.execute(
        "create function rpc_of_another_owner() returns bigint language sql security definer"
        " as 'select count(*) from public.tripwire_users'"
    )

    status, said = production.check("--close")

    assert status == 2
    assert "not done: revoke execute on function rpc_of_another_owner()" in said
    assert "\ndone: revoke execute on function rpc_of_another_owner()" not in said


def test_the_advised_sql_quotes_every_name(production: Production) -> None:
    """A trigger that runs a writer's code as its owner, and a policy, with letters to be quoted."""
    production.execute(
        "create function auth.jwt() returns jsonb language sql as $$ select '{}'::jsonb $$"
    )
    production.as_owner(
        'create function "greetNew"() returns trigger language plpgsql security definer as'
        " $$ begin return new; end $$",
        "create trigger greet before insert on tripwire_users"
        ' for each row execute function "greetNew"()',
        'create policy "Staff ""may""" on tripwire_users for select'
        " using (auth.jwt() -> 'user_metadata' ->> 'role' = 'admin')",
    )
    production.migrate()
    codes = {"trigger_unpinned", "policy_believes_users"}
    assert codes <= production.codes().keys()

    with acting_as(roles.OWNER):
        told = [one for one in adoption.check() if one.code in codes]
    production.as_owner(*(statement for one in told for statement in one.sql))

    assert not codes & production.codes().keys()


def test_passwords_in_a_column_are_reported_without_their_values(production: Production) -> None:
    production.as_owner("alter table tripwire_users add generated_password text")
    production.execute(
        "insert into tripwire_users (user_id, full_name, email, generated_password)"
        " select id, 'Старый Тест', email, 'Kvx7-Rmp3' from auth.users limit 1"
    )
    production.migrate()

    status, said = production.check("--close")

    assert status == 2
    assert "tripwire_users.generated_password лежат пароли" in said
    assert "Kvx7" not in said
    (erase,) = (line.strip() for line in said.splitlines() if line.strip().startswith("update"))
    production.as_owner(erase)
    assert production.check()[0] == 0


def test_staff_among_students_and_unreadable_accounts_are_reported(production: Production) -> None:
    production.execute(
        "insert into tripwire_users (user_id, full_name, email)"
        " select id, 'Админ Тест', email from auth.users where email = 'admin@onai.test'",
        "update auth.users set confirmation_token = null where email = 'student@onai.test'",
    )
    production.migrate()
    production.check("--close")

    status, said = production.check()

    assert status == 0
    assert "Среди студентов есть сотрудники: 1" in said
    assert "Есть учётные записи, заведённые через SQL: 1" in said


def test_status_shows_the_sql(production: Production) -> None:
    production.migrate()
    production.serve()

    with acting_as(roles.RUN_TIME), pytest.raises(Down) as told:
        TABLES.check()

    assert "замечаний" in str(told.value)
    advice = str(told.value.advice)
    assert "revoke execute on function rpc_delete_tripwire_user(uuid) from public" in advice
    assert "python manage.py check_database --close" in advice
    production.check("--close")
    with acting_as(roles.RUN_TIME):
        assert TABLES.check().startswith("подходят")
