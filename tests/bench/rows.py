"""The rows of `make bench`: leads, students with their letters, and what managers did.

Students lie in no order, as after years of changes; names and statuses are as uneven as life.
"""

from datetime import datetime
from uuid import UUID

import psycopg
from psycopg import sql

from tests.settings import LANDING_URL, TRIPWIRE_URL

_SERVER_URL = TRIPWIRE_URL.replace("/tripwire", "/postgres")
# The day after the newest row, and how far back the oldest one lies: three years.
NOW, SECONDS = datetime(2026, 11, 22).astimezone(), 94_600_000

# Marks as production fills them: e-mail and SMS side by side, none to the course's own page, almost
# no click in an e-mail, and nothing in `email_opened_at`. One buyer in fifty bought before, by
# phone.
_LEADS = """
insert into landing_leads (name, phone, email, source, email_sent, email_sent_at, email_clicked,
  sms_sent, sms_sent_at, sms_clicked, sms_clicked_at, metadata, created_at)
select 'Lead', '8700' || lpad((who %% 9000000)::text, 7, '0'),
       case when n %% 7 > 0 then 'lead' || n || '@onai.test' end,
       (array['proftest_kenesary', 'proftest_arystan', 'expresscourse', 'TF4', null])[1 + n %% 5],
       nullif(n %% 5 <> 2 and n %% 7 > 0, false),
       case when n %% 5 <> 2 and n %% 7 > 0 then came + interval '10 minutes' end,
       nullif(n %% 5000 = 1, false),
       nullif(n %% 5 <> 2, false), case when n %% 5 <> 2 then came + interval '10 minutes' end,
       n %% 12 = 0, case when n %% 12 = 0 then came + interval '1 hour' * (n %% 90) end,
       jsonb_build_object('utmParams', jsonb_build_object('utm_campaign', 'c' || n %% 40,
         'utm_medium', 'cpc', 'utm_content', 'creative_' || n %% 300))
         || case when n %% 16 = 0 then jsonb '{"paymentMethod": "kaspi"}' else '{}' end,
       came
from (
  select n, case n %% 600 when 12 then n - 12 else n end as who,
    %(start)s::timestamptz + (n::float8 / %(count)s) * %(span)s::interval as came
  from generate_series(0, %(count)s - 1) as n
) as numbered
"""
# The commonest of each have about three people in a hundred, as in life.
FIRST_NAMES = (
    "Айгерим Дана Ерлан Нұрлан Айдос Гүлнар Мадина Арман Сәуле Тимур Жанна Қайрат Динара Ғалым"
    " Өмір Асель Бауыржан Вера Гаухар Дархан Ержан Жанар Зарина Ильяс Камила Лаура Марат Назгүл"
    " Олжас Перизат Рустам Самал Талғат Ұлан Фариза Хадиша Шолпан Ыбырай Інжу Эльмира Юлия Яна"
    " Алма Батыр Венера Гүлмира Диас Еркін Жұлдыз Замира Ирина Кенже Ләззат Мөлдір Нәзім Орынбасар"
    " Рауан Сандуғаш Әсем Әлия"
)
SURNAMES = (
    "Ким Сапарова Әбдірахман Тлеуов Рахимов Нұрланқызы Оспанов Иманов Жүнісова Серікбай Ли Петрова"
    " Асқарова Бекова Дәулет Ермек Жақып Искакова Мұса Ниязов Алиев Байжанов Волкова Ғаббасова"
    " Досжан Есенов Жұмабай Зейнолла Ибраев Кәрімова Лукпанов Молдабек Нұғман Омарова Пак Рысбек"
    " Сағындық Төлеген Уәлиев Фомина Хасенов Шәріп Ысқақ Юсупова Ахметов Бейсен Ғалиева Дүйсен"
    " Еділ Жанабай Калиев Қасым Мәжит Нартай Өтеген Рамазан Садықова Тасболат Умаров Шаймерден"
)
# Each die is even between 0 and 1, without any order, and the same at every run.
_STUDENTS = """
with fresh as (
  insert into auth.users (id, email, is_sso_user, is_anonymous, encrypted_password,
    raw_user_meta_data, raw_app_meta_data)
  select gen_random_uuid(), 'bench' || n || '@onai.test', false, false, repeat('x', 60),
    jsonb_build_object('role', 'student', 'full_name', 'Студент', 'email_verified', true),
    '{"provider": "email", "providers": ["email"]}'
  from generate_series(%(first)s::int, %(last)s::int) as n returning id, email
), thrown as (
  select id, substr(email, 6, position('@' in email) - 6) as n, array(
    select (hashtextextended(email, seed) & 1048575) / 1048576::float8
    from generate_series(1, 9) as seed
  ) as die
  from fresh
)
insert into tripwire_users (user_id, full_name, email, granted_by, manager_name, status, price,
  welcome_email_sent, created_at)
select id,
  (%(first_names)s::text[])[1 + floor(%(names)s * power(die[1], 1.3))] || ' ' ||
  case when die[2] < 0.001 then 'Ақжарқынова' when die[2] < 0.005 then 'Құсайынова'
    else (%(surnames)s::text[])[1 + floor(%(names)s * power(die[2], 1.3))] end,
  (array['sale','ayla','kz','study','nur','me'])[1 + floor(6 * die[2])] || n || '@'
    || case when die[3] < 0.6 then 'gmail.' when die[3] < 0.9 then 'mail.'
       when die[3] < 0.98 then 'inbox.' else '' end || 'onai.test',
  case when die[4] < 0.98 then (%(managers)s::uuid[])[1 + floor(20 * power(die[5], 2))] end,
  'Менеджер',
  case when die[6] < 0.75 then 'active' when die[6] < 0.95 then 'completed'
    when die[6] < 0.995 then 'inactive' else 'blocked' end,
  5000, die[7] > 0.05, %(now)s::timestamptz - %(seconds)s * interval '1 second' * die[8]
from thrown
"""
# One in seven never signed in; the others did within three months of their access. Of each four two
# have finished the course, of whom nine in ten have a certificate.
_SIGN_INS = """
update auth.users account set last_sign_in_at = least(%(now)s::timestamptz,
  created.at + interval '90 days' * (hashtextextended(account.email, 21) & 1023) / 1024)
from (select user_id, coalesce(created_at, %(now)s) as at from tripwire_users) as created
where created.user_id = account.id and account.last_sign_in_at is null
  and hashtextextended(account.email, 20) & 7 <> 0
"""
_PROFILES = """
insert into tripwire_user_profile (user_id, full_name, modules_completed, certificate_issued)
select id, 'Студент', hashtextextended(email, 22) & 3, hashtextextended(email, 22) & 3 = 3
from auth.users where email like 'bench%%' on conflict do nothing
"""
_LESSONS = """
insert into tripwire_progress (tripwire_user_id, module_id, lesson_id, is_completed, completed_at,
  updated_at)
select id, 15 + module, 66 + module, true, last_sign_in_at, last_sign_in_at
from auth.users, generate_series(1, (hashtextextended(email, 22) & 3)::int) as module
where email like 'bench%%' and last_sign_in_at is not null on conflict do nothing
"""
_CERTIFICATES = """
insert into certificates (user_id, certificate_number, issued_at)
select id, email, last_sign_in_at from auth.users
where email like 'bench%%' and hashtextextended(email, 22) & 3 = 3
  and hashtextextended(email, 23) & 7 <> 0 on conflict do nothing
"""
# The last year's students have letters of ours. Of those the letter has not reached, half have
# none, a quarter one that failed and a quarter one that waits.
_LETTERS = """
insert into sales_letters (id, student_id, recipient, full_name, sealed_password, asked_by,
  idempotency_key, state, attempts, problem, refused, due_at, give_up_at, leased_until)
select gen_random_uuid(), id, email, full_name, '', user_id, gen_random_uuid(),
  case when welcome_email_sent then 'sent'
    else (array['failed', 'pending'])[hashtextextended(email, 4) & 3] end,
  1, '', false, created_at, created_at, created_at
from tripwire_users
where created_at > %(now)s::timestamptz - interval '1 year'
  and (welcome_email_sent or hashtextextended(email, 4) & 3 in (1, 2))
  and not exists (select from sales_letters where student_id = tripwire_users.id)
"""
_ACTS = """
insert into sales_activity_log (manager_id, action_type, target_user_id, details, created_at)
select (%(managers)s::uuid[])[1 + n %% 20],
  case when n %% 101 = 0 then 'user_deleted' else
    (array['user_created','email_sent','status_changed','password_reset'])[1 + n / 20 %% 4] end,
  gen_random_uuid(), '{"email": "gone@onai.test"}',
  %(now)s::timestamptz - %(seconds)s * interval '1 second' * (n::float8 / %(count)s)
from generate_series(1, %(count)s::int) as n
"""
_INDEXES = """
select indexname, indexdef from pg_indexes
where tablename in ('tripwire_users', 'sales_activity_log', 'sales_letters')
  and not exists (select from pg_constraint where conindid = indexname::regclass)
"""


