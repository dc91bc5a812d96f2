"""A new student's password on its way to the page that shows it, once, to whoever chose it.

It travels sealed in a cookie of that one page and browser, so that no row of ours keeps it, and the
page takes it back when it has shown it.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from onai import sealing

_KEPT = timedelta(minutes=30)
_PURPOSE = "password shown once"


@sensitive_variables("password")
def give(response: HttpResponse, creation_id: UUID, password: str) -> None:
    """Send the password along to the page of this creation."""
    response.set_cookie(
        _name(creation_id),
        sealing.seal(f"{creation_id} {password}", purpose=_PURPOSE),
        max_age=_KEPT,
        path=_path(creation_id),
        secure=not settings.DEBUG,
        httponly=True,
        samesite="Lax",
    )


def read(request: HttpRequest, creation_id: UUID) -> str | None:
    """The password that this browser brings for this creation, if it still does."""
    sealed = request.COOKIES.get(_name(creation_id), "")
    try:
        opened = sealing.unseal(sealed, purpose=_PURPOSE, not_older_than=_KEPT)
    except sealing.Unsealable:
        return None
    owner, _, password = opened.partition(" ")
    return password if owner == str(creation_id) else None


def take_back(response: HttpResponse, creation_id: UUID) -> None:
    """From now on nobody is shown the password."""
    response.delete_cookie(_name(creation_id), path=_path(creation_id), samesite="Lax")


def _name(creation_id: UUID) -> str:
    return f"onai-once-{creation_id.hex}"


def _path(creation_id: UUID) -> str:
    return reverse("creation", args=[creation_id])
