-- Landing as Supabase hosts it: what other software made around `landing_leads`.
-- It can be run again. In production all of this exists, or does not: see onai/db/optional_tables.py.

alter table landing_leads
  alter created_at set default now(),
  alter updated_at set default now();

create or replace function set_updated_at() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.updated_at = now();
  return new;
end $$;

create or replace trigger landing_leads_updated_at before update on landing_leads
  for each row execute function set_updated_at();

-- Formerly `lead_journey`.
create table if not exists journey_stages (
  id uuid primary key default gen_random_uuid(),
  lead_id uuid not null,
  stage text not null,
  event_type text,
  source text,
  metadata jsonb default '{}',
  created_at timestamptz default now()
);
create index if not exists journey_stages_lead_id on journey_stages (lead_id);

-- A row a won deal of the CRM's express pipeline, written by a webhook.
create table if not exists express_course_sales (
  id uuid primary key default gen_random_uuid(),
  deal_id bigint unique not null,
  pipeline_id integer,
  status_id integer,
  amount integer,
  phone text,
  utm_source text, utm_medium text, utm_campaign text, utm_content text, utm_term text,
  original_utm_source text, original_utm_medium text, original_utm_campaign text,
  original_utm_content text, original_utm_term text,
  sale_date timestamptz,
  webhook_received_at timestamptz default now(),
  raw_data jsonb
);

create table if not exists short_links (
  id uuid primary key default gen_random_uuid(),
  short_code text unique not null,
  original_url text not null,
  lead_id text,
  campaign text,
  source text check (source in ('sms', 'email')),
  clicks_count integer default 0,
  unique_ips text[] default '{}',
  created_at timestamptz default now(),
  first_clicked_at timestamptz,
  last_clicked_at timestamptz,
  expires_at timestamptz,
  is_active boolean default true
);

-- Link previews of messengers are rows here, too.
create table if not exists short_link_clicks (
  id uuid primary key default gen_random_uuid(),
  short_link_id uuid references short_links (id) on delete cascade,
  ip_address text,
  user_agent text,
  referer text,
  clicked_at timestamptz default now()
);
create index if not exists short_link_clicks_link on short_link_clicks (short_link_id);

create table if not exists traffic_stats (
  id uuid primary key default gen_random_uuid(),
  stat_date date not null,
  user_id uuid,
  team text,
  ad_account_id text,
  campaign_id text not null,
  campaign_name text,
  spend_usd numeric(14, 4),
  spend_kzt numeric(14, 2),
  impressions bigint,
  clicks bigint,
  reach bigint,
  usd_to_kzt_rate numeric(12, 4),
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  unique (stat_date, user_id, campaign_id)
);

create table if not exists exchange_rates (
  date date primary key,
  usd_to_kzt numeric(12, 4) not null
);

-- The data API's roles have every right on tables; row level security stops them.
grant usage on schema public to anon, authenticated, service_role;
grant all on all tables in schema public to anon, authenticated, service_role;
alter table landing_leads enable row level security;
alter table journey_stages enable row level security;
alter table express_course_sales enable row level security;
alter table short_links enable row level security;
alter table short_link_clicks enable row level security;
alter table traffic_stats enable row level security;
alter table exchange_rates enable row level security;
