"""The funnel's pages of figures, their tables as files, and the refresh."""

from collections.abc import Callable, Collection, Hashable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.views.decorators.http import require_POST, require_safe

from funnel.landing import refresh
from funnel.landing.freshness import Answer, answer
from funnel.landing.statement import FiguresUnavailable
from funnel.question import FunnelQuestion
from funnel.report.accesses import accesses
from funnel.report.answers import FunnelAnswers, Topic, answers
from funnel.report.sources import FEW_LEADS, Source, SourceOrder, readable
from funnel.report.utm import Mark
from funnel.signals.marks import LEADS, PURCHASE
from funnel.signals.short_links import link_clicks
from funnel.signals.wording import Incomplete, incomplete_in, of_links
from funnel.templatetags.names import days
from funnel.web import headline, rows, source_lines, wording
from funnel.web import overview as words
from funnel.web.difference import compared_days
from funnel.web.forms import PageForm, QuestionForm, TableForm
from funnel.web.links import (
    KEPT,
    LOOK,
    PAGES,
    VIEW,
    Link,
    address,
    changed,
    choices,
    joined,
    navigation,
    parameters,
)
from funnel.web.mark_lines import mark_lines
from funnel.web.picture import Metric, draw, measured
from funnel.web.tables import TABLES
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.identity.session.fragments import marked
from onai.web import csv_export
from onai.web.notices import overview_notices
from onai.web.problems import NotFound

_LONGEST_QUERY = 8_000
# The search finds the others.
_MOST_CHOICES = 50
OVERVIEW = (Topic.PATH, Topic.OVER_TIME, Topic.SOURCES)


@role_required("admin")
@require_safe
def overview(request: IdentifiedRequest) -> HttpResponse:
    """What happened, and where people are lost."""
    form = TableForm(request.GET)
    found = answered(request, form, form.question(), OVERVIEW)
    opened, notices = accesses(found.figures.question), overview_notices()

    def show(lacking: Incomplete) -> dict[str, Any]:
        figures = found.figures
        sources, path = figures.sources, figures.path
        period_query = joined(form.chosen.query, parameters(request.GET, *LOOK))
        of_sources = [("source", source) for source in figures.question.sources]

        def people(step: str, lost: bool) -> str:
            which = [("step", step), *([("lost", "1")] if lost else []), *of_sources]
            return address("funnel-people", joined(period_query, which))

        def of_source(source: str) -> str:
            return changed(request.GET, source=source)

        def trend_of(metric: Metric) -> str:
            kept = [*parameters(request.GET, *KEPT), ("metric", metric)]
            return address("funnel-trend", joined("", kept))

        return {
            "notices": notices,
            "sentence": headline.of_overview(figures, form.chosen),
            "changes": words.changes(figures, of_source, lambda step: people(step, True)),
            "tiles": words.tiles(figures, trend_of, lacking),
            "figures": headline.figures(figures),
            "reliability": headline.reliability(figures),
            "path": words.path_bars(path, people, lacking) if path else [],
            "outside_path": path.outside_steps if path else 0,
            "stages": words.reported_stages(figures, people, lacking),
            "access": words.access_stage(
                opened,
                address(
                    "funnel-money-people", joined(period_query, [("cell", "opened"), *of_sources])
                ),
                lacking,
            ),
            "lines": source_lines.lines_of(
                source_lines.best_and_worst(sources.rows), of_source, opened=opened
            ),
            "has_accesses": opened is not None,
            "sources_in_all": len(sources.rows) + (sources.others.count if sources.others else 0),
            "sources_page": address("funnel-sources", joined("", parameters(request.GET, *KEPT))),
            "incomplete": lacking.of(PURCHASE),
            "links": _links(form, figures.question),
        }

    return _page(request, "funnel", "overview", form, found, show, beside=(opened, notices))


