"""The funnel in the wire format of the traffic dashboard, whose keys never change.

The keys of the report come first and are always as reported. Beside them stand the answers to
the question of the address. Percents are numbers from 0.
"""

from collections.abc import Collection
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from funnel.landing.freshness import Answer, Figures
from funnel.report.answers import FunnelAnswers, Topic
from funnel.report.over_time import Point
from funnel.report.purchase_days import PurchaseDay
from funnel.report.stage_report import FunnelReport, Stage, StageStatus
from funnel.report.steps import Step
from funnel.report.time_to_buy import Times
from funnel.report.utm import Mark
from funnel.stages import STAGES, Counting, StageId
from funnel.stats.comparison import Rate, Verdict
from funnel.stats.spans import Compare
from funnel.web.api.people_wire import DaysShape
from onai.periods import Unit
from onai.web.api.shapes import Merged, Moment, Seconds, Shape, Text

Number = Annotated[Decimal, PlainSerializer(float, float)]
_Rounded = Annotated[float, BeforeValidator(lambda value: round(value, 3))]


class StageShape(Shape):
    id: StageId
    title: str
    emoji: str
    description: str
    metrics: dict[str, int] = Field(
        description="`visitors` and `passed`; `views` and `avgValue`; `purchases` and `revenue`"
    )
    conversion_rate: int = Field(description="per cent of the stage before")
    status: StageStatus


class WarningShape(Shape):
    code: Literal["figures_stale"]
    message: Text
    as_of: Moment


class KeptShape(Shape):
    """Whether the figures are the last good ones: then with a header `Warning: 110`."""

    stale: bool
    warning: WarningShape | None = None


class StageAnswerShape(KeptShape):
    success: Literal[True]
    stage: StageShape


class ComparedShape(DaysShape):
    """The days compared with. What comes after a lead is compared of leads at least `ageHours` old,
    as at that age, by which `purchasesByThen` per cent of purchases have come."""

    days: int
    compare: Compare = Field(serialization_alias="with")
    until: Moment | None = Field(description="the same moment of them; null where the period ended")
    age_hours: int
    purchases_by_then: float | None


class PeriodShape(DaysShape):
    days: int


class TestedCount(Shape):
    """Two counts and the days in which they came, by whose rate they are compared."""

    now: int
    before: int
    days: _Rounded
    days_before: _Rounded


class CountShape(Shape):
    """`change`, `changePercent`, `pValue` and `verdict` are of what was `tested`. `before` is of
    the compared days up to the same moment, null where there is nothing to compare with."""

    now: int
    before: int | None
    difference: int | None = Field(serialization_alias="change")
    percent: Number | None = Field(serialization_alias="changePercent")
    verdict: Verdict
    p_value: float | None
    tested: TestedCount | None


class TestedRate(Shape):
    now: Number | None
    before: Number | None


class RateShape(Shape):
    """A conversion in per cent, null where nobody is to convert. One that is a proportion comes
    with its 95 % interval, `low` to `high`."""

    percent: Number | None = Field(serialization_alias="now")
    before: Number | None
    difference: Number | None = Field(serialization_alias="change")
    low: Number | None
    high: Number | None
    verdict: Verdict
    p_value: float | None
    tested: TestedRate

    @model_validator(mode="before")
    @classmethod
    def _of(cls, rate: Rate) -> Merged:
        tested = {"now": rate.tested, "before": rate.tested_before}
        return Merged(SimpleNamespace(tested=tested), rate)


class AgainstOthersShape(Shape):
    """A conversion against that of all others that were asked about; `too-few` where even none or
    all of its leads buying would have been chance."""

    others: Number
    verdict: Verdict
    p_value: float | None


class StepShape(Shape):
    id: StageId
    title: Text
    reached: CountShape
    conversion: RateShape | None = Field(description="of the step before")

    @model_validator(mode="before")
    @classmethod
    def _of(cls, step: Step) -> Merged:
        return Merged(step, STAGES[step.id])


