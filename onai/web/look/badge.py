"""A few words on a coloured ground, and their tone."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise


class Tone(StrEnum):
    """What a colour says. The values are CSS classes."""

    PLAIN = ""
    GOOD = "good"
    LOOK = "look"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Badge:
    text: str | Promise
    tone: Tone = Tone.PLAIN
