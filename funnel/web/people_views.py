"""The people of the funnel: who is in a step, who was lost at it, who bought twice.

As a page, as JSON and as a file, for admins alone. What the log tells of a file never says whom
it is about or what was searched.
"""

from collections.abc import Iterable
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_safe

from funnel.people import duplicates, listing, rows, words
from funnel.report.sources import readable
from funnel.signals.marks import rests_on
from funnel.signals.wording import incomplete_in
from funnel.stages import STAGES, STAGES_OF, Counting
from funnel.web.api import people_wire
from funnel.web.forms import (
    LONGEST_DAYS,
    DuplicatesForm,
    ListPeriodForm,
    PeopleForm,
    SourcesForm,
)
from funnel.web.links import LOOK, Link, changed, joined, navigation, parameters
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.templatetags.russian import plural
from onai.web import csv_export
from onai.web.address_form import refuse_errors
from onai.web.api.openapi import Operation, describes
from onai.web.api.shapes import json_answer
from onai.web.period_form import ChosenPeriod, Preset

_PERIOD = ("period", "from", "to")
_FILTER = ("step", "lost", "source", "q")
# Purchases of one person on the page, which says how many more there are.
_SHOWN_OF_ONE = 3


@role_required("admin")
@require_safe
def people_page(request: IdentifiedRequest) -> HttpResponse:
    """Who is in a step, or was lost at it. What is wrong in the address is told and left out."""
    period_form = ListPeriodForm(request.GET)
    chosen = period_form.chosen
    form = PeopleForm(request.GET, sources=listing.sources_of(chosen.period))
    wanted = form.wanted(chosen.period)
    page = listing.page_of_people(wanted, after=form.place)
    incomplete = incomplete_in(chosen.period, only_kept=True)
    is_first = not form.place
    context = {
        **_page_of(request, period_form, form, chosen, _FILTER),
        "asked": STAGES[wanted.step].title,
        "wanted": wanted,
        "stage": STAGES[wanted.step],
        "sentence": words.of_list(wanted, page, is_first=is_first),
        "about": words.about_list(wanted, chosen.label, anybody=bool(page.rows)),
        "reliability": words.reliability(wanted),
        "printed": words.printed_list(page, is_first=is_first),
        "silent": incomplete.notices,
        "incomplete": incomplete.of(rests_on(STAGES[wanted.step])),
        "groups": _groups(),
        "page": page.showing(rows.of_people(page.rows, chosen.period)),
        "is_first_page": is_first,
        "is_narrowed": bool(wanted.text or wanted.sources),
        "unnarrowed": changed(request.GET, q=None, source=None),
        "kept_beside_form": parameters(request.GET, *_PERIOD, "q", *LOOK),
        "kept_beside_search": parameters(request.GET, *_PERIOD, "step", "lost", "source", *LOOK),
        "navigation": _navigation("funnel-people", request, chosen, wanted.sources),
    }
    status = 400 if period_form.errors or form.errors else 200
    return render(request, "funnel/people.html", context, status=status)


@role_required("admin")
@require_safe
@describes(
    Operation(
        people_wire.PeopleShape,
        query=(ListPeriodForm, PeopleForm),
        problems=(listing.PeopleUnavailable,),
    )
)
def people_api(request: IdentifiedRequest) -> HttpResponse:
    """Who is in a step, or was lost at it, newest first, 25 at a time."""
    period_form = ListPeriodForm(request.GET)
    chosen = period_form.chosen
    form = PeopleForm(request.GET)
    refuse_errors(period_form, form)
    wanted = form.wanted(chosen.period)
    page = listing.page_of_people(wanted, after=form.place)
    return json_answer(people_wire.people(wanted, page, as_of=timezone.now()))


