"""The chart's measures: its axis, its bars, the outline of the compared span, and the sparkline."""

from decimal import Decimal

import pytest

from onai.web.look.bar_chart import Column, Value, bar_chart, round_top, sparkline


def _columns(*values: tuple[Value, Value | None]) -> list[Column]:
    return [Column(f"{n}", now, f"{n}: {now}", before) for n, (now, before) in enumerate(values)]


@pytest.mark.parametrize(
    ("highest", "top"),
    [
        *((1, 1), (2, 2), (3, 4), (5, 6), (7, 8), (9, 10), (10, 10), (11, 12), (13, 16), (25, 30)),
        *((99, 100), (12_345_678, 16_000_000), (Decimal("0.8"), Decimal("0.8"))),
        *((Decimal("2.5"), 3), (Decimal("8.57"), 10), (Decimal(100), 100)),
    ],
)
def test_the_axis_ends_at_a_round_number(highest: Value, top: Value) -> None:
    assert round_top(highest) == top


def test_no_fraction_stands_among_whole_numbers() -> None:
    for highest in range(1, 2_000):
        chart = bar_chart(_columns((highest, None)))
        assert chart
        assert all("." not in label for label in chart.scale)
        assert highest <= int(chart.scale[0]) <= 2 * highest


def test_bars_and_outline_share_one_axis() -> None:
    chart = bar_chart(_columns((2, 4), (0, None), (3, 1)))

    assert chart
    assert chart.scale == ("4", "2", "0")
    assert [(bar.y, bar.height) for bar in chart.bars] == [
        ("50.00%", "50.00%"),
        ("100.00%", "0.00%"),
        ("25.00%", "75.00%"),
    ]
    # From the ground to the top of the axis and back, a gap, then a quarter of it.
    assert chart.ghost == "M0.0 1000V0H333.3V1000M666.7 1000V750H1000.0V1000"
    assert [column.label for column in chart.ends] == ["0", "1", "2"]


def test_the_compared_values_raise_the_axis_above_all_bars() -> None:
    chart = bar_chart(_columns((1, 9)))

    assert chart
    assert chart.scale[0] == "10"
    assert chart.bars[0].height == "10.00%"


@pytest.mark.parametrize("columns", [[], _columns((0, None), (0, 0)), _columns((-5, None))])
def test_where_all_is_zero_nothing_is_drawn(columns: list[Column]) -> None:
    assert bar_chart(columns) is None
    assert sparkline(columns) is None


def test_a_sparkline_sets_unfinished_bars_apart() -> None:
    whole, half = Column("1", 4, ""), Column("2", 2, "", is_unfinished=True)

    drawn = sparkline([whole, Column("-", 0, ""), half])

    assert drawn
    assert drawn.whole == "M53 1000v-1000h227v1000"
    assert drawn.unfinished == "M720 1000v-500h227v500"
