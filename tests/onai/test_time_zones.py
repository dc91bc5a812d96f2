"""Old time zone data, on the machine or in a database, would move every business day by an hour."""

import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import tzdata
from django.db import connections
from django.test import Client

from onai.ops.examination import Down
from onai.ops.probes import BACKGROUND
from tests.settings import BASE_DIR, LANDING_URL, TEST_ENVIRONMENT, TRIPWIRE_URL

(PROBE,) = (probe for probe in BACKGROUND if probe.name == "time_zones")
TELL_ALMATYS_OFFSET = """
import onai.settings
from datetime import datetime
from zoneinfo import ZoneInfo
print(datetime(2026, 11, 22, tzinfo=ZoneInfo("Asia/Almaty")).utcoffset())
"""


def _start(**environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", TELL_ALMATYS_OFFSET],
        cwd=BASE_DIR,
        env={**TEST_ENVIRONMENT, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _six_hours_east() -> bytes:
    """A time zone file that knows one offset, +06."""
    header = b"TZif2" + b"\0" * 15
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    data = struct.pack(">lbB", 6 * 3600, 0, 0) + b"+06\0"
    return header + counts + data + header + counts + data + b"\n<+06>-6\n"


def test_the_machines_old_time_zone_data_are_not_used(tmp_path: Path) -> None:
    (tmp_path / "Asia").mkdir()
    (tmp_path / "Asia" / "Almaty").write_bytes(_six_hours_east())

    started = _start(PYTHONTZPATH=str(tmp_path))

    assert started.stdout == "5:00:00\n", started.stderr


def test_the_site_does_not_start_with_an_old_package_of_time_zones(tmp_path: Path) -> None:
    shutil.copytree(Path(tzdata.__file__).parent, tmp_path / "tzdata")
    (tmp_path / "tzdata" / "zoneinfo" / "Asia" / "Almaty").write_bytes(_six_hours_east())

    started = _start(PYTHONPATH=str(tmp_path))

    assert started.returncode != 0
    assert "Python's time zone data are older than March 2024" in started.stderr


@pytest.fixture(params=["landing", "tripwire"])
def old_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database whose own function puts Almaty at +06 for good."""
    alias: str = request.param
    connections[alias].close()
    url = {"landing": LANDING_URL, "tripwire": TRIPWIRE_URL}[alias]
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("create schema old_data")
        owner.execute("grant usage on schema old_data to public")
        owner.execute(
            "create function old_data.timezone(text, timestamptz) returns timestamp"
            " language sql as $$ select $2 at time zone 'utc' + interval '6 hours' $$"
        )
        owner.execute(f"alter database {alias} set search_path = old_data, public, pg_catalog")
        yield alias.capitalize()
        owner.execute(f"alter database {alias} reset search_path")
        owner.execute("drop schema old_data cascade")
    connections[alias].close()


def test_status_names_the_database_with_old_time_zones(old_database: str) -> None:
    with pytest.raises(Down) as told:
        PROBE.check()

    assert str(told.value) == f"база {old_database} неверно считает время с 03.2024"


def test_status_reports_correct_time_zones(admin: Client) -> None:
    assert "у обеих баз верный" in admin.get("/status").content.decode()
