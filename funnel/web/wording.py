"""What things of the funnel are called, on the page, in files and in the API."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from funnel.report.cohort import CohortStep
from funnel.report.counting import Counting
from funnel.report.question import Unit
from funnel.report.sources import SourceOrder
from funnel.report.stage_report import StageId
from funnel.report.utm import Mark
from funnel.stats.spans import Compare


@dataclass(frozen=True, slots=True)
class StepWording:
    """`api_title` is part of the wire format and never changes; the rest is for readers, `short`
    for the head of a column."""

    title: str | Promise
    short: str | Promise
    description: str | Promise
    counted: str | Promise
    emoji: str
    api_title: str = ""


_LEADS = _("лид,лида,лидов")
WORDING: dict[StrEnum, StepWording] = {
    StageId.PROFTEST: StepWording(
        api_title="ProfTest",
        emoji="🧪",
        title=_("Тест ProfTest"),
        short=_("Тест"),
        description=_("Прошли карьерный тест на лендинге таргетолога"),
        counted=_("посетитель,посетителя,посетителей"),
    ),
    StageId.EXPRESS: StepWording(
        api_title="Express Course Landing",
        emoji="📚",
        title=_("Предложение экспресс-курса"),
        short=_("Письма"),
        description=_("Отправлено письмо с предложением экспресс-курса"),
        counted=_("письмо,письма,писем"),
    ),
    StageId.PAYMENT: StepWording(
        api_title="Paid Express Course (5K)",
        emoji="💳",
        title=_("Оплата экспресс-курса"),
        short=_("Покупки"),
        description=_("Перешли по ссылке на оплату из SMS — это и считается покупкой"),
        counted=_("покупка,покупки,покупок"),
    ),
    CohortStep.TESTED: StepWording(
        emoji="🧪",
        title=_("Прошли тест"),
        short=_("Прошли тест"),
        description=_("Оставили контакты на странице теста в выбранные дни"),
        counted=_LEADS,
    ),
    CohortStep.EMAILED: StepWording(
        emoji="✉️",
        title=_("Отправлено письмо"),
        short=_("Письмо"),
        description=_("Из них — кому отправлено письмо с предложением курса"),
        counted=_LEADS,
    ),
    CohortStep.OPENED: StepWording(
        emoji="👀",
        title=_("Открыли письмо"),
        short=_("Открыли"),
        description=_("Кто перешёл по ссылке, тот и открыл, даже если открытие не отмечено"),
        counted=_LEADS,
    ),
    CohortStep.CLICKED: StepWording(
        emoji="👉",
        title=_("Перешли по ссылке"),
        short=_("Перешли"),
        description=_("Из открывших нажали на ссылку в письме"),
        counted=_LEADS,
    ),
    CohortStep.SMS: StepWording(
        emoji="📱",
        title=_("Отправлена SMS"),
        short=_("SMS"),
        description=_("Из перешедших — кому отправлена SMS со ссылкой на оплату"),
        counted=_LEADS,
    ),
    CohortStep.BOUGHT: StepWording(
        emoji="💳",
        title=_("Купили"),
        short=_("Купили"),
        description=_("Перешли по ссылке на оплату из SMS"),
        counted=_LEADS,
    ),
}

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
    SourceOrder.LEADS: _("По лидам"),
    SourceOrder.CONVERSION: _("По конверсии"),
    SourceOrder.NAME: _("По имени"),
}
MARKS: dict[Mark, str | Promise] = {
    Mark.CAMPAIGN: _("Кампании (utm_campaign)"),
    Mark.MEDIUM: _("Типы трафика (utm_medium)"),
    Mark.CONTENT: _("Объявления (utm_content)"),
}
