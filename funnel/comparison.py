"""What a figure is compared with, and what may be said of the difference. One rule for funnel and
cabinet alike:

- equal exposure: an unfinished span is compared up to the same moment of the other one, spans of
  unequal length by their rate a day; sign and per cent are those of what was tested;
- equal age: what happens to a lead after it came is compared only at an age that the leads of both
  spans have reached (`Cuts`);
- one promise for a page: with nothing changed, at most one page of twenty carries a mark. Each
  kind of marks has its share of `chance.LEVEL` (`SHARES`), and each figure an equal
  part of that (Bonferroni; O. J. Dunn, JASA 56 (1961), 52–64), whatever their number. Counts and
  proportions are tested with the spread from day to day that the days at hand show (`Noise`).
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from django.utils import timezone

from funnel import chance
from funnel.report import share
from funnel.stats import overdispersion
from funnel.stats.overdispersion import CAUTIOUS_SPREAD, Exposure
from onai.periods import Period, business_day

# At this age a lead's purchase has come, as a rule, if it comes at all.
AGE = timedelta(hours=72)
# Beyond this part of what is compared that was before the first lead there is, nothing is said.
_MOST_MISSING = 0.1
_DAY = timedelta(days=1)


class Compare(StrEnum):
    """With which days a period is compared."""

    PREVIOUS = "previous"
    LAST_MONTH = "last-month"
    LAST_YEAR = "last-year"


class Verdict(StrEnum):
    """What may be said of a difference. All but the first two: nothing, and why."""

    BEYOND_CHANCE = "beyond-chance"
    WITHIN_CHANCE = "within-chance"
    NOT_A_PROPORTION = "not-a-proportion"
    PERIODS_OVERLAP = "periods-overlap"
    PERIOD_UNFINISHED = "period-unfinished"
    TOO_YOUNG = "too-young"
    TOO_FEW = "too-few"
    NO_DATA = "no-data"


class Section(StrEnum):
    """A kind of marks that the funnel's page carries."""

    HEADLINE = "headline"
    SOURCES = "sources"
    SOURCE_AGAINST_OTHERS = "source-against-others"
    OVER_TIME = "over-time"
    TIME_TO_BUY = "time-to-buy"
    UTM = "utm"
    MARK_AGAINST_OTHERS = "mark-against-others"


# What of the promise each section may spend. The headline is what decisions are made by.
SHARES = {
    Section.HEADLINE: 0.5,
    Section.SOURCES: 0.1,
    Section.SOURCE_AGAINST_OTHERS: 0.1,
    Section.OVER_TIME: 0.1,
    Section.TIME_TO_BUY: 0.1,
    Section.UTM: 0.05,
    Section.MARK_AGAINST_OTHERS: 0.05,
}


def level_of(section: Section, marks: int) -> float:
    """Below this p-value each of so many figures of a section is called changed."""
    return chance.LEVEL * SHARES[section] / max(1, marks)


def compared_with(period: Period, compare: Compare) -> Period:
    """The period of equal length just before, or the same days of last month or of last year.

    A day that month does not have becomes its last one: 31 March is compared with 28 February.
    """
    first, last = period.first_day, period.last_day
    return Period(counterpart(first, period, compare), counterpart(last, period, compare))


def counterpart(day: date, period: Period, compare: Compare) -> date:
    """The day with which one of the period is compared."""
    match compare:
        case Compare.PREVIOUS:
            return day - timedelta(days=period.days)
        case Compare.LAST_MONTH:
            return _month_before(day)
        case Compare.LAST_YEAR:
            return _year_before(day)


def _month_before(day: date) -> date:
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=min(day.day, last.day))


def _year_before(day: date) -> date:
    if (day.month, day.day) == (2, 29):
        day = day.replace(day=28)
    return day.replace(year=day.year - 1)


@dataclass(frozen=True, slots=True)
class Cuts:
    """Up to which moments, excluded, leads of a period and of the compared one are compared.

    `now` and `before` cut by exposure: at `moment`, and at the same moment of the compared days.
    `aged_now` and `aged_before` leave out leads that have not reached `age`. What happened to a
    lead later than at that age does not count in a comparison.
    """

    moment: datetime
    now: datetime
    before: datetime
    aged_now: datetime
    aged_before: datetime
    age: timedelta

    @property
    def running(self) -> bool:
        """Whether the period was not over at the moment."""
        return self.now == self.moment

    @property
    def hours(self) -> int:
        return int(self.age.total_seconds()) // 3_600


