"""The stand-in's wire format: accounts and refusals as Supabase Auth writes them."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from onai.local.auth.models import User

_VERSION_HEADER = "X-Supabase-Api-Version"
_VERSION = "2024-01-01"


class Refusal(Exception):
    """A refusal with Supabase's own status, error code and message."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.more = more


def refusal(request: HttpRequest, refused: Refusal) -> HttpResponse:
    """Clients that name the API version get the newer shape of an error."""
    body: dict[str, Any]
    if request.headers.get(_VERSION_HEADER, "") >= _VERSION:
        body = {"code": refused.code, "message": refused.message}
    else:
        body = {"code": refused.status, "error_code": refused.code, "msg": refused.message}
    response = JsonResponse(body | refused.more, status=refused.status)
    if "message" in body:
        response[_VERSION_HEADER] = _VERSION
    return response


def user(account: User) -> dict[str, Any]:
    """An account as its JSON object. Empty moments are left out, as Supabase does."""
    moments = {
        name: moment(getattr(account, name))
        for name in (
            "email_confirmed_at",
            "confirmed_at",
            "invited_at",
            "confirmation_sent_at",
            "recovery_sent_at",
            "last_sign_in_at",
            "banned_until",
            "deleted_at",
            "created_at",
            "updated_at",
        )
        if getattr(account, name) is not None
    }
    return {
        "id": str(account.id),
        "aud": account.aud,
        "role": account.role,
        "email": account.email or "",
        "phone": account.phone or "",
        "app_metadata": account.raw_app_meta_data or {},
        "user_metadata": account.raw_user_meta_data or {},
        "identities": [
            {
                "identity_id": str(identity.id),
                "id": identity.provider_id,
                "user_id": str(account.id),
                "identity_data": identity.identity_data,
                "provider": identity.provider,
                "last_sign_in_at": moment(identity.last_sign_in_at or identity.created_at),
                "created_at": moment(identity.created_at),
                "updated_at": moment(identity.updated_at),
                "email": identity.email or "",
            }
            for identity in account.identities.all()
        ],
        "is_anonymous": account.is_anonymous,
        **moments,
    }


def moment(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value else None
