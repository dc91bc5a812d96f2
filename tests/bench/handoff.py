"""The join's share of `make bench`: a round of the worker costs what changed, whatever the history.

Processor time of this process and of the whole PostgreSQL, as the machine may be busy. The history
is 10 000 000 leads, of which a tenth have bought, 1 000 000 students and as many buyers.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import psutil
import psycopg
from django.db import transaction
from django.utils import timezone

from tests.bench.rows import add_leads, add_students
from tests.settings import LANDING_URL, TEST_DIR, TRIPWIRE_URL

RECENT, OLD, STUDENTS, BUYERS = 20_000, 10_000_000, 1_000_000, 1_000_000
CHANGED, LINES = 200, 100_000
ALLOWED = 1.5
# As the join keeps them, by another way: a million one by one would take a quarter of an hour.
_BUYERS = """
with person as (
  select gen_random_uuid() as id, n,
    %(now)s::timestamptz - interval '61 days' - n * interval '30 seconds' as came
  from generate_series(1, %(count)s) as n
), contact as (
  insert into sales_buyer_contacts (id, kind, buyer_id, phone_key, email_key, name, phone, email,
    utm, created_at, clicked_at, chose_how, gone, fingerprint)
  select gen_random_uuid(), 'lead', id, '+7701' || lpad(n::text, 7, '0'),
    'old' || n || '@onai.test', 'Lead', '8701' || lpad(n::text, 7, '0'),
    'old' || n || '@onai.test', '{}', came, came, '', '{}', ''
  from person
)
insert into sales_buyers (id, name, phone, email, utm, chose_how, gone, ambiguity, created_at,
  clicked_at, closed_at, closed_reason)
select id, 'Lead', '8701' || lpad(n::text, 7, '0'), 'old' || n || '@onai.test', '{}', '', '{}', '',
  came, came, came, 'access'
from person
"""
_WAITING = """
update sales_buyers set waiting_since = created_at, closed_at = null, closed_reason = ''
where id in (select id from sales_buyers where waiting_since is null limit %s)
"""


def measure() -> bool:
    """Print a row for each figure; answers whether a round is independent of the history."""
    from sales.handoff import rounds

    now = timezone.now()
    rounds.run_round()
    _end_full_pass()
    add_leads(now - timedelta(days=59), now - timedelta(hours=1), RECENT)
    first = _spent(rounds.run_round) + _spent(rounds.run_round)
    print(f"{RECENT:,} new leads joined: {first / RECENT * 1_000:.2f} ms a lead", flush=True)
    few = _round()
    _add_history(now)
    many = _round()
    for sweep, page in _night().items():
        print(f"full pass, {sweep}: {page * 1_000:.0f} ms for {rounds.PAGE:,} rows", flush=True)
    changed = _changed()
    print(f"a round with nothing new: {few:.2f} s, with the history {many:.2f} s")
    print(f"a round with {CHANGED} leads changed: {changed:.2f} s")
    page = _page()
    _run(TRIPWIRE_URL, _WAITING, [LINES])
    _run(TRIPWIRE_URL, "vacuum analyze sales_buyers")
    full = _page()
    print(f"a round with {LINES:,} open lines: {_round():.2f} s", flush=True)
    passed = {
        "a round grows with what changed, not with the history": many <= few * ALLOWED + 0.1,
        f"the queue: {page * 1_000:.0f} ms, with {LINES:,} lines more {full * 1_000:.0f} ms": full
        <= page * ALLOWED + 0.01,
    }
    for title, kept in passed.items():
        print(f"{'pass' if kept else 'ABOVE'}: {title}", flush=True)
    return all(passed.values())


def _add_history(now: datetime) -> None:
    from sales.models import Student

    add_leads(now - timedelta(days=1_100), now - timedelta(days=61), OLD)
    if not Student.objects.exists():
        add_students([uuid4() for _ in range(20)], 1, STUDENTS, acts=1)
    _run(TRIPWIRE_URL, _BUYERS, {"now": now, "count": BUYERS})
    _run(TRIPWIRE_URL, "vacuum analyze")


def _end_full_pass() -> None:
    """As in the daytime: the next full pass begins at night."""
    _run(TRIPWIRE_URL, "update sales_reading_positions set is_running = false"
         " where sweep similar to '(old leads|students|buyers)%'")  # fmt: skip


def _night() -> dict[str, float]:
    """The time of one page of each part of a full pass, from where it begins."""
    from sales.handoff import rounds

    since = timezone.now() - rounds.WINDOW
    parts: dict[str, Callable[[], Any]] = {
        "old leads": lambda: rounds._old_leads(None, since),
        "students": lambda: rounds._students(None),
        "buyers": lambda: rounds._buyers(None),
    }

    def keep(part: Callable[[], Any]) -> None:
        with transaction.atomic(using="tripwire"):
            part().keep()

    return {name: _spent(partial(keep, part)) for name, part in parts.items()}


def _changed() -> float:
    from sales.handoff.rounds import run_round

    _run(
        LANDING_URL,
        'update landing_leads set metadata = \'{"paymentMethod": "card"}\' where id in'
        " (select id from landing_leads order by created_at desc limit %s)",
        [CHANGED],
    )
    return _spent(run_round)


def _round() -> float:
    """A round with nothing new: the least of three."""
    from sales.handoff.rounds import run_round

    return min(_spent(run_round) for _ in range(3))


def _page() -> float:
    """The time of a page of the queue in seconds: the least of five."""
    from onai.identity.roles import Identity, Role
    from sales.handoff import queue

    admin = Identity(uuid4(), "a@onai.test", "A", Role.ADMIN)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        queue.page_of_lines(None, admin)
        times.append(time.perf_counter() - began)
    return min(times)


def _spent(act: Callable[[], Any]) -> float:
    """The processor time of an act in seconds, here and in PostgreSQL."""
    before = time.process_time() + _of_postgres()
    act()
    return time.process_time() + _of_postgres() - before


def _of_postgres() -> float:
    server = int((TEST_DIR / "postgres" / "postmaster.pid").read_text().split()[0])
    return sum(
        sum(one.cpu_times()[:2]) for one in psutil.Process(server).children() if one.is_running()
    )


def _run(url: str, statement: str, parameters: Any = None) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement, parameters)
