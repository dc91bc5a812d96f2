"""The page's tables as files: the same figures, in plain numbers for a spreadsheet."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from funnel.answers import FunnelAnswers
from funnel.comparison import Rate
from funnel.over_time import Bucket
from funnel.question import FunnelQuestion
from funnel.steps import Funnel
from funnel.time_to_buy import Quartiles
from funnel.wording import MARKS, WORDING

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Table:
    columns: list[Text]
    rows: list[list[str]]


def _steps(found: FunnelAnswers) -> Table:
    columns: list[Text] = [
        _("Шаг"),
        _("Сейчас"),
        _("Было"),
        _("Конверсия, %"),
        _("Была конверсия, %"),
    ]
    rows = [
        [
            str(WORDING[step.id].title),
            str(step.reached.now),
            str(step.reached.before),
            _decimal(step.conversion.percent if step.conversion else None),
            _decimal(step.conversion.before if step.conversion else None),
        ]
        for step in found.funnel.steps
    ]
    return Table(columns, rows)


def _sources(found: FunnelAnswers) -> Table:
    columns = [
        _("Источник"),
        _("Как записан"),
        *_funnel_columns(found.question),
        _("Доля лидов, %"),
        _("Доля выручки, %"),
    ]
    rows = [
        [
            row.name,
            row.source,
            *_funnel(row.funnel),
            _decimal(row.share_of_leads),
            _decimal(row.share_of_revenue),
        ]
        for row in found.sources.rows
    ]
    return Table(columns, rows)


def _utm(found: FunnelAnswers) -> Table:
    rows = [
        [str(MARKS[table.mark]), row.value or _now("без метки"), *_funnel(row.funnel)]
        for table in found.utm
        for row in table.rows
    ]
    return Table([_("Метка"), _("Значение"), *_funnel_columns(found.question)], rows)


def _over_time(found: FunnelAnswers) -> Table:
    steps = [WORDING[step].title for step in found.question.steps]
    conversions = [_now("%(step)s, %%") % {"step": step} for step in steps[1:]]
    columns = [
        _("С"),
        _("По"),
        _("Лиды"),
        *steps,
        *conversions,
        _("Покупки"),
        _("Из лида в покупку, %"),
        _("Неполный"),
    ]
    rows = [
        [
            *_days(point.bucket),
            str(point.leads),
            *(str(step.reached) for step in point.steps),
            *(_decimal(step.conversion) for step in point.steps[1:]),
            str(point.purchases),
            _decimal(point.conversion),
            _now("да") if point.bucket.is_cut or point.bucket.is_running else "",
        ]
        for point in found.over_time.points
    ]
    return Table(columns, rows)


def _time_to_buy(found: FunnelAnswers) -> Table:
    times = found.time_to_buy
    columns: list[Text] = [
        _("Что"),
        _("Покупки"),
        _("С отметкой времени"),
        _("Без отметки"),
        _("Отметка раньше лида"),
        _("Четверть быстрее, ч"),
        _("Половина быстрее, ч"),
        _("Три четверти быстрее, ч"),
    ]
    named: Iterable[tuple[str, Quartiles]] = [
        (_now("Все"), times.all),
        (_now("Все, период сравнения"), times.before),
        *((one.name, one.quartiles) for one in times.by_source),
        *((" — ".join(_days(one.bucket)), one.quartiles) for one in times.over_time),
    ]
    return Table(columns, [[name, *_quartiles(one)] for name, one in named])


TABLES: dict[str, Callable[[FunnelAnswers], Table]] = {
    "steps": _steps,
    "sources": _sources,
    "over-time": _over_time,
    "time-to-buy": _time_to_buy,
    "utm": _utm,
}


def _funnel_columns(question: FunnelQuestion) -> list[Text]:
    return [
        _("Лиды"),
        _("Лиды, было"),
        *(WORDING[step].title for step in question.steps),
        _("Покупки"),
        _("Покупки, было"),
        _("Выручка, ₸"),
        _("Из лида в покупку, %"),
        _("не меньше, %"),
        _("не больше, %"),
    ]


def _funnel(one: Funnel) -> list[str]:
    return [
        str(one.leads.now),
        str(one.leads.before),
        *(str(step.reached.now) for step in one.steps),
        str(one.purchases.now),
        str(one.purchases.before),
        str(one.revenue.now),
        *_with_interval(one.conversion),
    ]


def _with_interval(rate: Rate) -> list[str]:
    return [_decimal(rate.percent), _decimal(rate.low), _decimal(rate.high)]


def _quartiles(one: Quartiles) -> list[str]:
    return [
        str(one.purchases),
        str(one.timed),
        str(one.without_moment),
        str(one.before_lead),
        *map(_hours, (one.lower, one.median, one.upper)),
    ]


def _hours(time: timedelta | None) -> str:
    return "" if time is None else _decimal(Decimal(time.total_seconds() / 3600))


def _days(bucket: Bucket) -> list[str]:
    return [_day(bucket.first_day), _day(bucket.last_day)]


def _day(day: date) -> str:
    return day.strftime("%d.%m.%Y")


def _decimal(value: Decimal | None) -> str:
    """With a comma, as a spreadsheet with Russian settings reads it."""
    if value is None:
        return ""
    rounded = value if value == value.to_integral() else value.quantize(Decimal("0.01"))
    return f"{rounded.normalize():f}".replace(".", ",")
