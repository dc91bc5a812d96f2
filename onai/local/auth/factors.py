"""Second factors: authenticator apps that show six digits for 30 seconds (TOTP, RFC 6238)."""

import base64
import hashlib
import hmac
import secrets
import time
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID
from xml.sax.saxutils import escape

from django.http import HttpRequest
from django.utils import timezone

from onai.local.auth import sessions
from onai.local.auth.models import Challenge, Factor, Session, User
from onai.local.auth.project import address_of, project
from onai.local.auth.wire import Refusal

_STEP_SECONDS = 30
_MOST_FACTORS = 10
_UNVERIFIED_LASTS = timedelta(seconds=300)
_CHALLENGE_LASTS = timedelta(seconds=300)


def enrol(account: User, session: Session, body: dict[str, Any]) -> dict[str, Any]:
    """`POST /factors`. The factor takes effect once a code of it is verified."""
    kind = body.get("factor_type")
    if kind not in ("totp", "phone", "webauthn"):
        raise Refusal(400, "validation_failed", "factor_type needs to be totp, phone, or webauthn")
    if kind != "totp" or not project.totp:
        shown = {"totp": "TOTP", "phone": "Phone", "webauthn": "WebAuthn"}[kind]
        raise Refusal(422, f"mfa_{kind}_enroll_not_enabled", f"MFA enroll is disabled for {shown}")
    name = body.get("friendly_name") or ""
    _require_room(account, session, name)
    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    factor = account.factors.create(friendly_name=name, secret=secret)
    issuer = body.get("issuer") or urlsplit(project.site_url).netloc
    uri = (
        f"otpauth://totp/{issuer}:{account.email or ''}?algorithm=SHA1&digits=6"
        f"&issuer={quote(issuer, safe=':')}&period={_STEP_SECONDS}&secret={secret}"
    )
    return {
        "id": str(factor.pk),
        "type": factor.factor_type,
        "friendly_name": name,
        "totp": {"qr_code": _picture(uri), "secret": secret, "uri": uri},
    }


def challenge(factor: Factor, request: HttpRequest) -> dict[str, Any]:
    """`POST /factors/{id}/challenge`."""
    asked = factor.challenges.create(ip_address=address_of(request))
    factor.last_challenged_at = asked.created_at
    factor.save(update_fields=["last_challenged_at"])
    ends = asked.created_at + _CHALLENGE_LASTS
    return {"id": str(asked.pk), "type": factor.factor_type, "expires_at": int(ends.timestamp())}


def verify(
    factor: Factor, session: Session, body: dict[str, Any], request: HttpRequest
) -> dict[str, Any]:
    """`POST /factors/{id}/verify`: new tokens; every session without the factor ends."""
    code, challenge_id = body.get("code"), body.get("challenge_id") or ""
    try:
        asked_id = UUID(challenge_id)
    except ValueError as error:
        raise Refusal(
            400,
            "bad_json",
            "Could not parse request body as JSON: uuid: incorrect UUID length"
            f' {len(challenge_id)} in string "{challenge_id}"',
        ) from error
    if not code:
        raise Refusal(400, "validation_failed", "Code needs to be non-empty")
    asked = _open_challenge(factor, asked_id, address_of(request))
    if not any(
        hmac.compare_digest(code.encode(), one_time_code(factor.secret or "", steps).encode())
        for steps in (0, -1, 1)
    ):
        raise Refusal(422, "mfa_verification_failed", "Invalid TOTP code entered")
    asked.verified_at = timezone.now()
    asked.save()
    factor.status = "verified"
    factor.save()
    answer = sessions.raise_assurance(session, factor)
    session.user.sessions.exclude(aal="aal2").delete()
    session.user.factors.exclude(status="verified").delete()
    return answer


def unenrol(factor: Factor, session: Session) -> dict[str, Any]:
    """`DELETE /factors/{id}`."""
    if factor.status == "verified" and session.aal != "aal2":
        raise Refusal(422, "insufficient_aal", "AAL2 required to unenroll verified factor")
    factor_id = str(factor.pk)
    delete(factor)
    return {"id": factor_id}


def delete(factor: Factor) -> None:
    """Delete a factor, and lower the sessions that it raised."""
    sessions.lower_assurance(factor)
    factor.delete()


def find(account: User, factor_id: str) -> Factor:
    """This account's factor."""
    try:
        return account.factors.get(pk=UUID(factor_id))
    except ValueError as error:
        raise Refusal(404, "validation_failed", "factor_id must be an UUID") from error
    except Factor.DoesNotExist as error:
        raise Refusal(404, "mfa_factor_not_found", "Factor not found") from error


def one_time_code(secret: str, steps: int = 0) -> str:
    """The code of the secret for now, or for this many steps of 30 seconds from now."""
    counter = int(time.time()) // _STEP_SECONDS + steps
    digest = hmac.digest(base64.b32decode(secret), counter.to_bytes(8, "big"), hashlib.sha1)
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def _require_room(account: User, session: Session, name: str) -> None:
    forgotten = timezone.now() - _UNVERIFIED_LASTS
    Factor.objects.filter(status="unverified", challenges=None, created_at__lt=forgotten).delete()
    kept = list(account.factors.all())
    if any((factor.friendly_name or "") == name for factor in kept):
        raise Refusal(
            422,
            "mfa_factor_name_conflict",
            f'A factor with the friendly name "{name}" for this user already exists',
        )
    if len(kept) >= _MOST_FACTORS:
        raise Refusal(
            422,
            "too_many_enrolled_mfa_factors",
            "Maximum number of verified factors reached, unenroll to continue",
        )
    if session.aal != "aal2" and any(factor.status == "verified" for factor in kept):
        raise Refusal(403, "insufficient_aal", "AAL2 required to enroll a new factor")


def _open_challenge(factor: Factor, challenge_id: UUID, address: str) -> Challenge:
    asked = factor.challenges.filter(pk=challenge_id).first()
    if asked is None:
        raise Refusal(
            422, "mfa_factor_not_found", "MFA factor with the provided challenge ID not found"
        )
    if asked.verified_at is not None or asked.ip_address != address:
        raise Refusal(422, "mfa_ip_address_mismatch", "Challenge and verify IP addresses mismatch.")
    if timezone.now() > asked.created_at + _CHALLENGE_LASTS:
        raise Refusal(
            422,
            "mfa_challenge_expired",
            f"MFA challenge {asked.pk} has expired, verify against another challenge or create a"
            " new challenge.",
        )
    return asked


def _picture(uri: str) -> str:
    """An SVG in place of Supabase's QR code; it holds the address as text, to be copied."""
    return f'<svg xmlns="http://www.w3.org/2000/svg"><text y="1em">{escape(uri)}</text></svg>'
