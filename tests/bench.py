"""`make bench`: how the cost of the funnel and of the cabinet grows, as ratios measured here.

Each figure is the median of several runs, the two sides of a ratio in turn, on a PostgreSQL of its
own. Ratios hold across machines; the milliseconds beside them are only this one's.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from tests.settings import BASE_DIR, TEST_DIR, TEST_ENVIRONMENT

RUNS = 7
SEED = """
insert into landing_leads (name, phone, email, source, email_sent, sms_clicked, created_at)
select 'Lead', '8700' || lpad((n %% 9000000)::text, 7, '0'), 'lead' || n || '@onai.test',
       (array['proftest_kenesary', 'proftest_arystan', 'expresscourse', 'TF4', null])[1 + n %% 5],
       n %% 4 < 3, n %% 12 = 0,
       %(start)s::timestamptz + (n::float8 / %(count)s) * %(span)s::interval
from generate_series(0, %(count)s - 1) as n
"""


@dataclass(frozen=True, slots=True)
class Ratio:
    title: str
    milliseconds: float
    base_milliseconds: float

    def row(self) -> str:
        ratio = self.milliseconds / self.base_milliseconds
        return (
            f"{self.title:<72} {ratio:>7.2f}×   "
            f"{self.milliseconds:>8.2f} ms ÷ {self.base_milliseconds:.2f} ms"
        )


def _in_turn(
    one: Callable[[], object], other: Callable[[], object], runs: int = RUNS
) -> tuple[float, float]:
    """The medians of both, in milliseconds, after a warm-up of each."""
    taken: tuple[list[float], list[float]] = ([], [])
    for run in range(runs + 1):
        for act, times in zip((one, other), taken, strict=True):
            began = time.perf_counter()
            act()
            if run:
                times.append((time.perf_counter() - began) * 1_000)
    return statistics.median(taken[0]), statistics.median(taken[1])


def main() -> None:
    from onai.local import postgres

    cluster = postgres.start(TEST_DIR / "postgres", disposable=True)
    try:
        prepare = [sys.executable, "manage.py", "prepare_local", "--empty"]
        local = {**TEST_ENVIRONMENT, "DJANGO_SETTINGS_MODULE": "onai.local.settings"}
        subprocess.run(prepare, cwd=BASE_DIR, env=local, check=True, stdout=subprocess.DEVNULL)
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
        subprocess.run(collect, cwd=BASE_DIR, env=TEST_ENVIRONMENT, check=True)
        for measure in (_measure, _measure_cabinet):
            for ratio in measure():
                print(ratio.row(), flush=True)
    finally:
        cluster.stop()


def _measure() -> list[Ratio]:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "onai.settings"
    django.setup()
    from cachalot.api import cachalot_disabled

    from funnel.report import funnel_report
    from onai.periods import Period

    def ask(period: Period) -> None:
        with cachalot_disabled():
            funnel_report(period)

    small = Period(date(2020, 1, 1), date(2020, 1, 30))
    large = Period(date(2021, 1, 1), date(2021, 1, 30))
    _seed(small.start, small.end, 25_000)
    alone, _ = _in_turn(lambda: ask(small), lambda: None)
    _seed(large.start, large.end, 250_000)
    _seed(large.end, large.end + timedelta(days=1_000), 1_000_000)
    among, grown = _in_turn(lambda: ask(small), lambda: ask(large))
    cached, asked = _in_turn(lambda: funnel_report(small), lambda: ask(small))
    return [
        Ratio("report: 250 000 leads in the period ÷ 25 000", grown, among),
        Ratio("report: 25 000 leads of 1 275 000 in the table ÷ of 25 000", among, alone),
        Ratio("report: from the cache ÷ from the database", cached, asked),
    ]


STUDENTS = """
with fresh as (
  insert into auth.users (id, email, is_sso_user, is_anonymous)
  select gen_random_uuid(), 'bench' || n || '@onai.test', false, false
  from generate_series(%(first)s::int, %(last)s::int) as n returning id, email
)
insert into tripwire_users (user_id, full_name, email, granted_by, manager_name, status, price,
  welcome_email_sent, modules_completed, created_at, last_active_at)
select id,
  (array['Әйгерім','Дана','Ерлан','Нұрлан','Айдос','Гүлнар','Мадина'])[1 + h %% 7] || ' '
    || (array['Сапарова','Ким','Әбдірахман','Тлеуов','Рахимов'])[1 + h / 7 %% 5] || ' ' || h,
  (array['sale','mail','kz','study','me'])[1 + h / 3 %% 5] || h || '@'
    || (array['mail.kz','gmail.test','onai.test'])[1 + h %% 3] || n,
  (%(managers)s::uuid[])[1 + h %% 9], 'Менеджер',
  (array['active','active','active','inactive','completed','blocked'])[1 + h / 11 %% 6],
  5000, h %% 500 <> 0, h %% 4,
  timestamptz '2026-11-20' - make_interval(secs => (h %% 94000000)),
  case when h %% 3 > 0 then timestamptz '2026-11-21' - make_interval(secs => (h %% 9000000)) end
