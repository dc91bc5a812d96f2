"""The cabinet with a million students and five million acts, against ten thousand of each.

Both stand side by side as databases of one server, and every question is put to them in turn, with
the whole page around it. The index that serves a question is read from the plan of the larger one.
"""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from tests.bench import rows
from tests.bench.timing import Ratio, in_turn

STUDENTS, ACTS, FEW = 1_000_000, 5_000_000, 10_000
ALLOWED = 2.0
_FEW = "tripwire_few"

# What the cabinet is asked. `MANY` is the manager with a fifth of all students, `LITTLE` one of
# those with the fewest; a common word is in most e-mails, an uncommon one in a name of a hundred.
CABINET = {
    "students, newest first": "",
    "students, newest first, from the middle": "after=NEWEST",
    "students by name": "sort=name",
    "students by name, from the middle": "sort=name&after=NAME",
    "students by last activity": "sort=active",
    "students by last activity, from the middle": "sort=active&after=ACTIVE",
    "one manager's": "manager=MANY",
    "one manager's, by name": "manager=MANY&sort=name",
    "one manager's, by last activity": "manager=LITTLE&sort=active",
    "nobody's, by name": "manager=none&sort=name",
    "a rare status": "status=blocked",
    "a rare status, by name": "status=blocked&sort=name",
    "a rare status, by last activity": "status=blocked&sort=active",
    "a rare status, one manager's": "status=blocked&manager=MANY",
    "a rare status, one manager's, by name": "status=blocked&manager=MANY&sort=name",
    "a rare status, one manager's, by activity": "status=inactive&manager=LITTLE&sort=active",
    "letter sent, by name": "letter=sent&sort=name",
    "without a letter": "letter=none",
    "without a letter, by name": "letter=none&sort=name",
    "without a letter, one manager's, by name": "letter=none&manager=MANY&sort=name",
    "letter failed": "letter=failed",
    "letter failed, by name": "letter=failed&sort=name",
    "letter waiting, one manager's, by activity": "letter=waiting&manager=MANY&sort=active",
    "a common word": "q=gmail",
    "a common word, by name": "q=gmail&sort=name",
    "a common word, a rare status, by name": "q=gmail&status=blocked&sort=name",
    "a common word, letter failed": "q=gmail&letter=failed",
    "an uncommon word": "q=тлеуов",
    "an uncommon word, by name": "q=тлеуов&sort=name",
    "an uncommon word, one manager's, by name": "q=рахимов&manager=MANY&sort=name",
    "an uncommon word, without a letter": "q=рахимов&letter=none",
    "a name that comes last, by name": "q=яна&sort=name",
    "a word of 4 in a thousand": "q=құсайынова",
    "a word of 4 in a thousand, by name": "q=құсайынова&sort=name",
    "a word of 1 in a thousand": "q=ақжарқынова",
    "a part of an e-mail": "q=tudy451",
    "a word nobody has": "q=жжжж",
    "two letters a word begins with": "q=ли",
    "two letters a word begins with, by name": "q=әс&sort=name",
    "two words": "q=дана сапар",
    "three words, one manager's": "q=айгерим ким gmail&manager=LITTLE",
    "figures of a quarter, by the week": "from=2026-08-03&to=2026-10-31",
    "figures of a year, by the week": "from=2025-11-20&to=2026-11-20",
    "figures of all time": "period=all",
    "figures of all time, one manager's": "period=all&manager=MANY",
}
OWN = {
    "a manager's own page": "",
    "a manager's own search, by name": "q=рахимов&sort=name",
    "a manager's own page, all time": "period=all",
}
LIVE = {"figures that keep themselves current": "", "the same of all time": "period=all"}
LOG = {
    "log": "",
    "log, from the middle": "after=NEWEST",
    "log, one manager's": "manager=MANY",
    "log, a rare kind": "action=user_deleted",
    "log, one kind, one manager's": "action=password_reset&manager=LITTLE",
}
# Every page looks these up, by a value, for what it shows already.
_NOT_TOLD = re.compile(r"_pkey$|tripwire_users_user_id|student_id")


@dataclass(frozen=True, slots=True)
class Question:
    """One address of the cabinet, and who asks for it."""

    title: str
    view: str
    query: str
    role: str
    asker: UUID
    live: bool = False

    def ask(self) -> None:
        from django.test import RequestFactory

        from onai.identity.roles import Identity, Role
        from sales.web import cabinet_views

        headers = {"HX-Target": "live", "HX-Request": "true"} if self.live else {}
        request: Any = RequestFactory().get(f"/sales-manager?{self.query}", headers=headers)
        request.identity = Identity(
            self.asker, f"{self.asker}@onai.test", "Менеджер", Role(self.role)
        )
        request.identity_problem = None
        response = getattr(cabinet_views, self.view)(request)
        if response.status_code != 200:
            raise RuntimeError(f"{self.title}: {response.status_code}")


