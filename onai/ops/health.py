"""What a load balancer asks: whether this process serves, and whether to send people to it.

A dependency that is down is reported, but does not take the process away: the rest of the site
works without it, here as on any other instance.
"""

import threading
from collections.abc import Callable

from django.conf import settings
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.http import HttpRequest, HttpResponse, JsonResponse

from onai.ops.examination import examine
from onai.ops.lifecycle import stopping
from onai.ops.probes import DEPENDENCIES, MIGRATIONS, NOT_MIGRATED

_was_migrated = threading.Event()


class ProbeMiddleware:
    """Answers the load balancer before anything else runs, for any host name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return HttpResponse("ok", content_type="text/plain")
        if request.path == "/readyz":
            return _readiness()
        return self.get_response(request)


def _readiness() -> HttpResponse:
    migrated = _was_migrated.is_set()
    parts = examine(DEPENDENCIES if migrated else [*DEPENDENCIES, MIGRATIONS])
    states = {part.name: "ok" if part.works else "down" for part in parts}
    reasons = {part.name: part.reason for part in parts if not part.works}
    if states.get(MIGRATIONS.name) == "ok":
        # Applied migrations stay applied; a database that is down says nothing about them.
        _was_migrated.set()
    faults = [
        fault
        for fault, is_so in (
            ("stopping", stopping.is_set()),
            ("not_migrated", reasons.pop(MIGRATIONS.name, "") == NOT_MIGRATED),
            ("static_files_missing", _static_files_are_missing()),
        )
        if is_so
    ]
    states.pop(MIGRATIONS.name, None)
    body = {"ready": not faults, "faults": faults, "dependencies": states, "reasons": reasons}
    response = JsonResponse(body, status=503 if faults else 200)
    response["Cache-Control"] = "no-store"
    return response


def _static_files_are_missing() -> bool:
    """Whether pages would crash without the manifest of `collectstatic`, which they need unless
    DEBUG is on.
    """
    storage = staticfiles_storage
    return (
        not settings.DEBUG and isinstance(storage, ManifestFilesMixin) and not storage.hashed_files
    )
