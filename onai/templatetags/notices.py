"""The notices of the owners' overview."""

from django import template

from onai.web import notices

register = template.Library()


@register.simple_tag
def overview_notices() -> list[notices.Notice]:
    """What there is to tell at this moment."""
    return [told for tell in notices.OVERVIEW if (told := tell()) is not None]
