"""`make demo`: the whole product on one machine, until Ctrl-C.

It starts the embedded PostgreSQL, the stand-ins for Supabase Auth and Resend, the job worker and
the web server, prints their addresses, and stops everything it started.
"""

import contextlib
import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import httpx
from fasteners import InterProcessLock

from onai.local import postgres
from onai.local.auth.keys import Keys
from onai.local.demo_data.accounts import PASSWORD
from onai.local.environment import local_environment

ROOT = Path(__file__).resolve().parent.parent.parent
_READY_WITHIN_SECONDS = 60
_STOPS_WITHIN_SECONDS = 10
_MOST_RESTARTS = 5
_NEEDED_MEGABYTES = 200
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_ACCOUNTS = (
    ("admin@onai.test", "admin"),
    ("ayaulym@onai.test", "sales"),
    ("aselya@onai.test", "sales"),
    ("student@onai.test", "student"),
)


class CannotStart(Exception):
    """The reason why the demo cannot start, in one sentence."""


@dataclass(slots=True)
class Child:
    """A process of the demo. It leads a process group, so that all its children end with it."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    process: "subprocess.Popen[bytes]" = field(init=False)
    restarts: int = 0

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def signal(self, number: int) -> None:
        """Send a signal to the whole group, if it still exists."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def finish(self, deadline: float) -> None:
        """Wait for it to stop until `deadline` (`monotonic()`), then kill it."""
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            write_step(f"{self.name} does not stop; killing it")
        self.signal(signal.SIGKILL)
        self.process.wait()


