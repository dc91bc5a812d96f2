"""The two ways to count leads, and the tally of a group of leads by either of them.

*As reported*, every stage counts all leads of the period that have its mark, whichever way they
came: the definitions of the business's own report, where a stage can exceed the one before. As a
*cohort*, one follows the leads that took the test (see `funnel.cohort`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Count, Q, Value

from funnel import cohort
from funnel.models import PURCHASED, TOOK_THE_TEST, WAS_EMAILED
from funnel.report import StageId
from funnel.statement import JsonObject


class Counting(StrEnum):
    REPORTED = "reported"
    COHORT = "cohort"


@dataclass(frozen=True, slots=True)
class Way:
    """A way to count: among which leads, and by which mark one of them is at a step.

    `are_subsets` says that every step's leads are among those of the step before. `decimals` are
    those of a step's conversion.
    """

    everyone: Q
    steps: Mapping[StrEnum, Q]
    are_subsets: bool
    decimals: int


WAYS = {
    Counting.REPORTED: Way(
        # A lead has an id: all of them.
        everyone=Q(pk__isnull=False),
        steps={
            StageId.PROFTEST: TOOK_THE_TEST,
            StageId.EXPRESS: WAS_EMAILED,
            StageId.PAYMENT: PURCHASED,
        },
        are_subsets=False,
        decimals=0,
    ),
    Counting.COHORT: Way(everyone=TOOK_THE_TEST, steps=cohort.STEPS, are_subsets=True, decimals=1),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """A group of leads: how many, how many of them at each step, and how many bought at all."""

    leads: int
    reached: tuple[int, ...]
    purchases: int


def tally(counting: Counting, inside: Q) -> JsonObject:
    """Of the leads of a group, those `inside`; `read_tally` reads it."""
    way = WAYS[counting]
    among = way.everyone & inside
    counts = {
        "leads": Count("pk", filter=among),
        "purchases": Count("pk", filter=among & PURCHASED),
        **{step.value: Count("pk", filter=inside & mark) for step, mark in way.steps.items()},
    }
    return JsonObject(*(part for name, count in counts.items() for part in (Value(name), count)))


def read_tally(counting: Counting, row: Mapping[str, Any]) -> Tally:
    steps = WAYS[counting].steps
    return Tally(row["leads"], tuple(row[step.value] for step in steps), row["purchases"])
