"""Logs are events with fields, one JSON object a line on standard error.

They hold no password, token, phone or e-mail body, and neither does an exception report.
"""

from typing import Any

import sentry_sdk
from pythonjsonlogger.core import RESERVED_ATTRS

CONFIGURATION: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": ["levelname", "name", "message"],
            "timestamp": True,
            "json_ensure_ascii": False,
            # Django attaches the request to its records; its address may hold what was searched.
            "reserved_attrs": [*RESERVED_ATTRS, "request"],
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Their INFO lines carry whole addresses, one for each call.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        # Its INFO lines carry the arguments of jobs.
        "procrastinate": {"level": "WARNING"},
        # Emptied of Django's own handlers, so that every record goes to the one above, once.
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": [], "propagate": True},
        # Of a refusal they tell the address, where a stranger may have typed anybody's e-mail.
        "django.request": {"level": "ERROR"},
        "django.security.csrf": {"level": "ERROR"},
    },
}


def report_exceptions_to(dsn: str | None) -> None:
    """Send exceptions to Sentry, without local variables, bodies or anything personal."""
    if dsn:
        sentry_sdk.init(
            dsn=dsn,
            send_default_pii=False,
            include_local_variables=False,
            max_request_body_size="never",
            before_send=_without_addresses,
        )


def _without_addresses(event: Any, hint: Any) -> Any:
    """An event without what its address asked for: that may be the name of a person."""
    request = event.get("request", {})
    request.pop("query_string", None)
    request["headers"] = {
        name: value
        for name, value in request.get("headers", {}).items()
        if name.lower() != "referer"
    }
    return event
