"""What the worker does for the funnel."""

import logging

from procrastinate.contrib.django import app

from funnel.landing.statement import FiguresUnavailable
from funnel.signals.watch import State, renewed_reading

logger = logging.getLogger(__name__)


@app.periodic(cron="7 * * * *")
@app.task(name="funnel.watch_signals", queueing_lock="funnel.watch_signals")
def watch_signals(timestamp: int) -> None:
    """Every hour, read all marks, keep that for the pages, and write a line to the log."""
    try:
        found = renewed_reading()
    except FiguresUnavailable as problem:
        # Landing is down, which says nothing of the marks.
        logger.warning("signals_unread", extra={"reason": problem.code})
        return
    states = {
        state.value: [
            one.source or one.id.value
            for one in (*found.signals, *found.sources)
            if one.state is state
        ]
        for state in State
    }
    silent_since = {
        one.source or one.id.value: one.silent_since.isoformat()
        for one in found.silent
        if one.silent_since
    }
    is_amiss = bool(found.silent or found.unmailed.count)
    logger.log(
        logging.WARNING if is_amiss else logging.INFO,
        "signals",
        extra={
            **states,
            "silent_since": silent_since,
            "unmailed": found.unmailed.count,
            "mail_errors": sum(one.count for one in found.errors),
        },
    )