def cuts(
    period: Period,
    compared: Period,
    compare: Compare,
    moment: datetime,
    *,
    youngest: timedelta = AGE,
) -> Cuts:
    """Where a comparison at `moment` cuts both spans.

    The age is `youngest`, or more where all leads of the period have reached it: whole days since
    the period ended, so that the same days give the same statement all day.
    """
    ended_before = moment - period.end.astimezone(moment.tzinfo)
    age = max(youngest, timedelta(days=ended_before.days))

    def cut(at: datetime) -> tuple[datetime, datetime]:
        if at >= period.end:
            return period.end, compared.end
        same = same_moment(at, period, compare)
        return at, min(compared.end, same)

    now, before = cut(moment)
    aged_now, aged_before = cut(moment - age)
    return Cuts(moment, now, before, aged_now, aged_before, age)


def same_moment(at: datetime, period: Period, compare: Compare) -> datetime:
    """The same moment of the compared days, by the clock on the wall."""
    local = timezone.localtime(at, timezone.get_default_timezone())
    day = local.date()
    other = counterpart(day, period, compare)
    if day > period.first_day and counterpart(day - _DAY, period, compare) == other:
        # A day that month does not have: all of its last one has been held against another.
        return Period.day(other).end
    return datetime.combine(other, local.time(), tzinfo=timezone.get_default_timezone())


@dataclass(frozen=True, slots=True)
class Noise:
    """How figures spread from day to day, as `funnel.stats.overdispersion` has it.

    `reached` and `conversions` are by step. A step's conversion is from the step before.
    """

    leads: float = CAUTIOUS_SPREAD
    purchases: float = CAUTIOUS_SPREAD
    reached: tuple[float, ...] = ()
    conversions: tuple[float, ...] = ()
    conversion: float = 1.0
    overall: float = 1.0
    share_of_leads: float = 1.0
    share_of_purchases: float = 1.0


@dataclass(frozen=True, slots=True)
class Spans:
    """The period of the figures and the one they are compared with, cut by `cuts`.

    `compared` is None where there are no such days. `data_since` is when the first lead there is
    came, where that is known. Below `level` a p-value is called a real difference. `exposed` is how
    long leads could come that are compared, now and before, and `aged` the same of leads that have
    reached the age: days before the first lead's are no part of it. `before_data` is whether too
    much of what would be compared was before anything was recorded.
    """

    period: Period
    compared: Period | None
    cuts: Cuts
    data_since: datetime | None = None
    level: float = chance.LEVEL
    before_data: bool = field(init=False, compare=False)
    exposed: tuple[Exposure, Exposure] = field(init=False, compare=False)
    aged: tuple[Exposure, Exposure] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        # Once, as every figure of a row asks for them.
        at = self.cuts
        object.__setattr__(self, "before_data", self._is_before_data())
        object.__setattr__(self, "exposed", self._exposures(at.now, at.before))
        object.__setattr__(self, "aged", self._exposures(at.aged_now, at.aged_before))

    def _is_before_data(self) -> bool:
        if self.compared is None:
            return True
        if self.data_since is None:
            return False
        compared = _days_until(self.compared, self.cuts.before)
        nothing_yet = self.data_since >= self.cuts.before
        return nothing_yet or self._days_before_data > compared * _MOST_MISSING

    def _exposures(self, now: datetime, before: datetime) -> tuple[Exposure, Exposure]:
        compared = _days_until(self.compared, before) if self.compared else 0.0
        recorded = max(0.0, compared - self._days_before_data)
        return Exposure.of(_days_until(self.period, now)), Exposure.of(recorded)

    @property
    def _days_before_data(self) -> int:
        """The first days of the compared ones that were over before the first lead came."""
        if self.compared is None or self.data_since is None:
            return 0
        return max(0, (business_day(self.data_since) - self.compared.first_day).days)

    @property
    def overlap(self) -> bool:
        """Figures that share leads are not independent, which every test requires."""
        return self.compared is not None and self.compared.last_day >= self.period.first_day

    @property
    def to_come(self) -> int:
        """The days of the period that are not over, the moment's among them."""
        today = business_day(self.cuts.moment)
        return max(0, min(self.period.days, (self.period.last_day - today).days + 1))

    @property
    def to_the_same_moment(self) -> bool:
        """Whether only a part of the compared days is compared, as the period is not over."""
        is_cut = self.compared is not None and self.cuts.before < self.compared.end
        return self.cuts.running and is_cut

    @property
    def too_young(self) -> bool:
        """Whether no lead has reached the age."""
        return not self.aged[0].days

    @property
    def some_too_young(self) -> bool:
        """Whether some leads have not."""
        return self.aged[0].days < self.exposed[0].days


def _days_until(period: Period, cut: datetime) -> float:
    """The days of a period that are before a moment, by the clock on the wall."""
    local = timezone.localtime(cut, timezone.get_default_timezone()).replace(tzinfo=None)
    since = (local - datetime.combine(period.first_day, time.min)) / _DAY
    return min(float(period.days), max(0.0, since))


