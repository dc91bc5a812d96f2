"""The sales manager's cabinet: figures, the chart, the leaderboard, students, the activity log."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from onai.contacts import phones
from onai.identity.guards import role_required
from onai.identity.models import StaffMember
from onai.identity.roles import IdentifiedRequest
from onai.identity.session.fragments import marked
from onai.identity.staff import register
from onai.web import csv_export
from onai.web.address_form import refuse_errors
from onai.web.paging import ListPage
from onai.web.period_form import ChosenPeriod, PeriodForm, chosen_period
from sales.activity import page_of_activity
from sales.cabinet import chart, statistics
from sales.cabinet.sales_change import SalesChange, compared_sales
from sales.cabinet.student_list import StudentFilter, all_students, page_of_students
from sales.models import Student
from sales.provisioning.student_requests import unsettled
from sales.staff import told_apart
from sales.web.list_forms import ActivityForm, StudentListForm

logger = logging.getLogger(__name__)
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Section(Generic[Found]):
    """A part of the page. `found` is None when the database could not be asked."""

    found: Found | None


def _section(find: Callable[[], Found]) -> Section[Found]:
    """Compute a part of the page; an outage takes down this part and no other."""
    try:
        return Section(find())
    except (OperationalError, InterfaceError) as error:
        logger.error("part_of_cabinet_unavailable", exc_info=error)
        connections["tripwire"].close_if_unusable_or_obsolete()
        return Section(None)


@role_required("admin", "sales")
@require_safe
def cabinet(request: IdentifiedRequest) -> HttpResponse:
    """The page, or only its figures, which renew themselves."""
    if request.headers.get("HX-Target") == "live":
        return _live_figures(request)
    _section(lambda: register.note(request.identity))
    staff = _section(_staff)
    form = StudentListForm(request.GET, staff=staff.found or [])
    wanted = _own(request, form.wanted)
    period_form = PeriodForm(request.GET)
    chosen = _section(lambda: _period(period_form))
    context = {
        "period_form": period_form,
        "chosen": chosen.found,
        "form": form,
        "figures": _section(lambda: _figures(chosen, wanted)),
        "unsettled": _section(lambda: unsettled(request.identity)),
        "students": _section(lambda: _students(wanted, form.place, staff.found or [])),
        "filter_query": _query(request, "q", "status", "letter", "manager", "sort"),
        "kept": _kept(request, "q", "status", "letter", "manager", "sort"),
        "kept_period": _kept(request, "period", "from", "to"),
        "is_narrowed": any(
            (form.place, wanted.text, wanted.status, wanted.letter, request.GET.get("manager"))
        ),
        "is_first_page": not form.place,
    }
    status = 400 if period_form.errors or form.errors else 200
    return render(request, "sales/cabinet.html", context, status=status)


def _staff() -> list[StaffMember]:
    return list(StaffMember.objects.order_by("full_name", "email"))


def _students(wanted: StudentFilter, after: str, staff: list[StaffMember]) -> ListPage[Student]:
    page, names = page_of_students(wanted, after=after), told_apart(staff)
    for student in page.rows:
        if student.granted_by in names:
            # For this page only: their present names, with e-mails where names are shared.
            student.manager_name = names[student.granted_by]
    return page


def _live_figures(request: IdentifiedRequest) -> HttpResponse:
    """The headline alone, for an open page. An outage keeps what is there."""
    form = StudentListForm(request.GET, staff=_staff())
    wanted = _own(request, form.wanted)
    chosen = _period(PeriodForm(request.GET))
    context = {
        "chosen": chosen,
        "figures": Section(_Live(_headline(chosen, wanted))),
    }
    return marked(request, render(request, "sales/live.html", context))


@dataclass(frozen=True, slots=True)
class _Headline:
    """The figures of the chosen period, and their change; None for all time."""

    now: statistics.Figures
    change: SalesChange | None


@dataclass(frozen=True, slots=True)
class _Live:
    headline: _Headline


@dataclass(frozen=True, slots=True)
class _Figures:
    headline: _Headline
    chart: chart.SalesChart
    standings: list[statistics.Standing]


def _figures(chosen: Section[ChosenPeriod], wanted: StudentFilter) -> _Figures:
    if chosen.found is None:
        raise OperationalError
    period = chosen.found.period
    series = statistics.sales_over_time(period, manager_id=_whose(wanted))
    return _Figures(
        headline=_headline(chosen.found, wanted),
        chart=chart.draw(series),
        standings=_told_apart(statistics.leaderboard(period)),
    )


def _headline(chosen: ChosenPeriod, wanted: StudentFilter) -> _Headline:
    whose = _whose(wanted)
    now = statistics.figures(chosen.period, manager_id=whose)
    return _Headline(now, compared_sales(chosen, now, manager_id=whose))


def _told_apart(standings: list[statistics.Standing]) -> list[statistics.Standing]:
    names = told_apart(standings)
    return [replace(one, name=names[one.user_id]) for one in standings]


def _whose(wanted: StudentFilter) -> UUID | None:
    return statistics.NOBODY if wanted.without_manager else wanted.manager_id


def _period(form: PeriodForm) -> ChosenPeriod:
    return chosen_period(form, first_day_of_all=statistics.first_day_of_all)


def _own(request: IdentifiedRequest, wanted: StudentFilter) -> StudentFilter:
    """A manager sees their own students, whatever the address says."""
    if request.identity.is_admin:
        return wanted
    return replace(wanted, manager_id=request.identity.user_id, without_manager=False)


def _kept(request: IdentifiedRequest, *names: str) -> list[tuple[str, str]]:
    return [(name, request.GET[name]) for name in names if request.GET.get(name)]


def _query(request: IdentifiedRequest, *names: str) -> str:
    return urlencode(_kept(request, *names))


# --- The students as a file --------------------------------------------------------------------

_COLUMNS = (
    _("Имя"),
    _("Почта"),
    _("Статус"),
    _("Менеджер"),
    _("Цена, ₸"),
    _("Письмо"),
    _("Пройдено модулей"),
    _("Доступ открыт"),
    _("Последняя активность"),
    _("Телефон"),
)


@role_required("admin", "sales")
@require_safe
def students_csv(request: IdentifiedRequest) -> HttpResponseBase:
    """The filtered students, as Excel with Russian settings opens them."""
    form = StudentListForm(request.GET, staff=_staff())
    refuse_errors(form)
    wanted = _own(request, form.wanted)
    logger.info("students_exported", extra={"user_id": str(request.identity.user_id)})
    return csv_export.csv_file("students.csv", _COLUMNS, map(_row, all_students(wanted)))


def _row(student: Student) -> list[csv_export.Cell]:
    letter = student.latest_letter
    return [
        student.full_name,
        student.email,
        str(student.get_status_display() or ""),
        student.manager_name or _now("без менеджера"),
        student.price or 0,
        str(letter.get_state_display()) if letter else _sent(student),
        student.modules_completed or 0,
        student.created_at,
        student.last_active_at,
        phones.spelled(student.phone or ""),
    ]


def _sent(student: Student) -> str:
    return _now("Отправлено") if student.welcome_email_sent else _now("Не отправлялось")


# --- The activity log --------------------------------------------------------------------------


@role_required("admin", "sales")
@require_safe
def activity(request: IdentifiedRequest) -> HttpResponse:
    """The log of acts: a manager's own, an admin's all."""
    register.note(request.identity)
    form = ActivityForm(request.GET, staff=_staff())
    is_admin = request.identity.is_admin
    page = page_of_activity(
        request.identity,
        manager_id=form.manager_id if is_admin else request.identity.user_id,
        action=form.action_type,
        after=form.place,
    )
    context = {
        "form": form,
        "page": page,
        "filter_query": _query(request, "action", "manager"),
        "is_first_page": not form.place,
    }
    status = 400 if form.errors else 200
    return render(request, "sales/activity.html", context, status=status)
