"""Carries a student's password to the page of its request, which shows it for a quarter of an hour.

A cookie of that page carries it sealed, so that no row keeps it; only the person who chose it can
read it. The seal expires by itself, whatever the browser does with the cookie.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from onai import encryption
from onai.identity.roles import IdentifiedRequest

SHOWN_FOR = timedelta(minutes=15)
_PURPOSE = "password shown to its chooser"


@dataclass(frozen=True, slots=True)
class ShownPassword:
    """A password, and until when its page shows it."""

    text: str = field(repr=False)
    until: datetime


@sensitive_variables("password", "content")
def give(request: IdentifiedRequest, response: HttpResponse, page: str, password: str) -> None:
    """Put the password into a cookie for the page with this path, readable by this person only."""
    content = f"{page} {request.identity.user_id} {timezone.now().timestamp()} {password}"
    response.set_cookie(
        _name(page),
        encryption.seal(content, purpose=_PURPOSE),
        max_age=SHOWN_FOR,
        path=page,
        secure=not settings.DEBUG,
        httponly=True,
        samesite="Lax",
    )


@sensitive_variables("opened", "password")
def read(request: IdentifiedRequest, page: str) -> ShownPassword | None:
    """The password in this person's cookie for this page; None where it is missing or has
    expired.
    """
    sealed = request.COOKIES.get(_name(page), "")
    try:
        opened = encryption.unseal(sealed, purpose=_PURPOSE, not_older_than=SHOWN_FOR)
    except encryption.Unsealable:
        return None
    owned_page, owner, given_at, password = opened.split(" ", 3)
    if (owned_page, owner) != (page, str(request.identity.user_id)):
        return None
    return ShownPassword(password, datetime.fromtimestamp(float(given_at), UTC) + SHOWN_FOR)


def _name(page: str) -> str:
    return f"onai-once-{sha256(page.encode()).hexdigest()[:32]}"