def let_nobody_clean_up() -> None:
    """No autovacuum while we measure; what it does in time is done after each filling."""
    with psycopg.connect(_SERVER_URL, autocommit=True) as server:
        server.execute("alter system set autovacuum = off")
        server.execute("select pg_reload_conf()")


def add_leads(start: datetime, end: datetime, count: int) -> None:
    """That many leads, evenly over `[start, end)`."""
    with psycopg.connect(LANDING_URL, autocommit=True) as connection:
        connection.execute(_LEADS, {"start": start, "count": count, "span": end - start})
        connection.execute("vacuum analyze landing_leads")


def add_students(managers: list[UUID], first: int, last: int, *, acts: int) -> None:
    """Students `first` to `last`, their letters, and this many acts more."""
    names = {
        "managers": managers,
        "first": first,
        "last": last,
        "count": acts,
        "now": NOW,
        "seconds": SECONDS,
        "names": 60,
        "first_names": FIRST_NAMES.split(),
        "surnames": SURNAMES.split(),
    }
    with psycopg.connect(TRIPWIRE_URL, autocommit=True) as connection:
        # Quicker made than kept up.
        indexes = connection.execute(_INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(sql.SQL("drop index {}").format(sql.Identifier(name)))
        for statement in (_STUDENTS, _ACTS, _SIGN_INS, _PROFILES, _LESSONS, _CERTIFICATES):
            connection.execute(statement, names)
        connection.execute("set maintenance_work_mem = '512MB'")
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute(_LETTERS, names)
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")


def drop_search_index() -> None:
    """As in a database without `pg_trgm`."""
    with psycopg.connect(TRIPWIRE_URL, autocommit=True) as connection:
        connection.execute("drop index students_search")
