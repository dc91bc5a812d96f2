"""The sales manager's cabinet, and the page that tells a student their access works."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest


@role_required("admin", "sales")
@require_safe
def cabinet(request: IdentifiedRequest) -> HttpResponse:
    return render(request, "sales/cabinet.html")


@role_required("student")
@require_safe
def welcome(request: IdentifiedRequest) -> HttpResponse:
    return render(request, "sales/welcome.html", {"platform_url": settings.PLATFORM_LOGIN_URL})
