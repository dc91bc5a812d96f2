"""What was typed into a form that came too late, on its way past the sign-in and back to the form.

It travels sealed in a cookie of that one page, for half an hour and for the person for whom the
form was drawn. Where the form does not say, it is kept for the browser it was sent from: a stranger
could have a text of their own sealed and put it into somebody else's. Passwords are not kept, nor
are words of consent: those are given anew.
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
# With its name and attributes a browser keeps no more than 4096 bytes.
_LONGEST = 3_700


@sensitive_variables()
def typed_in(request: HttpRequest) -> dict[str, str]:
    """What may be kept of the form that was sent."""
    typed = {name: request.POST.get(name, "") for name in request.POST}
    return {
        name: value
        for name, value in typed.items()
        if name not in _NOT_KEPT and "password" not in name and value.strip()
    }


@sensitive_variables()
def keep(request: HttpRequest, response: HttpResponse) -> bool:
    """Send what was typed along to the page of the form; whether there was any, and room for it."""
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
    """What this person typed into the form of this page before they had to sign in."""
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
    """What tells one browser from another, and no other host can put there: its CSRF secret."""
    get_token(request)
    return str(request.META["CSRF_COOKIE"])


def _name(page: str) -> str:
    return f"onai-typed-{sha256(page.encode()).hexdigest()[:32]}"
