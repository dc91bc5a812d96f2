"""The cabinet's first page: the students, and what is not finished; the students as a file."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

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
from sales import messenger
from sales.cabinet.attention import NOT_STARTED, QUIET, attention_of
from sales.cabinet.availability import NOTHING, Availability, availability
from sales.cabinet.learning import Learning, learning_of
from sales.cabinet.student_list import (
    LetterFilter,
    StudentFilter,
    all_students,
    count_students,
    page_of_students,
)
from sales.cabinet.written_columns import written_columns
from sales.letters.addresses import other_addresses
from sales.models import Student
from sales.provisioning.student_requests import unsettled
from sales.staff import distinct_names
from sales.web.cabinet import not_started
from sales.web.cabinet.forms import StudentListForm
from sales.web.cabinet.sections import query, section, staff

logger = logging.getLogger(__name__)


_FILTERS = (
    *("q", "status", "letter", "attention", "source", "source_unknown", "week"),
    *("manager", "sort"),
)


@role_required("admin", "sales")
@require_safe
def students(request: IdentifiedRequest) -> HttpResponse:
    section(lambda: register.note(request.identity))
    colleagues = section(staff).found or []
    form = StudentListForm(request.GET, staff=colleagues)
    wanted = _own(request, form.wanted)
    everybody = _own(request, StudentFilter())
    known = section(availability).found or NOTHING
    context = {
        "form": form,
        "unknown": known.unknown,
        "unsettled": section(lambda: unsettled(request.identity)),
        "students": section(lambda: _students(wanted, known, form.place, colleagues)),
        "work": section(lambda: _work(wanted, known)),
        "shares": section(lambda: not_started.rows_of(wanted, known, colleagues)),
        "narrowed_to": not_started.narrowed_to(wanted),
        "filter_query": query(request, *_FILTERS),
        "is_narrowed": bool(form.place) or wanted != replace(everybody, order=wanted.order),
        "is_first_page": not form.place,
    }
    return render(request, "sales/cabinet.html", context, status=400 if form.errors else 200)


@dataclass(frozen=True, slots=True)
class _Work:
    """How many students a manager may want to do something about; None where it is not known.

    `unlettered`: those of `not_started` who did not get their letter.
    """

    lost: int
    not_started: int | None
    unlettered: int
    quiet: int | None


def _work(wanted: StudentFilter, known: Availability) -> _Work:
    count = partial(count_students, wanted, known)
    return _Work(
        lost=count(letter=LetterFilter.LOST),
        not_started=count(attention=NOT_STARTED) if known.sign_ins else None,
        unlettered=count(attention=NOT_STARTED, letter=LetterFilter.LOST),
        quiet=count(attention=QUIET) if known.sign_ins else None,
    )


def _students(
    wanted: StudentFilter, known: Availability, after: str, colleagues: list[StaffMember]
) -> ListPage[Student]:
    page, names = page_of_students(wanted, known, after=after), distinct_names(colleagues)
    others, learning = other_addresses(page.rows), learning_of(page.rows, known)
    for student in page.rows:
        about = learning[student.user_id]
        attention = attention_of(student, about)
        vars(student)["learning"] = about
        vars(student)["attention"] = attention
        vars(student)["message"] = messenger.nudge(student, attention) if attention else None
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
    _("Последний вход"),
    _("Телефон"),
    _("Вход"),
    _("Курс пройден"),
)


@role_required("admin", "sales")
@require_safe
def students_csv(request: IdentifiedRequest) -> HttpResponseBase:
    """The filtered students, as Excel with Russian settings opens them."""
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
