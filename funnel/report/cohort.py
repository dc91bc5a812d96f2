"""The cohort: the leads that took the test in the period, and how far they have come since.

Each step is a subset of the one before, so every conversion is a proportion and nobody is counted
who came another way. It does not matter when a step happened, only when the lead came; so a young
cohort still grows, and its last steps look worse than they will be. Where cohorts are compared,
only what had happened by an age counts.
"""

from datetime import timedelta
from enum import StrEnum

from django.db.models import Q

from funnel.models import TOOK_THE_TEST, emailed, happened, purchased
from funnel.report.stage_report import StageId


class CohortStep(StrEnum):
    TESTED = "tested"
    EMAILED = "emailed"
    OPENED = "opened"
    CLICKED = "clicked"
    SMS = "sms"
    BOUGHT = "bought"


# A step of either way of counting.
StepId = StageId | CohortStep


def steps(age: timedelta | None = None) -> dict[StepId, Q]:
    """The steps in order; with an age, as far as leads had come by then."""
    was_emailed = TOOK_THE_TEST & emailed(age)
    followed = happened(Q(email_clicked=True), "email_clicked_at", age)
    # Mail programs that load no pictures hide the opening, but who followed the link has opened.
    opened = was_emailed & (
        happened(Q(email_opened_at__isnull=False), "email_opened_at", age) | followed
    )
    # Every other flag is taken at its word: a buyer whom the steps do not lead to a purchase, say
    # by an SMS that no click in an e-mail preceded, is told beside them (`bought_outside`), never
    # lost.
    clicked = opened & followed
    sms = clicked & happened(Q(sms_sent=True), "sms_sent_at", age)
    return {
        CohortStep.TESTED: TOOK_THE_TEST,
        CohortStep.EMAILED: was_emailed,
        CohortStep.OPENED: opened,
        CohortStep.CLICKED: clicked,
        CohortStep.SMS: sms,
        CohortStep.BOUGHT: sms & purchased(age),
    }
