"""Steps, sources and days by the names that readers know."""

import re
from datetime import date

from django import template
from django.utils.formats import date_format

from funnel.report import sources
from onai.periods import Period, business_day

register = template.Library()


@register.filter
def readable(source: str) -> str:
    """The source by its name, or as it is where it has none."""
    return sources.readable(source)


@register.filter
def days(period: Period) -> str:
    """The days as the head of a row: «3 ноября», «24–30 ноября», «26 октября – 1 ноября»; with the
    year where it is not this one."""
    first, last = period.first_day, period.last_day
    is_this_year = first.year == last.year == business_day().year
    with_year = "MONTH_DAY_FORMAT" if is_this_year else "DATE_FORMAT"
    told = _unbroken(last, with_year)
    if first == last:
        return told
    if (first.year, first.month) == (last.year, last.month):
        both = f"{first.day}–\N{WORD JOINER}{last.day}"
        return re.sub(rf"\b{last.day}\b", both, told, count=1)
    of_first = with_year if first.year != last.year else "MONTH_DAY_FORMAT"
    return f"{_unbroken(first, of_first)} – {told}"


def _unbroken(day: date, written: str) -> str:
    return date_format(day, written).replace(" ", "\N{NO-BREAK SPACE}")
