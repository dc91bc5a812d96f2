"""The stand-in's endpoints, under `/auth/v1`."""

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse

from onai.local.auth import accounts, sessions, strength, wire
from onai.local.auth.keys import Keys
from onai.local.auth.models import User
from onai.local.auth.project import address_of, project, token_limit
from onai.local.auth.wire import UNEXPECTED, Refusal

Endpoint = Callable[..., HttpResponse]
_PAGE_SIZE = 50
_LARGEST_BODY_BYTES = 1 << 20
_TEXTS = ("email", "password", "password_hash", "role", "id", "ban_duration", "refresh_token")


def endpoint(*methods: str, keyless: bool = False) -> Callable[[Endpoint], Endpoint]:
    """Check the method and the API key, and tell of refusals the way Supabase does."""

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
                return view(request, **kwargs)
            except Refusal as refused:
                return wire.refusal(request, refused)
            except DatabaseError:
                # Deferred constraints, for one, speak up when everything is done.
                return wire.refusal(request, Refusal(500, "unexpected_failure", UNEXPECTED))

        return checked

    return decorate


def _no_number(constant: str) -> float:
    raise ValueError(constant)


def _body(request: HttpRequest) -> dict[str, Any]:
    if len(request.body) > _LARGEST_BODY_BYTES:
        raise Refusal(
            413,
            "request_entity_too_large",
            f"Request body too large (max {_LARGEST_BODY_BYTES} bytes)",
        )
    try:
        body = json.loads(request.body or b"{}", parse_constant=_no_number)
        # What PostgreSQL cannot keep, Supabase does not take: lone surrogates and NUL.
        if "\\u0000" in json.dumps(body, ensure_ascii=False, allow_nan=False).encode().decode():
            raise ValueError("NUL")
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "bad_json", "Could not parse request body as JSON") from error
    if not isinstance(body, dict):
        raise Refusal(400, "bad_json", "Could not parse request body as JSON: not an object")
    for name in _TEXTS:
        if not isinstance(body.get(name), str | None):
            raise Refusal(400, "bad_json", f"Could not parse request body as JSON: {name}")
    return body


@endpoint("POST")
def token(request: HttpRequest) -> HttpResponse:
    grant_type = request.GET.get("grant_type")
    if grant_type == "password":
        _require_captcha(request)
    elif grant_type != "refresh_token":
        raise Refusal(400, "invalid_credentials", "unsupported_grant_type")
    if not token_limit.takes(address_of(request), project.rate_limit):
        raise Refusal(429, "over_request_rate_limit", "Request rate limit reached")
    body = _body(request)
    if grant_type == "refresh_token":
        return JsonResponse(sessions.refresh(str(body.get("refresh_token") or "")))
    return _sign_in(request, body)


def _require_captcha(request: HttpRequest) -> None:
    """Where a captcha is asked for, no token of one is good here: there is nobody to judge it."""
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
    opened = sessions.open_session(account, request.headers.get("User-Agent", ""))
    weak = strength.faults(password)
    told = {"message": " ".join(weak.values()), "reasons": list(weak)} if weak else None
    return JsonResponse({**opened, "weak_password": told})


@endpoint("POST")
def signup(request: HttpRequest) -> HttpResponse:
    """Nobody gets in here: a project of this product has sign-ups switched off."""
    _require_captcha(request)
    if _body(request).get("email"):
        raise Refusal(422, "signup_disabled", "Signups not allowed for this instance")
    raise Refusal(422, "anonymous_provider_disabled", "Anonymous sign-ins are disabled")


@endpoint("GET", "PUT")
def user(request: HttpRequest) -> HttpResponse:
    account, _ = sessions.of_bearer(request)
    if request.method == "PUT":
        body = _body(request)
        if body.get("app_metadata"):
            raise Refusal(403, "not_admin", "Updating app_metadata requires admin privileges")
        with transaction.atomic(using="auth"):
            account = accounts.update(accounts.find(str(account.pk)), body, by_admin=False)
    return JsonResponse(wire.user(account))


@endpoint("POST")
def logout(request: HttpRequest) -> HttpResponse:
    _, session = sessions.of_bearer(request)
    sessions.end(session, request.GET.get("scope", "global"))
    return HttpResponse(status=204)


@endpoint("GET", "POST")
def admin_users(request: HttpRequest) -> HttpResponse:
    sessions.require_admin(request)
    if request.method == "POST":
        return JsonResponse(wire.user(accounts.create(_body(request))))
    return _page_of_users(request)


def _page_of_users(request: HttpRequest) -> HttpResponse:
    page, per_page = (_number(request, name) for name in ("page", "per_page"))
    if per_page == 0:
        raise Refusal(500, "unexpected_failure", "Internal Server Error")
    page, per_page = 1 if page is None else page, per_page or _PAGE_SIZE
    # By this alone: of accounts of one moment some are listed twice, and some never.
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
        account = accounts.update(account, _body(request), by_admin=True)
    elif request.method == "DELETE":
        if _body(request).get("should_soft_delete"):
            accounts.soft_delete(account)
        else:
            accounts.delete(account)
        return JsonResponse({})
    return JsonResponse(wire.user(account))


@endpoint("GET")
def public_settings(request: HttpRequest) -> HttpResponse:
    return JsonResponse(
        {
            "external": {"email": project.email_provider, "phone": False, "anonymous_users": False},
            "disable_signup": True,
            "mailer_autoconfirm": True,
            "phone_autoconfirm": False,
            "sms_provider": "",
            "saml_enabled": False,
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