def measure() -> bool:
    """Print a row for each question; answers whether all came within what is allowed."""
    began = time.monotonic()
    managers = _fill()
    print(f"filled within {time.monotonic() - began:.0f} s", flush=True)
    many, few = _side_by_side()
    ratios, uneven = [], []
    for question in _questions(managers):
        many_ms, few_ms = in_turn(lambda: _ask(many, question), lambda: _ask(few, question))  # noqa: B023
        ratios.append(Ratio(f"cabinet: {question.title}", many_ms, few_ms))
        print(f"{ratios[-1].row()}   {_served_by(many, question)}", flush=True)
        if len(_statements(many, question)) != len(_statements(few, question)):
            uneven.append(question.title)
    above = [ratio.title for ratio in ratios if ratio.times > ALLOWED]
    worst = max(ratio.times for ratio in ratios)
    print(
        f"{'FAIL' if above else 'pass'}: {len(ratios) - len(above)} of {len(ratios)} questions"
        f" within {ALLOWED:g}×, the worst at {worst:.2f}×"
    )
    print(
        f"{'FAIL' if uneven else 'pass'}: as many SQL statements with {STUDENTS:,} students as"
        f" with {FEW:,}" + "".join(f"; not so: {title}" for title in uneven)
    )
    return not above and not uneven


def _fill() -> list[UUID]:
    from onai.identity.models import StaffMember

    managers = [uuid4() for _ in range(20)]
    # The last one has left.
    StaffMember.objects.bulk_create(
        StaffMember(user_id=one, email=f"{one}@onai.test", full_name="Менеджер", role="sales")
        for one in managers[:-1]
    )
    rows.add_students(managers, 1, FEW, acts=FEW)
    _disconnect()
    rows.copy_tripwire(_FEW)
    rows.add_students(managers, FEW + 1, STUDENTS, acts=ACTS - FEW)
    return managers


def _questions(managers: list[UUID]) -> list[Question]:
    """All of them, with whom and what they name."""
    from onai.web import paging

    nobody = UUID(int=0)
    named = {
        "MANY": str(managers[0]),
        "LITTLE": str(managers[18]),
        "NEWEST": paging.place_of(datetime(2025, 5, 1, tzinfo=UTC), nobody),
        "ACTIVE": paging.place_of(datetime(2026, 10, 1, tzinfo=UTC), nobody),
        "NAME": paging.place_of("ерлан", nobody),
    }
    admin, manager = ("admin", managers[18]), ("sales", managers[0])
    return [
        Question(title, view, _filled_in(query, named), *asker, live=questions is LIVE)
        for questions, view, asker in (
            (CABINET, "cabinet", admin),
            (OWN, "cabinet", manager),
            (LIVE, "cabinet", admin),
            (LOG, "activity", admin),
        )
        for title, query in questions.items()
    ]


def _filled_in(query: str, named: dict[str, str]) -> str:
    return re.sub("[A-Z]+", lambda found: named[found[0]], query)


def _side_by_side() -> tuple[Any, Any]:
    """A connection to each of the two."""
    from django.db import connections

    many, few = connections["tripwire"], connections.create_connection("tripwire")
    few.settings_dict = {**few.settings_dict, "NAME": _FEW}
    return many, few


def _disconnect() -> None:
    from django.db import connections

    connections["tripwire"].close()


def _ask(connection: Any, question: Question) -> None:
    from django.db import connections

    connections["tripwire"] = connection
    question.ask()


def _statements(connection: Any, question: Question) -> list[str]:
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        _ask(connection, question)
    return [one["sql"] for one in captured.captured_queries]


def _served_by(connection: Any, question: Question) -> str:
    """The indexes in the plans of what a question is about: its figures, its list or the log."""
    about = "sales_totals" if "figures" in question.title else "tripwire_users student"
    if question.view == "activity":
        about = 'FROM "sales_activity_log'
    names: dict[str, None] = {}
    for statement in _statements(connection, question):
        if about not in statement:
            continue
        with connection.cursor() as cursor:
            cursor.execute("explain " + statement)
            plan = "\n".join(line for (line,) in cursor.fetchall())
        found = re.findall(r"(?:Scan|Backward) using (\w+)|Bitmap Index Scan on (\w+)", plan)
        names.update(dict.fromkeys(one or other for one, other in found))
    return ", ".join(name for name in names if not _NOT_TOLD.search(name))
