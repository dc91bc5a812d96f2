"""HTTP to other services: connections kept open, time-outs that a request's deadline shortens."""

from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

from onai.db import deadline


@cache
def http_client(*, connect: timedelta, read: timedelta) -> httpx.Client:
    """The client of this process with these time-outs, for any service.

    `read` is for each time that one waits for the service to say something. Where a request has
    less time left, it has only that, however little the service says at a time; where it has none,
    a call ends in `httpx.ConnectTimeout` before it begins.
    """
    seconds = connect.total_seconds()
    timeout = httpx.Timeout(read.total_seconds(), connect=seconds, pool=seconds)
    client = httpx.Client(timeout=timeout, event_hooks={"request": [_require_time]})
    # httpx has no parameter for it. Also those to proxies that the environment names.
    for transport in (client._transport, *client._mounts.values()):  # noqa: SLF001
        if isinstance(transport, httpx.HTTPTransport):
            transport._pool._network_backend = _Network()  # noqa: SLF001
    return client


def _require_time(request: httpx.Request) -> None:
    if deadline.left() == 0:
        raise httpx.ConnectTimeout("the time of the request is used up", request=request)


def _at_most(seconds: float | None, too_late: type[Exception]) -> float | None:
    """The time for the next wait. Raises `too_late` where the request has none left."""
    left = deadline.left()
    if left == 0:
        raise too_late("the time of the request is used up")
    return seconds if left is None else min(left, left if seconds is None else seconds)


class _Network(httpcore.SyncBackend):
    """The network, on which no wait is longer than the request's deadline allows.

    httpx limits each wait by itself, so that a service that says a byte at a time is awaited for
    ever.
    """

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        seconds = _at_most(timeout, httpcore.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, seconds, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _at_most(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _at_most(timeout, httpcore.WriteTimeout))

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        seconds = _at_most(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, seconds))

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
