"""The funnel as a picture: what the page draws of a report, measured and worded here.

Lengths are in units of a picture 100 wide and 100 high for each stage, which the page stretches.
"""

from dataclasses import dataclass

from funnel.report import FunnelReport, Stage
from funnel.wording import WORDING, StageWording

_WIDTH = 100
# An empty stage is still drawn, as a thread.
_THINNEST = 1.5


@dataclass(frozen=True, slots=True)
class DrawnStage:
    """A stage with its wording and its shape: the corner points of an SVG polygon."""

    stage: Stage
    wording: StageWording
    points: str


def draw(report: FunnelReport) -> tuple[DrawnStage, ...]:
    """Each stage as wide as its count at the top, and at the bottom as wide as the next one."""
    widest = max(1, *(stage.reached for stage in report.stages))
    widths = [max(_THINNEST, _WIDTH * stage.reached / widest) for stage in report.stages]
    below = [*widths[1:], widths[-1]]
    return tuple(
        DrawnStage(stage, WORDING[stage.id], _trapezoid(top, bottom))
        for stage, top, bottom in zip(report.stages, widths, below, strict=True)
    )


def _trapezoid(top: float, bottom: float) -> str:
    corners = ((-top, 0), (top, 0), (bottom, 100), (-bottom, 100))
    return " ".join(f"{(_WIDTH + x) / 2:.2f},{y}" for x, y in corners)
