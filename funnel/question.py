"""A question to the funnel: which days, compared with which, of which sources, counted how.

One value, made from an address by one form, is handed to every answer.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django import forms
from django.conf import settings
from django.core.cache import cache
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from funnel.report.counts.counting import Window, ids_of
from funnel.stages import Counting, StageId
from funnel.stats.spans import AGE, Compare, Cuts, Spans, compared_with, cuts
from funnel.web.source_choice import SourcesField, SourcesForm
from onai.periods import Period, Unit
from onai.web.address_form import refuse_errors
from onai.web.period_form import ChosenPeriod, PeriodForm, Preset, chosen_period

LONGEST_DAYS = 3 * 365 + 1
PRESETS = tuple(preset for preset in Preset if preset is not Preset.ALL)
_MOMENT = "funnel:moment"


def shared_moment() -> datetime:
    """The moment (UTC) up to which an unfinished span is compared with the same part of another.

    It is a part of the statement, and answers are kept by their question: so all questions share
    one of the last `FUNNEL_CACHE_SECONDS`. The figures shown are of now.
    """
    now, seconds = timezone.now().timestamp(), settings.FUNNEL_CACHE_SECONDS
    kept = cache.get(_MOMENT) if seconds else None
    if not isinstance(kept, int | float) or not kept <= now < kept + seconds:
        kept = now
        if seconds:
            cache.set(_MOMENT, kept, seconds)
    return datetime.fromtimestamp(kept, UTC)


@dataclass(frozen=True, slots=True)
class FunnelQuestion:
    """The question. Without `sources` it is about all; "" stands for leads without one.

    An unfinished period is compared up to `moment`.
    """

    period: Period
    compare: Compare = Compare.PREVIOUS
    sources: tuple[str, ...] = ()
    counting: Counting = Counting.REPORTED
    unit: Unit = Unit.DAY
    # The moment of the first lead, once known: earlier days are not compared.
    data_since: datetime | None = None
    moment: datetime = field(default_factory=shared_moment)

    @property
    def compared(self) -> Period:
        return compared_with(self.period, self.compare)

    def cuts(self, youngest: timedelta = AGE) -> Cuts:
        """Where the comparison cuts the two spans, of leads no younger than this age."""
        return cuts(self.period, self.compared, self.compare, self.moment, youngest=youngest)

    @property
    def spans(self) -> Spans:
        return Spans(self.period, self.compared, self.cuts(), self.data_since)

    def windows(self) -> tuple[Window, Window]:
        """What is counted of the period, and of the compared one up to the same moment."""
        at = self.cuts()
        return (
            Window(self.period, self.period.end, at.now, at.aged_now),
            Window(self.compared, at.before, at.before, at.aged_before),
        )

    @property
    def steps(self) -> tuple[StageId, ...]:
        """The steps of the way of counting, in order."""
        return ids_of(self.counting)


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

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query, longest_days=LONGEST_DAYS, presets=PRESETS)

    def clean_source(self) -> tuple[str, ...]:
        # In one order, so that the same question is the same SQL.
        return tuple(sorted(self.cleaned_data["source"]))

    @property
    def chosen(self) -> ChosenPeriod:
        """The period; the last 30 days where the address has none or an invalid one."""
        return chosen_period(self, default=Preset.THIRTY_DAYS)

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
    def as_asked(self) -> str:
        """The question in the words it was asked in: «30 дней» stays the same on another day."""
        question = self.question()
        told = (question.compare, question.counting, self.cleaned_data.get("by"))
        return repr((self.chosen.query, *map(str, told), question.sources))

    def strict_question(self) -> FunnelQuestion:
        """The question. Raises InvalidInput, with a sentence for each invalid field."""
        refuse_errors(self)
        return self.question()