@role_required("admin")
@require_safe
def sources(request: IdentifiedRequest) -> HttpResponse:
    """Whose traffic sells."""
    form = TableForm(request.GET)
    found = answered(request, form, form.question(), (Topic.SOURCES,))
    opened, unfolded = accesses(found.figures.question), request.GET.get("open")

    def show(lacking: Incomplete) -> dict[str, Any]:
        question, figures = found.figures.question, found.figures.sources
        listed = figures.sorted_by(form.order, containing=form.search)
        period_query = joined(form.chosen.query, parameters(request.GET, *LOOK))
        on_this_page = request.GET.get("page")

        def toggled(source: str) -> str:
            is_open = source == unfolded
            return changed(request.GET, page=on_this_page, open=None if is_open else source)

        def details(of: Source) -> source_lines.Details | None:
            if of.source != unfolded:
                return None

            def people(step: str) -> str:
                which = [("step", step), ("source", of.source)]
                return address("funnel-people", joined(period_query, which))

            narrowed = changed(request.GET, source=of.source, q=None)
            return source_lines.details_of(question.counting, of.funnel, people, narrowed)

        table = source_lines.source_table(
            listed,
            None if form.search else figures.others,
            toggled,
            opened=opened,
            details=details,
            number=form.number,
        )
        chosen = question.sources
        return {
            "sentence": headline.of_sources(figures, found.figures.funnel.purchases.now),
            "verdicts": source_lines.verdicts_in_words(figures.rows),
            "sources": figures,
            "lines": table.lines,
            "page": table.page,
            "has_accesses": opened is not None,
            "not_matched": opened.not_matched if opened else 0,
            "incomplete": lacking.of(PURCHASE),
            "orders": choices(request.GET, "sort", wording.ORDERS, form.order),
            "few_leads": FEW_LEADS if form.order is SourceOrder.CONVERSION else None,
            "search": form.search,
            "reliability": headline.all_likely(
                (one.name, one.funnel.conversion) for one in table.page
            ),
            "more": [
                Link(changed(request.GET, source=[*chosen, one]), readable(one))
                for one in figures.choices[:_MOST_CHOICES]
                if one not in chosen
            ],
            "kept_for_search": parameters(request.GET, *KEPT),
            "without_search": changed(request.GET, q=None),
        }

    return _page(request, "funnel-sources", "sources", form, found, show, beside=opened)


@role_required("admin")
@require_safe
def trend(request: IdentifiedRequest) -> HttpResponse:
    """Whether it gets better."""
    form = TableForm(request.GET)
    metric = Metric(form.chosen_or("metric", Metric.PURCHASES))
    found = answered(request, form, form.question(), (metric.topic,))

    def show(lacking: Incomplete) -> dict[str, Any]:
        figures, question = found.figures, found.figures.question
        values = measured(figures, metric)
        return {
            "sentence": headline.of_trend(figures, metric),
            "highest": headline.highest(values, metric),
            "chart": draw(values, metric),
            "days_now": days(question.period),
            "days_before": days(question.compared),
            "metrics": choices(request.GET, "metric", wording.METRICS, metric),
            "metric": wording.METRICS[metric],
            "explained": wording.METRIC_HINTS[metric],
            "incomplete": lacking.of(LEADS if metric is Metric.LEADS else PURCHASE),
            "units": choices(request.GET, "by", wording.UNITS, question.unit),
            "table": rows.over_time(metric, values, lacking=lacking, number=form.number),
        }

    return _page(request, "funnel-trend", "trend", form, found, show)


@role_required("admin")
@require_safe
def ads(request: IdentifiedRequest) -> HttpResponse:
    """Which advertisement sells."""
    form = TableForm(request.GET)
    found = answered(request, form, form.question(), (Topic.UTM,))

    def show(lacking: Incomplete) -> dict[str, Any]:
        mark = Mark(form.chosen_or("mark", Mark.CAMPAIGN))
        marks = {table.mark: table for table in found.figures.utm}
        table = mark_lines(marks[mark], number=form.number)
        return {
            "sentence": headline.of_ads(marks[mark]),
            "marks": choices(request.GET, "mark", wording.MARKS, mark),
            "lines": table.lines,
            "page": table.page,
            "incomplete": lacking.of(PURCHASE),
            "reliability": headline.all_likely(
                (wording.shortened(one.value), one.funnel.conversion) for one in table.page
            ),
            "judges_marks": True,
        }

    return _page(request, "funnel-ads", "ads", form, found, show)


@role_required("admin")
@require_safe
def speed(request: IdentifiedRequest) -> HttpResponse:
    """How long people think before they buy."""
    form = TableForm(request.GET)
    found = answered(request, form, form.question(), (Topic.TIME_TO_BUY,))

    def show(lacking: Incomplete) -> dict[str, Any]:
        question, times = found.figures.question, found.figures.time_to_buy
        split = form.chosen_or("rows", "source")
        by_time = split == "time"
        table = rows.of_times(
            _now("Дни") if by_time else _now("Источник"),
            times.with_purchases if by_time else times.by_source,
            lacking=lacking,
            number=form.number,
        )
        return {
            "sentence": headline.of_speed(times),
            "young": headline.young_speed(times, too_young=question.spans.too_young),
            "speeds": headline.speeds(times),
            "details": headline.details_of_speed(times),
            "splits": choices(request.GET, "rows", wording.SPLITS, split),
            "by_time": by_time,
            "table": table,
        }

    return _page(request, "funnel-speed", "speed", form, found, show)


def answered(
    request: IdentifiedRequest,
    form: QuestionForm,
    question: FunnelQuestion,
    topics: Collection[Topic],
) -> Answer[FunnelAnswers]:
    """The answers that `request` asks for, or the last good ones while Landing is down."""
    refresh.take_up(request)

    def asked(of: Collection[Topic]) -> str:
        return f"{form.cache_key} {' '.join(of)}"

    wider = [asked(one) for one in (OVERVIEW, tuple(Topic)) if set(topics) < set(one)]
    return answer(asked(topics), lambda: answers(question, topics), kind=FunnelAnswers, wider=wider)