_PEOPLE_COLUMNS = (
    _("Имя"),
    _("Телефон"),
    _("Почта"),
    _("Источник"),
    _("Как записан"),
    _("Оставил контакты"),
    _("Письмо отправлено"),
    _("Переход из письма"),
    _("SMS отправлена"),
    _("Покупка"),
)
# At the end, and only where something has ever written it.
_OPENED = _("Письмо открыто (записала рассылка)")


@role_required("admin")
@require_GET
def people_csv(request: IdentifiedRequest) -> HttpResponseBase:
    """Exactly those who are filtered, as Excel with Russian settings opens them."""
    period_form = ListPeriodForm(request.GET)
    chosen = period_form.chosen
    form = PeopleForm(request.GET)
    refuse_errors(period_form, form)
    wanted = form.wanted(chosen.period)
    found, with_openings = listing.everybody(wanted), listing.openings_are_written()
    name = _file_name("people", wanted.step, *(["lost"] if wanted.lost else ()), chosen=chosen)
    return csv_export.csv_file(
        name,
        [*_PEOPLE_COLUMNS, _OPENED] if with_openings else _PEOPLE_COLUMNS,
        (_row(one, with_openings=with_openings) for one in found),
        **_days(chosen),
        step=wanted.step.value,
        lost=wanted.lost,
        sources=list(wanted.sources),
        searched=bool(wanted.text),
    )


def _row(person: listing.Person, *, with_openings: bool) -> list[csv_export.Cell]:
    events = (person.emailed, person.clicked, person.texted, person.bought)
    return [
        person.name,
        person.phone_to_dial,
        person.email,
        readable(person.source),
        person.source,
        person.created_at,
        *(_cell(event) for event in events),
        *([person.opened.at] if with_openings else ()),
    ]


def _cell(event: listing.Event) -> csv_export.Cell:
    if not event.happened:
        return None
    return event.at or _now("да, время неизвестно")


# --- Who bought more than once -----------------------------------------------------------------


@role_required("admin")
@require_safe
def duplicates_page(request: IdentifiedRequest) -> HttpResponse:
    period_form = ListPeriodForm(request.GET)
    chosen = period_form.chosen
    form = DuplicatesForm(request.GET, sources=listing.sources_of(chosen.period))
    sources = form.chosen_sources
    page = duplicates.page_of_duplicates(
        chosen.period, sources=sources, number=form.number, of_one=_SHOWN_OF_ONE
    )
    count = len(sources)
    noun = plural(count, "источник,источника,источников")
    context = {
        **_page_of(request, period_form, form, chosen, ("source",)),
        "asked": f"{count} {noun}" if sources else _now("все источники"),
        "page": page,
        "as_of": page.as_of,
        "sentence": words.of_duplicates(chosen.period, page.check),
        "found": words.who_bought_twice(page),
        "nobody": words.nobody_bought_twice(page, chosen_sources=bool(sources)),
        "printed": words.printed_duplicates(page),
        "buyers": rows.of_buyers(page.buyers, chosen.period),
        "silent": incomplete_in(chosen.period, only_kept=True).notices,
        "kept_beside_form": parameters(request.GET, *_PERIOD, *LOOK),
        "navigation": _navigation("funnel-duplicates", request, chosen, sources),
    }
    status = 400 if period_form.errors or form.errors else 200
    return render(request, "funnel/duplicates.html", context, status=status)


@role_required("admin")
@require_safe
@describes(
    Operation(
        people_wire.DuplicatesShape,
        query=(ListPeriodForm, DuplicatesForm),
        problems=(listing.PeopleUnavailable,),
    )
)
def duplicates_api(request: IdentifiedRequest) -> HttpResponse:
    """Who bought more than once, of these sources taken together."""
    period_form = ListPeriodForm(request.GET)
    chosen = period_form.chosen
    form = DuplicatesForm(request.GET)
    refuse_errors(period_form, form)
    sources = form.chosen_sources
    page = duplicates.page_of_duplicates(chosen.period, sources=sources, number=form.number)
    return json_answer(people_wire.duplicates(chosen.period, sources, page))


