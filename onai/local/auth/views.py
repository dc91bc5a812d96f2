"""The stand-in's endpoints, under `/auth/v1`."""

import re
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

import psycopg
from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse

from onai.local.auth import accounts, factors, links, sessions, sign_up, wire
from onai.local.auth.keys import Keys
from onai.local.auth.models import User
from onai.local.auth.project import password_faults, project, require_allowance
from onai.local.auth.wire import UNEXPECTED, Refusal

Endpoint = Callable[..., HttpResponse]
_PAGE_SIZE = 50
# Ways to sign in that this project does not offer.
_OTHER_PROVIDERS = (
    *("apple", "azure", "bitbucket", "discord", "facebook", "figma", "fly", "github", "gitlab"),
    *("google", "kakao", "keycloak", "linkedin", "linkedin_oidc", "notion", "phone", "slack"),
    *("slack_oidc", "snapchat", "spotify", "twitch", "twitter", "workos", "zoom"),
)
_OAUTH_ERRORS = {400: "invalid_request", 401: "unauthorized_client", 403: "access_denied"}
_TIMED_OUT = Refusal(
    504,
    "request_timeout",
    "Processing this request timed out, please retry after a moment.",
)


def endpoint(*methods: str, keyless: bool = False) -> Callable[[Endpoint], Endpoint]:
    """Check the method and the API key, and answer refusals as Supabase does."""

    def decorate(view: Endpoint) -> Endpoint:
        @wraps(view)
        def checked(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if request.method not in methods:
                return HttpResponse(status=405)
            keys = Keys.load(settings.LOCAL_DIR)
            key = request.headers.get("apikey") or request.GET.get("apikey")
            if not keyless and key not in (keys.anon_key, keys.service_role_key):
                message = "Invalid API key" if key else "No API key found in request"
                return JsonResponse({"message": message}, status=401)
            try:
                _limit_database()
                return view(request, **kwargs)
            except (Refusal, DatabaseError) as error:
                return wire.refusal(request, _as_refusal(error))

        return checked

    return decorate


def _limit_database() -> None:
    with connections["auth"].cursor() as cursor:
        milliseconds = str(int(project.request_seconds * 1_000))
        cursor.execute("select set_config('statement_timeout', %s, false)", [milliseconds])


def _as_refusal(error: Refusal | DatabaseError) -> Refusal:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, psycopg.errors.QueryCanceled):
            return _TIMED_OUT
        cause = cause.__cause__
    if isinstance(error, Refusal):
        return error
    # For example deferred constraints, which are checked at the end.
    return Refusal(500, "unexpected_failure", UNEXPECTED)


@endpoint("POST")
def token(request: HttpRequest) -> HttpResponse:
    grant_type = request.GET.get("grant_type")
    if grant_type == "password":
        _require_captcha(request)
    elif grant_type != "refresh_token":
        raise Refusal(400, "invalid_credentials", "unsupported_grant_type")
    require_allowance(request, "token")
    body = wire.body(request)
    if grant_type == "refresh_token":
        return JsonResponse(sessions.refresh(str(body.get("refresh_token") or "")))
    return _sign_in(request, body)


def _require_captcha(request: HttpRequest) -> None:
    """Where the project requires a captcha, refuse every token: nobody here can check one."""
    if project.captcha:
        raise Refusal(
            400,
            "captcha_failed",
            "captcha protection: request disallowed (no captcha_token found)",
        )


def _sign_in(request: HttpRequest, body: dict[str, Any]) -> HttpResponse:
    if body.get("phone") and not body.get("email"):
        raise Refusal(422, "phone_provider_disabled", "Phone logins are disabled")
    if not body.get("email"):
        raise Refusal(400, "validation_failed", "missing email or phone")
    if not project.email_provider:
        raise Refusal(422, "email_provider_disabled", "Email logins are disabled")
    password = str(body.get("password") or "")
    account = accounts.authenticate(str(body["email"]), password)
    opened = _open_session(request, account)
    weak = password_faults(password)
    reasons = {"message": " ".join(weak.values()), "reasons": list(weak)} if weak else None
    return JsonResponse({**opened, "weak_password": reasons})


def _open_session(request: HttpRequest, account: User, method: str = "password") -> dict[str, Any]:
    return sessions.open_session(account, request.headers.get("User-Agent", ""), method=method)


@endpoint("POST")
def signup(request: HttpRequest) -> HttpResponse:
    _require_captcha(request)
    body = wire.body(request)
    with transaction.atomic(using="auth"):
        if not body.get("email") and not body.get("phone"):
            return JsonResponse(_open_session(request, sign_up.anonymously(body), "anonymous"))
        account = sign_up.by_email(body)
        if account is None:
            return JsonResponse(wire.user(sign_up.stranger(body)))
        if account.email_confirmed_at is not None:
            return JsonResponse(_open_session(request, account))
        links.send(account, "signup")
        return JsonResponse(wire.user(account))


