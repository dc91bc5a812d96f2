"""The names of things in the funnel, on pages, in files and in the API."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from funnel.report.sources import SourceOrder
from funnel.report.utm import Mark
from funnel.stages import Counting
from funnel.stats.spans import Compare
from onai.periods import Unit

COMPARE: dict[Compare, str | Promise] = {
    Compare.PREVIOUS: _("с предыдущими днями"),
    Compare.LAST_MONTH: _("с теми же днями прошлого месяца"),
    Compare.LAST_YEAR: _("с теми же днями прошлого года"),
}
COUNTING: dict[Counting, str | Promise] = {
    Counting.REPORTED: _("все события"),
    Counting.COHORT: _("только прошедших тест"),
}
UNITS: dict[Unit, str | Promise] = {
    Unit.DAY: _("По дням"),
    Unit.WEEK: _("По неделям"),
    Unit.MONTH: _("По месяцам"),
}
ORDERS: dict[SourceOrder, str | Promise] = {
    SourceOrder.PURCHASES: _("По покупкам"),
    SourceOrder.LEADS: _("По заявкам"),
    SourceOrder.CONVERSION: _("По конверсии"),
    SourceOrder.NAME: _("По имени"),
}
METRICS: dict[str, str | Promise] = {
    "leads": _("Заявки"),
    "purchases": _("Покупки по дню заявки"),
    "bought": _("Покупки по дню покупки"),
    "conversion": _("Конверсия"),
    "revenue": _("Выручка"),
}
METRIC_HINTS: dict[str, str | Promise] = {
    "leads": "",
    "purchases": _("Покупка засчитана тому дню, когда пришла заявка."),
    "bought": _(
        "Покупка засчитана тому дню, когда её сделали, даже если заявка пришла раньше."
        " Покупок без времени здесь нет."
    ),
    "conversion": _("Какая доля заявок этого дня закончилась покупкой."),
    "revenue": _("Выручка засчитана тому дню, когда пришла заявка."),
}
SPLITS: dict[str, str | Promise] = {
    "source": _("По источникам"),
    "time": _("По времени"),
}
MARKS: dict[Mark, str | Promise] = {
    Mark.CAMPAIGN: _("Кампании (utm_campaign)"),
    Mark.MEDIUM: _("Типы трафика (utm_medium)"),
    Mark.CONTENT: _("Объявления (utm_content)"),
}

_LONGEST_MARK = 80


def shortened(mark: str) -> str:
    """The value of a UTM mark, which anybody can make as long as an address."""
    return mark if len(mark) <= _LONGEST_MARK else f"{mark[:_LONGEST_MARK]}…"
