"""The steps of a lead, each as a condition on its row: who is in it, and who was lost at it.

Two ways to count. The report's stages are counted each by itself (the definitions the business
reports with). The steps of a cohort are taken one after another by leads that took the test: who
is in one has passed all the steps before it. A flag that is null is false.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from funnel.models import PURCHASED, TOOK_THE_TEST, WAS_EMAILED

# Who clicked in the e-mail has opened it, also where the opening was not noticed.
OPENED = Q(email_opened_at__isnull=False) | Q(email_clicked=True)
CLICKED = Q(email_clicked=True)
WAS_TEXTED = Q(sms_sent=True)


class Step(StrEnum):
    PROFTEST = "proftest"
    EXPRESS = "express"
    PAYMENT = "payment"
    TESTED = "tested"
    EMAILED = "emailed"
    OPENED = "opened"
    CLICKED = "clicked"
    SMS = "sms"
    BOUGHT = "bought"


_REPORTED = {Step.PROFTEST: TOOK_THE_TEST, Step.EXPRESS: WAS_EMAILED, Step.PAYMENT: PURCHASED}
_COHORT = {
    Step.TESTED: TOOK_THE_TEST,
    Step.EMAILED: WAS_EMAILED,
    Step.OPENED: OPENED,
    Step.CLICKED: CLICKED,
    Step.SMS: WAS_TEXTED,
    Step.BOUGHT: PURCHASED,
}
REPORTED, COHORT = tuple(_REPORTED), tuple(_COHORT)
FIRST_STEPS = frozenset({REPORTED[0], COHORT[0]})


def is_in(step: Step) -> Q:
    """The leads of a step."""
    if step in _REPORTED:
        return _REPORTED[step]
    passed = Q()
    for one in COHORT[: COHORT.index(step) + 1]:
        passed &= _COHORT[one]
    return passed


def is_lost_at(step: Step) -> Q:
    """The leads of the step before that are not in this one. There is none before the first."""
    steps = REPORTED if step in _REPORTED else COHORT
    before = steps[steps.index(step) - 1]
    return is_in(before) & ~{**_REPORTED, **_COHORT}[step]


@dataclass(frozen=True, slots=True)
class StepWording:
    """What a step is called, and who is in its two lists."""

    title: str | Promise
    is_in: str | Promise
    is_lost: str | Promise = ""


STEP_WORDING = {
    Step.PROFTEST: StepWording(
        _("Тест ProfTest"),
        _("Прошли карьерный тест на лендинге таргетолога."),
    ),
    Step.EXPRESS: StepWording(
        _("Предложение экспресс-курса"),
        _("Им отправлено письмо с предложением курса, из какого бы источника они ни пришли."),
        _("Прошли тест, но письмо с предложением им не отправлено."),
    ),
    Step.PAYMENT: StepWording(
        _("Оплата экспресс-курса"),
        _("Перешли по ссылке на оплату из SMS — это и считается покупкой."),
        _("Им отправлено письмо с предложением, но они не купили."),
    ),
    Step.TESTED: StepWording(_("Прошли тест"), _("Прошли карьерный тест.")),
    Step.EMAILED: StepWording(
        _("Отправлено письмо"),
        _("Прошли тест, и им отправлено письмо с предложением."),
        _("Прошли тест, но письмо с предложением им не отправлено."),
    ),
    Step.OPENED: StepWording(
        _("Открыли письмо"),
        _("Прошли тест и открыли письмо с предложением."),
        _("Письмо с предложением отправлено, но его не открыли."),
    ),
    Step.CLICKED: StepWording(
        _("Перешли из письма"),
        _("Прошли тест, открыли письмо и перешли по ссылке в нём."),
        _("Открыли письмо, но по ссылке в нём не перешли."),
    ),
    Step.SMS: StepWording(
        _("Отправлена SMS"),
        _("Прошли тест, перешли из письма, и им отправлена SMS со ссылкой на оплату."),
        _("Перешли из письма, но SMS со ссылкой на оплату им не отправлена."),
    ),
    Step.BOUGHT: StepWording(
        _("Купили"),
        _("Прошли тест и все шаги после него и перешли по ссылке на оплату из SMS."),
        _("SMS со ссылкой на оплату отправлена, но по ней не перешли."),
    ),
}
