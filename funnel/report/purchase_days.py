"""Purchases on the day they were made, whenever the lead had come.

Only a purchase with a written moment has a day. All leads are searched, because somebody may buy
long after coming: so this is asked for alone, by the page that shows it.
"""

from dataclasses import dataclass

from funnel.models import TESTS
from funnel.report.buckets import Bucket
from funnel.report.counts.count_leads import CountedLeads, Plan
from funnel.report.counts.counting import Counts, Window
from funnel.report.counts.statement import Statement
from funnel.stages import Counting
from onai.periods import Period

_NAME = "purchase_days"
_BOUGHT = "bought"


@dataclass(frozen=True, slots=True)
class PurchaseDay:
    """The purchases made in a day, week or month. `before` are those of its compared days up to the
    same moment; None where there are none. Nothing is tested: their spread is not known.
    """

    bucket: Bucket
    now: int
    before: int | None


@dataclass(frozen=True, slots=True)
class PurchaseDays:
    """The buckets of the period, and their sums."""

    days: tuple[PurchaseDay, ...] = ()
    now: int = 0
    before: int | None = None


def add_purchase_days(made: Statement, plan: Plan) -> None:
    """Have the purchases counted by the piece of time in which they were made."""
    question = plan.question
    made.parameters |= {"bought_since": plan.pieces[0], "bought_until": plan.pieces[-1]}
    inside = "sms_clicked and sms_clicked_at >= %(bought_since)s"
    inside += " and sms_clicked_at < %(bought_until)s"
    if question.sources:
        made.parameters["of_sources"] = list(question.sources)
        inside += " and coalesce(source, '') = any(%(of_sources)s)"
    if question.counting is Counting.COHORT:
        inside += f" and starts_with(source, '{TESTS}')"
    piece = "width_bucket(sms_clicked_at, %(pieces)s::timestamptz[])"
    made.rows(_NAME, (piece, "count(*)"), f"from landing_leads where {inside} group by {piece}")


def read_purchase_days(found: CountedLeads) -> PurchaseDays:
    """The purchases, bucket by bucket."""
    plan = found.plan
    rows = ((piece, (count,)) for piece, count in found.rows[_NAME])
    bought = Counts(plan.pieces, (_BOUGHT,), rows)
    is_comparable = not plan.question.spans.before_data

    def of(window: Window, days: Period) -> int:
        shown = window.of(days)
        return bought.between(days.start, shown.shown)[_BOUGHT]

    days = tuple(
        PurchaseDay(
            bucket,
            of(plan.now, bucket.period),
            of(plan.before, bucket.compared) if bucket.compared and is_comparable else None,
        )
        for bucket in plan.buckets
    )
    return PurchaseDays(
        days,
        now=of(plan.now, plan.question.period),
        before=of(plan.before, plan.question.compared) if is_comparable else None,
    )
