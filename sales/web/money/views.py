"""Whether the two halves agree: as a page, as a file and as JSON, for admins."""

from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from funnel.landing.statement import FiguresUnavailable
from funnel.signals.wording import incomplete_in
from funnel.web.links import LOOK, address, choices, joined, parameters
from funnel.web.views import answered
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.templatetags.russian import tenge
from onai.web import csv_export
from onai.web.address_form import refuse_errors
from onai.web.api.openapi import Operation, describes
from onai.web.api.shapes import json_answer
from sales.handoff import matching
from sales.handoff.landing_state import landing_state
from sales.money.cells import CELLS, CellId
from sales.money.figures import Amount, Key, Money, Rows
from sales.money.figures import money as figures_of
from sales.web.cabinet.sections import section
from sales.web.money import wire, words
from sales.web.money.forms import MoneyForm, manager_in_address
from sales.web.money.question import names_of, page_of

_ROWS = {Rows.SOURCE: _("по источникам"), Rows.MANAGER: _("по менеджерам")}


@role_required("admin")
@require_safe
def money(request: IdentifiedRequest) -> HttpResponse:
    """The page. An outage of either database takes down what it tells, and no more."""
    form = MoneyForm(request.GET)
    question = form.question()
    found = section(lambda: figures_of(question, form.row_kind)).found
    context = {
        **page_of(request, form, "funnel-money"),
        "share": section(matching.match_share),
        "landing": section(landing_state).found,
        "report": _report(request, form),
        "silent": incomplete_in(question.period, only_kept=True).notices,
        "rows": choices(request.GET, "rows", _ROWS, form.row_kind),
    }
    if found is not None:
        context |= _shown(request, form, found)
    status = 400 if form.errors else 200
    return render(request, "sales/money/page.html", context, status=status)


def _shown(request: IdentifiedRequest, form: MoneyForm, found: Money) -> dict[str, object]:
    """The figures, each with the address of its list."""
    kept = joined(form.chosen.query, parameters(request.GET, *LOOK))
    of_sources = [("source", source) for source in found.question.sources]

    def list_of(cell: CellId) -> str:
        which = [("cell", cell.value), *of_sources]
        return address("funnel-money-people", joined(kept, which))

    def row_list_of(cell: CellId, key: Key) -> str:
        which = [("cell", cell.value), *_narrowed_to(key, form.row_kind, of_sources)]
        return address("funnel-money-people", joined(kept, which))

    names = section(lambda: _names(found)).found or {}
    return {
        "sentence": words.sentence(found),
        "cards": words.cards(found, list_of),
        "table": words.table(found.rows, form.row_kind, names, row_list_of, form.number),
    }


def _names(found: Money) -> dict[UUID, str]:
    return names_of(row.key for row in found.rows if isinstance(row.key, UUID))


def _narrowed_to(key: Key, by: Rows, of_sources: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What narrows a list to a row."""
    if by is Rows.MANAGER:
        manager = key if isinstance(key, UUID) else None
        return [*of_sources, ("manager", manager_in_address(manager))]
    return [("source", key)] if isinstance(key, str) else [("unmatched", "1")]


def _report(request: IdentifiedRequest, form: MoneyForm) -> str:
    """What the business's report says of the same days, from Landing; empty where it is down."""
    try:
        found = answered(request, form, form.question(), ())
    except FiguresUnavailable:
        return ""
    stage = found.figures.report.stages[-1]
    told = _now("В отчёте за эти дни: %(count)s, %(money)s. Он считает заявки, а не людей.") % {
        "count": words.purchases(stage.reached),
        "money": tenge(found.figures.report.revenue),
    }
    return f"{told} {found.warning}" if found.stale else told


# --- File and JSON -----------------------------------------------------------------------------


@role_required("admin")
@require_safe
def money_csv(request: IdentifiedRequest) -> HttpResponseBase:
    """Every cell of every source or manager, as Excel with Russian settings opens it."""
    form = MoneyForm(request.GET)
    refuse_errors(form)
    question, by = form.question(), form.row_kind
    found = figures_of(question, by)
    names = _names(found) if by is Rows.MANAGER else {}
    first = _("Менеджер") if by is Rows.MANAGER else _("Источник")
    columns: list[str | Promise] = [first, *(title for cell in CELLS for title in _titles_of(cell))]
    rows = [
        [
            words.name_of(row.key, by, names),
            *(value for cell in CELLS for value in _values_of(cell, row.cells[cell])),
        ]
        for row in found.rows
    ]
    days = f"{question.period.first_day}_{question.period.last_day}"
    name = f"money-{by.value}-{days}.csv"
    return csv_export.csv_file(name, columns, rows, sources=list(question.sources))


def _titles_of(cell: CellId) -> list[str]:
    title = str(CELLS[cell].title)
    titles = [title, _now("%(title)s: цены доступов, ₸") % {"title": title}]
    if CELLS[cell].stage.is_of_persons:
        titles.insert(1, _now("%(title)s: сделки, ₸") % {"title": title})
    return titles


def _values_of(cell: CellId, amount: Amount) -> list[csv_export.Cell]:
    if CELLS[cell].stage.is_of_persons:
        return [amount.count, amount.deals, amount.prices]
    return [amount.count, amount.prices]


@role_required("admin")
@require_safe
@describes(Operation(wire.MoneyShape, query=(MoneyForm,)))
def money_api(request: IdentifiedRequest) -> HttpResponse:
    """Who clicked, chose to pay, won a deal and has access, with the money and the gaps.

    Stages count those of the period; what became of them is as of now.
    """
    form = MoneyForm(request.GET)
    question = form.strict_question()
    found = figures_of(question, form.row_kind)
    names = _names(found) if form.row_kind is Rows.MANAGER else {}
    shape = wire.money(found, form.row_kind, names, matching.match_share(), as_of=timezone.now())
    return json_answer(shape)