@endpoint("POST")
def otp(request: HttpRequest) -> HttpResponse:
    """`/otp`, and its older name `/magiclink`."""
    _require_captcha(request)
    body = wire.body(request)
    if body.get("email") and body.get("phone"):
        raise Refusal(
            400, "validation_failed", "Only an email address or phone number should be provided"
        )
    if body.get("phone"):
        raise Refusal(400, "phone_provider_disabled", "Unsupported phone provider")
    if not body.get("email"):
        raise Refusal(400, "validation_failed", "One of email or phone must be set")
    if not project.email_provider:
        raise Refusal(422, "email_provider_disabled", "Email logins are disabled")
    email = accounts.required_email(body)
    with transaction.atomic(using="auth"):
        account = accounts.by_email(email)
        if account is None and body.get("create_user") is False:
            raise Refusal(422, "otp_disabled", "Signups not allowed for otp")
        if account is None or account.email_confirmed_at is None:
            account = sign_up.by_email({**body, "password": secrets.token_urlsafe(32)}) or account
        if account is not None:
            links.send(account, "magiclink" if account.email_confirmed_at else "signup")
    return JsonResponse({})


@endpoint("POST")
def recover(request: HttpRequest) -> HttpResponse:
    """`/recover`. The answer is the same for an address without an account."""
    _require_captcha(request)
    if not project.email_provider:
        raise Refusal(400, "email_provider_disabled", "Email logins are disabled")
    body = wire.body(request)
    if not body.get("email"):
        raise Refusal(400, "validation_failed", "Password recovery requires an email")
    with transaction.atomic(using="auth"):
        account = accounts.by_email(accounts.valid_email(body["email"]))
        if account is not None:
            links.send(account, "recovery")
    return JsonResponse({})


@endpoint("GET", "POST")
def verify(request: HttpRequest) -> HttpResponse:
    """Redeem a link or a code. A GET does so too, even if only a mail scanner opens the link."""
    require_allowance(request, "verify")
    if request.method == "GET":
        return _follow_link(request)
    with transaction.atomic(using="auth"):
        account = links.redeem_body(wire.body(request))
        return JsonResponse(_open_session(request, account, "otp"))


def _follow_link(request: HttpRequest) -> HttpResponse:
    kind, token = request.GET.get("type", ""), request.GET.get("token", "")
    if not kind:
        raise Refusal(400, "validation_failed", "Verify requires a verification type")
    if not token:
        raise Refusal(400, "validation_failed", "Verify requires a token or a token hash")
    try:
        with transaction.atomic(using="auth"):
            account = links.redeem(kind, token_hash=token)
            opened = _open_session(request, account, "otp")
        del opened["user"]
        fragment = {**opened, "sb": "", "type": kind}
    except Refusal as refused:
        error = _OAUTH_ERRORS.get(refused.status, "server_error")
        fragment = {"error": error, "error_code": refused.code}
        fragment |= {"error_description": refused.message, "sb": ""}
    target = project.redirect_target(request.GET.get("redirect_to", ""))
    return HttpResponse(
        status=303, headers={"Location": f"{target}#{urlencode(sorted(fragment.items()))}"}
    )


@endpoint("GET", "PUT")
def user(request: HttpRequest) -> HttpResponse:
    account, session = sessions.of_bearer(request)
    if request.method == "PUT":
        body = wire.body(request)
        with transaction.atomic(using="auth"):
            account = accounts.find(str(account.pk))
            new_email = accounts.update_own(account, session, body)
            if new_email:
                links.ask_to_change_address(account, new_email)
    return JsonResponse(wire.user(account))


@endpoint("POST")
def own_factors(request: HttpRequest) -> HttpResponse:
    account, session = sessions.of_bearer(request)
    return JsonResponse(factors.enrol(account, session, wire.body(request)))


@endpoint("DELETE")
def own_factor(request: HttpRequest, factor_id: str) -> HttpResponse:
    account, session = sessions.of_bearer(request)
    with transaction.atomic(using="auth"):
        return JsonResponse(factors.unenrol(factors.find(account, factor_id), session))


@endpoint("POST")
def challenge_factor(request: HttpRequest, factor_id: str) -> HttpResponse:
    account, _ = sessions.of_bearer(request)
    return JsonResponse(factors.challenge(factors.find(account, factor_id), request))


@endpoint("POST")
def verify_factor(request: HttpRequest, factor_id: str) -> HttpResponse:
    account, session = sessions.of_bearer(request)
    factor = factors.find(account, factor_id)
    with transaction.atomic(using="auth"):
        return JsonResponse(factors.verify(factor, session, wire.body(request), request))


