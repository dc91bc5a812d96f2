"""Verifies access tokens: signature, issuer, audience and dates.

The keys are either one shared secret (HS256 projects) or the project's published key set.
"""

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jwt
from django.conf import settings

from onai.identity import supabase
from onai.identity.session.published_keys import PublishedKeys, UnknownKey
from onai.identity.supabase import AuthUnavailable

logger = logging.getLogger(__name__)

AUDIENCE = "authenticated"
# Tolerated difference between Supabase's clock and ours, in seconds.
LEEWAY_SECONDS = 30
_REQUIRED_CLAIMS = ["exp", "iat", "iss", "aud", "sub"]
_ALGORITHMS_OF_KEY_TYPE = {"EC": ["ES256"], "RSA": ["RS256"]}


class TokenInvalid(Exception):
    """The token is not a valid token of our Supabase project."""


def verify(token: str) -> Mapping[str, Any]:
    """The claims of an access token with valid signature, dates, issuer and audience.

    Raises TokenInvalid, or AuthUnavailable if the published keys cannot be fetched.
    """
    try:
        key, algorithms = _key_for(token)
        claims: dict[str, Any] = jwt.decode(
            token,
            key=key,
            algorithms=algorithms,
            audience=AUDIENCE,
            issuer=settings.SUPABASE_AUTH_URL,
            leeway=LEEWAY_SECONDS,
            options={"require": _REQUIRED_CLAIMS},
        )
    # A token is untrusted text: its JSON may nest too deeply or contain lone surrogates.
    except (jwt.InvalidTokenError, RecursionError, UnicodeError) as error:
        raise TokenInvalid from error
    return claims


def verify_fresh(token: str) -> Mapping[str, Any]:
    """The claims of a token that Supabase has just issued.

    If it cannot be verified, our configuration is wrong or the keys are being rotated; no session
    has ended. Raises AuthUnavailable.
    """
    try:
        claims = verify(token)
    except TokenInvalid as error:
        reason = type(error.__cause__ or error).__name__
        logger.error("fresh_token_refused", extra={"reason": reason})
        supabase.remember_obstacle(supabase.TOKENS_REFUSED)
        raise AuthUnavailable from error
    supabase.remember_obstacle("")
    return claims


def _key_for(token: str) -> tuple[Any, list[str]]:
    """The key that must have signed `token`, and the algorithms allowed for its type."""
    if settings.SUPABASE_JWT_SECRET:
        return settings.SUPABASE_JWT_SECRET, ["HS256"]
    key_id = jwt.get_unverified_header(token).get("kid")
    if not isinstance(key_id, str):
        raise TokenInvalid
    try:
        key = _published_keys(settings.SUPABASE_AUTH_URL).key(key_id)
    except UnknownKey as error:
        raise TokenInvalid from error
    if key.key_type not in _ALGORITHMS_OF_KEY_TYPE:
        raise TokenInvalid
    return key, _ALGORITHMS_OF_KEY_TYPE[key.key_type]


@lru_cache(maxsize=1)
def _published_keys(auth_url: str) -> PublishedKeys:
    return PublishedKeys(auth_url)
