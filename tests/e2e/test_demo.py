"""`make demo`: starts, reports its addresses, keeps data between runs, leaves no process behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

import psutil
import psycopg
import pytest

from onai.local import postgres
from onai.local.auth.keys import Keys
from tests.settings import BASE_DIR
from tests.support import plain_http
from tests.support.people import Accounts
from tests.support.ports import free_port


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that no other run of the tests touches.

    Each run closes pytest's own folder to other users; where we are root, the server is run by one.
    """
    made = Path(tempfile.mkdtemp(prefix="onai-demo-"))
    yield made
    shutil.rmtree(made)


class Demo:
    """A running demo and its output so far."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.said = ""
        self._lines: Queue[str] = Queue()
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "onai.local.demo"],
            cwd=BASE_DIR,
            env={**environment, "DEMO_PORT": str(port), "ONAI_LOCAL_DIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)

    def wait_for(self, words: str, *, seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while words not in self.said:
            try:
                self.said += self._lines.get(timeout=0.5)
            except Empty:
                assert time.monotonic() < deadline, self.said
                assert self.process.poll() is None or not self._lines.empty(), self.said

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def services(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"

    def everything_it_started(self) -> list[psutil.Process]:
        started: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return started

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(120)
        self._reader.join(10)
        assert self.process.stdout
        self.process.stdout.close()


@contextmanager
def _demo(folder: Path, port: int) -> Iterator[Demo]:
    demo = Demo(folder, port)
    try:
        yield demo
    finally:
        demo.close()


def _postgres_of(folder: Path) -> psutil.Process:
    pid = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
    return psutil.Process(pid)


def _sign_in(demo: Demo, email: str) -> str:
    return str(_accounts(demo).sign_in(email)["access_token"])


def _funnel(demo: Demo) -> dict[str, int]:
    header = {"Authorization": f"Bearer {_sign_in(demo, 'admin@onai.test')}"}
    body = plain_http.get(f"{demo.site}/api/traffic-dashboard/funnel", headers=header).json()
    return {
        "visitors": body["stages"][0]["metrics"]["visitors"],
        "views": body["stages"][1]["metrics"]["views"],
        "purchases": body["totalConversions"],
        "revenue": body["totalRevenue"],
    }


def _addresses(port: int) -> set[str]:
    """The addresses on which a process listens on this port."""
    return {
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    }


def _changed_name(demo: Demo) -> str:
    token = _sign_in(demo, "student@onai.test")
    return str(_accounts(demo).call("GET", "/user", token).json()["user_metadata"]["full_name"])


def _accounts(demo: Demo) -> Accounts:
    keys = [
        re.search(rf"^Supabase {name} key: (\S+)$", demo.said, re.MULTILINE)
        for name in ("anon", "service-role")
    ]
    anon, service = (found[1] for found in keys if found)
    return Accounts(demo.services, Keys("", "", anon, service, "", ()))


def _asked_by_shell(folder: Path, port: int, database: str, statement: str) -> str:
    shell = ["-m", "onai.local.manage", "dbshell", "--database", database, "--", "-tAc", statement]
    environment = {"PATH": "", "DEMO_PORT": str(port), "ONAI_LOCAL_DIR": str(folder)}
    ended = subprocess.run(
        [sys.executable, *shell],
        cwd=BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_the_demo_keeps_changes_restarts_a_dead_process_and_stops_cleanly(place: Path) -> None:
    folder, port = place / "local", free_port()

    with _demo(folder, port) as demo:
        demo.wait_for("Ready")
        for email in ("admin", "ayaulym", "aselya", "student"):
            assert f"{email}@onai.test" in demo.said
        assert plain_http.get(f"{demo.site}/healthz").text == "ok"
        assert plain_http.get(f"{demo.services}/mailbox.json").json() == []
        for listening in (port, port + 1):
            assert _addresses(listening) == {"127.0.0.1"}
        figures = _funnel(demo)
        assert figures == {"visitors": 350, "views": 380, "purchases": 30, "revenue": 150_000}
        everyone = _accounts(demo).call("GET", "/admin/users?per_page=100").json()["users"]
        roles = [user["app_metadata"]["role"] for user in everyone]
        assert (len(roles), roles.count("sales"), roles.count("admin")) == (50, 2, 1)
        # The demo's SQL shell works on a machine without psql.
        asked = "select current_database(), count(*) from landing_leads where sms_clicked"
        assert "landing|" in _asked_by_shell(folder, port, "landing", asked)
        assert _asked_by_shell(folder, port, "tripwire", "select 6 * 7") == "42"
        # Buyers wait for three days at most, and the queue has closed lines of every reason.
        waiting = (
            "select count(*) between 8 and 20, max(now() - waiting_since) < interval '73 hours'"
            " from sales_buyers where waiting_since is not null"
        )
        assert _asked_by_shell(folder, port, "tripwire", waiting) == "t|t"
        reasons = "select string_agg(distinct closed_reason, ' ') from sales_buyers"
        told = _asked_by_shell(folder, port, "tripwire", reasons)
        assert {"access", "not_paid", "duplicate", "refund", "other"} <= {*told.split()}

        # A second demo on the same port stops with one sentence.
        with _demo(place / "other", port) as second:
            second.wait_for("is taken by another program")
            assert second.process.wait(60) == 1
            assert "Traceback" not in second.said

        # Changes are kept, a killed process is restarted, and Ctrl-C stops every process.
        token = _sign_in(demo, "student@onai.test")
        _accounts(demo).call("PUT", "/user", token, json={"data": {"full_name": "Переименован"}})
        [worker] = [p for p in demo.everything_it_started() if "procrastinate" in p.cmdline()]
        worker.kill()
        demo.wait_for("the worker stopped (code -9); starting it again")
        started = [*demo.everything_it_started(), _postgres_of(folder)]
        started[0].kill()
        demo.process.send_signal(signal.SIGINT)
        assert demo.process.wait(120) == 0
        _, alive = psutil.wait_procs(started, timeout=60)
        assert alive == []

    with _demo(folder, port) as demo:
        demo.wait_for("Ready")
        assert _changed_name(demo) == "Переименован"
        assert _funnel(demo) == figures
        students = "select count(*), max(created_at) < now() from tripwire_users"
        assert _asked_by_shell(folder, port, "tripwire", students) == "47|t"


def test_the_demo_stops_when_its_terminal_is_closed(place: Path) -> None:
    folder = place / "local"
    demo = subprocess.Popen(
        [sys.executable, "-m", "onai.local.demo"],
        cwd=BASE_DIR,
        env={
            "PATH": os.environ["PATH"],
            "DEMO_PORT": str(free_port()),
            "ONAI_LOCAL_DIR": str(folder),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert demo.stdout
    assert any("Ready" in line for line in demo.stdout)
    started = [*psutil.Process(demo.pid).children(recursive=True), _postgres_of(folder)]

    demo.stdout.close()  # as when the terminal is closed
    demo.send_signal(signal.SIGHUP)
    demo.wait(120)

    _, alive = psutil.wait_procs(started, timeout=60)
    assert alive == []


def test_data_of_another_postgresql_version_are_reported_in_one_sentence(place: Path) -> None:
    data = place / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("16\n")

    with _demo(place, free_port()) as demo:
        demo.wait_for("of PostgreSQL 16")
        assert demo.process.wait(60) == 1
        assert "Traceback" not in demo.said


def test_the_database_server_starts_in_any_folder_and_is_found_running(place: Path) -> None:
    data = place / ("far away " * 12) / "it's here"

    first = postgres.start(data, disposable=True)
    try:
        second = postgres.start(data)
        assert second == first
        assert postgres.running_socket_dir(data) == first.socket_dir
        with psycopg.connect(postgres.url(second.socket_dir, "tripwire")) as connection:
            assert connection.execute("show fsync").fetchone() == ("off",)
        data.parent.chmod(0o700)  # the server's user can no longer read it
    finally:
        first.stop()
    assert postgres.running_socket_dir(data) is None
    first.stop()  # stopping twice is harmless


@pytest.mark.parametrize("port", ["http", "0", "65535", "-1"])
def test_an_invalid_port_is_reported(place: Path, port: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "onai.local.demo"],
        cwd=BASE_DIR,
        env={"PATH": os.environ["PATH"], "DEMO_PORT": port, "ONAI_LOCAL_DIR": str(place)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 1
    assert "DEMO_PORT must be a port number" in done.stderr
    assert "Traceback" not in done.stderr
