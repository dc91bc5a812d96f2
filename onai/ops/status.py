"""/status: the state of every part, and what to do about it, for the owners."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.ops.examination import examine
from onai.ops.probes import BACKGROUND, DEPENDENCIES


@role_required("admin")
@require_safe
def status(request: IdentifiedRequest) -> HttpResponse:
    parts = examine([*DEPENDENCIES, *BACKGROUND])
    broken = [part for part in parts if not part.works]
    return render(request, "status.html", {"parts": parts, "broken": broken})
