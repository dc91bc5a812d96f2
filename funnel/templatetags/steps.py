"""The steps by the names that readers know."""

from enum import StrEnum

from django import template

from funnel.wording import WORDING

register = template.Library()


@register.filter
def short(step: StrEnum) -> str:
    """The step as the head of a column."""
    return str(WORDING[step].short)
