"""Failures on demand: tests tell the stand-ins how the next requests shall go wrong.

`POST /faults` with `{"path": "/auth/v1/token", "status": 500}` makes requests under that path fail;
`DELETE /faults` ends it, and `GET /faults` tells how many are set and how many requests they have
met since. Optional: `method`; `body` (text sent instead of the stand-in's answer); `delay` in
seconds; `drop` (hang up without an answer); `after` (the failure comes when the request has taken
effect, not before); `times` (how many requests, default: all); `headers`.
"""

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse, JsonResponse


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
    """Applies the first fault that concerns a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._faults: list[Fault] = []
        self._met = 0
        self._lock = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/faults":
            return self._control(request)
        fault = self._take(request)
        if fault is None:
            return self.get_response(request)
        answer = self.get_response(request) if fault.after else None
        time.sleep(fault.delay)
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

    def _take(self, request: HttpRequest) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.concerns(request):
                    self._met += 1
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None

    def _control(self, request: HttpRequest) -> HttpResponse:
        with self._lock:
            if request.method == "POST":
                self._faults.append(Fault(**json.loads(request.body)))
            elif request.method == "DELETE":
                self._faults.clear()
                self._met = 0
            return JsonResponse({"faults": len(self._faults), "met": self._met})


def _hang_up(request: HttpRequest) -> None:
    connection: socket.socket = request.META["gunicorn.socket"]
    connection.shutdown(socket.SHUT_RDWR)
