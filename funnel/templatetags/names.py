"""Steps and sources by the names that readers know."""

from enum import StrEnum

from django import template

from funnel import sources
from funnel.wording import WORDING

register = template.Library()


@register.filter
def short(step: StrEnum) -> str:
    """The step as the head of a column."""
    return str(WORDING[step].short)


@register.filter
def readable(source: str) -> str:
    """The source by its name, or as it is where it has none."""
    return sources.readable(source)
