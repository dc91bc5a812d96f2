"""The product as production starts it: gunicorn, in processes of its own, over real HTTP."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.ports import free_port
from tests.processes import wait_for
from tests.settings import BASE_DIR, TEST_ENVIRONMENT


@dataclass(slots=True)
class Site:
    """A web server that runs."""

    address: str
    process: "subprocess.Popen[bytes]"

    def kill(self) -> None:
        """End it and all its workers at once, with no chance to tidy up."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


@contextmanager
def production_server(**environment: str) -> Iterator[str]:
    """Collect the static files, start the server, and answer where it is."""
    started = {**TEST_ENVIRONMENT, **environment}
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(collect, cwd=BASE_DIR, env=started, check=True)
    with web_server(**environment) as site:
        yield site.address


@contextmanager
def web_server(**environment: str) -> Iterator[Site]:
    """The server without its static files: enough for an API."""
    started = {**TEST_ENVIRONMENT, **environment}
    address = f"127.0.0.1:{free_port()}"
    serve = [sys.executable, "-m", "gunicorn", "--log-level", "warning", "--bind", address]
    server = subprocess.Popen(
        [*serve, "onai.wsgi"], cwd=BASE_DIR, env=started, start_new_session=True
    )
    try:
        wait_for(f"http://{address}/healthz")
        yield Site(f"http://{address}", server)
    finally:
        server.terminate()
        server.wait(10)
