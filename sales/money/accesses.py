"""Accesses by source, as the funnel's pages show them beside their own figures."""

import logging
from typing import Any

from django.db import InterfaceError, OperationalError, connections
from django.db.models import Count, Q

from funnel.question import FunnelQuestion
from funnel.report.accesses import Accesses
from sales.handoff.matching import MATCHES, with_source
from sales.models import Student

logger = logging.getLogger(__name__)


def accesses_of(question: FunnelQuestion) -> Accesses | None:
    """The students created in the question's period; None while Tripwire does not answer.

    The source is that of the person whose purchase the access is.
    """
    try:
        return _counted(question)
    except (OperationalError, InterfaceError) as error:
        logger.warning("accesses_not_counted", extra={"error": type(error).__name__})
        connections["tripwire"].close_if_unusable_or_obsolete()
        return None


def _counted(question: FunnelQuestion) -> Accesses:
    period, sources = question.period, question.sources
    students = Student.objects.without_staff().created_in(period.start, period.end)
    found: Any = with_source(students).annotate(is_matched=Q(student_lead__how__in=MATCHES))
    if sources:
        found = found.filter(is_matched=True, source__in=sources)
    rows = found.order_by().values_list("is_matched", "source").annotate(count=Count("pk"))
    by_source = {source: count for is_matched, source, count in rows if is_matched}
    not_matched = sum(count for is_matched, _source, count in rows if not is_matched)
    return Accesses(tuple(sorted(by_source.items())), not_matched)
