"""The values of a UTM mark as rows of one line, like the sources."""

from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext as _now

from funnel.report.utm import Marked, MarkTable
from funnel.web.source_lines import Badge, SourceLine, line_of, verdict_of, widest
from funnel.web.wording import shortened

_ROWS = 31


@dataclass(frozen=True, slots=True)
class MarkLines:
    """One page of the values, best sellers first. The last page ends with the others, together, and
    with the leads that have no such mark.
    """

    lines: list[SourceLine]
    page: Page[Marked]


def mark_lines(marks: MarkTable, *, number: int) -> MarkLines:
    """Page `number` of the values of a mark."""
    page = Paginator(marks.marked, _ROWS).get_page(number)
    scale = widest(one.funnel.conversion for one in page)
    lines = [
        line_of(
            one.funnel,
            scale,
            name=shortened(one.value),
            verdict=verdict_of(one.against_others),
        )
        for one in page
    ]
    if not page.has_next():
        if marks.others:
            name, code = _now("остальные метки вместе"), _now("по отдельности — в CSV")
            lines.append(line_of(marks.others, scale, name=name, code=code, verdict=Badge("")))
        if marks.without:
            funnel, badge = marks.without.funnel, verdict_of(marks.without.against_others)
            lines.append(line_of(funnel, scale, name=_now("без метки"), verdict=badge))
    return MarkLines(lines, page)
