"""The product as production starts it: gunicorn, in processes of its own, over real HTTP."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

from fasteners import InterProcessLock

from onai.env import STATIC_ROOT
from tests.settings import BASE_DIR, TEST_ENVIRONMENT
from tests.support import forked_processes
from tests.support.ports import free_port
from tests.support.processes import wait_for

_Process = subprocess.Popen[bytes] | forked_processes.ForkedProcess
_SERVE = ("-m", "gunicorn", "onai.wsgi", "--log-level", "warning", "--bind")


@dataclass(slots=True)
class Site:
    """A running web server."""

    address: str
    process: _Process

    def kill(self) -> None:
        """End it and all its workers at once, without a clean shutdown."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(40)


def collect_static() -> None:
    """Collect the static files again; never below a server that serves them."""
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(collect, cwd=BASE_DIR, env=TEST_ENVIRONMENT, check=True)


def _have_static_files() -> None:
    """Ensure that some static files exist, because no server starts without."""
    with InterProcessLock(Path(gettempdir(), "onai-tests-collect-static-files")):
        if not (STATIC_ROOT / "staticfiles.json").exists():
            collect_static()


@contextmanager
def web_server(**environment: str) -> Iterator[Site]:
    """The web server. Its pages also need current static files: the fixture `static_files`."""
    _have_static_files()
    address = f"127.0.0.1:{free_port()}"
    started = {**TEST_ENVIRONMENT, **environment}
    with _serving(
        address,
        subprocess.Popen(
            [sys.executable, *_SERVE, address], cwd=BASE_DIR, env=started, start_new_session=True
        ),
    ) as site:
        yield site


@contextmanager
def warm_web_server() -> Iterator[Site]:
    """The same server, forked from a process that has imported it, where many are needed."""
    _have_static_files()
    address = f"127.0.0.1:{free_port()}"
    with _serving(address, forked_processes.start(*_SERVE, address)) as site:
        yield site


@contextmanager
def _serving(address: str, server: _Process) -> Iterator[Site]:
    try:
        wait_for(f"http://{address}/healthz")
        yield Site(f"http://{address}", server)
    finally:
        server.terminate()
        server.wait(40)
