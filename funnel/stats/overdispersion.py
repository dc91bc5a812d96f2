"""Tests of counts and proportions that vary more from day to day than chance alone explains.

Campaigns bring leads in crowds. A day has a rate of its own, gamma-distributed around that of its
span, so a day's count is negative binomial with the variance `mean + spread * mean ** 2`. `spread`
is the square of the rates' coefficient of variation and is estimated from the days at hand; 0 is
Poisson. A proportion's variance is `inflation` times the binomial one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist

from funnel.stats import chance

# The spread assumed before a day is seen: a coefficient of variation of one half, as ad campaigns
# have, give or take twice as much.
CAUTIOUS_SPREAD = 0.25
_DOUBT = 0.5
# An estimate of the spread may be too low by chance, which would cause false marks. This many
# standard errors are added.
_MARGIN = 1.0
# Up to this many leads outcomes are summed one by one; beyond, they lie close enough together.
_MOST_SUMMED = 400
_REMEMBERED = 20_000
_NORMAL = NormalDist()
_CERTAIN = 1e-300


@dataclass(frozen=True, slots=True)
class Exposure:
    """How long leads could come: `days`, of which the last may be a part of one.

    `rates` is the number of independent daily rates that this is worth: a part of a day has a rate
    too.
    """

    days: float
    rates: float

    @classmethod
    def of(cls, days: float) -> "Exposure":
        """The exposure of this many days, of which the fraction is a part of the last one."""
        whole = int(days)
        part = days - whole
        weight = whole + part * part
        return cls(days, days * days / weight if weight else 0.0)


def spread_of(groups: Sequence[Sequence[int]], *, margin: float = _MARGIN) -> float:
    """The spread of daily counts. Each group holds days with one mean.

    The moments' estimate, drawn towards `CAUTIOUS_SPREAD` where few days are known, plus
    `margin` standard errors.
    """
    squares = means = weights = freedom = 0.0
    for days in groups:
        if len(days) < 2:
            continue
        mean, free = sum(days) / len(days), len(days) - 1
        squares += sum((count - mean) ** 2 for count in days)
        means += free * mean
        weights += free * mean * mean
        freedom += free
    if not weights:
        return CAUTIOUS_SPREAD
    estimate = max(0.0, (squares - means) / weights)
    # A typical group's mean, and how well its days determine the spread: the variance of a sample
    # variance, with the kurtosis of gamma rates.
    mean = weights / means
    variance = (1 / mean + estimate) ** 2 * (2 + 6 * estimate) / freedom
    known, believed = 1 / variance, 1 / _DOUBT**2
    drawn = (estimate * known + CAUTIOUS_SPREAD * believed) / (known + believed)
    return drawn + margin / sqrt(known + believed)


def inflation_of(groups: Sequence[Sequence[tuple[int, int]]]) -> float:
    """By how much the variance of a proportion exceeds the binomial one, at least 1.

    Each group holds days (part, whole) with one proportion. Pearson's X² divided by its degrees of
    freedom, where there are enough days.
    """
    statistic = freedom = 0.0
    for group in groups:
        days = [day for day in group if day[1]]
        part, whole = sum(day[0] for day in days), sum(day[1] for day in days)
        if len(days) < 2 or not 0 < part < whole:
            continue
        share = part / whole
        statistic += sum((p - w * share) ** 2 / (w * share * (1 - share)) for p, w in days)
        freedom += len(days) - 1
    return max(1.0, statistic / freedom) if freedom >= 5 else 1.0


@lru_cache(_REMEMBERED)
def counts(
    count: int, other: int, exposure: Exposure, other_exposure: Exposure, spread: float
) -> float:
    """The two-sided p-value of two counts having the same rate a day.

    Given their sum, negative binomial counts of one spread are beta-binomial (a negative
    hypergeometric distribution), which for a spread of 0 is the binomial of Przyborowski and
    Wilenski (Biometrika 31 (1940), 313–323). Twice the smaller tail; 1 where both are 0.
    """
    total = count + other
    if not total:
        return 1.0
    share = exposure.days / (exposure.days + other_exposure.days)
    size = 1 / (
        share * (1 - share) * max(spread, 1e-9) * (1 / exposure.rates + 1 / other_exposure.rates)
    )
    a, b = size * share, size * (1 - share)
    if total <= _MOST_SUMMED:
        below, above = _tails(total, count, a, b)
    else:
        # A beta distribution of the same variance, with a correction of half a lead.
        same = total * (size + 1) / (total + size) - 1
        a, b = same * share, same * (1 - share)
        below = beta_below(a, b, min(1.0, (count + 0.5) / total))
        above = beta_below(b, a, min(1.0, (other + 0.5) / total))
    return min(1.0, 2 * min(below, above))


def _tails(total: int, count: int, a: float, b: float) -> tuple[float, float]:
    """The beta-binomial probabilities of at most and of at least `count` of `total`."""
    here = exp(
        lgamma(total + 1)
        - lgamma(count + 1)
        - lgamma(total - count + 1)
        + _log_beta_ratio(a, b, count, total - count)
    )
    below = term = here
    for hits in range(count, 0, -1):
        term *= hits / (total - hits + 1) * (total - hits + b) / (hits - 1 + a)
        below += term
        if term < below * 1e-12:
            break
    above = term = here
    for hits in range(count, total):
        term *= (total - hits) / (hits + 1) * (hits + a) / (total - hits - 1 + b)
        above += term
        if term < above * 1e-12:
            break
    return below, above


def _log_beta_ratio(a: float, b: float, hits: int, misses: int) -> float:
    """log B(a + hits, b + misses) − log B(a, b), as products, which do not cancel for a large a."""
    return _log_rising(a, hits) + _log_rising(b, misses) - _log_rising(a + b, hits + misses)


def _log_rising(start: float, steps: int) -> float:
    if start < 1e5:
        return lgamma(start + steps) - lgamma(start)
    return steps * log(start) + sum(log1p(step / start) for step in range(steps))


def beta_below(a: float, b: float, x: float) -> float:
    """The probability that a beta variable is at most x: the regularised incomplete beta function.

    By its continued fraction (Abramowitz, Stegun, 26.5.8), evaluated by Lentz's method.
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _away_from_0(1 - (a + b) * x / (a + 1))
    value = d
    for step in range(1, 500):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        d = 1 / _away_from_0(1 + even * d)
        c = _away_from_0(1 + even / c)
        value *= c * d
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        d = 1 / _away_from_0(1 + odd * d)
        c = _away_from_0(1 + odd / c)
        value *= c * d
        if abs(c * d - 1) < 1e-12:
            break
    return value


def _away_from_0(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300


def proportions(
    part: int, whole: int, other_part: int, other_whole: int, inflation: float
) -> float | None:
    """The two-sided p-value of two proportions being equal, None where a whole is 0.

    `chance.two_proportions`, its deviate divided by the square root of the inflation
    (quasi-likelihood).
    """
    p_value = chance.two_proportions(part, whole, other_part, other_whole)
    if p_value is None or inflation <= 1 or not _CERTAIN < p_value < 1:
        return p_value
    deviate = _NORMAL.inv_cdf(p_value / 2) / sqrt(inflation)
    return 2 * _NORMAL.cdf(deviate)
