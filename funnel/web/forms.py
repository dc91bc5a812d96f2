"""The forms over the addresses of the funnel: the question, the sources, and what each page adds.

A missing or invalid value is the default on a page, and a refusal of the API.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from funnel.people import listing
from funnel.people.listing import PeopleFilter
from funnel.question import FunnelQuestion
from funnel.report.answers import Topic
from funnel.report.sources import SourceOrder
from funnel.report.utm import Mark
from funnel.stages import FIRST_STAGES, STAGES, Counting, StageId
from funnel.stats.spans import Compare
from funnel.web.picture import Metric
from onai.periods import Period, Unit
from onai.web.address_form import AddressForm, refuse_errors
from onai.web.paging import NumberedForm, PagedForm
from onai.web.period_form import PeriodForm, Preset

# The longest period that is counted, in days.
LONGEST_DAYS = 3 * 365 + 1
MOST_SOURCES = 50
_LONGEST_SOURCE = 500


class SourcesField(forms.Field):
    """The sources of an address, exactly as the landing pages wrote them, each once."""

    widget = forms.MultipleHiddenInput
    default_error_messages = {
        "unfit": _("Источников не больше %(most)s, и каждый — обычный текст."),
    }

    def __init__(self) -> None:
        super().__init__(label=_("Источники"), required=False)

    def clean(self, value: Any) -> tuple[str, ...]:
        sources: list[str] = value or []
        unfit = any("\0" in source or len(source) > _LONGEST_SOURCE for source in sources)
        if unfit or len(sources) > MOST_SOURCES:
            message = self.error_messages["unfit"]
            raise forms.ValidationError(message, "unfit", params={"most": MOST_SOURCES})
        return tuple(dict.fromkeys(sources))


class SourcesForm(AddressForm):
    """The chosen sources; none means all. `sources` are those to choose from."""

    parameters = {
        "source": "only these sources, exactly as written, up to 50; empty for leads without one"
    }

    source = SourcesField()

    def __init__(self, query: QueryDict, *, sources: Iterable[str] = ()) -> None:
        super().__init__(query)
        self._offered = tuple(sources)

    @property
    def chosen_sources(self) -> tuple[str, ...]:
        """The sources of the address; none where it has none or invalid ones."""
        self.is_valid()
        chosen: tuple[str, ...] = self.cleaned_data.get("source", ())
        return chosen

    @property
    def source_choices(self) -> list[str]:
        """The sources to choose from; chosen ones stay, even where none of their leads is left."""
        return list(dict.fromkeys([*self._offered, *self.chosen_sources]))


class QuestionForm(PeriodForm):
    """The question of an address. An invalid value is reported, and the default taken."""

    parameters = (
        PeriodForm.parameters
        | SourcesForm.parameters
        | {
            "compare": "the days to compare with: those just before (the default), or the same days"
            " of another month or year",
            "count": "`reported` (the default): each stage counts whoever has its mark; `cohort`:"
            " how far those came who took the test in the period",
            "by": "the parts of the period in `overTime`, weeks from Monday; by default what fits",
        }
    )
    default = Preset.THIRTY_DAYS
    presets = tuple(preset for preset in Preset if preset is not Preset.ALL)
    longest_days = LONGEST_DAYS

    compare = forms.ChoiceField(
        choices=[(one.value, one.value) for one in Compare],
        required=False,
        error_messages={
            "invalid_choice": _(
                "Сравнить можно с предыдущими днями (previous), с теми же днями прошлого месяца"
                " (last-month) или прошлого года (last-year)."
            )
        },
    )
    count = forms.ChoiceField(
        choices=[(one.value, one.value) for one in Counting],
        required=False,
        error_messages={
            "invalid_choice": _("Считать можно как в отчёте (reported) или когорту (cohort).")
        },
    )
    by = forms.ChoiceField(
        choices=[(one.value, one.value) for one in Unit],
        required=False,
        error_messages={
            "invalid_choice": _(
                "По времени можно смотреть по дням (day), по неделям (week) или по месяцам (month)."
            )
        },
    )
    source = SourcesField()

    def clean_source(self) -> tuple[str, ...]:
        # In one order, so that the same question is the same SQL.
        return tuple(sorted(self.cleaned_data["source"]))

    def question(self) -> FunnelQuestion:
        """The question, with the default for every missing or invalid value."""
        self.is_valid()
        cleaned, period = self.cleaned_data, self.chosen.period
        return FunnelQuestion(
            period=period,
            compare=Compare(cleaned.get("compare") or Compare.PREVIOUS),
            sources=cleaned.get("source") or (),
            counting=Counting(cleaned.get("count") or Counting.REPORTED),
            unit=Unit(cleaned.get("by") or period.fitting_unit),
        )

    @property
    def cache_key(self) -> str:
        """The question in the words it was asked in: «30 дней» stays the same on another day."""
        question = self.question()
        told = (question.compare, question.counting, self.cleaned_data.get("by"))
        return repr((self.chosen.query, *map(str, told), question.sources))

    def strict_question(self) -> FunnelQuestion:
        """The question. Raises InvalidInput, with a sentence for each invalid field."""
        refuse_errors(self)
        return self.question()


class PageForm(QuestionForm):
    """`?sort=leads&q=…` beside the question. Files and API take the order, and list all sources."""

    parameters = QuestionForm.parameters | {
        "sort": "the order of `sources`; by `conversion` is by the lower end of its interval, those"
        " of fewer than 10 leads last",
        "q": "of the page alone",
    }

    sort = forms.ChoiceField(
        choices=[(order.value, order.value) for order in SourceOrder],
        required=False,
        error_messages={
            "invalid_choice": _(
                "Источники можно расположить по покупкам (purchases), по лидам (leads),"
                " по конверсии (conversion) или по имени (name)."
            )
        },
    )
    q = forms.CharField(
        max_length=100,
        required=False,
        error_messages={"max_length": _("Искать источник можно не длиннее 100 знаков.")},
    )

    @property
    def order(self) -> SourceOrder:
        """The order of the sources; by purchases where the address has none or an invalid one."""
        self.is_valid()
        return SourceOrder(self.cleaned_data.get("sort") or SourceOrder.PURCHASES)

    @property
    def search(self) -> str:
        """The text that the shown sources contain; empty for all."""
        self.is_valid()
        return str(self.cleaned_data.get("q") or "")


class TableForm(NumberedForm, PageForm):
    """`?page=2`, and what to show: `?metric=revenue`, `?mark=medium`, `?rows=time`."""

    metric = forms.ChoiceField(choices=[(one.value, one.value) for one in Metric], required=False)
    mark = forms.ChoiceField(choices=[(one.value, one.value) for one in Mark], required=False)
    rows = forms.ChoiceField(choices=[("source", ""), ("time", "")], required=False)

    def chosen_or(self, name: str, default: str) -> str:
        """The value in the address; the default where it is missing or invalid."""
        self.is_valid()
        return str(self.cleaned_data.get(name) or default)


class IncludeField(forms.CharField):
    """`sources,overTime`: what the API tells beside the report; everything where it is empty."""

    def clean(self, value: Any) -> tuple[Topic, ...]:
        names = [name.strip() for name in super().clean(value).split(",") if name.strip()]
        if not set(names) <= set(Topic):
            message = _("Включить в ответ можно: %(known)s — через запятую.")
            raise forms.ValidationError(message, "unknown", params={"known": ", ".join(Topic)})
        return tuple(topic for topic in Topic if topic in names or not names)


class ApiForm(PageForm):
    """`?include=sources,overTime` beside what the pages take."""

    parameters = PageForm.parameters | {
        "include": "what is told beside the report, of `funnel`, `sources`, `overTime`,"
        " `purchaseDays`, `timeToBuy`, `utm` and `path`, separated by commas; everything by"
        " default",
    }

    include = IncludeField(required=False)

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The requested topics beside the report."""
        self.is_valid()
        topics: tuple[Topic, ...] = self.cleaned_data.get("include") or tuple(Topic)
        return topics


