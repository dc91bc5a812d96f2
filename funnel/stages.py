"""Every step of a lead's way, defined once: its condition, its texts and its place in the order.

There are two ways to count. *As reported*, each stage counts all leads of the period with its mark,
however they came: the definitions of the business's own report, where a stage can exceed the one
before. As a *cohort*, one follows the leads that took the test: each step is a subset of the one
before.

A message is an e-mail or an SMS, because one job sends both side by side. A click is one in either
of them, and the click in the SMS is the purchase. A flag that is null is false. Only the day a lead
came matters, not when a step happened. With an age, a mark counts only where it was set by the time
the lead had reached that age.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db.models import F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from funnel.models import TOOK_THE_TEST
from onai.templatetags.russian import nouns


class Counting(StrEnum):
    """The two ways to count."""

    REPORTED = "reported"
    COHORT = "cohort"


class StageId(StrEnum):
    """The stages of the report, then the steps of the cohort, each in order."""

    PROFTEST = "proftest"
    EXPRESS = "express"
    PAYMENT = "payment"
    TESTED = "tested"
    MESSAGED = "messaged"
    CLICKED = "clicked"
    BOUGHT = "bought"


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of one way to count.

    A lead is at it if it took the test (`needs_test`) and, where there are `marks`, has one of
    them: a flag of the lead, whose moment is in the column `<flag>_at`. `api_title` and `emoji`
    belong to the wire format; the other texts are for readers: `short` for the head of a column,
    `counted` for a number of leads, `lost` for those of the step before that are not at this one.
    """

    id: StageId
    marks: tuple[str, ...]
    needs_test: bool
    title: str | Promise
    short: str | Promise
    description: str | Promise
    counted: str
    lost: str | Promise = ""
    emoji: str = ""
    api_title: str = ""

    def condition(self, age: timedelta | None = None) -> Q:
        """The condition that a lead has the stage's mark, whatever else happened to it."""
        marked = Q()
        for flag in self.marks:
            marked |= happened(flag, age)
        return TOOK_THE_TEST & marked if self.needs_test else marked


def happened(flag: str, age: timedelta | None = None) -> Q:
    """The condition that a mark of a lead was set; with an age, when the lead was no older.

    A mark without a moment counts as set in time: some software writes no moment at all.
    """
    mark = Q(**{flag: True})
    if age is None:
        return mark
    in_time = Q(**{f"{flag}_at__lte": F("created_at") + age})
    return mark & (Q(**{f"{flag}_at": None}) | in_time)


_LEADS = nouns("заявка,заявки,заявок")
STAGES_OF: dict[Counting, tuple[Stage, ...]] = {
    Counting.REPORTED: (
        Stage(
            StageId.PROFTEST,
            marks=(),
            needs_test=True,
            api_title="ProfTest",
            emoji="🧪",
            title=_("Тест ProfTest"),
            short=_("Тест"),
            description=_("Прошли карьерный тест на лендинге таргетолога"),
            counted=nouns("посетитель,посетителя,посетителей"),
        ),
        Stage(
            StageId.EXPRESS,
            marks=("email_sent",),
            needs_test=False,
            api_title="Express Course Landing",
            emoji="📚",
            title=_("Предложение экспресс-курса"),
            short=_("Письма"),
            description=_("Отправлено письмо с предложением экспресс-курса"),
            counted=nouns("письмо,письма,писем"),
            lost=_("Прошли тест, но письмо с предложением им не отправлено"),
        ),
        Stage(
            StageId.PAYMENT,
            marks=("sms_clicked",),
            needs_test=False,
            api_title="Paid Express Course (5K)",
            emoji="💳",
            title=_("Оплата экспресс-курса"),
            short=_("Покупки"),
            description=_("Переход по ссылке из SMS, который отчёт считает покупкой"),
            counted=nouns("покупка,покупки,покупок"),
            lost=_("Им отправлено письмо с предложением, но они не купили"),
        ),
    ),
    Counting.COHORT: (
        Stage(
            StageId.TESTED,
            marks=(),
            needs_test=True,
            title=_("Прошли тест"),
            short=_("Прошли тест"),
            description=_("Прошли карьерный тест в выбранные дни"),
            counted=_LEADS,
        ),
        Stage(
            StageId.MESSAGED,
            marks=("email_sent", "sms_sent"),
            needs_test=True,
            title=_("Отправлено письмо или SMS"),
            short=_("Сообщение"),
            description=_("Прошли тест, и им отправлено предложение курса: письмо, SMS или оба"),
            counted=_LEADS,
            lost=_("Прошли тест, но ни письма, ни SMS им не отправлено"),
        ),
        Stage(
            StageId.CLICKED,
            marks=("email_clicked", "sms_clicked"),
            needs_test=True,
            title=_("Перешли по ссылке"),
            short=_("Перешли"),
            description=_(
                "Им отправлено предложение, и они перешли по ссылке из письма или из SMS"
            ),
            counted=_LEADS,
            lost=_("Предложение отправлено, но по ссылке не перешли"),
        ),
        Stage(
            StageId.BOUGHT,
            marks=("sms_clicked",),
            needs_test=True,
            title=_("Купили"),
            short=_("Купили"),
            description=_("Переход по ссылке из SMS, который отчёт считает покупкой"),
            counted=_LEADS,
            lost=_("Перешли по ссылке из письма, но не купили"),
        ),
    ),
}
# The marks of a lead that any stage uses.
FLAGS = tuple(
    dict.fromkeys(flag for way in STAGES_OF.values() for stage in way for flag in stage.marks)
)
STAGES = {stage.id: stage for way in STAGES_OF.values() for stage in way}
FIRST_STAGES = frozenset(way[0].id for way in STAGES_OF.values())


def steps_of(counting: Counting) -> tuple[StageId, ...]:
    """The steps of a way to count, in order."""
    return tuple(stage.id for stage in STAGES_OF[counting])


def way_of(stage: StageId) -> Counting:
    """The way of counting that a stage belongs to."""
    return next(way for way, stages in STAGES_OF.items() if STAGES[stage] in stages)


def is_at(stage: StageId, age: timedelta | None = None) -> Q:
    """The leads of a stage; in the cohort, those that have passed all earlier steps too."""
    if way_of(stage) is Counting.REPORTED:
        return STAGES[stage].condition(age)
    steps = STAGES_OF[Counting.COHORT]
    passed = Q()
    for step in steps[: steps.index(STAGES[stage]) + 1]:
        passed &= step.condition(age)
    return passed


def is_lost_at(stage: StageId) -> Q:
    """The leads of the stage before that are not at this one. None for the first stage."""
    stages = STAGES_OF[way_of(stage)]
    before = stages[stages.index(STAGES[stage]) - 1]
    return is_at(before.id) & ~STAGES[stage].condition()
