"""How far the students of each source have come: a page for admins."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.views.decorators.http import require_safe

from funnel.question import FunnelQuestion
from funnel.report.sources import readable
from funnel.web.difference import Difference
from funnel.web.rows import Cell, Row, Table
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.templatetags.russian import percent
from sales.cabinet.availability import Availability, availability
from sales.handoff import matching
from sales.money.learning_by_source import Learned, LearnedOf, in_all, learning_by_source
from sales.web.cabinet.sections import section
from sales.web.money.forms import MoneyForm
from sales.web.money.question import page_of
from sales.web.money.words import number

_ROWS = 31


@role_required("admin")
@require_safe
def learning(request: IdentifiedRequest) -> HttpResponse:
    """Who signed in, finished a module and has the certificate, of the accesses of each source."""
    form = MoneyForm(request.GET)
    found = section(lambda: _found(form.question())).found
    context = {
        **page_of(request, form, "funnel-money-learning"),
        "compare": None,
        "share": section(matching.match_share),
        "is_down": found is None,
    }
    if found is not None:
        parts, known = found
        context |= {
            "sentence": _sentence(in_all(parts)),
            "table": _table(parts, form.number) if parts else None,
            "unknown": _unknown(known),
        }
    status = 400 if form.errors else 200
    return render(request, "sales/money/learning.html", context, status=status)


def _found(question: FunnelQuestion) -> tuple[list[LearnedOf], Availability]:
    known = availability()
    return learning_by_source(question, known), known


def _unknown(known: Availability) -> list[str]:
    if known.certificates or known.profiles:
        return known.unknown
    return [*known.unknown, _now("Сертификаты платформы сайту не видны.")]


def _sentence(learned: Learned) -> str:
    if not learned.opened:
        return _now("За эти дни доступов не открывали.")
    steps = (
        (_now("вошли %(count)s"), learned.signed_in),
        (_now("прошли модуль %(count)s"), learned.first_module),
        (_now("получили сертификат %(count)s"), learned.certified),
    )
    told = [text % {"count": number(count)} for text, count in steps if count is not None]
    opened = _now("Открыто доступов: %(count)s") % {"count": number(learned.opened)}
    return f"{', '.join([opened, *told])}."


def _table(parts: list[LearnedOf], page: int) -> Table:
    titles = [
        _now("Источник"),
        _now("Доступы"),
        _now("Вошли"),
        _now("Первый модуль"),
        _now("Сертификат"),
    ]
    shown = Paginator(parts, _ROWS).get_page(page)
    rows = [
        Row(_name(one), tuple(zip(titles[1:], _cells(one.learned), strict=True))) for one in shown
    ]
    return Table(titles, rows, shown)


def _name(one: LearnedOf) -> str:
    return _now("Заявка не найдена") if one.source is None else readable(one.source)


def _cells(learned: Learned) -> list[Cell]:
    steps = (learned.signed_in, learned.first_module, learned.certified)
    return [Cell(number(learned.opened)), *(_step(count, learned.opened) for count in steps)]


def _step(count: int | None, opened: int) -> Cell:
    """A step with its share of the accesses; a dash where nobody can say."""
    if count is None:
        return Cell("—")
    return Cell(number(count), Difference(percent(round(100 * count / opened))))
