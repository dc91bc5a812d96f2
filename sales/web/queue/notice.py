"""The queue's notice on the owners' overview."""

import logging

from django.db import InterfaceError, OperationalError, connections
from django.urls import reverse
from django.utils.translation import gettext as _

from onai.templatetags.russian import duration, plural
from onai.web.notices import Notice
from sales.handoff import queue

logger = logging.getLogger(__name__)


def of_queue() -> Notice | None:
    """The number of persons who wait for access, and the longest wait; None where nobody waits."""
    try:
        waiting = queue.summary()
    except (OperationalError, InterfaceError) as error:
        logger.warning("queue_not_counted", extra={"error": type(error).__name__})
        connections["tripwire"].close_if_unusable_or_obsolete()
        return None
    if not waiting.count:
        return None
    who = plural(waiting.count, "человек ждёт,человека ждут,человек ждут")
    text = _("%(count)s %(who)s доступа, дольше всех — %(time)s.") % {
        "count": waiting.count,
        "who": who,
        "time": duration(waiting.longest),
    }
    return Notice(text, _("Открыть очередь"), reverse("queue"))
