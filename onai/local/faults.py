"""Failures on demand: tests say how the next requests to the stand-ins fail.

`POST /faults` with `{"path": "/auth/v1/token", "status": 500}` makes requests under that path fail,
`DELETE /faults` ends it, and `GET /faults` returns the number of faults and of the requests that
met one. Optional: `method`; `body` (a text instead of the stand-in's answer); `delay` in seconds;
`drop` (close the connection without an answer); `after` (fail after the request has taken effect,
not before); `times` (the number of requests, all by default); `headers`.

`DELETE` releases delayed requests and waits for them, so that none of them takes effect during a
later test.
"""

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse, JsonResponse

_TIDIES_UP_WITHIN_SECONDS = 20


@dataclass(slots=True)
class Fault:
    path: str
    method: str | None = None
    status: int | None = None
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    drop: bool = False
    after: bool = False
    times: int | None = None

    def concerns(self, request: HttpRequest) -> bool:
        return (
            request.path.startswith(self.path)
            and self.method in (None, request.method)
            and self.times != 0
        )


class FaultMiddleware:
    """Applies the first fault that matches a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._faults: list[Fault] = []
        self._met = 0
        self._under_way = 0
        self._times_ended = 0
        self._changed = threading.Condition()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/faults":
            return self._control(request)
        fault = self._take(request)
        if fault is None:
            return self.get_response(request)
        try:
            return self._fail(fault, request)
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _fail(self, fault: Fault, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request) if fault.after else None
        self._delay(fault.delay)
        if fault.drop:
            _hang_up(request)
            return answer or HttpResponse(status=503)  # which nobody hears any more
        if fault.status is None and not fault.body:
            return answer or self.get_response(request)
        return HttpResponse(
            fault.body,
            status=fault.status or 200,
            content_type="application/json",
            headers=fault.headers,
        )

    def _delay(self, seconds: float) -> None:
        with self._changed:
            ended = self._times_ended
            self._changed.wait_for(lambda: self._times_ended > ended, seconds)

    def _take(self, request: HttpRequest) -> Fault | None:
        with self._changed:
            for fault in self._faults:
                if fault.concerns(request):
                    self._met += 1
                    self._under_way += 1
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None

    def _control(self, request: HttpRequest) -> HttpResponse:
        with self._changed:
            if request.method == "POST":
                self._faults.append(Fault(**json.loads(request.body)))
            elif request.method == "DELETE":
                self._faults.clear()
                self._times_ended += 1
                self._changed.notify_all()
                self._changed.wait_for(lambda: not self._under_way, _TIDIES_UP_WITHIN_SECONDS)
                self._met = 0
            return JsonResponse({"faults": len(self._faults), "met": self._met})


def _hang_up(request: HttpRequest) -> None:
    connection: socket.socket = request.META["gunicorn.socket"]
    connection.shutdown(socket.SHUT_RDWR)
