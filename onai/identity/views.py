"""Signing in, signing out, and the way from `/` to one's own page."""

import logging
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onai.errors import Problem
from onai.identity import cookies, supabase, tokens
from onai.identity.forms import SignInForm
from onai.identity.roles import Identity, Role, VisitorRequest
from onai.identity.supabase import Tokens

logger = logging.getLogger(__name__)


class NoRole(Problem):
    status = 403
    code = "no_role"
    message = _("У этой учётной записи нет роли, поэтому открыть пока нечего.")
    advice = _("Попросите администратора дать вам роль.")


@require_safe
def home(request: VisitorRequest) -> HttpResponse:
    if request.identity_problem:
        raise request.identity_problem
    if request.identity is None or request.identity.role is None:
        return redirect("login")
    return redirect(_home_of(request.identity.role))


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: VisitorRequest) -> HttpResponse:
    if request.method == "POST":
        return _sign_in(request)
    identity = request.identity
    if identity is not None and identity.role is not None:
        return redirect(_asked_for(request) or _home_of(identity.role))
    # Signed in without a role: sending them anywhere would only bring them back here.
    problem = NoRole() if identity is not None else None
    return _sign_in_page(request, SignInForm(), problem=problem)


@sensitive_variables("form", "opened")
def _sign_in(request: VisitorRequest) -> HttpResponse:
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _sign_in_page(request, form, status=400)
    try:
        opened = supabase.sign_in(form.cleaned_data["email"], form.cleaned_data["password"])
        role = _role_or_problem(opened)
    except Problem as problem:
        return _sign_in_page(request, form, problem=problem, status=problem.status)
    response = HttpResponseRedirect(_asked_for(request) or _home_of(role))
    cookies.keep(response, opened)
    return response


def _role_or_problem(opened: Tokens) -> Role:
    try:
        identity = Identity.from_claims(tokens.verify(opened.access_token))
    except (tokens.TokenInvalid, ValueError) as error:
        # Supabase let them in and we cannot read its token: the configuration is wrong.
        logger.exception("fresh_token_refused")
        raise supabase.AuthUnavailable from error
    if identity.role is None:
        _revoke(opened.access_token)
        raise NoRole
    return identity.role


@require_POST
def logout(request: VisitorRequest) -> HttpResponse:
    if request.access_token:
        _revoke(request.access_token)
    response = redirect("login")
    cookies.drop(response)
    return response


def _revoke(access_token: str) -> None:
    try:
        supabase.sign_out(access_token)
    except Problem as problem:
        # The browser forgets the session all the same; Supabase ends it in its own time.
        logger.warning("sign_out_not_revoked", extra={"reason": problem.code})


def _sign_in_page(
    request: VisitorRequest, form: SignInForm, *, problem: Problem | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "problem": problem,
        "next": _asked_for(request),
        "form_was_lost": request.GET.get("lost") == "form",
    }
    response = render(request, "identity/login.html", context, status=status)
    if problem is not None and problem.retry_after_seconds is not None:
        response["Retry-After"] = str(problem.retry_after_seconds)
    add_never_cache_headers(response)
    return response


def _home_of(role: Role) -> str:
    return reverse(settings.HOME_OF_ROLE[role])


def _asked_for(request: VisitorRequest) -> str:
    """Where one wanted to go before one had to sign in."""
    return _path_of_this_site(request.POST.get("next") or request.GET.get("next", ""))


def _path_of_this_site(path: str) -> str:
    """`path` if it is a page of this site that one may be sent to, else an empty string."""
    if not path.startswith("/") or not url_has_allowed_host_and_scheme(path, allowed_hosts=None):
        return ""
    try:
        target = resolve(unquote(urlsplit(path).path))
    except Resolver404:
        return ""
    # Back to the sign-in would be a circle, and signing out takes a POST.
    return "" if target.url_name in ("login", "logout", "not-found") else path
