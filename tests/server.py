"""The product as production starts it: gunicorn, in processes of its own, over real HTTP."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import wait_for
from tests.settings import BASE_DIR, TEST_ENVIRONMENT, _free_port


@contextmanager
def production_server(**environment: str) -> Iterator[str]:
    """Collect the static files, start the server, and answer where it is."""
    started = {**TEST_ENVIRONMENT, **environment}
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(collect, cwd=BASE_DIR, env=started, check=True)
    address = f"127.0.0.1:{_free_port()}"
    serve = [sys.executable, "-m", "gunicorn", "--log-level", "warning", "--bind", address]
    server = subprocess.Popen([*serve, "onai.wsgi"], cwd=BASE_DIR, env=started)
    try:
        wait_for(f"http://{address}/healthz")
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(10)
