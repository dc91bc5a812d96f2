"""What a figure is compared with, and how it has changed: honestly, where chance explains it."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from funnel import chance
from funnel.report import share
from onai.periods import Period

# Beyond this part of a period that is still to come, its figures are not held against whole days;
# nor against days of which as much was before the first lead there is.
_MOST_UNFINISHED = 0.1


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
    TOO_FEW = "too-few"
    NO_DATA = "no-data"


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
class Spans:
    """The period of the figures and the one they are compared with, on the day `today`.

    `compared` is None where there are no such days. `data_since` is the day of the first lead there
    is, where that is known. `among` is of how many spans, looked at together, this is one.
    """

    period: Period
    compared: Period | None
    today: date
    data_since: date | None = None
    among: int = 1

    @property
    def level(self) -> float:
        """Below this p-value a difference is called real.

        Of many rows some differ by chance alone; Bonferroni's share of `chance.LEVEL` for each
        keeps the chance that any row is called changed though none is (O. J. Dunn, JASA 56 (1961),
        52–64).
        """
        return chance.LEVEL / self.among

    @property
    def overlap(self) -> bool:
        """Figures that share leads are not independent, which every test requires."""
        return self.compared is not None and self.compared.last_day >= self.period.first_day

    @property
    def to_come(self) -> int:
        """The days of the period that are not over, today among them."""
        return max(0, min(self.period.days, (self.period.last_day - self.today).days + 1))

    @property
    def before_data(self) -> bool:
        """Whether of the compared days too many were before anything was recorded."""
        if self.compared is None:
            return True
        if self.data_since is None:
            return False
        missing = (self.data_since - self.compared.first_day).days
        return missing > self.compared.days * _MOST_UNFINISHED

    @property
    def is_unfinished(self) -> bool:
        """Whether so much is to come that its figures cannot be held against whole days.

        Neither can its conversions: who came just now may still buy.
        """
        return self.to_come > self.period.days * _MOST_UNFINISHED


@dataclass(frozen=True, slots=True)
class Counted:
    """A count, and the same count of the compared period; None where there is nothing to compare
    with, and so no difference.

    `verdict` is of `funnel.chance.two_counts`, which takes their days into account.
    """

    now: int
    before: int | None
    verdict: Verdict
    p_value: float | None

    @property
    def difference(self) -> int | None:
        return None if self.before is None else self.now - self.before

    @property
    def percent(self) -> Decimal | None:
        """The difference in percent of what was before; None where there was nothing."""
        return share(self.now - self.before, self.before, decimals=0) if self.before else None

    def times(self, price: int) -> "Counted":
        """The same in tenge: what is so many times the count has changed for the same reason."""
        before = None if self.before is None else self.before * price
        return Counted(self.now * price, before, self.verdict, self.p_value)


@dataclass(frozen=True, slots=True)
class Rate:
    """A conversion: `part` ÷ `whole` in percent, and the same of the compared period; None where
    there is no whole, or nothing to compare with.

    Only where every one of the part is one of the whole is it a proportion, with an `interval`
    (`funnel.chance.wilson`) and a test (`two_proportions`). The report's stages are counted each
    for itself, so e-mails ÷ visitors, which can be 109 %, are a ratio of two counts and no more.
    """

    part: int
    whole: int
    percent: Decimal | None
    before: Decimal | None
    verdict: Verdict
    p_value: float | None
    interval: chance.Interval | None

    @property
    def difference(self) -> Decimal | None:
        """In percentage points."""
        if self.percent is None or self.before is None:
            return None
        return self.percent - self.before

    @property
    def low(self) -> Decimal | None:
        """The interval's lower end, in percent."""
        return _in_percent(self.interval.low) if self.interval else None

    @property
    def high(self) -> Decimal | None:
        return _in_percent(self.interval.high) if self.interval else None


def counted(spans: Spans, now: int, before: int) -> Counted:
    """A count with its change."""
    if spans.compared is None or spans.before_data:
        return Counted(now, None, Verdict.NO_DATA, None)
    if (unsaid := unsaid_of(spans)) is not None:
        return Counted(now, before, unsaid, None)
    p_value = chance.two_counts(now, spans.period.days, before, spans.compared.days)
    return Counted(now, before, verdict_of(spans, p_value), p_value)


def rate(
    spans: Spans,
    now: tuple[int, int],
    before: tuple[int, int],
    *,
    is_proportion: bool,
    decimals: int,
) -> Rate:
    """A conversion with its change; `now` and `before` are part and whole."""
    p_value, unsaid = None, unsaid_of(spans)
    if is_proportion and not unsaid:
        p_value = chance.two_proportions(*now, *before)
        verdict = verdict_of(spans, p_value)
    else:
        verdict = unsaid or Verdict.NOT_A_PROPORTION
    return Rate(
        part=now[0],
        whole=now[1],
        percent=share(*now, decimals=decimals) if now[1] else None,
        before=None if spans.before_data or not before[1] else share(*before, decimals=decimals),
        verdict=verdict,
        p_value=p_value,
        interval=chance.wilson(*now) if is_proportion else None,
    )


@dataclass(frozen=True, slots=True)
class AgainstOthers:
    """A row's conversion against that of all other rows together, in percent.

    `verdict` is of `two_proportions`, as one of so many rows. Of too few leads nothing is said:
    even if all of them had bought, or none, chance would explain it.
    """

    others: Decimal
    is_higher: bool
    verdict: Verdict
    p_value: float


def against_others(one: Rate, part: int, whole: int, *, among: int) -> AgainstOthers | None:
    """One of `among` rows, of all of which `part` of the `whole` came so far; None where there is
    nobody in it, or nobody else."""
    rest = part - one.part, whole - one.whole
    p_value = chance.two_proportions(one.part, one.whole, *rest)
    if p_value is None:
        return None
    is_higher = one.part * rest[1] > rest[0] * one.whole
    level = chance.LEVEL / among
    at_most = chance.two_proportions(one.whole if is_higher else 0, one.whole, *rest)
    could_differ = min(p_value, at_most or 0) < level
    return AgainstOthers(
        others=share(*rest, decimals=2),
        is_higher=is_higher,
        verdict=_verdict(p_value, level) if could_differ else Verdict.TOO_FEW,
        p_value=p_value,
    )


def unsaid_of(spans: Spans) -> Verdict | None:
    """Why nothing may be said of any difference between these days."""
    if spans.before_data:
        return Verdict.NO_DATA
    if spans.overlap:
        return Verdict.PERIODS_OVERLAP
    return Verdict.PERIOD_UNFINISHED if spans.is_unfinished else None


def verdict_of(spans: Spans, p_value: float | None) -> Verdict:
    """What a test's answer says of a difference between these days."""
    return Verdict.NO_DATA if p_value is None else _verdict(p_value, spans.level)


def _verdict(p_value: float, level: float) -> Verdict:
    return Verdict.BEYOND_CHANCE if p_value < level else Verdict.WITHIN_CHANCE


def _in_percent(share_of_one: float) -> Decimal:
    return Decimal(share_of_one * 100).quantize(Decimal("0.1"))
