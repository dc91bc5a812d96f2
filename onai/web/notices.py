"""What the owners' overview tells of other parts of the product, which register it here.

A part that has nothing to tell, or cannot ask its database, answers None.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence, and the page that it is about."""

    text: str
    link_text: str
    address: str


OVERVIEW: list[Callable[[], Notice | None]] = []


def overview_notices() -> tuple[Notice, ...]:
    """What there is to tell at this moment."""
    return tuple(told for tell in OVERVIEW if (told := tell()) is not None)
