"""Logs are events with fields, one JSON object a line on standard error.

Neither a log line nor an exception report holds a password, token, phone or e-mail body.
"""

import logging
import threading
from time import monotonic
from typing import Any

import sentry_sdk
from django_redis.exceptions import ConnectionInterrupted
from pythonjsonlogger.core import RESERVED_ATTRS

from onai.db import outage

_SECONDS_BETWEEN_EQUAL_LINES = 60

CONFIGURATION: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": ["levelname", "name", "message"],
            "timestamp": True,
            "json_ensure_ascii": False,
            # Django attaches the request to its records; its address may hold a search.
            "reserved_attrs": [*RESERVED_ATTRS, "request"],
        }
    },
    "filters": {"outages": {"()": "onai.ops.logs.OutageFilter"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "filters": ["outages"],
        }
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Their INFO lines hold the whole address of each call.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        # Its INFO lines hold the arguments of jobs.
        "procrastinate": {"level": "WARNING"},
        # Without Django's own handlers, so that every record goes to the one above, once.
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": [], "propagate": True},
        # For a refusal they log the address, which may hold an e-mail that a stranger typed.
        "django.request": {"level": "ERROR"},
        "django.security.csrf": {"level": "ERROR"},
    },
}


def _why(error: BaseException | None) -> dict[str, str]:
    """The fields of a known outage; none where `error` is something else."""
    if isinstance(error, ConnectionInterrupted):
        return {"reason": "cache_unavailable"}
    reason = outage.reason(error)
    return {"reason": reason.value, "database": outage.alias(error)} if reason else {}


class OutageFilter(logging.Filter):
    """Reduces a known outage to one line: what happened and the reason, without the traceback.

    The same line is written once a minute, and the next one says how many were `repeated`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._written: dict[tuple[str, str, str], tuple[float, int]] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "django.request" and getattr(record, "status_code", None) == 503:
            # The code that answered so has logged the reason.
            return False
        error = record.exc_info[1] if record.exc_info else None
        if outage.reason(error) is outage.Reason.LEFT:
            return False
        why = _why(error)
        if not why:
            return True
        record.exc_info = record.exc_text = None
        record.__dict__.update(why)
        return self._is_news(record, (record.name, record.getMessage(), str(why)))

    def _is_news(self, record: logging.LogRecord, line: tuple[str, str, str]) -> bool:
        now = monotonic()
        with self._lock:
            written, repeated = self._written.get(line, (None, 0))
            if written is not None and now - written < _SECONDS_BETWEEN_EQUAL_LINES:
                self._written[line] = (written, repeated + 1)
                return False
            self._written[line] = (now, 0)
        if repeated:
            record.__dict__["repeated"] = repeated
        return True


def report_exceptions_to(dsn: str | None) -> None:
    """Send exceptions to Sentry, without local variables, bodies or personal data."""
    if dsn:
        sentry_sdk.init(
            dsn=dsn,
            send_default_pii=False,
            include_local_variables=False,
            max_request_body_size="never",
            before_send=_report,
        )


def _report(event: Any, hint: Any) -> Any:
    """An event without its query string, which may hold a person's name; None where the client has
    left.
    """
    if outage.reason((hint.get("exc_info") or (None, None))[1]) is outage.Reason.LEFT:
        return None
    request = event.get("request", {})
    request.pop("query_string", None)
    request["headers"] = {
        name: value
        for name, value in request.get("headers", {}).items()
        if name.lower() != "referer"
    }
    return event