class Demo:
    """Everything that is running, so that it can be stopped."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.children: list[Child] = []
        self.cluster: postgres.Cluster | None = None
        self._lock = InterProcessLock(folder / "running")

    def start(self) -> None:
        for number in (self.port, self.port + 1):
            _require_free(number)
        self.folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.folder).free < _NEEDED_MEGABYTES * 1_000_000:
            raise CannotStart(
                f"The disk is too full: {_NEEDED_MEGABYTES} MB are needed in {self.folder}."
            )
        if not self._lock.acquire(blocking=False):
            raise CannotStart(
                f"Another demo runs on the data in {self.folder}."
                " Stop it, or start this one from a clone of its own."
            )
        write_step("starting PostgreSQL")
        with _stop_signals_deferred():
            self.cluster = _start_postgres(self.folder)
        keys = Keys.load(self.folder)
        environment = local_environment(
            self.folder, keys, socket_dir=self.cluster.socket_dir, port=self.port
        )
        _prepare(environment)
        for child in _processes(environment, self.port):
            write_step(f"starting {child.name}")
            with _stop_signals_deferred():
                child.start()
                self.children.append(child)
        _wait_until_ready(self.children, self.port)
        _write_addresses(keys, self.port, self.folder)

    def watch(self) -> None:
        """Restart processes that died, a few times each, until the demo is stopped."""
        parent = os.getppid()
        while os.getppid() == parent:  # the starting process may be killed
            with _stop_signals_deferred():
                for child in self.children:
                    _restart_if_stopped(child)
            time.sleep(0.5)

    def stop(self) -> None:
        for child in self.children:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOPS_WITHIN_SECONDS
        for child in self.children:
            child.finish(deadline)
        if self.cluster is not None:
            self.cluster.stop()


def main() -> None:
    demo = Demo(Path(os.environ.get("ONAI_LOCAL_DIR", ROOT / ".local")), _port())
    for number in _STOP_SIGNALS:
        signal.signal(number, _interrupt)
    try:
        demo.start()
        demo.watch()
    except KeyboardInterrupt:
        pass  # This is how the demo ends.
    except CannotStart as obstacle:
        sys.exit(f"\n{obstacle}")
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        sys.exit(f"\nThe disk is full: nothing more can be written under {demo.folder}.")
    finally:
        _ignore_stop_signals()
        write_step("stopping")
        demo.stop()
        write_step("stopped")


def _ignore_stop_signals() -> None:
    # A second Ctrl-C must not leave half of it running.
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _start_postgres(folder: Path) -> postgres.Cluster:
    try:
        return postgres.start(folder / "postgres")
    except postgres.OtherVersion as error:
        raise CannotStart(
            f"The data in {folder} cannot be used: {error}. make reset forgets them."
        ) from error
    except subprocess.SubprocessError as error:
        log = folder / "postgres" / "log"
        if log.exists() and "No space left on device" in log.read_text(errors="replace"):
            raise OSError(errno.ENOSPC, "No space left on device") from error
        raise CannotStart(f"PostgreSQL did not start; its log is {log}.") from error


def _prepare(environment: Mapping[str, str]) -> None:
    command = [sys.executable, "manage.py", "prepare_local"]
    local = {**environment, "DJANGO_SETTINGS_MODULE": "onai.local.settings"}
    # In a session of its own, so that Ctrl-C is for us alone and it ends without a traceback.
    done = subprocess.run(command, cwd=ROOT, env=local, check=False, start_new_session=True)
    if done.returncode:
        raise CannotStart("The databases could not be prepared; what went wrong is above.")


def _processes(environment: Mapping[str, str], port: int) -> list[Child]:
    gunicorn = [sys.executable, "-m", "gunicorn", "--log-level", "warning", "--bind"]
    return [
        Child(
            f"the stand-ins for Supabase Auth and Resend on port {port + 1}",
            [*gunicorn, f"127.0.0.1:{port + 1}", "--threads", "32", "onai.local.wsgi"],
            # Faults are kept in memory, so one process serves all requests.
            {**environment, "WEB_CONCURRENCY": "1"},
        ),
        Child("the worker", [sys.executable, "manage.py", "procrastinate", "worker"], environment),
        Child(
            f"the web server on port {port}",
            [*gunicorn, f"127.0.0.1:{port}", "onai.wsgi"],
            # Without Redis each of two processes would have its own cache and figures.
            {
                **environment,
                "WEB_CONCURRENCY": "1",
                "DJANGO_SETTINGS_MODULE": "onai.local.site_settings",
            },
        ),
    ]


def _wait_until_ready(children: list[Child], port: int) -> None:
    deadline = time.monotonic() + _READY_WITHIN_SECONDS
    waiting = [f"http://127.0.0.1:{port + 1}/mailbox.json", f"http://127.0.0.1:{port}/healthz"]
    while waiting:
        for child in children:
            if child.process.poll() is not None:
                raise CannotStart(f"Of the demo, {child.name} did not start; why is above.")
        if time.monotonic() > deadline:
            raise CannotStart(f"Nothing answers at {waiting[0]} after a minute.")
        try:
            if httpx.get(waiting[0], timeout=2, trust_env=False).status_code == 200:
                waiting.pop(0)
                continue
        except httpx.HTTPError:
            pass  # Not yet; the deadline above decides.
        time.sleep(0.1)


def _restart_if_stopped(child: Child) -> None:
    code = child.process.poll()
    if code is None or child.restarts > _MOST_RESTARTS:
        return
    child.restarts += 1
    if child.restarts > _MOST_RESTARTS:
        write_step(f"{child.name} stopped again (code {code}) and is not started any more")
        return
    write_step(f"{child.name} stopped (code {code}); starting it again")
    child.signal(signal.SIGKILL)  # what it may have left in its group
    child.start()


def _port() -> int:
    given = os.environ.get("DEMO_PORT", "8000")
    if not given.isdigit() or not 1 <= int(given) <= 65_534:
        sys.exit(f"\nDEMO_PORT must be a port number from 1 to 65534, and is {given!r}.")
    return int(given)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise CannotStart(
                f"Port {port} is not ours to use; choose another: DEMO_PORT=8100"
            ) from None
        except OSError:
            raise CannotStart(
                f"Port {port} is taken by another program (another demo?)."
                " Stop it, or choose another port: make demo DEMO_PORT=8100"
            ) from None


def _write_addresses(keys: Keys, port: int, folder: Path) -> None:
    site, services = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
    logins = "\n".join(f"  {email:<20} {PASSWORD}   {role}" for email, role in _ACCOUNTS)
    forgotten = " (make reset forgets them)" if folder == ROOT / ".local" else ""
    write(
        f"""
Sales desk:     {site}
Mailbox:        {services}/mailbox
Components:     {site}/design
Supabase Auth:  {services}/auth/v1
Resend:         {services}/emails

{logins}

Supabase anon key: {keys.anon_key}
Supabase service-role key: {keys.service_role_key}

Ready. Ctrl-C stops everything; the data stay in {folder}{forgotten}.
"""
    )


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _stop_signals_deferred() -> Iterator[None]:
    """Handle a stop signal afterwards, so that no half-started server is left running."""
    asked: list[int] = []
    for number in _STOP_SIGNALS:
        signal.signal(number, lambda number, frame: asked.append(number))
    try:
        yield
    finally:
        for number in _STOP_SIGNALS:
            signal.signal(number, _interrupt)
        if asked:
            raise KeyboardInterrupt


def write_step(sentence: str) -> None:
    write(f"• {sentence}")


def write(text: str) -> None:
    # The terminal may have been closed; everything still has to be stopped.
    with contextlib.suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