def _page(
    request: IdentifiedRequest,
    name: str,
    template: str,
    form: TableForm,
    answer: Answer[FunnelAnswers],
    show: Callable[[Incomplete], dict[str, Any]],
    *,
    beside: Hashable = None,
) -> HttpResponse:
    """A page of figures. What it says of current figures, and of figures `beside` them that are not
    kept, is written once for as long as this process keeps them; around it stands what is of one
    reader and one moment."""
    found, query = answer.figures, request.GET
    lacking = incomplete_in(found.question.period)

    def write(figures: FunnelAnswers) -> bytes:
        shown = {**show(lacking), **_chosen(form, figures.question, query)}
        context = {
            **shown,
            "sentence": headline.of_nobody(figures) or shown["sentence"],
            "answer": answer,
            "found": figures,
            "report": figures.report,
            "is_to_come": headline.is_to_come(figures),
            "period_in_words": headline.of_period(figures),
            "comparison": headline.of_comparison(figures),
            "notice": headline.notice(figures, query),
            "silent": lacking.notices,
        }
        return render_to_string(f"funnel/{template}.html", context, request).encode()

    is_kept = not (answer.stale or form.errors)
    body = (
        answer.text((template, query.urlencode(), lacking.notices, beside), write)
        if is_kept
        else write(found)
    )
    context = {
        "body": SafeString(body.decode()),
        "title": PAGES[name],
        "is_live": not form.errors,
        "navigation": navigation(name, joined("", parameters(query, *KEPT))),
        "answer": answer,
        "found": found,
        "refused_since": refresh.refused_since(request),
        "page_name": name,
    }
    status = 400 if form.errors else 200
    return marked(request, render(request, "funnel/figures.html", context, status=status))


def _links(form: TableForm, question: FunnelQuestion) -> str:
    """What the short links say of the same leads; empty where they cannot be asked now."""
    try:
        clicks = link_clicks(form.cache_key, question.period, question.sources).figures
    except FiguresUnavailable:
        return ""
    return of_links(clicks)


def _chosen(form: TableForm, question: FunnelQuestion, query: QueryDict) -> dict[str, object]:
    """The question, and the choices beside it."""
    days = ("period", "from", "to")
    return {
        "question": question,
        "period_form": form,
        "chosen": form.chosen,
        "compared_days": compared_days(question),
        "told": [text for name in form.errors if name not in days for text in form.errors[name]],
        "kept": parameters(query, *LOOK, "source", *VIEW),
        "filter_query": urlencode(parameters(query, *LOOK, "source", *VIEW)),
        "kept_period": parameters(query, *days),
        "compare": choices(query, "compare", wording.COMPARE, question.compare),
        "counting": choices(query, "count", wording.COUNTING, question.counting),
        "every_source": changed(query, source=None) if len(question.sources) > 1 else "",
        "chips": [
            Link(
                changed(query, source=[other for other in question.sources if other != one]),
                readable(one),
            )
            for one in question.sources
        ],
    }


# --- Files, and asking again -------------------------------------------------------------------


@role_required("admin")
@require_safe
def table_csv(request: IdentifiedRequest, name: str) -> HttpResponseBase:
    """One table of a page, whole, as Excel with Russian settings opens it."""
    if name not in TABLES:
        raise NotFound
    refresh.take_up(request)
    form = PageForm(request.GET)
    question, (topics, table_of) = form.strict_question(), TABLES[name]
    asked = f"{form.cache_key} {' '.join(topics)} everything"

    def count() -> FunnelAnswers:
        return answers(question, topics, everything=True)

    found = answer(asked, count, kind=FunnelAnswers, only_current=True)
    table = table_of(in_order(found.figures, form))
    days = f"{question.period.first_day}_{question.period.last_day}"
    file_name = f"funnel-{name}-{days}-{question.counting}.csv"
    return csv_export.csv_file(file_name, table.columns, table.rows)


def in_order(found: FunnelAnswers, form: PageForm) -> FunnelAnswers:
    """The answers with their sources in the requested order."""
    ordered = found.sources.sorted_by(form.order)
    return replace(found, sources=replace(found.sources, rows=ordered))


@role_required("admin")
@require_POST
def refresh_figures(request: IdentifiedRequest) -> HttpResponse:
    """Have the database asked again, and return to the same question."""
    told = request.POST.get("query", "")
    # No address is longer; a shortened question would be another one.
    query = QueryDict(told if len(told) <= _LONGEST_QUERY else "").urlencode()
    page = request.POST.get("page", "")
    back = HttpResponseRedirect(address(page if page in PAGES else "funnel", query))
    refresh.tell(back, refresh.request_refresh())
    return back
