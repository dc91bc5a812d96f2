"""The one guard on views, for pages and API alike."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from onai.errors import SignInRequired, WrongRole, is_api
from onai.identity import audit, standing, tokens
from onai.identity.roles import IdentifiedRequest, Identity, Role, VisitorRequest

View = Callable[Concatenate[Any, ...], HttpResponseBase]


def role_required(*roles: str) -> Callable[[View], View]:
    """Let only these roles in.

    Without a session a page sends to the sign-in and the API answers 401; with another role both
    answer 403; when nobody can tell who is asking, 503. A file goes out only to somebody who may
    have it this very moment.
    """
    allowed = frozenset(Role(role) for role in roles)

    def decorate(view: Callable[Concatenate[IdentifiedRequest, ...], HttpResponseBase]) -> View:
        @wraps(view)
        def guarded(request: VisitorRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.identity_problem:
                raise request.identity_problem
            if request.identity is None:
                if is_api(request):
                    raise SignInRequired
                return _to_sign_in(request)
            if request.identity.role not in allowed:
                _note_refusal(request, request.identity)
                raise WrongRole
            response = view(request, *args, **kwargs)  # type: ignore[arg-type]
            if response.get("Content-Disposition", "").startswith("attachment"):
                response = _checked_export(request, request.identity, response)
            add_never_cache_headers(response)
            return response

        return guarded

    return decorate


def _checked_export(
    request: VisitorRequest, identity: Identity, file: HttpResponseBase
) -> HttpResponseBase:
    """The file, if whoever asks may have it also without what was remembered of them."""
    try:
        now = standing.identify(tokens.verify(request.access_token or ""))
    except (standing.AccessEnded, tokens.TokenInvalid):
        file.close()
        return _to_sign_in(request)
    if now.role is not identity.role:
        raise WrongRole
    audit.record("exported", request, user_id=identity.user_id, file=request.path)
    return file


def _note_refusal(request: HttpRequest, identity: Identity) -> None:
    role = str(identity.role or "")
    audit.record("role_refused", request, user_id=identity.user_id, role=role, page=request.path)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    # After signing in a page is fetched again, so only what can be fetched is worth returning to:
    # for a form that was sent, the page it was on.
    if request.method in ("GET", "HEAD"):
        query = {"next": request.get_full_path()}
    else:
        form_page = _form_page_of(request)
        query = {"lost": "form", **({"next": form_page} if form_page else {})}
    return HttpResponseRedirect(f"{reverse('login')}?{urlencode(query)}")


def _form_page_of(request: HttpRequest) -> str:
    """The page of this site that a form was sent from, as far as the browser tells."""
    try:
        page = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return ""  # Anybody can write anything there, such as a bracket that does not close.
    return page.path if page.netloc == request.get_host() else ""
