"""Keeps the text of a form that was sent too late, past the sign-in and back to the form.

It travels sealed in a cookie of that one page, for half an hour and for the person for whom the
form was drawn. Where the form does not say for whom, it is kept for the browser that sent it:
otherwise a stranger could have text of their own sealed and plant it on somebody else. Passwords
and confirmations are not kept.
"""

import json
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.views.decorators.debug import sensitive_variables

from onai import encryption
from onai.identity.roles import Identity
from onai.identity.session import form_owner

_KEPT = timedelta(minutes=30)
_PURPOSE = "typed text"
_NOT_KEPT = {"csrfmiddlewaretoken", form_owner.FIELD, "attempt", "suggest", "sure", "adopt"}
# A browser keeps at most 4096 bytes, name and attributes included.
_LONGEST = 3_700


@sensitive_variables()
def typed_in(request: HttpRequest) -> dict[str, str]:
    """The fields of the form that may be kept."""
    typed = {name: request.POST.get(name, "") for name in request.POST}
    return {
        name: value
        for name, value in typed.items()
        if name not in _NOT_KEPT and "password" not in name and value.strip()
    }


@sensitive_variables()
def keep(request: HttpRequest, response: HttpResponse) -> bool:
    """Send the typed text along to the page of the form; returns whether there was any and it
    fitted.
    """
    typed = typed_in(request)
    content = [request.path, form_owner.mark_in(request), _browser(request), typed]
    sealed = encryption.seal(json.dumps(content), purpose=_PURPOSE)
    if not typed or len(sealed) > _LONGEST:
        return False
    response.set_cookie(
        _name(request.path),
        sealed,
        max_age=_KEPT,
        path=request.path,
        secure=not settings.DEBUG,
        httponly=True,
        samesite="Lax",
    )
    return True


@sensitive_variables()
def kept(request: HttpRequest, identity: Identity) -> dict[str, str]:
    """The text that this person typed into the form of this page before signing in."""
    sealed = request.COOKIES.get(_name(request.path), "")
    try:
        opened = encryption.unseal(sealed, purpose=_PURPOSE, not_older_than=_KEPT)
    except (encryption.Unsealable, UnicodeError):
        return {}
    page, mark, browser, typed = json.loads(opened)
    is_theirs = form_owner.is_mark_of(mark, identity) if mark else browser == _browser(request)
    return typed if page == request.path and is_theirs else {}


def forget(response: HttpResponseBase, page: str) -> None:
    response.delete_cookie(_name(page), path=page, samesite="Lax")


def _browser(request: HttpRequest) -> str:
    """A name for this browser that no other host can set: its CSRF secret."""
    get_token(request)
    return str(request.META["CSRF_COOKIE"])


def _name(page: str) -> str:
    return f"onai-typed-{sha256(page.encode()).hexdigest()[:32]}"
