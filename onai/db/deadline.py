"""How long somebody waits for what is being computed: one deadline a request, not one a statement.

Whoever reads a page and has left waits no longer: their time is used up. What they write is
finished all the same.
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

# Databases and other services may take this long together while a request is answered.
REQUEST_SECONDS = 12.0
# As nginx logs it: nobody reads the answer.
_CLIENT_HAS_LEFT = 499


@dataclass(frozen=True, slots=True)
class _Wait:
    """Until when (`monotonic()`) somebody waits, and at which socket, if they may leave."""

    until: float
    client: socket.socket | None = None


_wait: ContextVar[_Wait | None] = ContextVar("wait", default=None)


@contextmanager
def within(seconds: float, *, client: socket.socket | None = None) -> Iterator[None]:
    """What is asked of others in here ends within `seconds`, or sooner if it had to before, or when
    the `client` leaves."""
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
    """What is computed in here is not for this client alone, so it goes on when they leave."""
    outer = _wait.get()
    token = _wait.set(outer and _Wait(outer.until))
    try:
        yield
    finally:
        _wait.reset(token)


def left() -> float | None:
    """The seconds that are left, never below zero; None where nobody waits, as in a command."""
    wait = _wait.get()
    if wait is None:
        return None
    return 0.0 if client_has_left() else max(0.0, wait.until - monotonic())


def client_has_left() -> bool:
    """Whether whoever waits has closed the connection."""
    wait = _wait.get()
    return wait is not None and _is_closed(wait.client)


def _is_closed(client: socket.socket | None) -> bool:
    """Whether the other side of a connection has closed it; nobody knows but on Linux."""
    if client is None or not hasattr(select, "POLLRDHUP"):
        return False
    closed = select.poll()
    closed.register(client, select.POLLRDHUP)
    return bool(closed.poll(0))


class DeadlineMiddleware:
    """Gives each request its time, and drops it if its client left while it was queued."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        client = request.META.get("gunicorn.socket")
        if _is_closed(client):
            # Whoever reloads a slow page is served once.
            return HttpResponse(status=_CLIENT_HAS_LEFT)
        if request.method not in ("GET", "HEAD"):
            client = None
        with within(REQUEST_SECONDS, client=client):
            response = self.get_response(request)
        if response.streaming and not isinstance(response, FileResponse):
            # What is sent while it is being read: each piece has the time of a request.
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
