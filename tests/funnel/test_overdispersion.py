"""Counts that spread from day to day are tested by the distribution that they have."""

import random
from math import exp, lgamma

import pytest

from funnel.stats.overdispersion import Exposure, counts

DAY, MONTH, YEAR = Exposure.of(1), Exposure.of(30), Exposure.of(365)


@pytest.mark.parametrize(
    ("now", "before", "p_value"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (1, 0, 1.0),
        # Nine heads of nine: twice 1 / 512.
        (9, 0, 1 / 256),
        (0, 9, 1 / 256),
    ],
)
def test_counts_without_overdispersion_follow_the_binomial_test(
    now: int, before: int, p_value: float
) -> None:
    assert counts(now, before, MONTH, MONTH, 0.0) == pytest.approx(p_value, rel=1e-4)


def test_unequal_lengths_are_compared_by_rate() -> None:
    assert counts(200, 100, Exposure.of(28), Exposure.of(14), 0.0) == 1
    assert counts(200, 100, Exposure.of(14), Exposure.of(14), 0.0) < 0.001


def test_both_tails_are_summed() -> None:
    dice = random.Random(1)
    for _ in range(300):
        now, before, spread = dice.randrange(40), dice.randrange(40), dice.choice([0.05, 0.25, 1])
        days, other = Exposure.of(dice.randrange(1, 60) / 2), Exposure.of(dice.randrange(1, 31))
        expected = _plainly(now, before, days, other, spread)
        assert counts(now, before, days, other, spread) == pytest.approx(expected)


def test_large_counts_agree_with_the_exact_sum() -> None:
    for now, before in ((260, 200), (900, 1_100), (3_000, 3_300)):
        expected = _plainly(now, before, MONTH, MONTH, 0.25)
        assert counts(now, before, MONTH, MONTH, 0.25) == pytest.approx(expected, rel=0.05)
    assert counts(1_000_000, 1_000_300, YEAR, YEAR, 0.0) > 0.8
    assert counts(1_000_000, 1_010_000, YEAR, YEAR, 0.0) < 1e-9


def test_one_day_of_a_campaign_proves_little() -> None:
    assert counts(160, 80, DAY, DAY, 0.25) > 0.2
    assert counts(160, 80, DAY, DAY, 0.0) < 1e-5


def _plainly(now: int, before: int, days: Exposure, other: Exposure, spread: float) -> float:
    """Twice the smaller tail of a beta-binomial distribution, outcome by outcome."""
    total = now + before
    share = days.days / (days.days + other.days)
    size = 1 / (share * (1 - share) * spread * (1 / days.rates + 1 / other.rates))
    a, b = size * share, size * (1 - share)

    def chance(hits: int) -> float:
        misses = total - hits
        chosen = lgamma(total + 1) - lgamma(hits + 1) - lgamma(misses + 1)
        beta = lgamma(a + hits) + lgamma(b + misses) - lgamma(a + b + total)
        return exp(chosen + beta - lgamma(a) - lgamma(b) + lgamma(a + b))

    below = sum(map(chance, range(now + 1)))
    above = sum(map(chance, range(now, total + 1)))
    return min(1.0, 2 * min(below, above))
