"""The number of those who wait in the queue, for every page of the cabinet."""

import logging

from django import template
from django.db import InterfaceError, OperationalError, connections

from sales.handoff import queue

logger = logging.getLogger(__name__)
register = template.Library()


@register.simple_tag
def queue_badge() -> str:
    """The number as a badge shows it; empty where nobody waits or the database cannot say."""
    try:
        count = queue.waiting_count()
    except (OperationalError, InterfaceError) as error:
        logger.warning("queue_not_counted", extra={"error": type(error).__name__})
        connections["tripwire"].close_if_unusable_or_obsolete()
        return ""
    if count >= queue.MOST_COUNTED:
        return f"{queue.MOST_COUNTED - 1}+"
    return str(count or "")
