"""The tables of the pages as files: the same figures, as plain numbers for a spreadsheet."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import chain

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from funnel.question import FunnelQuestion
from funnel.report.answers import FunnelAnswers, Topic
from funnel.report.steps import Funnel
from funnel.report.time_to_buy import Quartiles, Times
from funnel.stages import STAGES, Counting, StageId
from funnel.stats.comparison import AgainstOthers, Counted, Rate, Verdict
from funnel.web.wording import MARKS, METRICS
from onai.periods import Period
from onai.web.csv_export import Cell

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Table:
    columns: list[Text]
    rows: list[list[Cell]]


_DAYS: list[Text] = [_("С"), _("По")]
_COMPARED_DAYS: list[Text] = [_("Сравнение с"), _("Сравнение по")]
_AGAINST_OTHERS: list[Text] = [_("Из лида в покупку у остальных, %"), _("Против остальных")]


def _steps(found: FunnelAnswers) -> Table:
    columns: list[Text] = [
        _("Шаг"),
        _("За период"),
        _("Было"),
        _("Конверсия, %"),
        _("Была конверсия, %"),
    ]
    rows: list[list[Cell]] = [
        [
            str(STAGES[step.id].title),
            *_count(step.reached),
            *(_rate(step.conversion) if step.conversion else ["", ""]),
        ]
        for step in found.funnel.steps
    ]
    if found.question.counting is Counting.COHORT:
        rows.append([_now("Купили мимо шагов"), *_outside_steps(found.funnel), "", ""])
    return Table(columns, rows)


def _outside_steps(funnel: Funnel) -> list[Cell]:
    bought, before = funnel.steps[-1].reached, funnel.purchases.before
    if before is None or bought.before is None:
        return [funnel.outside_steps, None]
    return [funnel.outside_steps, before - bought.before]


def _headline(found: FunnelAnswers) -> Table:
    """What stands above the tables, with the conversions that the page has for this counting."""
    columns: list[Text] = [
        _("Показатель"),
        _("За период"),
        _("Было"),
        _("не меньше, %"),
        _("не больше, %"),
    ]
    funnel, no_interval = found.funnel, [None, None]
    counts = [(_("Выручка, ₸"), funnel.revenue), (_("Покупки"), funnel.purchases)]
    rates = [(_("Из теста в покупку, %"), funnel.overall)]
    if found.question.counting is Counting.REPORTED:
        counts.append((_("Лиды"), funnel.leads))
        rates.append((_("Из лида в покупку, %"), funnel.conversion))
    rows: list[list[Cell]] = [
        *([str(name), *_count(count), *no_interval] for name, count in counts),
        *(
            [str(name), *_rate(rate), _decimal(rate.low), _decimal(rate.high)]
            for name, rate in rates
        ),
    ]
    return Table(columns, rows)


def _sources(found: FunnelAnswers) -> Table:
    shares = _("Доля лидов, %"), _("Доля выручки, %")
    columns = [
        _("Источник"),
        _("Как записан"),
        *_funnel_columns(found.question),
        *_AGAINST_OTHERS,
        *(text for share in shares for text in (share, _before(share))),
    ]
    rows: list[list[Cell]] = [
        [
            row.name,
            row.source,
            *_funnel(found.question, row.funnel),
            *_against_others(row.against_others),
            *_rate(row.share_of_leads),
            *_rate(row.share_of_revenue),
        ]
        for row in found.sources.rows
    ]
    return Table(columns, rows)


def _utm(found: FunnelAnswers) -> Table:
    rows: list[list[Cell]] = [
        [
            str(MARKS[table.mark]),
            row.value or _now("без метки"),
            *_funnel(found.question, row.funnel),
            *_against_others(row.against_others),
        ]
        for table in found.utm
        for row in table.rows
    ]
    columns = [_("Метка"), _("Значение"), *_funnel_columns(found.question), *_AGAINST_OTHERS]
    return Table(columns, rows)


def _over_time(found: FunnelAnswers) -> Table:
    bought = str(METRICS["bought"])
    columns = [
        *_DAYS,
        *_COMPARED_DAYS,
        *_funnel_columns(found.question),
        bought,
        _before(bought),
        _("Неполный"),
    ]
    rows: list[list[Cell]] = [
        [
            *_days(point.bucket.period),
            *_days(point.bucket.compared),
            *_funnel(found.question, point.funnel),
            day.now,
            day.before,
            _now("да") if point.bucket.is_partial else "",
        ]
        for point, day in zip(found.over_time.points, found.purchase_days.days, strict=True)
    ]
    return Table(columns, rows)


def _time_to_buy(found: FunnelAnswers) -> Table:
    times, nothing = found.time_to_buy, _days(None)
    measures = [
        _("Покупки"),
        _("С отметкой времени"),
        _("Без отметки"),
        _("Отметка раньше лида"),
        _("Четверть быстрее, ч"),
        _("Половина быстрее, ч"),
        _("Три четверти быстрее, ч"),
    ]
    columns = [_("Чьи покупки"), *_DAYS, *_COMPARED_DAYS, *measures, *map(_before, measures)]
    rows: list[list[Cell]] = [
        [_now("Все"), *nothing, *nothing, *_times(times.all)],
        *([one.name, *nothing, *nothing, *_times(one.times)] for one in times.by_source),
        *(
            [
                _now("Все"),
                *_days(one.bucket.period),
                *_days(one.bucket.compared),
                *_times(one.times),
            ]
            for one in times.over_time
        ),
    ]
    return Table(columns, rows)


# Tables by name: the topic each needs, and the function that makes it.
TABLES: dict[str, tuple[tuple[Topic, ...], Callable[[FunnelAnswers], Table]]] = {
    "headline": ((), _headline),
    "steps": ((), _steps),
    "sources": ((Topic.SOURCES,), _sources),
    "over-time": ((Topic.OVER_TIME, Topic.PURCHASE_DAYS), _over_time),
    "time-to-buy": ((Topic.TIME_TO_BUY,), _time_to_buy),
    "utm": ((Topic.UTM,), _utm),
}


def _before(column: Text) -> Text:
    return _now("%(column)s, было") % {"column": column}


def _funnel_columns(question: FunnelQuestion) -> list[Text]:
    steps = [STAGES[step].title for step in _own_steps(question)]
    conversions = [
        _now("%(step)s, %% от шага выше") % {"step": STAGES[step].title}
        for step in question.steps[1:]
    ]
    counts = [
        *([_("Лиды")] if question.counting is Counting.REPORTED else []),
        *steps,
        *conversions,
        _("Все покупки"),
        _("Выручка, ₸"),
        _("Из лида в покупку, %"),
    ]
    with_before = [text for column in counts for text in (column, _before(column))]
    return [*with_before, _("не меньше, %"), _("не больше, %")]


def _own_steps(question: FunnelQuestion) -> tuple[StageId, ...]:
    """The steps that no other column counts: the report's payments are all purchases."""
    return question.steps[:-1] if question.counting is Counting.REPORTED else question.steps


