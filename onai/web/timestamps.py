"""Moments as the API writes them."""

from datetime import UTC, datetime


def utc_timestamp(moment: datetime | None) -> str | None:
    """`2025-12-22T18:55:00.000Z`; None stays None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
