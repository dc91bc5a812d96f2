"""The cabinet's first page: the students, and what is not finished; the students as a file."""

import logging
from dataclasses import replace

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from onai.contacts import phones
from onai.identity.guards import role_required
from onai.identity.models import StaffMember
from onai.identity.roles import IdentifiedRequest
from onai.identity.staff import register
from onai.web import csv_export
from onai.web.address_form import refuse_errors
from onai.web.paging import ListPage
from sales.cabinet.student_list import (
    StudentFilter,
    all_students,
    count_lost,
    page_of_students,
)
from sales.letters.addresses import other_addresses
from sales.models import Student
from sales.provisioning.student_requests import unsettled
from sales.staff import told_apart
from sales.web.cabinet.forms import StudentListForm
from sales.web.cabinet.sections import query, section, staff

logger = logging.getLogger(__name__)


@role_required("admin", "sales")
@require_safe
def students(request: IdentifiedRequest) -> HttpResponse:
    section(lambda: register.note(request.identity))
    colleagues = section(staff).found or []
    form = StudentListForm(request.GET, staff=colleagues)
    wanted = _own(request, form.wanted)
    context = {
        "form": form,
        "unsettled": section(lambda: unsettled(request.identity)),
        "students": section(lambda: _students(wanted, form.place, colleagues)),
        "lost": section(lambda: count_lost(wanted)),
        "filter_query": query(request, "q", "status", "letter", "manager", "sort"),
        "is_narrowed": any(
            (form.place, wanted.text, wanted.status, wanted.letter, request.GET.get("manager"))
        ),
        "is_first_page": not form.place,
    }
    return render(request, "sales/cabinet.html", context, status=400 if form.errors else 200)


def _students(
    wanted: StudentFilter, after: str, colleagues: list[StaffMember]
) -> ListPage[Student]:
    page, names = page_of_students(wanted, after=after), told_apart(colleagues)
    others = other_addresses(page.rows)
    for student in page.rows:
        vars(student)["other_addresses"] = others.get(student.pk, [])
        if student.granted_by in names:
            # For this page only: their present names, with e-mails where names are shared.
            student.manager_name = names[student.granted_by]
    return page


def _own(request: IdentifiedRequest, wanted: StudentFilter) -> StudentFilter:
    """A manager sees their own students, whatever the address says."""
    if request.identity.is_admin:
        return wanted
    return replace(wanted, manager_id=request.identity.user_id, without_manager=False)


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
    form = StudentListForm(request.GET, staff=staff())
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
        str(letter.outcome.label) if letter else _sent(student),
        student.modules_completed or 0,
        student.created_at,
        student.last_active_at,
        phones.spelled(student.phone or ""),
    ]


def _sent(student: Student) -> str:
    return _now("Отправлено") if student.welcome_email_sent else _now("Не отправлялось")
