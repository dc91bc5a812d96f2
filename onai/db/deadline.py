"""How much time is left for whoever waits: one deadline a request, not one a statement."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import cast

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse

# The databases may take this long together while a request is answered.
REQUEST_SECONDS = 12.0

_until: ContextVar[float | None] = ContextVar("until", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is asked of a database in here ends within `seconds`, or sooner if it had to before."""
    earlier = _until.get()
    until = monotonic() + seconds
    token = _until.set(until if earlier is None else min(until, earlier))
    try:
        yield
    finally:
        _until.reset(token)


def left() -> float | None:
    """The seconds that are left, never below zero; None where nobody waits, as in a command."""
    until = _until.get()
    return None if until is None else max(0.0, until - monotonic())


class DeadlineMiddleware:
    """Gives each request its time. Stands before whatever asks a database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with within(REQUEST_SECONDS):
            response = self.get_response(request)
        if response.streaming and not isinstance(response, FileResponse):
            # What is sent while it is being read: each piece has the time of a request.
            streaming = cast(StreamingHttpResponse, response)
            pieces = cast(Iterable[bytes], streaming.streaming_content)
            streaming.streaming_content = _piece_by_piece(pieces)
        return response


def _piece_by_piece(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = iter(pieces)
    while True:
        with within(REQUEST_SECONDS):
            piece = next(rest, None)
        if piece is None:
            return
        yield piece