@dataclass(frozen=True, slots=True)
class Tested:
    """The two counts that a verdict is of, and the days in which they came."""

    now: int
    before: int
    days: float
    days_before: float


@dataclass(frozen=True, slots=True)
class Counted:
    """A count, and the same count of the compared period up to the same moment; None where there is
    nothing to compare with.

    `tested` is what was compared, None where nothing may be compared: of equal exposure, and what
    comes after the lead at equal age. Change, per cent, p-value and verdict are its own.
    """

    now: int
    before: int | None
    tested: Tested | None
    verdict: Verdict
    p_value: float | None

    @property
    def difference(self) -> int | None:
        """How many more came than would have at the compared rate a day."""
        if self.tested is None:
            return None
        of = self.tested
        return round(of.now - of.before * of.days / of.days_before)

    @property
    def percent(self) -> Decimal | None:
        """By how many per cent the rate a day has changed; None where there was nothing."""
        if self.tested is None or not self.tested.before:
            return None
        of = self.tested
        rate, before = of.now / of.days, of.before / of.days_before
        return _rounded((rate / before - 1) * 100)

    @property
    def sign(self) -> int:
        """1 for more a day, -1 for less, 0 where nothing is said or it is the same."""
        if self.tested is None:
            return 0
        now, before = self.tested.now, self.tested.before
        return _sign(now * self.tested.days_before - before * self.tested.days)

    @property
    def compared_instead(self) -> tuple[int, int] | None:
        """What was compared, now and before, where the figures shown are others."""
        if self.tested is None or (self.tested.now, self.tested.before) == (self.now, self.before):
            return None
        return self.tested.now, self.tested.before

    @property
    def marked(self) -> int:
        """1 for ▲, -1 for ▼, 0 for neither."""
        return self.sign if self.verdict is Verdict.BEYOND_CHANCE else 0

    @property
    def is_same(self) -> bool:
        """Whether nothing has changed, neither in what was compared nor in what is shown."""
        return self.tested is not None and not self.sign and not self.compared_instead

    @property
    def by_rate(self) -> bool:
        """Whether the two spans are of unequal length."""
        return self.tested is not None and abs(self.tested.days - self.tested.days_before) > 1e-9


@dataclass(frozen=True, slots=True)
class Rate:
    """A conversion: `part` ÷ `whole` in percent, and the same of the compared period up to the same
    moment; None where there is no whole, or nothing to compare with.

    `tested` and `tested_before` are what was compared, in percent: the conversions at equal age.
    Only where every one of the part is one of the whole is it a proportion, with an `interval`
    (`funnel.chance.wilson`) and a test. The report's stages are counted each for itself, so e-mails
    ÷ visitors, which can be 109 %, are a ratio of two counts and no more.
    """

    part: int
    whole: int
    percent: Decimal | None
    before: Decimal | None
    tested: Decimal | None
    tested_before: Decimal | None
    verdict: Verdict
    p_value: float | None
    interval: chance.Interval | None

    @property
    def difference(self) -> Decimal | None:
        """In percentage points."""
        if self.tested is None or self.tested_before is None:
            return None
        return self.tested - self.tested_before

    @property
    def sign(self) -> int:
        return _sign(self.difference or 0)

    @property
    def compared_instead(self) -> tuple[Decimal, Decimal] | None:
        """What was compared, now and before, in percent, where the figures shown are others."""
        if self.tested is None or self.tested_before is None:
            return None
        compared = self.tested, self.tested_before
        return compared if compared != (self.percent, self.before) else None

    @property
    def marked(self) -> int:
        """1 for ▲, -1 for ▼, 0 for neither."""
        return self.sign if self.verdict is Verdict.BEYOND_CHANCE else 0

    @property
    def is_same(self) -> bool:
        """Whether nothing has changed, neither in what was compared nor in what is shown."""
        return self.difference is not None and not self.sign and not self.compared_instead

    @property
    def low(self) -> Decimal | None:
        """The interval's lower end, in percent."""
        return _in_percent(self.interval.low) if self.interval else None

    @property
    def high(self) -> Decimal | None:
        return _in_percent(self.interval.high) if self.interval else None


@dataclass(frozen=True, slots=True)
class Pair:
    """A number of the period's leads, and of the compared period's."""

    now: int
    before: int


@dataclass(frozen=True, slots=True)
class Shares:
    """A part and a whole, of the period's leads and of the compared period's."""

    part: Pair
    whole: Pair


