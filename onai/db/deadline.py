"""One deadline for everything that a request waits for.

A reader who has left waits no longer, so their time is used up. A write is finished all the same.
"""

import select
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import cast

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse

# The limit of databases and other services together in one request.
REQUEST_SECONDS = 12.0
# The status that nginx logs when the client has left.
_CLIENT_HAS_LEFT = 499


@dataclass(frozen=True, slots=True)
class _Wait:
    """Until when (`monotonic()`) somebody waits, and on which socket they may leave."""

    until: float
    client: socket.socket | None = None


_wait: ContextVar[_Wait | None] = ContextVar("wait", default=None)


@contextmanager
def within(seconds: float, *, client: socket.socket | None = None) -> Iterator[None]:
    """Everything asked inside ends within `seconds`, sooner where an outer limit is shorter, or
    when the `client` leaves.
    """
    outer, until = _wait.get(), monotonic() + seconds
    if outer is not None:
        until, client = min(until, outer.until), client or outer.client
    token = _wait.set(_Wait(until, client))
    try:
        yield
    finally:
        _wait.reset(token)


@contextmanager
def for_others_too() -> Iterator[None]:
    """The result also serves others, so the work goes on when this client leaves."""
    outer = _wait.get()
    token = _wait.set(outer and _Wait(outer.until))
    try:
        yield
    finally:
        _wait.reset(token)


def left() -> float | None:
    """The seconds that are left, never negative; None where nobody waits, as in a command."""
    wait = _wait.get()
    if wait is None:
        return None
    return 0.0 if client_has_left() else max(0.0, wait.until - monotonic())


def client_has_left() -> bool:
    """Whether the waiting client has closed the connection."""
    wait = _wait.get()
    return wait is not None and _is_closed(wait.client)


def _is_closed(client: socket.socket | None) -> bool:
    """Whether the other side has closed the connection. Known on Linux only."""
    if client is None or not hasattr(select, "POLLRDHUP"):
        return False
    closed = select.poll()
    closed.register(client, select.POLLRDHUP)
    return bool(closed.poll(0))


class DeadlineMiddleware:
    """Gives each request its time, and drops it if its client left the queue."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        client = request.META.get("gunicorn.socket")
        if _is_closed(client):
            # Reloading a slow page serves it once.
            return HttpResponse(status=_CLIENT_HAS_LEFT)
        if request.method not in ("GET", "HEAD"):
            client = None
        with within(REQUEST_SECONDS, client=client):
            response = self.get_response(request)
        if response.streaming and not isinstance(response, FileResponse):
            # Of a streamed answer each piece has the time of a request.
            streaming = cast(StreamingHttpResponse, response)
            pieces = cast(Iterable[bytes], streaming.streaming_content)
            streaming.streaming_content = _piece_by_piece(pieces, client)
        return response


def _piece_by_piece(pieces: Iterable[bytes], client: socket.socket | None) -> Iterator[bytes]:
    rest = iter(pieces)
    while True:
        with within(REQUEST_SECONDS, client=client):
            piece = next(rest, None)
        if piece is None:
            return
        yield piece
