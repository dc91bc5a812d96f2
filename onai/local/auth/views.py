"""The stand-in's endpoints, under `/auth/v1`."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from onai.local.auth import accounts, sessions, wire
from onai.local.auth.models import User
from onai.local.auth.wire import Refusal
from onai.local.keys import Keys

Endpoint = Callable[..., HttpResponse]
_PAGE_SIZE = 50
_LAST_PAGE = 1_000_000
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

        return checked

    return decorate


def _no_number(constant: str) -> float:
    raise ValueError(constant)


def _body(request: HttpRequest) -> dict[str, Any]:
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
    body = _body(request)
    match request.GET.get("grant_type"):
        case "password":
            if not body.get("email"):
                raise Refusal(400, "validation_failed", "missing email or phone")
            account = accounts.authenticate(str(body["email"]), str(body.get("password") or ""))
            agent = request.headers.get("User-Agent", "")
            return JsonResponse(sessions.open_session(account, agent))
        case "refresh_token":
            return JsonResponse(sessions.refresh(str(body.get("refresh_token") or "")))
        case _:
            raise Refusal(400, "invalid_credentials", "unsupported_grant_type")


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
    try:
        page = int(request.GET.get("page") or 1)
        per_page = int(request.GET.get("per_page") or _PAGE_SIZE)
        if not (1 <= page <= _LAST_PAGE and 1 <= per_page <= _LAST_PAGE):
            raise ValueError
    except ValueError as error:
        raise Refusal(400, "validation_failed", "Bad Pagination Parameters") from error
    everyone = User.objects.order_by("-created_at", "id").prefetch_related("identities")
    total = everyone.count()
    first = (page - 1) * per_page
    listed = [wire.user(account) for account in everyone[first : first + per_page]]
    response = JsonResponse({"users": listed, "aud": "authenticated"})
    response["X-Total-Count"] = str(total)
    response["Link"] = _links(page, per_page, last=max(1, -(-total // per_page)))
    return response


def _links(page: int, per_page: int, *, last: int) -> str:
    path = "/auth/v1/admin/users"
    targets = {"next": page + 1, "last": last} if page < last else {"last": last}
    return ", ".join(
        f'<{path}?page={number}&per_page={per_page}>; rel="{relation}"'
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
            account.deleted_at = timezone.now()
            account.save()
        else:
            account.delete()
        return JsonResponse({})
    return JsonResponse(wire.user(account))


@endpoint("GET")
def public_settings(request: HttpRequest) -> HttpResponse:
    return JsonResponse(
        {
            "external": {"email": True, "phone": False, "anonymous_users": False},
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


@endpoint("GET", "POST", "PUT", "PATCH", "DELETE", keyless=True)
def nothing_here(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    return JsonResponse({"code": 404, "msg": "404 page not found"}, status=404)
