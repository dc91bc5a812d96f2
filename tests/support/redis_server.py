"""A Redis of the tests' own, where the machine has one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import redis

from tests.support.interruptions import wait_until
from tests.support.ports import free_port


@dataclass(frozen=True, slots=True)
class SharedCache:
    """The address of the server, its process, and a client for the tests."""

    url: str
    pid: int
    client: redis.Redis


@contextmanager
def run_redis() -> Iterator[SharedCache]:
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("REQUIRE_REDIS") == "1":
            pytest.fail("REQUIRE_REDIS=1, and there is no redis-server on this machine")
        pytest.skip("no redis-server on this machine")
    port = free_port()
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--loglevel"]
    process = subprocess.Popen([*command, "warning"], stdout=subprocess.DEVNULL)
    client = redis.Redis(port=port)

    def answers() -> bool:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False

    try:
        wait_until(answers)
        yield SharedCache(f"redis://127.0.0.1:{port}/0", process.pid, client)
    finally:
        client.close()
        process.terminate()
        process.wait(20)
