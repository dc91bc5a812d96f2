"""The database roles of a Supabase project, as the embedded PostgreSQL has them.

As in a project, no role of the product is a superuser. `sales_desk_owner` is what `postgres` is in
a project: it migrates, and passes row level security. `sales_desk` is the product at run time and
`landing_reader` reads Landing, both with the rights and policies of docs/operations.md. The schema
`auth` belongs to `supabase_auth_admin`, whose tables have row level security on. The schema
`extensions` is on the search path of the owner alone.
"""

import psycopg

AUTH_ADMIN = "supabase_auth_admin"
OWNER = "sales_desk_owner"
RUN_TIME = "sales_desk"
LANDING_READER = "landing_reader"
# The role of other software, which fills Landing and the stand-ins' mailbox.
SUPERUSER = "postgres"

_ROLES = {
    "anon": "nologin noinherit",
    "authenticated": "nologin noinherit",
    "service_role": "nologin noinherit bypassrls",
    AUTH_ADMIN: "login noinherit createrole",
    OWNER: "login createrole bypassrls",
    RUN_TIME: "login",
    LANDING_READER: "login",
}
_CREATE_ROLE = """
do $$ begin
  if not exists (select from pg_roles where rolname = '{name}') then
    create role {name} {attributes};
  end if;
end $$
"""
# Tables in Tripwire may come from an old demo, in which the superuser owned everything.
_TRIPWIRE = f"""
alter database tripwire owner to {OWNER};
create schema if not exists auth authorization {AUTH_ADMIN};
alter schema auth owner to {AUTH_ADMIN};
create schema if not exists mailbox;
create schema if not exists extensions;
create extension if not exists pg_trgm with schema extensions;
grant usage on schema extensions to {OWNER}, anon, authenticated, service_role;
alter role {OWNER} set search_path = "$user", public, extensions;
grant usage on schema auth to {OWNER} with grant option;
grant usage on schema auth, public to anon, authenticated, service_role;
alter default privileges for role {AUTH_ADMIN} in schema auth
  grant all on tables to {OWNER} with grant option;
do $$
declare
  statement text;
begin
  for statement in
    with homes as (
      select oid, case nspname when 'auth' then '{AUTH_ADMIN}' else '{OWNER}' end as owner
      from pg_namespace where nspname in ('auth', 'public')
    )
    select format('alter table %s owner to %I', it.oid::regclass, owner)
    from pg_class it join homes on homes.oid = relnamespace
    where relkind in ('r', 'p', 'v') and relowner = '{SUPERUSER}'::regrole
    union all
    select format('alter routine %s owner to %I', it.oid::regprocedure, owner)
    from pg_proc it join homes on homes.oid = pronamespace
    where proowner = '{SUPERUSER}'::regrole
    union all
    select format('alter type %s owner to %I', it.oid::regtype, owner)
    from pg_type it join homes on homes.oid = typnamespace
    left join pg_class shape on shape.oid = typrelid
    where typowner = '{SUPERUSER}'::regrole and (typtype = 'e' or shape.relkind = 'c')
  loop
    execute statement;
  end loop;
end $$;
grant all on all tables in schema auth to {OWNER} with grant option
"""  # noqa: S608
# What docs/operations.md has the operator run after each migration; a test compares the two.
TRIPWIRE_GRANTS = f"""
do $$
declare
  it record;
begin
  perform set_config('lock_timeout', '2s', true);
  grant usage on schema public, auth to {RUN_TIME};
  grant select on auth.users, auth.identities, auth.sessions to {RUN_TIME};
  for it in
    select tablename as name, case tablename
      when 'django_migrations' then 'select' when 'certificates' then 'select'
      when 'users' then 'select, update' else 'select, insert, update, delete' end as rights
    from pg_tables
    where schemaname = 'public' and tablename ~
      '^(tripwire_|sales_|procrastinate_|(django_migrations|certificates|users)$)'
  loop
    execute format('grant %s on public.%I to {RUN_TIME}', it.rights, it.name);
    if not exists (
      select from pg_policies
      where schemaname = 'public' and tablename = it.name and policyname = 'onai_works'
    ) then
      execute format(
        'create policy onai_works on public.%I to {RUN_TIME} using (true) with check (true)',
        it.name
      );
    end if;
  end loop;
  -- Under row level security PostgreSQL does not say which job is queued already, and the queue has
  -- to know. So its functions insert as the tables' owner.
  for it in
    select oid::regprocedure as name from pg_proc
    where pronamespace = 'public'::regnamespace and proname ~ '^procrastinate_(defer|retry)_'
  loop
    execute format('alter function %s security definer set search_path = public, pg_temp', it.name);
    execute format('revoke execute on function %s from public, anon, authenticated', it.name);
    execute format('grant execute on function %s to {RUN_TIME}', it.name);
  end loop;
  for it in
    select sequencename as name from pg_sequences
    where schemaname = 'public' and sequencename ~ '^(sales_|procrastinate_)'
  loop
    execute format('grant usage on sequence public.%I to {RUN_TIME}', it.name);
  end loop;
end $$;
grant delete on auth.sessions to {RUN_TIME}
"""  # noqa: S608
# Run as the owner of the accounts. In a hosted project `postgres` may create policies there.
AUTH_POLICIES = f"""
drop policy if exists onai_reads on auth.users;
drop policy if exists onai_reads on auth.identities;
drop policy if exists onai_works on auth.sessions;
create policy onai_reads on auth.users for select to {RUN_TIME} using (true);
create policy onai_reads on auth.identities for select to {RUN_TIME} using (true);
create policy onai_works on auth.sessions to {RUN_TIME} using (true);
"""
LANDING_GRANTS = f"""
do $$
declare
  it record;
begin
  grant usage on schema public to {LANDING_READER};
  for it in
    select tablename as name from pg_tables
    where schemaname = 'public' and tablename in ('landing_leads', 'journey_stages',
      'express_course_sales', 'short_links', 'short_link_clicks', 'traffic_stats', 'exchange_rates')
  loop
    execute format('grant select on public.%I to {LANDING_READER}', it.name);
    if not exists (
      select from pg_policies
      where schemaname = 'public' and tablename = it.name and policyname = 'onai_reads'
    ) then
      execute format(
        'create policy onai_reads on public.%I for select to {LANDING_READER} using (true)', it.name
      );
    end if;
  end loop;
end $$
"""  # noqa: S608


def prepare(tripwire: "psycopg.Connection[object]") -> None:
    """Create the roles, and make the owner of Tripwire's schemas their owner.

    The connection is the superuser's. It can be repeated.
    """
    for name, attributes in _ROLES.items():
        tripwire.execute(_CREATE_ROLE.format(name=name, attributes=attributes))
    # The role of an older demo bypassed row level security.
    tripwire.execute(f"alter role {RUN_TIME} nobypassrls")
    tripwire.execute(_TRIPWIRE)
