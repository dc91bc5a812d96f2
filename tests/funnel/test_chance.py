"""How much chance explains: held against published values, and against plain counting."""

import random
from math import comb, sqrt
from statistics import NormalDist

import pytest

from funnel.stats import chance


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        # Newcombe 1998, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_the_interval_has_the_published_value(
    part: int, whole: int, low: float, high: float
) -> None:
    interval = chance.wilson(part, whole)

    assert interval
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.00005)


def test_zero_trials_have_no_interval() -> None:
    assert chance.wilson(0, 0) is None


@pytest.mark.parametrize("whole", [1, 2, 7, 1_000, 10_000_000])
def test_the_interval_contains_the_proportion(whole: int) -> None:
    for part in {0, 1, whole // 2, whole - 1, whole}:
        interval = chance.wilson(part, whole)
        assert interval
        assert 0 <= interval.low <= part / whole <= interval.high <= 1
        assert interval.low < interval.high


@pytest.mark.parametrize(("part", "whole"), [(2, 1), (-1, 5), (1, 0), (380, 350)])
def test_an_impossible_proportion_is_refused(part: int, whole: int) -> None:
    with pytest.raises(ValueError, match="proportion"):
        chance.wilson(part, whole)
    with pytest.raises(ValueError, match="proportion"):
        chance.two_proportions(part, whole, 1, 2)
    with pytest.raises(ValueError, match="proportion"):
        chance.two_proportions(1, 2, part, whole)


def test_large_proportions_are_compared_by_pearson() -> None:
    # The Physicians' Health Study (Agresti, table 2.1): heart attacks with a placebo and with
    # aspirin; X² = 25.01 with one degree of freedom.
    p_value = chance.two_proportions(189, 11_034, 104, 11_037)

    assert p_value == pytest.approx(2 * NormalDist().cdf(-sqrt(25.0139)), rel=0.001)


# Ozone in New York in 1973 (R's `airquality`), in May and in August, where it was measured.
MAY = (
    *(41, 36, 12, 18, 28, 23, 19, 8, 7, 16, 11, 14, 18),
    *(14, 34, 6, 30, 11, 1, 11, 4, 32, 23, 45, 115, 37),
)
AUGUST = (
    *(39, 9, 16, 78, 35, 66, 122, 89, 110, 44, 28, 65, 22),
    *(59, 23, 31, 44, 21, 9, 45, 168, 73, 76, 118, 84, 85),
)


def _by_value(sample: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sample.count(value) for value in range(200))


def test_the_rank_test_agrees_with_r() -> None:
    # The example of R's manual, `wilcox.test(Ozone ~ Month, …)`: W = 127.5, p-value = 0.0001208.
    p_value = chance.rank_sum(_by_value(MAY), _by_value(AUGUST))

    assert p_value == pytest.approx(0.0001208, abs=0.00000005)
    assert p_value == chance.rank_sum(_by_value(AUGUST), _by_value(MAY))


def test_few_values_are_not_compared_by_rank() -> None:
    assert chance.rank_sum((7, 0), (0, 100)) is None
    assert chance.rank_sum((100, 0), (0, 7)) is None
    assert chance.rank_sum((), ()) is None
    near = chance.rank_sum((8, 0), (0, 8))
    assert near is not None
    assert near < 0.001


def test_equal_values_do_not_differ() -> None:
    assert chance.rank_sum((0, 9, 0), (0, 20, 0)) == 1
    assert chance.rank_sum((5, 5), (5, 5)) == 1


def test_samples_of_other_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="same classes"):
        chance.rank_sum((9,), (9, 1))
    with pytest.raises(ValueError, match="not negative"):
        chance.rank_sum((9, -1), (9, 1))


def test_small_proportions_are_compared_by_fisher() -> None:
    # The lady tasting tea (Fisher 1935): three of four cups right.
    assert chance.two_proportions(3, 4, 1, 4) == pytest.approx(0.4857, abs=0.00005)


def test_fishers_test_gives_the_published_value() -> None:
    # Fisher 1935: convictions among twins of criminals, 10 of 13 and 2 of 17.
    assert chance._fisher(10, 13, 12, 30) == pytest.approx(0.0005367, abs=0.0000001)


@pytest.mark.parametrize(
    "sample", [(0, 0, 1, 2), (1, 2, 0, 0), (0, 0, 0, 0)], ids=["now", "before", "both"]
)
def test_proportions_of_zero_are_not_compared(sample: tuple[int, int, int, int]) -> None:
    assert chance.two_proportions(*sample) is None


@pytest.mark.parametrize("whole", [1, 3, 50, 100_000])
@pytest.mark.parametrize("part", [0, 1])
def test_equal_extreme_proportions_do_not_differ(whole: int, part: int) -> None:
    assert chance.two_proportions(part * whole, whole, part * whole, whole) == 1.0


def test_one_buyer_of_two_leads_proves_nothing() -> None:
    p_value = chance.two_proportions(1, 2, 5, 100)

    assert p_value
    assert p_value > chance.LEVEL


def test_both_tails_are_summed() -> None:
    dice = random.Random(1)
    for _ in range(1_000):
        whole, other = dice.randrange(1, 30), dice.randrange(1, 30)
        part, hits = dice.randrange(whole + 1), dice.randrange(other + 1)
        expected = _plain_fisher(part, whole, part + hits, whole + other)
        assert chance._fisher(part, whole, part + hits, whole + other) == pytest.approx(expected)


def _plain_fisher(part: int, whole: int, hits: int, everything: int) -> float:
    chances = {
        drawn: comb(hits, drawn) * comb(everything - hits, whole - drawn) / comb(everything, whole)
        for drawn in range(max(0, whole + hits - everything), min(whole, hits) + 1)
    }
    return min(1.0, sum(one for one in chances.values() if one <= chances[part] * (1 + 1e-7)))
