"""HTTP to other services: connections kept open, time-outs that a request's deadline shortens."""

from datetime import timedelta
from functools import cache

import httpx

from onai.db import deadline


@cache
def http_client(*, connect: timedelta, read: timedelta) -> httpx.Client:
    """The client of this process with these time-outs, for any service.

    `read` is for each time that one waits for the service to say something. Where a request has
    less time left, it has only that; where it has none, a call ends in `httpx.ConnectTimeout`
    before it begins.
    """
    seconds = connect.total_seconds()
    timeout = httpx.Timeout(read.total_seconds(), connect=seconds, pool=seconds)
    return httpx.Client(timeout=timeout, event_hooks={"request": [_keep_to_the_deadline]})


def _keep_to_the_deadline(request: httpx.Request) -> None:
    left = deadline.left()
    if left is None:
        return
    if not left:
        raise httpx.ConnectTimeout("the time of the request is used up", request=request)
    request.extensions["timeout"] = {
        phase: left if seconds is None else min(seconds, left)
        for phase, seconds in request.extensions["timeout"].items()
    }
