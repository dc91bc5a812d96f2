"""The cabinet's first page: the list of students and unfinished work. Also the list as a file."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from funnel.web.links import Link, changed
from onai.contacts import phones
from onai.identity.guards import role_required
from onai.identity.models import StaffMember
from onai.identity.roles import IdentifiedRequest, Identity
from onai.identity.session.fragments import marked
from onai.identity.staff import register
from onai.web import csv_export
from onai.web.address_form import refuse_errors
from onai.web.paging import ListPage
from onai.web.problems import DatabaseUnavailable
from sales.cabinet.availability import NOTHING, Availability, availability
from sales.cabinet.learning import Learning, learning_of
from sales.cabinet.student_list import (
    StudentFilter,
    all_students,
    page_of_students,
)
from sales.cabinet.written_columns import written_columns
from sales.letters.addresses import other_addresses
from sales.models import Student
from sales.provisioning.student_requests import unsettled
from sales.staff import distinct_names
from sales.web.cabinet import not_started
from sales.web.cabinet.forms import StudentListForm
from sales.web.cabinet.sections import query, section, staff, unknown_in
from sales.web.cabinet.student_cards import StudentCard, student_card
from sales.web.cabinet.unsettled import unsettled_rows
from sales.web.cabinet.work import work_rows

logger = logging.getLogger(__name__)


_FILTERS = (
    *("q", "status", "letter", "attention", "source", "source_unknown", "week"),
    *("manager", "sort"),
)


@role_required("admin", "sales")
@require_safe
def students(request: IdentifiedRequest) -> HttpResponse:
    """The page, or only the list, while somebody types what they look for."""
    form, context = _list(request)
    if request.headers.get("HX-Target") == "students":
        if context["students"].found is None:
            raise DatabaseUnavailable
        response = marked(request, render(request, "sales/student_list.html", context))
        response["HX-Replace-Url"] = f"{request.path}?{query(request, *_FILTERS)}"
        return response
    section(lambda: register.note(request.identity))
    manager = request.GET.get("manager", "") if request.identity.is_admin else ""
    context |= {
        "shares": section(
            lambda: not_started.rows_of(
                context["wanted"], context["known"], section(staff).found or []
            )
        ),
        "unsettled": section(lambda: unsettled_rows(unsettled(request.identity))),
        "work": section(lambda: work_rows(context["wanted"], context["known"], manager=manager)),
    }
    return render(request, "sales/cabinet.html", context, status=400 if form.errors else 200)


def _list(request: IdentifiedRequest) -> tuple[StudentListForm, dict[str, Any]]:
    """The form of the address, and what the list is drawn with."""
    colleagues = section(staff).found or []
    form = StudentListForm(request.GET, staff=colleagues)
    wanted = _own(request, form.wanted)
    everybody = _own(request, StudentFilter())
    known = section(availability).found or NOTHING
    return form, {
        "form": form,
        "wanted": wanted,
        "known": known,
        "unknown": unknown_in(known),
        "students": section(
            lambda: _students(wanted, known, form.place, colleagues, request.identity)
        ),
        "sheet_fields": form.sheet_fields(request.identity),
        "chosen": _chosen(request, form, wanted),
        "filter_query": query(request, *_FILTERS),
        "is_narrowed": bool(form.place) or wanted != replace(everybody, order=wanted.order),
        "is_first_page": not form.place,
    }


def _chosen(request: IdentifiedRequest, form: StudentListForm, wanted: StudentFilter) -> list[Link]:
    """What narrows the list besides the search, each with the address without it."""
    chosen = form.chosen(request.GET, request.identity)
    if narrowed_to := not_started.narrowed_to(wanted):
        without = changed(request.GET, source=None, source_unknown=None, week=None)
        chosen.append(Link(without, narrowed_to))
    return chosen


def _students(
    wanted: StudentFilter,
    known: Availability,
    after: str,
    colleagues: list[StaffMember],
    viewer: Identity,
) -> ListPage[StudentCard]:
    page, names = page_of_students(wanted, known, after=after), distinct_names(colleagues)
    others, learning = other_addresses(page.rows), learning_of(page.rows, known)

    def manager_name(student: Student) -> str:
        if not viewer.is_admin:
            return ""
        # Their present names, with e-mails where names are shared.
        name = names.get(student.granted_by) if student.granted_by else None
        return name or student.manager_name or _now("без менеджера")

    return page.showing(
        [
            student_card(
                student,
                learning[student.user_id],
                others.get(student.pk, []),
                manager_name=manager_name(student),
            )
            for student in page.rows
        ]
    )


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
    _("Последний вход"),
    _("Телефон"),
    _("Вход"),
    _("Курс пройден"),
)


@role_required("admin", "sales")
@require_safe
def students_csv(request: IdentifiedRequest) -> HttpResponseBase:
    """The filtered students as a CSV file."""
    form = StudentListForm(request.GET, staff=staff())
    refuse_errors(form)
    wanted = _own(request, form.wanted)
    logger.info("students_exported", extra={"user_id": str(request.identity.user_id)})
    known = availability()
    written = written_columns(known)
    columns = [*_COLUMNS, *written.values()]
    return csv_export.csv_file("students.csv", columns, _rows(wanted, known, list(written)))


def _rows(
    wanted: StudentFilter, known: Availability, written: list[str]
) -> Iterator[list[csv_export.Cell]]:
    for batch in all_students(wanted, known):
        learning = learning_of(batch, known)
        for student in batch:
            more = [_cell(getattr(student, name)) for name in written]
            yield [*_row(student, learning[student.user_id]), *more]


def _cell(value: Any) -> csv_export.Cell:
    return _yes_or_no(value) if isinstance(value, bool) else value


def _yes_or_no(value: bool | None) -> str | None:
    return None if value is None else _now("да") if value else _now("нет")


def _row(student: Student, learning: Learning) -> list[csv_export.Cell]:
    letter = student.latest_letter
    return [
        student.full_name,
        student.email,
        str(student.get_status_display() or ""),
        student.manager_name or _now("без менеджера"),
        student.price or 0,
        str(letter.outcome.label) if letter else _sent(student),
        learning.modules,
        student.created_at,
        learning.last_sign_in,
        phones.spelled(student.phone or ""),
        learning.sign_in_in_words,
        _yes_or_no(learning.finished),
    ]


def _sent(student: Student) -> str:
    return _now("Отправлено") if student.welcome_email_sent else _now("Не отправлялось")