class PeopleForm(PagedForm, SourcesForm):
    """`?step=payment&lost=1&source=…&source=…&q=…&after=…`; an empty source means without one."""

    parameters = {
        **SourcesForm.parameters,
        **PagedForm.parameters,
        "step": "the step that they are in: of the report, each counted by itself, or of the path"
        " of those who took the test and passed every step before; `payment` by default",
        "lost": "those who are in the step before and not in this one",
        "q": "words, each of which is in the name, the e-mail or the phone",
    }

    step = forms.ChoiceField(
        label=_("Шаг"),
        required=False,
        choices=[(stage.id.value, stage.title) for stage in STAGES.values()],
        error_messages={"invalid_choice": _("Такого шага нет. Выберите из списка.")},
    )
    lost = forms.ChoiceField(
        label=_("Кого показать"),
        required=False,
        choices=[("", _("кто дошёл")), ("1", _("кто не дошёл"))],
        error_messages={"invalid_choice": _("Укажите 1 или ничего.")},
    )
    q = forms.CharField(
        label=_("Имя, телефон или почта"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocapitalize": "none"}),
    )

    def clean_q(self) -> str:
        return " ".join(self.cleaned_data["q"].split())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("lost") and cleaned.get("step") in FIRST_STAGES:
            self.add_error("lost", _("До первого шага терять некого."))
        return cleaned

    def wanted(self, period: Period) -> PeopleFilter:
        """The filter of the address; an invalid value filters nothing."""
        self.is_valid()
        chosen = self.cleaned_data
        return PeopleFilter(
            period=period,
            step=StageId(chosen.get("step") or StageId.PAYMENT),
            lost=bool(chosen.get("lost")),
            sources=self.chosen_sources,
            text=chosen.get("q") or "",
        )


class ListPeriodForm(PeriodForm):
    """The period of a list of persons, which may be all time."""

    default = Preset.THIRTY_DAYS
    longest_days = LONGEST_DAYS

    def first_day_of_all(self) -> date | None:
        return listing.first_day()


class DuplicatesForm(NumberedForm, SourcesForm):
    """`?source=…&source=…&page=2`."""

    parameters = {**SourcesForm.parameters, **NumberedForm.parameters}
