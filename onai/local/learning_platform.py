"""The sign-in page of a learning platform, for the link in a student's letter."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def login(request: HttpRequest) -> HttpResponse:
    """The page with the e-mail of the link filled in. Nobody signs in here."""
    return render(request, "local/platform.html", {"email": request.GET.get("email", "")})
