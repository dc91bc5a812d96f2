"""What the stages are called, on the page and in the API."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from funnel.report import StageId


@dataclass(frozen=True, slots=True)
class StageWording:
    """`api_title` is part of the wire format and never changes; the rest is for readers."""

    api_title: str
    emoji: str
    title: str | Promise
    description: str | Promise
    counted: str | Promise


WORDING = {
    StageId.PROFTEST: StageWording(
        api_title="ProfTest",
        emoji="🧪",
        title=_("Тест ProfTest"),
        description=_("Прошли карьерный тест на посадочной странице таргетолога"),
        counted=_("посетитель,посетителя,посетителей"),
    ),
    StageId.EXPRESS: StageWording(
        api_title="Express Course Landing",
        emoji="📚",
        title=_("Предложение экспресс-курса"),
        description=_("Получили письмо с предложением экспресс-курса"),
        counted=_("просмотр,просмотра,просмотров"),
    ),
    StageId.PAYMENT: StageWording(
        api_title="Paid Express Course (5K)",
        emoji="💳",
        title=_("Оплата экспресс-курса"),
        description=_("Перешли по ссылке на оплату из SMS — это и считается покупкой"),
        counted=_("покупка,покупки,покупок"),
    ),
}
