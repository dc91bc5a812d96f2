"""How moments are told to readers in Almaty and elsewhere."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from onai.templatetags.russian import time_zone


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("Asia/Almaty", "по времени Алматы (UTC+5)"),
        ("UTC", "по времени UTC (UTC)"),
        ("Asia/Kolkata", "по времени Asia/Kolkata (UTC+5:30)"),
        ("Atlantic/Azores", "по времени Atlantic/Azores (UTC-1)"),
    ],
)
def test_a_moment_is_written_in_almaty_time(settings: Any, zone: str, told: str) -> None:
    settings.TIME_ZONE = zone

    assert time_zone(datetime(2026, 11, 22, 12, tzinfo=UTC).astimezone(ZoneInfo(zone))) == told
