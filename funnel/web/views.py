"""The funnel's page, its tables as files, and its API, all drawn from the same answers."""

import logging
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import (
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    QueryDict,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from funnel.landing import refresh
from funnel.landing.freshness import Answer, answer, current
from funnel.landing.statement import FiguresTakeTooLong, FiguresUnavailable, LeadsUnreadable
from funnel.landing.visibility import LeadsHidden
from funnel.report.answers import FunnelAnswers, answers
from funnel.report.question import FunnelQuestion, QuestionForm
from funnel.report.sources import FEW_LEADS, readable
from funnel.report.stage_report import EXPRESS_THRESHOLD, PAYMENT_THRESHOLD
from funnel.report.steps import Funnel
from funnel.stages import STAGES_OF, Counting, StageId
from funnel.web import wire
from funnel.web.page_form import LOOK, PageForm, joined, said
from funnel.web.picture import draw, draw_over_time
from funnel.web.tables import TABLES
from funnel.web.wording import COMPARE, COUNTING, MARKS, ORDERS, UNITS
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.identity.session.fragments import marked
from onai.web import csv_export
from onai.web.api import json_answer
from onai.web.openapi import Operation, describes
from onai.web.period_form import in_words
from onai.web.problems import NotFound

logger = logging.getLogger(__name__)

_LONGEST_QUERY = 8_000


@role_required("admin")
@require_safe
def page(request: IdentifiedRequest) -> HttpResponse:
    form = PageForm(request.GET)
    answered = _answered(request, form, form.question())
    found = answered.figures
    context = {
        **_chosen(form, found.question, request.GET),
        **_shown(found, form),
        "answer": answered,
        "is_to_come": found.question.period.is_to_come and not found.funnel.leads.now,
        "refused_since": refresh.refused_since(request),
    }
    status = 400 if form.errors else 200
    return marked(request, render(request, "funnel/page.html", context, status=status))


def _answered(
    request: IdentifiedRequest, form: QuestionForm, question: FunnelQuestion
) -> Answer[FunnelAnswers]:
    """The answers that `request` asks for, or the last good ones while Landing is down."""
    refresh.take_up(request)
    return answer(form.as_asked, lambda: answers(question), kind=FunnelAnswers)


@role_required("admin")
@require_POST
def refresh_figures(request: IdentifiedRequest) -> HttpResponse:
    """Has the database asked again, and leads back to the question it was asked from."""
    told = request.POST.get("query", "")
    # No address is longer; a question cut short would be another one.
    query = QueryDict(told if len(told) <= _LONGEST_QUERY else "").urlencode()
    back = HttpResponseRedirect(f"{reverse('funnel')}{'?' if query else ''}{query}")
    refresh.tell(back, refresh.ask_again())
    return back


@role_required("admin")
@require_safe
def table_csv(request: IdentifiedRequest, name: str) -> HttpResponseBase:
    """One table of the page, whole, as Excel with Russian settings opens it."""
    if name not in TABLES:
        raise NotFound
    refresh.take_up(request)
    form = PageForm(request.GET)
    question = form.strict_question()
    asked = f"{form.as_asked} everything"
    found = current(asked, lambda: answers(question, everything=True), kind=FunnelAnswers)
    table = TABLES[name](_in_order(found, form))
    user_id = str(request.identity.user_id)
    logger.info("funnel_table_exported", extra={"user_id": user_id, "table": name})
    days = f"{question.period.first_day}_{question.period.last_day}"
    file_name = f"funnel-{name}-{days}-{question.counting}.csv"
    return csv_export.csv_file(file_name, table.columns, table.rows)


_PROBLEMS = (FiguresUnavailable, FiguresTakeTooLong, LeadsUnreadable, LeadsHidden)


@role_required("admin")
@require_safe
@describes(Operation(wire.FunnelAnswerShape, query=(PageForm,), problems=_PROBLEMS))
def api_funnel(request: IdentifiedRequest) -> HttpResponse:
    """The three stages, revenue and overall conversion, and the answers to the question.

    While Landing cannot answer, or another is counting the next figures, the last good answer to
    the same question comes, of at most seven days: `stale` is true then. Never a row of zeros.
    """
    form = PageForm(request.GET)
    answered = _answered(request, form, form.strict_question())
    answered = replace(answered, figures=_in_order(answered.figures, form))
    return _json(wire.funnel_answer(answered))


@role_required("admin")
@require_safe
@describes(Operation(wire.StageAnswerShape, query=(PageForm,), problems=(NotFound, *_PROBLEMS)))
def api_stage(request: IdentifiedRequest, stage_id: str) -> HttpResponse:
    """One stage: `proftest`, `express` or `payment`."""
    if stage_id not in {stage.id for stage in STAGES_OF[Counting.REPORTED]}:
        raise NotFound(_("Такого этапа у воронки нет."))
    form = PageForm(request.GET)
    answered = _answered(request, form, form.strict_question())
    return _json(wire.stage_answer(answered, StageId(stage_id)))


def _in_order(found: FunnelAnswers, form: PageForm) -> FunnelAnswers:
    """The answers with their sources in the order that is asked for."""
    rows = found.sources.sorted_by(form.order)
    return replace(found, sources=replace(found.sources, rows=rows))


def _json(shape: wire.KeptShape) -> HttpResponse:
    response = json_answer(shape)
    if shape.stale:
        response["Warning"] = '110 - "Response is Stale"'
    return response


@dataclass(frozen=True, slots=True)
class SourceLink:
    """A source by its name, and the sources that its link asks for."""

    name: str
    sources: list[str]


def _chosen(form: QuestionForm, question: FunnelQuestion, query: QueryDict) -> dict[str, object]:
    """What was asked and is answered, and what one may ask instead."""
    told = [
        text
        for name in ("compare", "count", "by", "source", "sort", "q")
        for text in form.errors.get(name, ())
    ]
    look = said(query, *LOOK)
    kept = [*look, *said(query, "source")]
    with_search = [*kept, *said(query, "q")]
    sources = [("source", one) for one in question.sources]
    return {
        "question": question,
        "period_form": form,
        "chosen": form.chosen,
        "period_in_words": in_words(question.period),
        # What a list of persons keeps for the way back, without and with the chosen sources.
        "period_query": joined(form.chosen.query, look),
        "people_query": joined(form.chosen.query, [*look, *sources]),
        "compared_in_words": in_words(question.compared),
        "spans": question.spans,
        "told": told,
        "kept": kept,
        "kept_with_search": with_search,
        "kept_period": [(name, query[name]) for name in ("period", "from", "to") if name in query],
        "filter_query": urlencode(with_search),
        "compare_choices": COMPARE,
        "counting_choices": COUNTING,
        "unit_choices": UNITS,
        "chips": [
            SourceLink(readable(one), [other for other in question.sources if other != one])
            for one in question.sources
        ],
    }


def _is_one_conversion(funnel: Funnel) -> bool:
    """Whether everybody took the test, so that the two conversions are the same figures twice.

    That of all leads is then the one to show, since it can be tested.
    """
    return (funnel.conversion.whole, funnel.conversion.percent, funnel.conversion.before) == (
        (funnel.overall.whole, funnel.overall.percent, funnel.overall.before)
    )


def _shown(found: FunnelAnswers, form: PageForm) -> dict[str, object]:
    """The answers, drawn, sorted and searched as the address says."""
    order, search = form.order, form.search
    rows = found.sources.sorted_by(order, containing=search)
    chosen = found.question.sources
    return {
        "found": found,
        "come_by_age": None if found.come_by_age is None else round(100 * found.come_by_age),
        "report": found.report,
        "funnel": found.funnel,
        "is_one_conversion": _is_one_conversion(found.funnel),
        "steps": draw(found),
        "thresholds": (EXPRESS_THRESHOLD, PAYMENT_THRESHOLD),
        "charts": draw_over_time(found.over_time),
        "step_wordings": STAGES_OF[found.question.counting],
        "marks": [(MARKS[table.mark], table) for table in found.utm],
        "order": order,
        "orders": ORDERS,
        "few_leads": FEW_LEADS,
        "search": search,
        "source_rows": rows,
        "other_sources": found.sources.others,
        "more_choices": [
            SourceLink(readable(one), [*chosen, one])
            for one in found.sources.choices
            if one not in chosen
        ],
    }
