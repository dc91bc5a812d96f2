"""Sales by day and manager, counted from the students' own rows.

Days are business days. A sale is a student, counted on the day their access was opened; revenue is
the sum of their prices, in tenge. Students whose account is a staff member's are not counted.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import BigIntegerField, Count, Min, Q, Sum
from django.db.models.functions import Cast, Coalesce

from onai.db.functions import period_number
from onai.identity.models import StaffMember
from onai.periods import Period, Unit, business_day
from sales.cabinet.availability import NOTHING, Availability
from sales.cabinet.learning import has_finished
from sales.models import CREATED, Student, StudentQuerySet, StudentStatus

NOBODY = UUID(int=0)
_SALES = Count("pk")
_REVENUE = Coalesce(Sum(Cast("price", BigIntegerField())), 0, output_field=BigIntegerField())
_FIGURES = {
    "sales": _SALES,
    "revenue": _REVENUE,
    "active": Count("pk", filter=Q(status=StudentStatus.ACTIVE)),
    "marked_finished": Count("pk", filter=Q(status=StudentStatus.COMPLETED)),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """Number of sales, revenue in tenge, and how many of these students are active, have the status
    «Прошёл курс», or have finished by the platform (0 where nobody asked).
    """

    sales: int
    revenue: int
    active: int
    marked_finished: int
    finished: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.sales + other.sales,
            self.revenue + other.revenue,
            self.active + other.active,
            self.marked_finished + other.marked_finished,
            self.finished + other.finished,
        )


@dataclass(frozen=True, slots=True)
class Point:
    """The sales of a day, or of the days of a week or month within the period."""

    days: Period
    sales: int
    revenue: int


@dataclass(frozen=True, slots=True)
class Series:
    """Sales by day, or by week or month for a long period. Days without sales are included."""

    unit: Unit
    points: list[Point]


@dataclass(frozen=True, slots=True)
class Standing:
    """A manager's rank among people. Equal sales share a rank.

    `email` is that of a staff member, empty for former staff. `user_id` is `NOBODY` for the
    students without a manager.
    """

    place: int
    user_id: UUID
    name: str
    email: str
    figures: Figures
    sales_this_month: int
    is_staff: bool


_NOTHING = Figures(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class PeriodSales:
    """The sales of a period: `counted` by manager and by the number, from 1, of these days, weeks
    or months.
    """

    unit: Unit
    days: list[Period]
    counted: Mapping[tuple[UUID, int], Figures]

    def by_manager(self) -> dict[UUID, Figures]:
        found: defaultdict[UUID, Figures] = defaultdict(lambda: _NOTHING)
        for (manager, _), figures in self.counted.items():
            found[manager] += figures
        return dict(found)

    def figures(self, manager_id: UUID | None) -> Figures:
        """The figures of one manager, or of all."""
        wanted = (
            one for (manager, _), one in self.counted.items() if manager_id in (None, manager)
        )
        return sum(wanted, _NOTHING)

    def series(self, manager_id: UUID | None) -> Series:
        """The sales of one manager, or of all, over the days of the period."""
        sold: defaultdict[int, Figures] = defaultdict(lambda: _NOTHING)
        for (manager, number), figures in self.counted.items():
            if manager_id in (None, manager):
                sold[number] += figures
        points = enumerate(self.days, 1)
        return Series(
            self.unit, [Point(days, sold[n].sales, sold[n].revenue) for n, days in points]
        )


def first_day_of_all() -> date | None:
    """The day of the first sale."""
    first = first_sale()
    return business_day(first) if first else None


def first_sale(manager_id: UUID | None = None) -> datetime | None:
    """The moment of the first sale, of one manager or of all."""
    first: datetime | None = students_of(manager_id).aggregate(first=Min("created_at"))["first"]
    return first


def figures(period: Period, *, manager_id: UUID | None, until: datetime | None = None) -> Figures:
    """The figures of one manager, or of all; with `until`, only of sales before that moment."""
    end = min(period.end, until) if until else period.end
    return Figures(**students_of(manager_id).created_in(period.start, end).aggregate(**_FIGURES))


def read_sales(period: Period, known: Availability = NOTHING) -> "PeriodSales":
    """The sales of all managers, by one statement; and who has finished, where that is known."""
    unit = period.fitting_unit
    days = [whole.cut_to(period) for whole in period.whole_units(unit)]
    finished = has_finished(known) if known.finished else Q(pk=None)
    rows = (
        students_of(None)
        .created_in(period.start, period.end)
        .annotate(manager=Coalesce("granted_by", NOBODY), number=period_number(days))
        .values_list("manager", "number")
        .annotate(**_FIGURES, finished=Count("pk", filter=finished))
    )
    counted = {(manager, number): Figures(*counts) for manager, number, *counts in rows.order_by()}
    return PeriodSales(unit, days, counted)


def sales_over_time(period: Period, *, manager_id: UUID | None) -> Series:
    """The sales of one manager, or of all, over the days of the period."""
    unit = period.fitting_unit
    parts = [whole.cut_to(period) for whole in period.whole_units(unit)]
    return Series(unit, sales_in(parts, manager_id=manager_id))


def sales_in(
    parts: Sequence[Period], *, manager_id: UUID | None, until: datetime | None = None
) -> list[Point]:
    """The sales of each of these spans, which follow each other without a gap; with `until`, only
    of sales before that moment.
    """
    end = min(parts[-1].end, until) if until else parts[-1].end
    rows = (
        students_of(manager_id)
        .created_in(parts[0].start, end)
        .annotate(number=period_number(parts))
        .values_list("number")
        .annotate(sales=_SALES, revenue=_REVENUE)
    )
    sold = {number: (sales, revenue) for number, sales, revenue in rows}
    return [Point(days, *sold.get(number, (0, 0))) for number, days in enumerate(parts, 1)]


def leaderboard(sales: PeriodSales) -> list[Standing]:
    """All staff members, and anybody else with sales in the period, most sales first."""
    sold, lately = sales.by_manager(), _sales_this_month()
    staff = {one.user_id: one for one in StaffMember.objects.all()}
    former = names_of_former(sold.keys() - staff.keys())
    by_people = [figures.sales for one, figures in sold.items() if one != NOBODY]
    standings = [
        Standing(
            place=1 + sum(count > sold.get(one, _NOTHING).sales for count in by_people),
            user_id=one,
            name=staff[one].name if one in staff else former.get(one, ""),
            email=staff[one].email if one in staff else "",
            figures=sold.get(one, _NOTHING),
            sales_this_month=lately.get(one, 0),
            is_staff=one in staff,
        )
        for one in staff.keys() | sold.keys()
    ]
    return sorted(standings, key=lambda one: (one.place, -one.figures.revenue, one.name))


def students_of(manager_id: UUID | None) -> StudentQuerySet:
    """The students of one manager, of none (`NOBODY`), or of all (None); staff are never among
    them.
    """
    students = Student.objects.without_staff()
    if manager_id is None:
        return students
    return students.of_manager(None if manager_id == NOBODY else manager_id)


def _sales_this_month() -> dict[UUID, int]:
    month = Period.month_of(business_day())
    students = students_of(None).created_in(month.start, month.end)
    rows = students.values_list(Coalesce("granted_by", NOBODY)).annotate(sales=_SALES)
    return dict(rows.order_by())


def names_of_former(managers: Iterable[UUID]) -> dict[UUID, str]:
    """The last known names of former staff, from their students' rows."""
    rows = Student.objects.filter(granted_by__in=managers).order_by(
        "granted_by", CREATED.desc(), "-pk"
    )
    names = rows.distinct("granted_by").values_list("granted_by", "manager_name")
    return {one: name or "" for one, name in names if one}
