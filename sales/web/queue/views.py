"""The queue as a page that renews itself, as a file and as JSON."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from onai.contacts import phones
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.identity.session.fragments import marked
from onai.identity.staff import register
from onai.web import csv_export
from onai.web.address_form import refuse_errors
from onai.web.api.openapi import Operation, describes
from onai.web.api.shapes import json_answer
from onai.web.paging import ListPage
from onai.web.problems import DatabaseUnavailable
from sales.handoff import matching, no_payment, queue
from sales.handoff.landing_state import landing_state
from sales.handoff.queue import Line, LineState
from sales.models import SignalKind
from sales.web.cabinet.sections import section
from sales.web.queue import wire
from sales.web.queue.forms import QueueForm
from sales.web.queue.rows import LineRow, line_row
from sales.web.toast import Toast

_TABS = (
    (None, _("Все открытые")),
    (LineState.WAITING, _("Свободные")),
    (LineState.CLAIMED, _("В работе")),
    (LineState.CLOSED, _("Закрытые")),
)


@role_required("admin", "sales")
@require_safe
def queue_page(request: IdentifiedRequest) -> HttpResponse:
    """The page, or only its lines, which renew themselves."""
    form = QueueForm(request.GET)
    state = form.line_state
    page = section(lambda: _page(request, form))
    context: dict[str, Any] = {
        "form": form,
        "state": state,
        "page": page,
        "is_first_page": not form.place,
        "landing": section(landing_state),
        "longest": _longest(page.found) if not state and not form.place else "",
        "tabs": [(one.value if one else "", title, one is state) for one, title in _TABS],
    }
    if request.headers.get("HX-Target") == "live":
        if page.found is None:
            raise DatabaseUnavailable
        return marked(request, render(request, "sales/queue_lines.html", context))
    section(lambda: register.note(request.identity))
    context |= {
        "share": section(matching.match_share),
        "toast": section(lambda: _just_closed(request)),
    }
    return render(request, "sales/queue.html", context, status=400 if form.errors else 200)


def _page(request: IdentifiedRequest, form: QueueForm) -> ListPage[LineRow]:
    page = queue.page_of_lines(form.line_state, request.identity, after=form.place)
    similar = no_payment.similar_students([one.buyer for one in page.rows], request.identity)
    return page.showing([line_row(one, request.identity, similar.get(one.id)) for one in page.rows])


def _longest(page: ListPage[LineRow] | None) -> str:
    return page.rows[0].waits if page and page.rows else ""


def _just_closed(request: IdentifiedRequest) -> Toast | None:
    """What to say of the closing that led here, with its undoing."""
    try:
        closed = queue.line(UUID(request.GET.get("closed", "")), request.identity)
    except (ValueError, queue.NoSuchLine):
        return None
    if closed.state is not LineState.CLOSED:
        return None
    text = _now("Закрыто без доступа: %(name)s, %(reason)s.") % {
        "name": closed.buyer.name or closed.buyer.phone or closed.buyer.email,
        "reason": closed.buyer.get_closed_reason_display(),
    }
    return Toast(text, reverse("reopen-line", args=[closed.id]))


@role_required("admin", "sales")
@require_safe
@describes(Operation(wire.QueueShape, query=(QueueForm,)))
def queue_api(request: IdentifiedRequest) -> HttpResponse:
    """The persons with a sign of a purchase and no access, longest wait first, 25 at a time.

    Without `state`, all open lines. Closed lines come newest first.
    """
    form = QueueForm(request.GET)
    refuse_errors(form)
    page = queue.page_of_lines(form.line_state, request.identity, after=form.place)
    return json_answer(wire.queue(page))


_COLUMNS = (
    _("Имя"),
    _("Телефон"),
    _("Почта"),
    _("Источник"),
    *(kind.label for kind in SignalKind),
    _("Как платит"),
    _("Сумма сделки, ₸"),
    _("Ждёт с"),
    _("Чья очередь"),
    _("Закрыто"),
    _("Почему"),
    _("Заметка"),
)


@role_required("admin", "sales")
@require_safe
def queue_csv(request: IdentifiedRequest) -> HttpResponseBase:
    """The lines as a CSV file."""
    form = QueueForm(request.GET)
    refuse_errors(form)
    lines = queue.all_lines(form.line_state, request.identity)
    state = form.line_state.value if form.line_state else ""
    return csv_export.csv_file("queue.csv", _COLUMNS, map(_row, lines), state=state)


def _row(line: Line) -> list[csv_export.Cell]:
    buyer = line.buyer
    return [
        buyer.name,
        phones.spelled(buyer.phone),
        buyer.email,
        buyer.source or "",
        *(buyer.signal_at(kind) for kind in SignalKind),
        buyer.chose_how,
        buyer.won_amount,
        line.since,
        buyer.claimed_name if line.state is LineState.CLAIMED else _now("свободна"),
        buyer.closed_at,
        str(buyer.get_closed_reason_display()),
        buyer.closed_note,
    ]
