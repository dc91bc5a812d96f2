"""Sign-in, sign-out, and the redirect from `/` to the home page of the user's role."""

import logging
import string
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
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

from onai.identity import audit, supabase
from onai.identity.forms import SignInForm
from onai.identity.roles import (
    STAFF,
    Identity,
    Metadata,
    Role,
    VisitorRequest,
    is_more,
    role_named,
)
from onai.identity.session import cookies, sign_in_limits, tokens
from onai.identity.staff import register, standing
from onai.identity.supabase import Tokens
from onai.web.look import language
from onai.web.problems import Problem, set_retry_after

logger = logging.getLogger(__name__)

# Includes invisible characters that messengers add: zero-width spaces and byte order marks.
_AROUND_WHAT_IS_PASTED = string.whitespace + "\u00a0\u2007\u202f\u200b\u2060\ufeff"

_LONGEST_EMAIL = 320


class NoRole(Problem):
    status = 403
    code = "no_role"
    message = _("У этой учётной записи нет роли, поэтому открыть пока нечего.")
    advice = _("Попросите администратора дать вам роль.")


class RoleNotConfirmed(NoRole):
    code = "role_not_confirmed"
    message = _("Роль этой учётной записи ещё не подтверждена, поэтому открыть пока нечего.")
    advice = _("Попросите администратора подтвердить её на странице «Состояние».")


@require_safe
def home(request: VisitorRequest) -> HttpResponse:
    if request.identity_problem:
        raise request.identity_problem
    if request.identity is None or request.identity.role is None:
        return redirect("login")
    return redirect(_home_of(request.identity.role))


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@language.of_link
def login(request: VisitorRequest) -> HttpResponse:
    if request.method == "POST":
        return _sign_in(request)
    identity = request.identity
    if identity is not None and identity.role is not None:
        return redirect(_asked_for(request) or _home_of(identity.role))
    # Signed in without a role: every redirect would lead back here.
    problem = NoRole() if identity is not None else None
    typed = request.GET.get("email", "")[:_LONGEST_EMAIL]
    return _sign_in_page(request, SignInForm(initial={"email": typed}), problem=problem)


@sensitive_variables("form", "opened")
def _sign_in(request: VisitorRequest) -> HttpResponse:
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _sign_in_page(request, form, status=400)
    email, password = form.cleaned_data["email"], form.cleaned_data["password"]
    try:
        opened = _open_session(request, email, password)
        identity = _identity_or_problem(request, opened)
    except Problem as problem:
        return _sign_in_page(request, form, problem=problem, status=problem.status)
    audit.record("signed_in", request, user_id=identity.user_id, role=str(identity.role))
    response = HttpResponseRedirect(_asked_for(request) or _home_of(identity.role))
    cookies.keep(response, opened)
    cookies.keep_device(response, sign_in_limits.device_of(email))
    return response


@sensitive_variables("password", "tried")
def _open_session(request: VisitorRequest, email: str, password: str) -> Tokens:
    """Sign in at Supabase within the limits on attempts. Raises a `Problem`."""
    began, visitor = time.monotonic(), audit.address_of(request)
    # Our passwords have no surrounding whitespace, but a pasted one may, so both are tried.
    tried = list(dict.fromkeys([password, password.strip(_AROUND_WHAT_IS_PASTED)]))
    tried = [one for one in tried if one]
    try:
        attempt = sign_in_limits.begin(email, visitor, cookies.read_device(request))
    except Problem as problem:
        _tell_refusal(request, email, problem)
        raise
    try:
        opened = _first_that_fits(email, tried, visitor)
    except supabase.WrongCredentials as problem:
        attempt.refused()
        _tell_refusal(request, email, problem)
        _wait_for_next(settings.SIGN_IN_REFUSAL_STEP * len(tried), began)
        raise
    except Problem as problem:
        attempt.was_no_guess()
        _tell_refusal(request, email, problem)
        raise
    attempt.succeeded()
    return opened


@sensitive_variables("passwords", "password")
def _first_that_fits(email: str, passwords: Sequence[str], visitor: str) -> Tokens:
    *others, last = passwords
    for password in others:
        with suppress(supabase.WrongCredentials):
            return supabase.sign_in(email, password, visitor=visitor)
    return supabase.sign_in(email, last, visitor=visitor)


def _wait_for_next(step: timedelta, began: float) -> None:
    """Sleep until a whole number of steps has passed since `began`.

    Supabase answers faster for an unknown e-mail than for a known one, because it compares no
    password. Without the delay, response times would reveal who has an account.
    """
    time.sleep(-(time.monotonic() - began) % step.total_seconds())


def _tell_refusal(request: VisitorRequest, email: str, problem: Problem) -> None:
    audit.record("sign_in_refused", request, email=email, reason=problem.code)


def _identity_or_problem(request: VisitorRequest, opened: Tokens) -> Identity:
    claims = tokens.verify_fresh(opened.access_token)
    try:
        identity = standing.identify(claims)
    except ValueError as error:
        logger.exception("fresh_token_refused")
        raise supabase.AuthUnavailable from error
    except standing.AccessEnded as ended:
        audit.record("role_refused", request, user_id=claims["sub"], reason=ended.why.value)
        _revoke(opened.access_token)
        raise NoRole from ended
    claimed = role_named(Metadata.read(claims.get("user_metadata"), None).claimed)
    refused = claimed in STAFF and is_more(claimed, identity.role)
    if refused:
        audit.record("role_refused", request, user_id=identity.user_id, role=str(claimed))
        register.copy_account(identity.user_id)
    if identity.role is None:
        _revoke(opened.access_token)
        raise RoleNotConfirmed if refused else NoRole
    return identity


@require_POST
def logout(request: VisitorRequest) -> HttpResponse:
    if request.access_token:
        _revoke(request.access_token)
        # The user is unknown if our databases are down.
        me = request.identity.user_id if request.identity else None
        audit.record("signed_out", request, user_id=me)
    response = redirect("login")
    cookies.drop(response)
    return response


def _revoke(access_token: str) -> None:
    try:
        supabase.sign_out(access_token)
    except Problem as problem:
        # The browser still drops its cookies; at Supabase the session expires by itself.
        logger.warning("sign_out_not_revoked", extra={"reason": problem.code})


def _sign_in_page(
    request: VisitorRequest, form: SignInForm, *, problem: Problem | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "problem": problem,
        "next": _asked_for(request),
        "lost": request.GET.get("lost"),
    }
    response = render(request, "identity/login.html", context, status=status)
    set_retry_after(response, problem)
    add_never_cache_headers(response)
    return response


def _home_of(role: Role | None) -> str:
    return reverse(settings.HOME_OF_ROLE[role]) if role else reverse("login")


def _asked_for(request: VisitorRequest) -> str:
    """The page that the visitor requested before the sign-in; empty if none."""
    return _path_of_this_site(request.POST.get("next") or request.GET.get("next", ""))


def _path_of_this_site(path: str) -> str:
    """`path` if it is a page of this site and a safe redirect target, else an empty string."""
    if not path.startswith("/") or not url_has_allowed_host_and_scheme(path, allowed_hosts=None):
        return ""
    try:
        target = resolve(unquote(urlsplit(path).path))
    except Resolver404:
        return ""
    # The sign-in page would redirect to itself, and signing out requires a POST.
    return "" if target.url_name in ("login", "logout", "not-found") else path
