-- Tripwire as Supabase hosts it: what the learning platform made around `tripwire_users`.
-- It can be run again. In production all of this exists, or does not: see onai/db/optional_tables.py.

alter table tripwire_users
  alter created_at set default now(),
  alter updated_at set default now();
alter table sales_activity_log alter created_at set default now();

create or replace function set_updated_at() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.updated_at = now();
  return new;
end $$;

create or replace trigger tripwire_users_updated_at before update on tripwire_users
  for each row execute function set_updated_at();

-- A copy of each account's address, which a trigger on the accounts fills.
create table if not exists users (
  id uuid primary key references auth.users (id) on delete cascade,
  email text unique,
  full_name text,
  role text default 'student',
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);

create or replace function handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.users (id, email, full_name, role)
  values (new.id, new.email, new.raw_user_meta_data ->> 'full_name',
    coalesce(new.raw_user_meta_data ->> 'role', 'student'))
  on conflict do nothing;
  return new;
end $$;

create or replace trigger on_auth_user_created after insert on auth.users
  for each row execute function handle_new_user();

-- The platform updates a student's profile and never inserts it.
create table if not exists tripwire_user_profile (
  id uuid primary key default gen_random_uuid(),
  user_id uuid unique not null references auth.users (id) on delete cascade,
  full_name text,
  modules_completed integer default 0,
  total_modules integer default 3,
  certificate_issued boolean default false,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);

create or replace trigger tripwire_user_profile_updated_at before update on tripwire_user_profile
  for each row execute function set_updated_at();

-- A row a lesson. The modules of the course are 16, 17 and 18.
create table if not exists tripwire_progress (
  id uuid primary key default gen_random_uuid(),
  tripwire_user_id uuid not null references auth.users (id) on delete cascade,
  module_id integer not null,
  lesson_id integer not null,
  is_completed boolean default false,
  completed_at timestamptz,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  unique (tripwire_user_id, lesson_id)
);

create table if not exists certificates (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  certificate_number text unique not null,
  issued_at timestamptz default now()
);
create index if not exists certificates_user_id on certificates (user_id);

-- The data API's roles have every right on tables; row level security shows each student their own
-- rows only.
grant all on users, tripwire_users, sales_activity_log, tripwire_user_profile, tripwire_progress,
  certificates to anon, authenticated, service_role;
alter table users enable row level security;
alter table tripwire_users enable row level security;
alter table sales_activity_log enable row level security;
alter table tripwire_user_profile enable row level security;
alter table tripwire_progress enable row level security;
alter table certificates enable row level security;

drop policy if exists own_row on users;
create policy own_row on users for select to authenticated using (id = auth.uid());
drop policy if exists own_row on tripwire_users;
create policy own_row on tripwire_users for select to authenticated using (user_id = auth.uid());
drop policy if exists own_row on tripwire_user_profile;
create policy own_row on tripwire_user_profile for select to authenticated
  using (user_id = auth.uid());
drop policy if exists own_rows on tripwire_progress;
create policy own_rows on tripwire_progress for select to authenticated
  using (tripwire_user_id = auth.uid());
drop policy if exists own_rows on certificates;
create policy own_rows on certificates for select to authenticated using (user_id = auth.uid());
