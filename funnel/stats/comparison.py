"""What a figure is compared with, and what may be said of the difference. One rule for funnel and
cabinet alike:

- equal exposure: an unfinished span is compared up to the same moment of the other one, spans of
  unequal length by their rate a day; sign and per cent are those of what was tested;
- equal age: what happens to a lead after it came is compared only at an age that the leads of both
  spans have reached (`Cuts`);
- one promise for all pages of a question: with nothing changed, in one case of twenty at most is
  there a mark on any of them. Each kind of marks has its share of `chance.LEVEL` (`SHARES`), and
  each figure an equal part of that (Bonferroni; O. J. Dunn, JASA 56 (1961), 52–64), whatever their
  number. Counts and proportions are tested with the spread from day to day that the days at hand
  show (`Noise`).
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from funnel.stats import chance, overdispersion
from funnel.stats.overdispersion import CAUTIOUS_SPREAD
from funnel.stats.spans import Spans


class Verdict(StrEnum):
    """What a test says of a difference. All but the first two say why there is no verdict."""

    BEYOND_CHANCE = "beyond-chance"
    WITHIN_CHANCE = "within-chance"
    NOT_A_PROPORTION = "not-a-proportion"
    PERIODS_OVERLAP = "periods-overlap"
    PERIOD_UNFINISHED = "period-unfinished"
    TOO_YOUNG = "too-young"
    TOO_FEW = "too-few"
    NO_DATA = "no-data"


class Section(StrEnum):
    """A group of marks on one of the funnel's pages."""

    HEADLINE = "headline"
    PATH = "path"
    SOURCES = "sources"
    SOURCE_AGAINST_OTHERS = "source-against-others"
    OVER_TIME = "over-time"
    TIME_TO_BUY = "time-to-buy"
    UTM = "utm"
    MARK_AGAINST_OTHERS = "mark-against-others"


# The share of false marks that each section may have: of all pages together, since the API tells
# them at once. Decisions are made by the headline.
SHARES = {
    Section.HEADLINE: 0.45,
    Section.PATH: 0.05,
    Section.SOURCES: 0.1,
    Section.SOURCE_AGAINST_OTHERS: 0.1,
    Section.OVER_TIME: 0.1,
    Section.TIME_TO_BUY: 0.1,
    Section.UTM: 0.05,
    Section.MARK_AGAINST_OTHERS: 0.05,
}


def level_of(section: Section, marks: int) -> float:
    """The p-value below which one of this many figures of a section is called changed."""
    return chance.LEVEL * SHARES[section] / max(1, marks)


@dataclass(frozen=True, slots=True)
class Noise:
    """How figures spread from day to day, as `funnel.stats.overdispersion` estimates it.

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
class Tested:
    """The two counts that a verdict is about, and the days in which they came."""

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
        """The number of leads above what the compared rate a day would have brought."""
        if self.tested is None:
            return None
        of = self.tested
        return round(of.now - of.before * of.days / of.days_before)

    @property
    def percent(self) -> Decimal | None:
        """The change of the rate a day in percent; None where there was nothing before."""
        if self.tested is None or not self.tested.before:
            return None
        of = self.tested
        rate, before = of.now / of.days, of.before / of.days_before
        return _rounded((rate / before - 1) * 100)

    @property
    def sign(self) -> int:
        """1 for more a day, -1 for less, 0 without a verdict or a change."""
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
        """Whether the two spans differ in length."""
        return self.tested is not None and abs(self.tested.days - self.tested.days_before) > 1e-9


@dataclass(frozen=True, slots=True)
class Rate:
    """A conversion: `part` ÷ `whole` in percent, and the same of the compared period up to the same
    moment; None where there is no whole, or nothing to compare with.

    `tested` and `tested_before` are what was compared, in percent: the conversions at equal age.
    Only where every one of the part is one of the whole is it a proportion, with an `interval`
    (`funnel.stats.chance.wilson`) and a test. The report's stages are counted each for itself, so
    e-mails ÷ visitors, which can be 109 %, are a ratio of two counts and no more.
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
        """1 for a higher conversion, -1 for a lower one, 0 without a change or a comparison."""
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
        """The interval's upper end, in percent."""
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
    """A count with its change.

    `tested` holds leads cut by exposure or, with `aged`, by age. An amount is tested as the number
    of what it stands for.
    """
    if spans.before_data:
        return Counted(shown.now, None, None, Verdict.NO_DATA, None)
    days, days_before = spans.aged if aged else spans.exposed
    unsaid = no_verdict_reason(spans, aged=aged)
    if unsaid is Verdict.PERIOD_UNFINISHED:
        # In no time nobody can have come, so this says nothing about the time before.
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
    """A conversion with its change. `noise` is the inflation of its variance."""
    unsaid = no_verdict_reason(spans, aged=aged)
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
    """A row's conversion compared with that of all other rows together, in percent, at equal age.

    There is no verdict on too few leads: even if all of them had bought, or none, chance would
    explain it.
    """

    others: Decimal
    is_higher: bool
    verdict: Verdict
    p_value: float | None


def against_others(
    spans: Spans, one: tuple[int, int], all_rows: tuple[int, int], *, noise: float
) -> AgainstOthers | None:
    """Compares a row's part and whole with those of everything; None where the row or the rest is
    empty.
    """
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


def share(part: int, whole: int, *, decimals: int) -> Decimal:
    """`part` ÷ `whole` in percent, rounded half up to `decimals`; 0 where there is no whole."""
    exact = Decimal(part) * 100 / whole if whole else Decimal(0)
    return exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def no_verdict_reason(spans: Spans, *, aged: bool) -> Verdict | None:
    """Why there can be no verdict on any difference between these days."""
    if spans.before_data:
        return Verdict.NO_DATA
    if not spans.exposed[0].days or not spans.exposed[1].days:
        return Verdict.PERIOD_UNFINISHED
    if aged and not (spans.aged[0].days and spans.aged[1].days):
        return Verdict.TOO_YOUNG
    return Verdict.PERIODS_OVERLAP if spans.overlap else None


def verdict_of(spans: Spans, p_value: float | None) -> Verdict:
    """The verdict of a p-value on a difference between these days."""
    if p_value is None:
        return Verdict.NO_DATA
    return Verdict.BEYOND_CHANCE if p_value < spans.level else Verdict.WITHIN_CHANCE


def _rounded(percent: float) -> Decimal:
    """Rounded to tenths, or further where tenths mean nothing."""
    # Adding zero turns minus zero into zero.
    rounded = Decimal(percent).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP) + 0
    return rounded if abs(rounded) < 10 else rounded.quantize(Decimal(1), rounding=ROUND_HALF_UP)


def _sign(value: float | Decimal) -> int:
    return (value > 0) - (value < 0)


def _in_percent(share_of_one: float) -> Decimal:
    return Decimal(share_of_one * 100).quantize(Decimal("0.1"))
