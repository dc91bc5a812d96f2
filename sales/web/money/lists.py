"""Who is in a cell of the page of money: a page and a file, for admins alone.

These are personal data: what the log tells of a file never says whom it is about.
"""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from funnel.report.sources import readable
from funnel.web.links import KEPT, address, joined, parameters
from onai.contacts import phones
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest, Identity
from onai.web import csv_export
from onai.web.address_form import refuse_errors
from onai.web.paging import ListPage
from sales.cabinet.statistics import NOBODY
from sales.handoff import matching
from sales.handoff.queue import Line
from sales.models import SignalKind, Student
from sales.money import people as found_people
from sales.money.cells import CELLS
from sales.money.people import CellFilter
from sales.web.cabinet.sections import section
from sales.web.money.forms import CellForm
from sales.web.money.question import names_of, page_of
from sales.web.queue.rows import LineRow, line_row

_ASKED = ("cell", "manager", "unmatched")


@role_required("admin")
@require_safe
def people(request: IdentifiedRequest) -> HttpResponse:
    """The persons or the students of a cell, newest first."""
    form = CellForm(request.GET)
    wanted = _wanted(form)
    cell = CELLS[wanted.cell]
    page = section(lambda: _page(wanted, form, request.identity))
    kept = parameters(request.GET, *KEPT, *_ASKED)
    context = {
        **page_of(request, form, ""),
        "kept": kept,
        "filter_query": joined("", parameters(request.GET, "compare", "source", *_ASKED)),
        "title": cell.title,
        "is_of_persons": cell.stage.is_of_persons,
        "page": page.found,
        "narrowed_to": _in_words(form),
        "is_first_page": not form.place,
        "share": section(matching.match_share),
        "file": address("funnel-money-people-csv", joined("", kept)),
        "back": address("funnel-money", joined("", parameters(request.GET, *KEPT))),
    }
    status = 400 if form.errors else 200
    return render(request, "sales/money/people.html", context, status=status)


def _page(
    wanted: CellFilter, form: CellForm, viewer: Identity
) -> ListPage[LineRow] | ListPage[Student]:
    if CELLS[wanted.cell].stage.is_of_persons:
        page = found_people.page_of_lines(wanted, viewer, after=form.place)
        return page.showing([line_row(one, viewer) for one in page.rows])
    return found_people.page_of_students(wanted, after=form.place)


def _wanted(form: CellForm) -> CellFilter:
    return CellFilter(form.cell_id, form.question().period, form.whose)


def _in_words(form: CellForm) -> list[str]:
    """The sources or the manager that the list is of; nothing for all."""
    whose = form.whose
    told = [readable(source) for source in whose.sources]
    if whose.not_matched:
        told = [str(_("заявка не найдена"))]
    if whose.manager_id == NOBODY:
        told.append(str(_("без менеджера")))
    elif (manager := whose.manager_id) is not None:
        names = section(lambda: names_of([manager])).found or {}
        told.append(names.get(manager, str(manager)))
    return told


_OF_PERSONS = (
    _("Имя"),
    _("Телефон"),
    _("Почта"),
    _("Источник"),
    *(kind.label for kind in SignalKind),
    _("Сумма сделки, ₸"),
    _("Закрыто"),
    _("Почему"),
    _("Заметка"),
)
_OF_STUDENTS = (
    _("Имя"),
    _("Почта"),
    _("Доступ открыт"),
    _("Менеджер"),
    _("Цена, ₸"),
    _("Чья это покупка"),
    _("Источник"),
    _("Заметка"),
)


@role_required("admin")
@require_safe
def people_csv(request: IdentifiedRequest) -> HttpResponseBase:
    """All of them, as Excel with Russian settings opens them."""
    form = CellForm(request.GET)
    refuse_errors(form)
    wanted = _wanted(form)
    days = f"{wanted.period.first_day}_{wanted.period.last_day}"
    name, about = f"money-{wanted.cell.value}-{days}.csv", {"cell": wanted.cell.value}
    if CELLS[wanted.cell].stage.is_of_persons:
        lines = found_people.all_lines(wanted, request.identity)
        return csv_export.csv_file(name, _OF_PERSONS, map(_of_person, lines), **about)
    students = found_people.all_students(wanted)
    return csv_export.csv_file(name, _OF_STUDENTS, map(_of_student, students), **about)


def _of_person(line: Line) -> list[csv_export.Cell]:
    buyer = line.buyer
    return [
        buyer.name,
        phones.spelled(buyer.phone),
        buyer.email,
        buyer.source or "",
        *(buyer.signal_at(kind) for kind in SignalKind),
        buyer.won_amount,
        buyer.closed_at,
        str(buyer.get_closed_reason_display()),
        buyer.closed_note,
    ]


def _of_student(student: Student) -> list[csv_export.Cell]:
    known = getattr(student, "student_lead", None)
    return [
        student.full_name,
        student.email,
        student.created_at,
        student.manager_name or "",
        student.price,
        str(known.get_how_display()) if known else "",
        (known.source or "") if known and known.is_match else "",
        known.note if known else "",
    ]