class FunnelShape(Shape):
    leads: CountShape
    steps: tuple[StepShape, ...]
    purchases: CountShape
    outside_steps: int = Field(serialization_alias="purchasesOutsideSteps")
    revenue: CountShape
    conversion: RateShape = Field(description="purchases of all leads")
    overall: RateShape = Field(
        serialization_alias="overallConversion", description="purchases to those who took the test"
    )


class RowShape(FunnelShape):
    """A row that has a funnel of its own."""

    @model_validator(mode="before")
    @classmethod
    def _of(cls, row: Any) -> Merged:
        return Merged(row, row.funnel)


class SharesShape(RowShape):
    share_of_leads: RateShape
    share_of_revenue: RateShape


class SourceShape(SharesShape):
    source: str = Field(description="as the landing page wrote it, empty where it wrote none")
    name: Text
    against_others: AgainstOthersShape | None = Field(
        description="purchases of all leads, as reported, whichever way is counted"
    )


class OtherSourcesShape(SharesShape):
    """The sources beside the biggest 200, together."""

    count: int


class BucketShape(DaysShape):
    """A day, week or month of the period. `compared` is null where the other month has no such
    day."""

    is_cut: bool
    is_running: bool
    is_to_come: bool
    compared: PeriodShape | None


class PointShape(RowShape, BucketShape):
    @model_validator(mode="before")
    @classmethod
    def _of(cls, point: Point) -> Merged:
        return Merged(point.bucket, point.funnel)


class PurchaseDayShape(BucketShape):
    """Purchases made in a day, week or month, whenever their leads came."""

    now: int
    before: int | None

    @model_validator(mode="before")
    @classmethod
    def _of(cls, day: PurchaseDay) -> Merged:
        return Merged(day.bucket, day)


class QuartilesShape(Shape):
    """Times to buy in seconds."""

    purchases: int
    timed: int
    without_moment: int
    before_lead: int
    lower: Seconds | None = Field(serialization_alias="lowerSeconds")
    median: Seconds | None = Field(serialization_alias="medianSeconds")
    upper: Seconds | None = Field(serialization_alias="upperSeconds")


class TimesShape(QuartilesShape):
    """Direction, `changeSeconds` and verdict are of one rank statistic."""

    before: QuartilesShape | None
    shift: Seconds | None = Field(serialization_alias="changeSeconds")
    is_longer: bool | None
    verdict: Verdict
    p_value: float | None

    @model_validator(mode="before")
    @classmethod
    def _of(cls, times: Times) -> Merged:
        return Merged(times, times.now)


class SourceTimesShape(TimesShape):
    source: str
    name: Text

    @model_validator(mode="before")
    @classmethod
    def _of(cls, one: Any) -> Merged:
        return Merged(one, one.times, one.times.now)


class BucketTimesShape(TimesShape, BucketShape):
    @model_validator(mode="before")
    @classmethod
    def _of(cls, one: Any) -> Merged:
        return Merged(one.bucket, one.times, one.times.now)


class TimeToBuyShape(Shape):
    all: TimesShape
    by_source: tuple[SourceTimesShape, ...] = Field(serialization_alias="sources")
    over_time: tuple[BucketTimesShape, ...]


class MarkShape(RowShape):
    value: str
    against_others: AgainstOthersShape | None


class MarksShape(Shape):
    """One kind of UTM mark: its biggest values, the rest of them together, and leads without."""

    marked: tuple[MarkShape, ...] = Field(serialization_alias="values")
    without: Annotated[FunnelShape | None, BeforeValidator(lambda row: row and row.funnel)]
    there_are_more: bool
    others: FunnelShape | None


def _asked_for(description: str | None = None) -> Any:
    """A key that is there where it was asked for."""
    return Field(
        None, description=description, json_schema_extra=lambda schema: schema.pop("default")
    )


