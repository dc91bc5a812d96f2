"""Tests of differences and intervals of proportions. Pure arithmetic: it knows no lead and no page.

Every test returns a p-value: how often chance alone would make a difference at least as unlikely as
this one, if nothing had changed. All of them assume that leads come and decide independently of
each other; a campaign that brings them in crowds makes real p-values larger.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import erfc, exp, lgamma, sqrt
from statistics import NormalDist

# The level of significance. Of twenty unchanged figures one is called changed.
LEVEL = 0.05
_Z = NormalDist().inv_cdf(1 - LEVEL / 2)
# Below this expected count in any cell the normal curve does not fit the far tails. Cochran's rule
# says 5, but only for p-values near 0.05, and rows of a table are tested at smaller ones.
_FEWEST_EXPECTED = 100
# With this many values on either side Mann and Whitney found the normal curve near enough.
_FEWEST_RANKED = 8
# A tolerance, so that rounding does not part outcomes that are equally likely, as in R's exact
# tests.
_TOLERANCE = 1e-7
_NEGLIGIBLE = 1e-12
# Small counts repeat in the rows of a table.
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Interval:
    """The bounds that hold the true share in 95 cases of 100, from 0 to 1."""

    low: float
    high: float


def wilson(part: int, whole: int) -> Interval | None:
    """The 95 % score interval of a proportion, None where the whole is 0.

    E. B. Wilson, JASA 22 (1927), 209–212; method 3 of R. G. Newcombe, Statistics in Medicine 17
    (1998), 857–872. Unlike the textbook's ± it stays within 0 and 1, and is right at 0 of n.
    """
    _require_proportion(part, whole)
    if not whole:
        return None
    share, square = part / whole, _Z * _Z
    centre = share + square / (2 * whole)
    spread = _Z * sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    low, high = ((centre + side * spread) / (1 + square / whole) for side in (-1, 1))
    return Interval(0.0 if not part else max(0.0, low), 1.0 if part == whole else min(1.0, high))


@lru_cache(_REMEMBERED)
def two_proportions(part: int, whole: int, other_part: int, other_whole: int) -> float | None:
    """The two-sided p-value of two proportions being equal, None where a whole is 0.

    The z-test with the pooled share (A. Agresti, Categorical Data Analysis, 3rd ed., 3.2.1: its
    square is Pearson's X²). Where fewer than 100 are expected in a cell, Fisher's exact test (R. A.
    Fisher, JRSS 98 (1935), 39–82), two-sided by summing the outcomes that are not likelier.
    """
    _require_proportion(part, whole)
    _require_proportion(other_part, other_whole)
    if not whole or not other_whole:
        return None
    hits, everything = part + other_part, whole + other_whole
    smallest = min(whole, other_whole) * min(hits, everything - hits) / everything
    if smallest < _FEWEST_EXPECTED:
        return _fisher(part, whole, hits, everything)
    pooled = hits / everything
    error = sqrt(pooled * (1 - pooled) * (1 / whole + 1 / other_whole))
    return erfc(abs(part / whole - other_part / other_whole) / error / sqrt(2))


@lru_cache(_REMEMBERED)
def rank_sum(sample: tuple[int, ...], other: tuple[int, ...]) -> float | None:
    """The two-sided p-value of neither sample lying above the other.

    Each sample is the number of its values in the first class, the second, and so on; values of one
    class are equal. The rank-sum test of H. B. Mann and D. R. Whitney, Annals of Mathematical
    Statistics 18 (1947), 50–60, by the normal curve with the corrections for ties and continuity
    (M. Hollander, D. A. Wolfe, Nonparametric Statistical Methods, 4.1). None where either sample
    has fewer than 8 values.
    """
    if len(sample) != len(other) or min((*sample, *other), default=0) < 0:
        raise ValueError("two samples are counted by the same classes, and not negative")
    size, other_size = sum(sample), sum(other)
    if min(size, other_size) < _FEWEST_RANKED:
        return None
    wins = _wins(sample, other)
    everyone = size + other_size
    ties = sum(tied**3 - tied for tied in map(sum, zip(sample, other, strict=True)))
    variance = size * other_size / 12 * (everyone + 1 - ties / (everyone * (everyone - 1)))
    if not variance:
        return 1.0
    away = max(0.0, abs(wins - size * other_size / 2) - 0.5)
    return erfc(away / sqrt(2 * variance))


def above(sample: tuple[int, ...], other: tuple[int, ...]) -> float | None:
    """The probability that a value of one sample is above one of the other: the direction in which
    `rank_sum` tests.

    Equal values count half. None where a sample is empty.
    """
    pairs = sum(sample) * sum(other)
    return _wins(sample, other) / pairs if pairs else None


def _wins(sample: tuple[int, ...], other: tuple[int, ...]) -> float:
    """The number of pairs in which our value is above theirs; an equal one counts half."""
    below = [0, *accumulate(other)]
    return sum(
        ours * (under + theirs / 2)
        for ours, under, theirs in zip(sample, below, other, strict=False)
    )


def shift(sample: Sequence[tuple[float, int]], other: Sequence[tuple[float, int]]) -> float | None:
    """By how much one sample lies above another: the median of the differences of all pairs.

    A sample is its values, each with its frequency. None where one is empty. The estimator that
    belongs to `rank_sum` (J. L. Hodges, E. L. Lehmann, Annals of Mathematical Statistics 34 (1963),
    598–611).
    """
    differences = sorted(
        (value - other_value, count * other_count)
        for value, count in sample
        for other_value, other_count in other
        if count and other_count
    )
    pairs = sum(count for _, count in differences)
    if not pairs:
        return None
    seen = 0
    for place, (difference, count) in enumerate(differences):
        seen += count
        if 2 * seen == pairs:
            return (difference + differences[place + 1][0]) / 2
        if 2 * seen > pairs:
            return difference
    return None


@dataclass(frozen=True, slots=True)
class _Distribution:
    """Outcomes from `lowest` to `highest`, whose probabilities rise to `mode` and fall after it.

    `ratio(n)` is the probability of n + 1 divided by that of n, so that a tail is summed quickly.
    """

    log_chance: Callable[[int], float]
    ratio: Callable[[int], float]
    lowest: int
    mode: int
    highest: int

    def not_likelier_than(self, observed: int) -> float:
        """The probability of all outcomes that are not likelier than the observed one, in both
        tails.
        """
        limit = self.log_chance(observed) + _TOLERANCE
        left = _last(lambda n: self.log_chance(self.mode - n) > limit, self.mode - self.lowest)
        right = _last(lambda n: self.log_chance(self.mode + n) > limit, self.highest - self.mode)
        if left == right == -1:
            return 1.0
        below = range(self.mode - left - 1, self.lowest - 1, -1)
        above = range(self.mode + right + 1, self.highest + 1)
        return min(
            1.0,
            self._tail(below, lambda n: 1 / self.ratio(n))
            + self._tail(above, lambda n: self.ratio(n - 1)),
        )

    def _tail(self, outwards: range, step_to: Callable[[int], float]) -> float:
        """A tail's probabilities, from its likeliest outcome outwards, as far as they matter."""
        if not outwards:
            return 0.0
        total = chance = exp(self.log_chance(outwards[0]))
        for outcome in outwards[1:]:
            chance *= step_to(outcome)
            total += chance
            if chance <= _NEGLIGIBLE * total:
                break
        return total


def _hypergeometric(whole: int, hits: int, everything: int) -> _Distribution:
    """The distribution of the number of hits in the whole, where both are drawn from everything."""
    lowest, highest = max(0, whole + hits - everything), min(whole, hits)

    def log_chance(drawn: int) -> float:
        return (
            _log_choose(hits, drawn)
            + _log_choose(everything - hits, whole - drawn)
            - _log_choose(everything, whole)
        )

    def ratio(drawn: int) -> float:
        misses = everything - hits - whole + drawn + 1
        return (hits - drawn) * (whole - drawn) / ((drawn + 1) * misses)

    mode = (whole + 1) * (hits + 1) // (everything + 2)
    return _Distribution(log_chance, ratio, lowest, min(highest, max(lowest, mode)), highest)


def _fisher(part: int, whole: int, hits: int, everything: int) -> float:
    return _hypergeometric(whole, hits, everything).not_likelier_than(part)


def _last(holds: Callable[[int], bool], highest: int) -> int:
    """The last step from 0 to `highest` at which the condition holds; -1 where it never does."""
    low, high = -1, highest
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _log_choose(whole: int, part: int) -> float:
    return lgamma(whole + 1) - lgamma(part + 1) - lgamma(whole - part + 1)


def _require_proportion(part: int, whole: int) -> None:
    if not 0 <= part <= whole:
        raise ValueError("a proportion is a part of its whole")