_DUPLICATES_COLUMNS = (
    _("Человек"),
    _("Покупок у него"),
    _("Имя"),
    _("Телефон"),
    _("Почта"),
    _("Источник"),
    _("Как записан"),
    _("Оставил контакты"),
    _("Покупка"),
)


@role_required("admin")
@require_GET
def duplicates_csv(request: IdentifiedRequest) -> HttpResponseBase:
    """Every purchase of every person who bought more than once; a person is a number."""
    period_form = ListPeriodForm(request.GET)
    chosen = period_form.chosen
    form = DuplicatesForm(request.GET)
    refuse_errors(period_form, form)
    buyers = duplicates.all_duplicates(chosen.period, sources=form.chosen_sources)
    bought = (_bought(buyer, purchase) for buyer in buyers for purchase in buyer.rows)
    name = _file_name("duplicates", chosen=chosen)
    sources = list(form.chosen_sources)
    return csv_export.csv_file(name, _DUPLICATES_COLUMNS, bought, **_days(chosen), sources=sources)


def _bought(buyer: duplicates.RepeatBuyer, purchase: duplicates.Purchase) -> list[csv_export.Cell]:
    return [
        buyer.place,
        buyer.purchases,
        purchase.name,
        purchase.phone_to_dial,
        purchase.email,
        readable(purchase.source),
        purchase.source,
        purchase.created_at,
        purchase.bought_at or _now("время неизвестно"),
    ]


# --- What they share ---------------------------------------------------------------------------


def _page_of(
    request: IdentifiedRequest,
    period_form: ListPeriodForm,
    form: SourcesForm,
    chosen: ChosenPeriod,
    names: tuple[str, ...],
) -> dict[str, object]:
    """What a page needs to keep the question in its links and forms."""
    query, sources = request.GET, form.chosen_sources
    return {
        "period_form": period_form,
        "form": form,
        # What is wrong in the address is told where the page asks for it, so that stands open.
        "is_misunderstood": bool(period_form.errors or set(form.errors) - {"q", "after", "page"}),
        "chosen": chosen,
        "chips": [
            Link(changed(query, source=[other for other in sources if other != one]), readable(one))
            for one in sources
        ],
        "every_source": changed(query, source=None) if len(sources) > 1 else "",
        "filter_query": urlencode(parameters(query, *names, *LOOK)),
        "list_query": urlencode(parameters(query, *_PERIOD, *names, *LOOK)),
        "kept": parameters(query, *names, *LOOK),
    }


def _navigation(
    page: str, request: IdentifiedRequest, chosen: ChosenPeriod, sources: Iterable[str]
) -> list[Link]:
    """The funnel's pages, asked for these days and sources.

    Those of figures know no "all time": these are days to them, or their own default where they are
    too many.
    """
    days = chosen.query
    if chosen.preset is Preset.ALL:
        period = chosen.period
        told = {"from": period.first_day.isoformat(), "to": period.last_day.isoformat()}
        days = urlencode(told) if period.days <= LONGEST_DAYS else ""
    kept = [*(("source", one) for one in sources), *parameters(request.GET, *LOOK)]
    return navigation(page, joined(days, kept))


def _file_name(*what: str, chosen: ChosenPeriod) -> str:
    return f"{'-'.join(what)}-{chosen.period.first_day}_{chosen.period.last_day}.csv"


def _groups() -> list[tuple[str, list[tuple[str, object]]]]:
    """The steps to choose from, by the two ways to count."""
    ways = (
        (_now("Этапы отчёта"), Counting.REPORTED),
        (_now("Путь прошедших тест"), Counting.COHORT),
    )
    return [
        (name, [(stage.id.value, stage.title) for stage in STAGES_OF[way]]) for name, way in ways
    ]


def _days(chosen: ChosenPeriod) -> dict[str, object]:
    period = chosen.period
    return {"first_day": str(period.first_day), "last_day": str(period.last_day)}