class FunnelAnswerShape(KeptShape):
    """The keys of the traffic dashboard are as reported, whatever `count` says; the others are the
    answers to the question."""

    success: Literal[True]
    stages: tuple[StageShape, ...]
    total_revenue: int
    total_conversions: int
    overall_conversion_rate: Number
    timestamp: Moment = Field(description="when the database counted")
    period: PeriodShape
    compared: ComparedShape
    source: tuple[str, ...]
    count: Counting
    by: Unit
    funnel: FunnelShape = _asked_for()
    sources: tuple[SourceShape, ...] = _asked_for("the biggest 200")
    other_sources: OtherSourcesShape | None = _asked_for()
    over_time: tuple[PointShape, ...] = _asked_for()
    purchase_days: tuple[PurchaseDayShape, ...] = _asked_for()
    time_to_buy: TimeToBuyShape = _asked_for()
    utm: dict[Mark, MarksShape] = _asked_for()
    path: FunnelShape = _asked_for("how far those came who took the test, whatever `count` says")


def funnel_answer(
    answered: Answer[FunnelAnswers], topics: Collection[Topic] = tuple(Topic)
) -> FunnelAnswerShape:
    """The report, and what is asked for about the question."""
    found = answered.figures
    report, question, come_by_age = found.report, found.question, found.come_by_age
    cuts = question.cuts()
    compared = {
        "compare": question.compare,
        "until": cuts.before if cuts.running else None,
        "age_hours": cuts.hours,
        "purchases_by_then": None if come_by_age is None else round(100 * come_by_age, 1),
    }
    answer = {
        "success": True,
        "stages": [_stage(report, one) for one in report.stages],
        "total_revenue": report.revenue,
        "total_conversions": report.purchases,
        "overall_conversion_rate": report.overall_conversion,
        "timestamp": report.as_of,
        "period": question.period,
        "compared": Merged(SimpleNamespace(**compared), question.compared),
        "source": question.sources,
        "count": question.counting,
        "by": question.unit,
    }
    about: dict[Topic, dict[str, object]] = {
        Topic.FUNNEL: {"funnel": found.funnel},
        Topic.SOURCES: {"sources": found.sources.rows, "other_sources": found.sources.others},
        Topic.OVER_TIME: {"over_time": found.over_time.points},
        Topic.PURCHASE_DAYS: {"purchase_days": found.purchase_days.days},
        Topic.TIME_TO_BUY: {"time_to_buy": found.time_to_buy},
        Topic.PATH: {"path": found.path},
        Topic.UTM: {"utm": {table.mark: table for table in found.utm}},
    }
    for topic in topics:
        answer |= about[topic]
    return FunnelAnswerShape.model_validate({**answer, **_kept(answered)})


def stage_answer(answered: Answer[FunnelAnswers], stage: StageId) -> StageAnswerShape:
    """One stage of the report."""
    report = answered.figures.report
    one = next(one for one in report.stages if one.id == stage)
    answer = {"success": True, "stage": _stage(report, one), **_kept(answered)}
    return StageAnswerShape.model_validate(answer)


def _kept(answered: Answer[Figures]) -> dict[str, Any]:
    if not answered.stale:
        return {"stale": False}
    told = {
        "code": "figures_stale",
        "message": answered.warning,
        "as_of": answered.figures.as_of,
    }
    return {"stale": True, "warning": told}


def _stage(report: FunnelReport, one: Stage) -> dict[str, Any]:
    stage = STAGES[one.id]
    metrics = {
        StageId.PROFTEST: {"visitors": one.reached, "passed": one.reached},
        StageId.EXPRESS: {"views": one.reached, "avgValue": report.price},
        StageId.PAYMENT: {"purchases": one.reached, "revenue": report.revenue},
    }
    return {
        "id": one.id,
        "title": stage.api_title,
        "emoji": stage.emoji,
        "description": str(stage.description),
        "metrics": metrics[one.id],
        "conversion_rate": one.conversion_rate,
        "status": one.status,
    }