def _funnel(question: FunnelQuestion, one: Funnel) -> list[Cell]:
    steps = one.steps[: len(_own_steps(question))]
    counts = [
        *([one.leads] if question.counting is Counting.REPORTED else []),
        *(step.reached for step in steps),
    ]
    conversions = [step.conversion for step in one.steps[1:] if step.conversion]
    return [
        *chain.from_iterable(map(_count, counts)),
        *chain.from_iterable(map(_rate, conversions)),
        *_count(one.purchases),
        *_count(one.revenue),
        *_rate(one.conversion),
        _decimal(one.conversion.low),
        _decimal(one.conversion.high),
    ]


def _count(count: Counted) -> list[Cell]:
    return [count.now, count.before]


def _rate(rate: Rate) -> list[Cell]:
    return [_decimal(rate.percent), _decimal(rate.before)]


def _against_others(one: AgainstOthers | None) -> list[Cell]:
    """Empty where the row or all the others have nobody."""
    if one is None:
        return ["", ""]
    unsaid = {
        Verdict.WITHIN_CHANCE: _now("обычное колебание"),
        Verdict.TOO_FEW: _now("слишком мало лидов"),
    }
    beyond = _now("выше") if one.is_higher else _now("ниже")
    return [_decimal(one.others), unsaid.get(one.verdict, beyond)]


def _times(times: Times) -> list[Cell]:
    now = _quartiles(times.now)
    return [*now, *(_quartiles(times.before) if times.before else [None] * len(now))]


def _quartiles(one: Quartiles) -> list[Cell]:
    return [
        one.purchases,
        one.timed,
        one.without_moment,
        one.before_lead,
        *map(_hours, (one.lower, one.median, one.upper)),
    ]


def _hours(time: timedelta | None) -> Decimal | None:
    return None if time is None else _decimal(Decimal(time.total_seconds() / 3600))


def _days(period: Period | None) -> list[Cell]:
    return [period.first_day, period.last_day] if period else [None, None]


def _decimal(value: Decimal | None) -> Decimal | None:
    """To two decimals, as the page has it at most."""
    if value is None:
        return None
    return value if value == value.to_integral() else value.quantize(Decimal("0.01"))
