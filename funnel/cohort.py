"""The cohort: the leads that took the test in the period, and how far they have come since.

Each step is a subset of the one before, so every conversion is a proportion and nobody is counted
who came another way. It does not matter when a step happened, only when the lead came; so a young
cohort still grows, and its last steps look worse than they will be.
"""

from enum import StrEnum

from django.db.models import Q

from funnel.models import PURCHASED, TOOK_THE_TEST, WAS_EMAILED


class CohortStep(StrEnum):
    TESTED = "tested"
    EMAILED = "emailed"
    OPENED = "opened"
    CLICKED = "clicked"
    SMS = "sms"
    BOUGHT = "bought"


_EMAILED = TOOK_THE_TEST & WAS_EMAILED
# Mail programs that load no pictures hide the opening, but who followed the link has opened.
_OPENED = _EMAILED & (Q(email_opened_at__isnull=False) | Q(email_clicked=True))
# Every other flag is taken at its word: a buyer whom the steps do not lead to a purchase, say by
# an SMS that no click in an e-mail preceded, is told beside them (`bought_outside`), never lost.
_CLICKED = _OPENED & Q(email_clicked=True)
_SMS = _CLICKED & Q(sms_sent=True)

STEPS: dict[StrEnum, Q] = {
    CohortStep.TESTED: TOOK_THE_TEST,
    CohortStep.EMAILED: _EMAILED,
    CohortStep.OPENED: _OPENED,
    CohortStep.CLICKED: _CLICKED,
    CohortStep.SMS: _SMS,
    CohortStep.BOUGHT: _SMS & PURCHASED,
}
