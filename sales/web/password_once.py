"""Carries a student's password to the page that shows it once, to the person who chose it.

It travels sealed in a cookie of that one page and browser, so that no row keeps it. The page
deletes the cookie when it has shown the password.
"""

from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables

from onai import encryption

_KEPT = timedelta(minutes=30)
_PURPOSE = "password shown once"


@sensitive_variables("password")
def give(response: HttpResponse, page: str, password: str) -> None:
    """Send the password along to the page with this path."""
    response.set_cookie(
        _name(page),
        encryption.seal(f"{page} {password}", purpose=_PURPOSE),
        max_age=_KEPT,
        path=page,
        secure=not settings.DEBUG,
        httponly=True,
        samesite="Lax",
    )


def read(request: HttpRequest, page: str) -> str | None:
    """The password that this browser brings for this page, None if it is gone."""
    sealed = request.COOKIES.get(_name(page), "")
    try:
        opened = encryption.unseal(sealed, purpose=_PURPOSE, not_older_than=_KEPT)
    except encryption.Unsealable:
        return None
    owner, _, password = opened.partition(" ")
    return password if owner == page else None


def take_back(response: HttpResponse, page: str) -> None:
    """Show the password to nobody from now on."""
    response.delete_cookie(_name(page), path=page, samesite="Lax")


def _name(page: str) -> str:
    return f"onai-once-{sha256(page.encode()).hexdigest()[:32]}"
