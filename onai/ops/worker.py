"""gunicorn's threaded worker, with threads of their own for probes.

When two hundred people wait for eight threads, or all threads wait for a database, `/healthz` would
wait behind them and the process would be taken for dead. So a connection is examined once its first
bytes are there, and threads that serve nothing else answer a probe.
"""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from onai.ops.lifecycle import stopping

_LONGEST_PROBE = 4096
# `/readyz` waits for the dependencies, `/healthz` for nothing.
_THREADS = {"/healthz": 1, "/readyz": 2}


class Worker(ThreadWorker):  # type: ignore[misc]
    """The worker that `gunicorn.conf.py` names."""

    def init_process(self) -> None:
        self.lanes = {path: ThreadPoolExecutor(number) for path, number in _THREADS.items()}
        super().init_process()

    def handle_exit(self, sig: int, frame: Any) -> None:
        stopping.set()
        super().handle_exit(sig, frame)

    def accept(self, listener: socket.socket) -> bool:
        """Take a waiting connection, and give it a thread once it has sent something."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        self.nr_conns += 1
        connection = TConn(self.cfg, client, address, listener.getsockname())
        connection.set_timeout()
        self.pending_conns.append(connection)
        when_it_speaks = partial(self.on_pending_socket_readable, connection)
        self.poller.register(client, EVENT_READ, when_it_speaks)
        return True

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not self.alive:
            # Earlier connections are served; a new one is refused at once, instead of waiting for a
            # process that accepts nobody any more.
            for listener in self.sockets:
                while self.accept(listener):
                    pass
                listener.close()

    def enqueue_req(self, conn: Any) -> None:
        lane = self.lanes.get(_probe(conn.sock)) or self.tpool
        answer = lane.submit(self.handle, conn)
        answer.add_done_callback(
            lambda done: self.method_queue.defer(self.finish_request, conn, done)
        )

    def _cap_keepalive(self, deadline: float) -> None:
        super()._cap_keepalive(deadline)
        # A connection that has sent nothing is not awaited either.
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, max(deadline, time.monotonic()))


def _probe(client: socket.socket) -> str:
    """The path of a probe that has arrived whole, so that it cannot hold its thread; else empty."""
    try:
        head = client.recv(_LONGEST_PROBE, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except (OSError, ValueError):
        return ""
    method, _, rest = head.partition(b" ")
    if method not in (b"GET", b"HEAD") or b"\r\n\r\n" not in rest:
        return ""
    return rest.partition(b" ")[0].partition(b"?")[0].decode("latin-1")
