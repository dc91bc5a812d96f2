"""Processes of the product that start at once, forked from one that has imported it.

The other half is `fork_server`.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from tempfile import TemporaryFile

from tests.settings import BASE_DIR, TEST_ENVIRONMENT


@dataclass(slots=True)
class ForkedProcess:
    """A forked process. It leads a session of its own, so it can be killed with its children."""

    pid: int
    _fate: socket.socket
    returncode: int | None = None

    def wait(self, seconds: float) -> int:
        """The exit code, or minus the signal that ended the process. Raises TimeoutError."""
        if self.returncode is None:
            self._fate.settimeout(seconds)
            self.returncode = _number(self._fate)
            self._fate.close()
        return self.returncode

    def terminate(self) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


def start(*arguments: str, output: int = 1, errors: int = 2) -> ForkedProcess:
    """Start this Python command line, from the root of the project, as a process of its own."""
    return _fork_server().start(arguments, output, errors)


def run(*arguments: str, seconds: float = 60) -> "subprocess.CompletedProcess[str]":
    """The same, until it ends."""
    with TemporaryFile("w+") as output, TemporaryFile("w+") as errors:
        process = start(*arguments, output=output.fileno(), errors=errors.fileno())
        try:
            code = process.wait(seconds)
        finally:
            process.kill()
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(arguments, code, output.read(), errors.read())


def stop() -> None:
    """End the fork server, if it has been started."""
    if _fork_server.cache_info().currsize:
        _fork_server().stop()
        _fork_server.cache_clear()


@dataclass(slots=True)
class _ForkServer:
    process: "subprocess.Popen[bytes]"
    orders: socket.socket
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def start(self, arguments: tuple[str, ...], output: int, errors: int) -> ForkedProcess:
        fate, told = socket.socketpair()
        with self._one_at_a_time, told:
            order = json.dumps(arguments).encode()
            socket.send_fds(self.orders, [order], [output, errors, told.fileno()])
            fate.settimeout(30)
            return ForkedProcess(_number(fate), fate)

    def stop(self) -> None:
        self.orders.close()
        self.process.wait(40)


@cache
def _fork_server() -> _ForkServer:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())],
            cwd=BASE_DIR,
            env=TEST_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    return _ForkServer(process, ours)


def _number(told: socket.socket) -> int:
    line = b""
    while not line.endswith(b"\n"):
        more = told.recv(1)
        if not more:
            raise EOFError("the fork server, or what watched the process, is gone")
        line += more
    return int(line)
