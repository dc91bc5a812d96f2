"""PgBouncer in transaction mode in front of the tests' PostgreSQL, where the machine has one."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from onai.local import roles
from tests.settings import TEST_DIR
from tests.support.ports import free_port

_CONFIGURATION = """
[databases]
landing = host={postgres} user={landing}
tripwire = host={postgres} user={tripwire}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
server_reset_query_always = 0
logfile = {folder}/pgbouncer.log
"""


@dataclass(frozen=True, slots=True)
class Pooler:
    """The address of the pooler, and its number of connections for each database."""

    port: int
    size: int = 2

    def url(self, database: str) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"


def run_pooler() -> Iterator[Pooler]:
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        if os.environ.get("REQUIRE_POOLER") == "1":
            pytest.fail("REQUIRE_POOLER=1, and there is no pgbouncer on this machine")
        pytest.skip("no pgbouncer on this machine")
    pooler = Pooler(free_port())
    folder = TEST_DIR / "pooler"
    folder.mkdir(exist_ok=True)
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        _CONFIGURATION.format(
            postgres=TEST_DIR / "postgres",
            landing=roles.LANDING_READER,
            tripwire=roles.RUN_TIME,
            port=pooler.port,
            folder=folder,
        )
    )
    command = [program, "--quiet", str(configuration)]
    if os.geteuid() == 0:  # It refuses to run as root, and the socket is its owner's.
        owner = (TEST_DIR / "postgres").owner()
        shutil.chown(folder, owner)
        command[1:1] = [f"--user={owner}"]
    process = subprocess.Popen(command, stderr=sys.stderr)
    try:
        _wait(pooler)
        yield pooler
    finally:
        process.terminate()
        process.wait(10)


def _wait(pooler: Pooler) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            psycopg.connect(pooler.url("tripwire"), connect_timeout=2).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
