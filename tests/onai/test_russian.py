"""How moments are told to readers in Almaty and elsewhere."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from onai.templatetags.russian import duration_in_words, time_zone


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


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(days=1, hours=7, minutes=20), "1 день 7 часов"),
        (timedelta(hours=5, minutes=2), "5 часов 2 минуты"),
        (timedelta(days=2, minutes=40), "2 дня"),
        (timedelta(minutes=21), "21 минуту"),
        (timedelta(hours=1), "1 час"),
        (timedelta(seconds=10), "0 минут"),
        (timedelta(days=11, hours=23, minutes=59, seconds=50), "12 дней"),
    ],
)
def test_a_duration_in_a_sentence_is_written_out(time: timedelta, words: str) -> None:
    assert duration_in_words(time).replace("\N{NO-BREAK SPACE}", " ") == words
