"""The one guard on views, for pages and API alike."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, cast
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from onai.identity import audit
from onai.identity.roles import IdentifiedRequest, Identity, Role, VisitorRequest
from onai.identity.session import tokens, typed_text
from onai.identity.session.form_owner import FormOfAnother, is_anothers
from onai.identity.staff import standing
from onai.web.csv_export import CsvFile
from onai.web.problems import Problem, SignInRequired, WrongRole, answer, is_api

View = Callable[Concatenate[Any, ...], HttpResponseBase]


def role_required(*roles: str, keeps_text: bool = False) -> Callable[[View], View]:
    """Allow only these roles, and only forms that were drawn for the person who sends them.

    Without a session a page redirects to the sign-in and the API answers 401; with another role
    both answer 403; when nobody can tell who is asking, 503. An export checks the session at that
    very moment. A view with `keeps_text` has a form: its text survives the sign-in as
    `request.typed`, and the view answers `request.refusal` itself, with the text in place.
    """
    allowed = frozenset(Role(role) for role in roles)

    def decorate(view: Callable[Concatenate[IdentifiedRequest, ...], HttpResponseBase]) -> View:
        @wraps(view)
        def guarded(request: VisitorRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            keeps = keeps_text and request.method == "POST"
            if request.identity_problem:
                return _not_now(request, request.identity_problem, keeps_text=keeps)
            if request.identity is None:
                return _to_sign_in(request, keeps_text=keeps)
            if request.identity.role not in allowed:
                _note_refusal(request, request.identity)
                raise WrongRole
            identified = _with_its_form(request, request.identity, keeps_text=keeps_text)
            response = view(identified, *args, **kwargs)
            if identified.typed:
                typed_text.forget(response, request.path)
            if isinstance(response, CsvFile):
                response = _checked_export(request, request.identity, response)
            add_never_cache_headers(response)
            return response

        vars(guarded)["roles"] = allowed
        return guarded

    return decorate


def _with_its_form(
    request: VisitorRequest, identity: Identity, *, keeps_text: bool
) -> IdentifiedRequest:
    identified = cast(IdentifiedRequest, request)
    identified.refusal = FormOfAnother() if is_anothers(request, identity) else None
    if identified.refusal and not keeps_text:
        raise identified.refusal
    is_drawn = keeps_text and request.method == "GET"
    identified.typed = typed_text.kept(request, identity) if is_drawn else {}
    return identified


def _checked_export(request: VisitorRequest, identity: Identity, file: CsvFile) -> HttpResponseBase:
    """The file, if the person may have it without remembered answers.

    Once it has been sent, the log says who took it and how much of it.
    """
    try:
        now = standing.identify(tokens.verify(request.access_token or ""))
    except (standing.AccessEnded, tokens.TokenInvalid):
        file.close()
        return _to_sign_in(request)
    if now.role is not identity.role:
        raise WrongRole

    def ended(rows: int, complete: bool) -> None:
        about = {**file.about, "file": request.path, "rows": rows, "complete": complete}
        audit.record("exported", request, user_id=identity.user_id, **about)

    file.ended = ended
    return file


def _note_refusal(request: HttpRequest, identity: Identity) -> None:
    role = str(identity.role or "")
    audit.record("role_refused", request, user_id=identity.user_id, role=role, page=request.path)


def _not_now(request: HttpRequest, problem: Problem, *, keeps_text: bool) -> HttpResponse:
    response = answer(request, problem)
    if keeps_text:
        typed_text.keep(request, response)
    return response


def _to_sign_in(request: HttpRequest, *, keeps_text: bool = False) -> HttpResponse:
    if is_api(request):
        raise SignInRequired
    if request.headers.get("HX-Request") == "true":
        # A fragment was requested, which must not be replaced by a whole page.
        return render(request, "identity/signed_out.html", status=401)
    # After signing in the browser sends a GET, so it returns to an address that answers one: for a
    # form, the page of the form.
    if request.method in ("GET", "HEAD"):
        return _redirect_to_sign_in(next=request.get_full_path())
    form_page = _form_page_of(request)
    if keeps_text:
        form_page = form_page or ("" if "Referer" in request.headers else request.path)
        response = _redirect_to_sign_in(lost="password", next=form_page)
        if typed_text.keep(request, response):
            return response
    return _redirect_to_sign_in(lost="form", next=form_page)


def _redirect_to_sign_in(**query: str) -> HttpResponse:
    told = {name: value for name, value in query.items() if value}
    return HttpResponseRedirect(f"{reverse('login')}?{urlencode(told)}")


def _form_page_of(request: HttpRequest) -> str:
    """The page of this site that a form was sent from, as far as the browser says."""
    try:
        page = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return ""  # It may hold anything, such as an open bracket.
    return page.path if page.netloc == request.get_host() else ""