@endpoint("POST")
def logout(request: HttpRequest) -> HttpResponse:
    _, session = sessions.of_bearer(request)
    sessions.end(session, request.GET.get("scope", "global"))
    return HttpResponse(status=204)


@endpoint("GET", "POST")
def admin_users(request: HttpRequest) -> HttpResponse:
    sessions.require_admin(request)
    if request.method == "POST":
        return JsonResponse(wire.user(accounts.create(wire.body(request))))
    return _page_of_users(request)


def _page_of_users(request: HttpRequest) -> HttpResponse:
    page, per_page = (_number(request, name) for name in ("page", "per_page"))
    if per_page == 0:
        raise Refusal(500, "unexpected_failure", "Internal Server Error")
    page, per_page = 1 if page is None else page, per_page or _PAGE_SIZE
    # Ordered by the moment alone, as in Supabase: accounts of one moment may be listed twice or
    # never.
    everyone = User.objects.filter(aud="authenticated").order_by("-created_at")
    total = everyone.count()
    first = (max(page, 1) - 1) * per_page
    found = everyone[first : first + per_page]
    for account in found:
        accounts.require_readable(account, "Database error finding users", in_list=True)
    listed = [wire.user(account, in_list=True) for account in found]
    response = JsonResponse({"users": listed, "aud": "authenticated"})
    response["X-Total-Count"] = str(total)
    response["Link"] = _links(page, per_page, last=-(-total // per_page))
    return response


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise Refusal(
            400,
            "validation_failed",
            f'Bad Pagination Parameters: strconv.ParseUint: parsing "{text}": invalid syntax',
        )
    return int(text)


def _links(page: int, per_page: int, *, last: int) -> str:
    targets = {"next": page + 1, "last": last} if page < last else {"last": last}
    return ", ".join(
        f'</admin/users?page={number}&per_page={per_page}>; rel="{relation}"'
        for relation, number in targets.items()
    )


@endpoint("GET", "PUT", "DELETE")
def admin_user(request: HttpRequest, user_id: str) -> HttpResponse:
    sessions.require_admin(request)
    with transaction.atomic(using="auth"):
        return _administered(request, accounts.find(user_id))


def _administered(request: HttpRequest, account: User) -> HttpResponse:
    if request.method == "PUT":
        account = accounts.update(account, wire.body(request))
    elif request.method == "DELETE":
        if wire.body(request).get("should_soft_delete"):
            accounts.soft_delete(account)
        else:
            accounts.delete(account)
        return JsonResponse({})
    return JsonResponse(wire.user(account))


@endpoint("POST")
def generate_link(request: HttpRequest) -> HttpResponse:
    sessions.require_admin(request)
    with transaction.atomic(using="auth"):
        return JsonResponse(links.generate(wire.body(request)))


@endpoint("GET")
def admin_factors(request: HttpRequest, user_id: str) -> HttpResponse:
    sessions.require_admin(request)
    with transaction.atomic(using="auth"):
        kept = accounts.find(user_id).factors.all()
    return JsonResponse([wire.factor(one) for one in kept], safe=False)


@endpoint("DELETE")
def admin_factor(request: HttpRequest, user_id: str, factor_id: str) -> HttpResponse:
    sessions.require_admin(request)
    with transaction.atomic(using="auth"):
        factor = factors.find(accounts.find(user_id), factor_id)
        shown = wire.factor(factor)
        factors.delete(factor)
    return JsonResponse(shown)


@endpoint("GET")
def public_settings(request: HttpRequest) -> HttpResponse:
    others = dict.fromkeys(_OTHER_PROVIDERS, False)
    offered = {"email": project.email_provider, "anonymous_users": project.anonymous}
    return JsonResponse(
        {
            "external": {**others, **offered},
            "disable_signup": not project.signup,
            "mailer_autoconfirm": project.autoconfirm,
            "phone_autoconfirm": False,
            "sms_provider": "",
            "saml_enabled": False,
            "saml_private_key_next_configured": True,
            "passkeys_enabled": False,
        }
    )


@endpoint("GET")
def health(request: HttpRequest) -> HttpResponse:
    return JsonResponse(
        {
            "version": "local",
            "name": "GoTrue",
            "description": "A local stand-in for the user registration and authentication API",
        }
    )


@endpoint("GET", keyless=True)
def jwks(request: HttpRequest) -> HttpResponse:
    return JsonResponse(Keys.load(settings.LOCAL_DIR).public_jwks())


@endpoint("GET", "POST", "PUT", "PATCH", "DELETE")
def nothing_here(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    return HttpResponse("404 page not found\n", status=404, content_type="text/plain")
