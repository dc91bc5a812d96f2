"""The stand-in's wire format: accounts and refusals as Supabase Auth writes them."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
from django.http import HttpRequest, HttpResponse, JsonResponse

from onai.local.auth.models import Factor, Identity, User

_VERSION_HEADER = "X-Supabase-Api-Version"
_VERSION = "2024-01-01"
_LARGEST_BODY_BYTES = 1 << 20
_TEXTS = (
    *("email", "password", "password_hash", "role", "id", "ban_duration", "refresh_token"),
    *("phone", "type", "token", "token_hash", "new_email", "redirect_to", "channel"),
    *("factor_type", "friendly_name", "issuer", "challenge_id", "code"),
)
# Violated constraints, and what a trigger raises.
_SHOWN_SQLSTATES = ("P0001", "23000", "23001", "23502", "23503", "23505", "23514", "23P01")
UNEXPECTED = "Unexpected failure, please check server logs for more information"


class Refusal(Exception):
    """A refusal with Supabase's own status, error code and message."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.more = more


def refusal(request: HttpRequest, refused: Refusal) -> HttpResponse:
    """A refusal as JSON: in the newer shape for clients that name the API version, else in the
    older one. Some failures of the database carry its own message.
    """
    body: dict[str, Any]
    cause = getattr(refused.__cause__, "__cause__", None)
    newer = request.headers.get(_VERSION_HEADER, "") >= _VERSION
    if newer:
        body = {"code": refused.code, "message": refused.message}
    elif isinstance(cause, psycopg.Error) and cause.sqlstate in _SHOWN_SQLSTATES:
        body = {"code": cause.sqlstate, "message": cause.diag.message_primary}
        body |= {"detail": cause.diag.message_detail} if cause.diag.message_detail else {}
    else:
        body = {"code": refused.status, "error_code": refused.code, "msg": refused.message}
        if refused.status >= 500:
            body["error_id"] = str(uuid4())
    response = JsonResponse(body | refused.more, status=refused.status)
    response["X-Sb-Error-Code"] = refused.code
    if newer:
        response[_VERSION_HEADER] = _VERSION
    return response


def read_json(body: bytes) -> Any:
    """JSON that PostgreSQL can keep: no NaN, no NUL, no lone surrogate.

    Raises `ValueError` or `RecursionError`.
    """
    sent = json.loads(body, parse_constant=_refuse_constant)
    if "\\u0000" in json.dumps(sent, ensure_ascii=False, allow_nan=False).encode().decode():
        raise ValueError("NUL")
    return sent


def _refuse_constant(constant: str) -> float:
    raise ValueError(constant)


def body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of a request."""
    if len(request.body) > _LARGEST_BODY_BYTES:
        raise Refusal(
            413,
            "request_entity_too_large",
            f"Request body too large (max {_LARGEST_BODY_BYTES} bytes)",
        )
    try:
        sent = read_json(request.body or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "bad_json", "Could not parse request body as JSON") from error
    if not isinstance(sent, dict):
        raise Refusal(400, "bad_json", "Could not parse request body as JSON: not an object")
    if not isinstance(sent.get("data"), dict | None):
        raise Refusal(400, "bad_json", "Could not parse request body as JSON: data")
    for name in _TEXTS:
        if not isinstance(sent.get(name), str | None):
            raise Refusal(400, "bad_json", f"Could not parse request body as JSON: {name}")
    return sent


def user(account: User, *, in_list: bool = False) -> dict[str, Any]:
    """An account as its JSON object. As in Supabase, moments without a value are left out, and
    accounts in a list have no identities.
    """
    moments = {
        name: moment(getattr(account, name))
        for name in (
            "email_confirmed_at",
            "confirmed_at",
            "invited_at",
            "confirmation_sent_at",
            "recovery_sent_at",
            "email_change_sent_at",
            "last_sign_in_at",
            "banned_until",
            "deleted_at",
            "created_at",
            "updated_at",
        )
        if getattr(account, name) is not None
    }
    changes = {"new_email": account.email_change, "new_phone": account.phone_change}
    factors = [] if in_list else [factor(one) for one in account.factors.all()]
    return {
        "id": str(account.id),
        "aud": account.aud,
        "role": account.role,
        "email": account.email or "",
        "phone": account.phone or "",
        "app_metadata": account.raw_app_meta_data or {},
        "user_metadata": account.raw_user_meta_data or {},
        "identities": None if in_list else [_identity(one) for one in account.identities.all()],
        "is_anonymous": account.is_anonymous,
        **({"factors": factors} if factors else {}),
        **{name: change for name, change in changes.items() if change},
        **moments,
    }


def factor(one: Factor) -> dict[str, Any]:
    """A factor as its JSON object, without its secret."""
    return {
        "id": str(one.pk),
        "created_at": moment(one.created_at),
        "updated_at": moment(one.updated_at),
        "status": one.status,
        **({"friendly_name": one.friendly_name} if one.friendly_name else {}),
        "factor_type": one.factor_type,
        "phone": one.phone or "",
        "last_challenged_at": moment(one.last_challenged_at),
    }


def _identity(identity: Identity) -> dict[str, Any]:
    """An identity as its JSON object, without empty values."""
    shown = {
        "identity_id": str(identity.id),
        "id": identity.provider_id,
        "user_id": str(identity.user_id),
        "identity_data": identity.identity_data or None,
        "provider": identity.provider,
        "last_sign_in_at": moment(identity.last_sign_in_at),
        "created_at": moment(identity.created_at),
        "updated_at": moment(identity.updated_at),
        "email": identity.email,
    }
    return {name: value for name, value in shown.items() if value is not None}


def moment(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value else None
