"""«Забыли пароль?»: asking for a letter, and the page that its link leads to."""

from collections.abc import Mapping
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from onai import encryption
from onai.identity import audit
from onai.identity.models import PasswordReset
from onai.identity.recovery import own_password, requests
from onai.identity.recovery.forms import ForgotForm, OwnPasswordForm
from onai.identity.recovery.link_session import LinkExpired
from onai.identity.recovery.requests import SESSION_LASTS
from onai.identity.roles import VisitorRequest
from onai.identity.session import cookies, sign_in_limits
from onai.web.look import language
from onai.web.problems import Problem, set_retry_after

_PURPOSE = "password link of this browser"
_LONGEST_EMAIL = 320


@require_http_methods(["GET", "HEAD", "POST"])
@language.of_link
def forgot(request: VisitorRequest) -> HttpResponse:
    """Ask for a letter. The answer is the same for every address."""
    if request.method != "POST":
        typed = request.GET.get("email", "")[:_LONGEST_EMAIL]
        return _forgot_page(request, ForgotForm(initial={"email": typed}))
    form = ForgotForm(request.POST)
    if not form.is_valid():
        return _forgot_page(request, form, status=400)
    email = form.cleaned_data["email"]
    try:
        requests.ask(
            email, visitor=audit.address_of(request), language=language.of_browser(request)
        )
    except Problem as problem:
        return _forgot_page(request, form, problem=problem, status=problem.status)
    audit.record("password_letter_asked", request, email=email)
    return HttpResponseRedirect(f"{reverse('forgot-password')}?asked=1")


def _forgot_page(
    request: VisitorRequest, form: ForgotForm, *, problem: Problem | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "problem": problem,
        "asked": "asked" in request.GET and request.method != "POST",
    }
    return _answer(request, "identity/forgot_password.html", context, problem, status)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("token")
@language.of_link
def own(request: VisitorRequest) -> HttpResponse:
    """The page of a link. Opening it changes nothing: programs that scan letters open links.

    Its button posts the token, and then the page asks for the new password.
    """
    try:
        if request.method == "POST":
            return _open(request) if "token" in request.POST else _set(request)
        if token := request.GET.get("token", ""):
            return _answer(request, "identity/open_link.html", {"token": token})
        reset = own_password.opened(_opened_here(request))
        if reset.changed_at is not None:
            return _changed(request, reset)
        return _form_page(request, reset, None)
    except Problem as problem:
        return _problem_page(request, problem)


@sensitive_variables("token")
def _open(request: VisitorRequest) -> HttpResponse:
    token = request.POST["token"].strip()
    visitor = audit.address_of(request)
    reset = own_password.open_link(token, visitor=visitor, known=_opened_here(request))
    audit.record("password_link_opened", request, user_id=reset.account_id)
    response = HttpResponseRedirect(reverse("own-password"))
    response.set_cookie(
        _cookie(),
        encryption.seal(str(reset.pk), purpose=_PURPOSE),
        max_age=SESSION_LASTS,
        path="/",
        secure=not settings.DEBUG,
        httponly=True,
        samesite="Lax",
    )
    return response


@sensitive_variables("form")
def _set(request: VisitorRequest) -> HttpResponse:
    reset = own_password.opened(_opened_here(request))
    if reset.changed_at is not None:  # by the first of two taps
        return HttpResponseRedirect(reverse("own-password"))
    own_password.find_out_rules(reset)
    form = OwnPasswordForm(request.POST, email=reset.email)
    if not form.is_valid():
        return _form_page(request, reset, form, status=400)
    try:
        own_password.set_password(reset.pk, form.cleaned_data["password"])
    except LinkExpired:
        raise
    except Problem as problem:
        return _form_page(request, reset, form, problem=problem, status=problem.status)
    audit.record("own_password_set", request, user_id=reset.account_id)
    response = HttpResponseRedirect(reverse("own-password"))
    # Whoever failed with the former password need not wait before they sign in with the new one.
    cookies.keep_device(response, sign_in_limits.device_of(reset.email))
    if request.identity is not None and request.identity.user_id == reset.account_id:
        cookies.drop(response)
    return response


def _form_page(
    request: VisitorRequest,
    reset: PasswordReset,
    form: OwnPasswordForm | None,
    *,
    problem: Problem | None = None,
    status: int = 200,
) -> HttpResponse:
    if form is None:
        own_password.find_out_rules(reset)
        form = OwnPasswordForm(email=reset.email)
    context = {"form": form, "problem": problem, "login": reset.email}
    return _answer(request, "identity/own_password.html", context, problem, status)


def _changed(request: VisitorRequest, reset: PasswordReset) -> HttpResponse:
    context = {"login": reset.email, "platform_url": settings.PLATFORM_LOGIN_URL}
    return _answer(request, "identity/password_changed.html", context)


def _problem_page(request: VisitorRequest, problem: Problem) -> HttpResponse:
    context = {"problem": problem, "may_ask_again": isinstance(problem, LinkExpired)}
    return _answer(request, "identity/link_problem.html", context, problem, problem.status)


def _answer(
    request: HttpRequest,
    template: str,
    context: Mapping[str, object],
    problem: Problem | None = None,
    status: int = 200,
) -> HttpResponse:
    response = render(request, template, context, status=status)
    set_retry_after(response, problem)
    add_never_cache_headers(response)
    # The address may hold a token. (With `no-referrer` a browser sends no Origin either, and the
    # form would be refused.)
    response["Referrer-Policy"] = "strict-origin"
    return response


def _opened_here(request: HttpRequest) -> UUID | None:
    """The request whose link this browser has opened."""
    sealed = request.COOKIES.get(_cookie(), "")
    try:
        return UUID(encryption.unseal(sealed, purpose=_PURPOSE, not_older_than=SESSION_LASTS))
    except (encryption.Unsealable, UnicodeError, ValueError):
        return None


def _cookie() -> str:
    return cookies.host_bound("onai_password_link")