from (select id, email, substr(email, 6)::text as n,
        abs(hashtextextended(email, 7)) %% 1000000007 as h from fresh) as hashed
"""
ACTS = """
insert into sales_activity_log (manager_id, action_type, target_user_id, details, created_at)
select (%(managers)s::uuid[])[1 + n %% 9],
  (array['user_created','email_sent','status_changed','password_reset','user_deleted'])[1 + n %% 5],
  gen_random_uuid(), '{}', timestamptz '2026-11-20' - make_interval(secs => n * 17 %% 94000000)
from generate_series(1, %(count)s::int) as n
"""
INDEXES = """
select indexname, indexdef from pg_indexes
where tablename in ('tripwire_users', 'sales_activity_log')
  and not exists (select from pg_constraint where conindid = indexname::regclass)
"""
# What the cabinet is asked, and the index of migration 0003 that answers it.
QUESTIONS = {
    "students, newest first (tripwire_users_newest)": "",
    "students, second page (tripwire_users_newest)": "after=",
    "students by name (tripwire_users_name)": "sort=name",
    "students by last activity (tripwire_users_active)": "sort=active",
    "one manager's, newest (tripwire_users_manager_newest)": "manager=1",
    "one manager's, by name (tripwire_users_manager_name)": "manager=1&sort=name",
    "one manager's, by activity (tripwire_users_manager_active)": "manager=1&sort=active",
    "blocked (tripwire_users_by_status)": "status=blocked",
    "blocked, one manager's, by name": "status=blocked&manager=1&sort=name",
    "without a letter (tripwire_users_no_letter)": "letter=none",
    "without a letter, one manager's, by name": "letter=none&manager=1&sort=name",
    "letter failed (sales_letters_failed)": "letter=failed",
    "search, rare (tripwire_users_search)": "q=сапарова 77123",
    "search, part of an e-mail": "q=le4512",
    "search, found everywhere": "q=gmail",
    "search, found nowhere": "q=жжжж",
    "search, two letters": "q=ки",
    "search, rare, one manager's, by name": "q=рахимов 412&manager=1&sort=name",
    "a year's figures (sales_totals)": "from=2025-11-20&to=2026-11-19",
    "figures of all time (sales_totals)": "period=all",
}
LOG_QUESTIONS = {
    "log, all (sales_activity_log_newest)": "",
    "log, one manager's (sales_activity_log_by_manager)": "manager=1",
    "log, one kind (sales_activity_log_action)": "action=user_deleted",
    "log, one kind, one manager's": "action=user_deleted&manager=1",
}


def _measure_cabinet() -> list[Ratio]:
    """The pages with a million students and five million acts ÷ with ten thousand of each."""
    from sales.models import StaffMember

    managers = [uuid4() for _ in range(9)]
    StaffMember.objects.bulk_create(
        StaffMember(user_id=one, email=f"{one}@onai.test", full_name="Менеджер", role="sales")
        for one in managers
    )
    _grow(managers, 1, 10_000, acts=10_000)
    few = _times(managers[0])
    _grow(managers, 10_001, 1_000_000, acts=4_990_000)
    many = _times(managers[0])
    return [Ratio(f"cabinet: {title}", many[title], few[title]) for title in few]


def _times(manager: UUID) -> dict[str, float]:
    """The median time of every question, in milliseconds, with the page around it."""
    from django.test import RequestFactory

    from onai.identity.roles import Identity, Role
    from sales import cabinet, students

    following = students.page_of_students(students.StudentFilter()).following
    times = {}
    for questions, view in ((QUESTIONS, cabinet.cabinet), (LOG_QUESTIONS, cabinet.activity)):
        for title, query in questions.items():
            asked = query.replace("manager=1", f"manager={manager}")
            request: Any = RequestFactory().get(
                f"/?{asked.replace('after=', f'after={following}')}"
            )
            request.identity = Identity(manager, "bench@onai.test", "Менеджер", Role.ADMIN)
            request.identity_problem = None
            times[title], _ = _in_turn(lambda: view(request), lambda: None)  # noqa: B023
    return times


def _grow(managers: list[UUID], first: int, last: int, *, acts: int) -> None:
    """Students `first` to `last`, and this many acts more."""
    names = {"managers": managers, "first": first, "last": last, "count": acts}
    with psycopg.connect(TEST_ENVIRONMENT["TRIPWIRE_DATABASE_URL"], autocommit=True) as connection:
        # Quicker made than kept up.
        indexes = connection.execute(INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(f"drop index {name}")
        connection.execute(STUDENTS, names)
        connection.execute(ACTS, names)
        connection.execute("set maintenance_work_mem = '512MB'")
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("vacuum analyze")


def _seed(start: datetime, end: datetime, count: int) -> None:
    """That many leads, evenly over `[start, end)`."""
    with psycopg.connect(TEST_ENVIRONMENT["LANDING_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(SEED, {"start": start, "count": count, "span": end - start})
        connection.execute("vacuum analyze landing_leads")


if __name__ == "__main__":
    main()