def counted(
    spans: Spans, shown: Pair, tested: Pair, *, noise: float, aged: bool = False, worth: int = 1
) -> Counted:
    """A count with its change. `tested` is of leads cut by exposure or, with `aged`, by age.

    Something worth so much is tested as the number of what it stands for.
    """
    if spans.before_data:
        return Counted(shown.now, None, None, Verdict.NO_DATA, None)
    days, days_before = spans.aged if aged else spans.exposed
    unsaid = unsaid_of(spans, aged=aged)
    if unsaid is Verdict.PERIOD_UNFINISHED:
        # Of no time at all nobody can have come: that is not what there was before.
        return Counted(shown.now, None, None, unsaid, None)
    if unsaid is Verdict.TOO_YOUNG:
        return Counted(shown.now, shown.before, None, unsaid, None)
    compared = Tested(tested.now, tested.before, days.days, days_before.days)
    if unsaid is not None:
        return Counted(shown.now, shown.before, compared, unsaid, None)
    p_value = overdispersion.counts(
        round(tested.now / worth), round(tested.before / worth), days, days_before, noise
    )
    return Counted(shown.now, shown.before, compared, verdict_of(spans, p_value), p_value)


def rate(
    spans: Spans,
    shown: Shares,
    tested: Shares,
    *,
    is_proportion: bool,
    decimals: int,
    noise: float,
    aged: bool = True,
) -> Rate:
    """A conversion with its change; `noise` is the inflation of its variance."""
    unsaid = unsaid_of(spans, aged=aged)
    p_value, verdict = None, unsaid or Verdict.NOT_A_PROPORTION
    if is_proportion and not unsaid:
        p_value = overdispersion.proportions(
            tested.part.now, tested.whole.now, tested.part.before, tested.whole.before, noise
        )
        verdict = verdict_of(spans, p_value)
    comparable = unsaid in (None, Verdict.PERIODS_OVERLAP)

    def percent(part: int, whole: int) -> Decimal | None:
        return share(part, whole, decimals=decimals) if whole else None

    return Rate(
        part=shown.part.now,
        whole=shown.whole.now,
        percent=percent(shown.part.now, shown.whole.now),
        before=None if spans.before_data else percent(shown.part.before, shown.whole.before),
        tested=percent(tested.part.now, tested.whole.now) if comparable else None,
        tested_before=percent(tested.part.before, tested.whole.before) if comparable else None,
        verdict=verdict,
        p_value=p_value,
        interval=chance.wilson(shown.part.now, shown.whole.now) if is_proportion else None,
    )


@dataclass(frozen=True, slots=True)
class AgainstOthers:
    """A row's conversion against that of all other rows together, in percent, at equal age.

    Of too few leads nothing is said: even if all of them had bought, or none, chance would explain
    it.
    """

    others: Decimal
    is_higher: bool
    verdict: Verdict
    p_value: float | None


def against_others(
    spans: Spans, one: tuple[int, int], all_rows: tuple[int, int], *, noise: float
) -> AgainstOthers | None:
    """A row whose leads came so far, part and whole, of all that did; None where there is nobody in
    it, or nobody else."""
    (part, whole), rest = one, (all_rows[0] - one[0], all_rows[1] - one[1])
    p_value = overdispersion.proportions(part, whole, *rest, noise)
    if p_value is None:
        return None
    is_higher = part * rest[1] > rest[0] * whole
    at_most = overdispersion.proportions(whole if is_higher else 0, whole, *rest, noise)
    could_differ = min(p_value, at_most or 0) < spans.level
    return AgainstOthers(
        others=share(*rest, decimals=2),
        is_higher=is_higher,
        verdict=verdict_of(spans, p_value) if could_differ else Verdict.TOO_FEW,
        p_value=p_value,
    )


def unsaid_of(spans: Spans, *, aged: bool) -> Verdict | None:
    """Why nothing may be said of any difference between these days."""
    if spans.before_data:
        return Verdict.NO_DATA
    if not spans.exposed[0].days or not spans.exposed[1].days:
        return Verdict.PERIOD_UNFINISHED
    if aged and not (spans.aged[0].days and spans.aged[1].days):
        return Verdict.TOO_YOUNG
    return Verdict.PERIODS_OVERLAP if spans.overlap else None


def verdict_of(spans: Spans, p_value: float | None) -> Verdict:
    """What a test's answer says of a difference between these days."""
    if p_value is None:
        return Verdict.NO_DATA
    return Verdict.BEYOND_CHANCE if p_value < spans.level else Verdict.WITHIN_CHANCE


def _rounded(percent: float) -> Decimal:
    """In tenths, as far as they tell anything."""
    # Adding nothing makes a zero of what was rounded to minus zero.
    rounded = Decimal(percent).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP) + 0
    return rounded if abs(rounded) < 10 else rounded.quantize(Decimal(1), rounding=ROUND_HALF_UP)


def _sign(value: float | Decimal) -> int:
    return (value > 0) - (value < 0)


def _in_percent(share_of_one: float) -> Decimal:
    return Decimal(share_of_one * 100).quantize(Decimal("0.1"))
