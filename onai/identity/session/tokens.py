"""Whether an access token is what it says: issued by our Supabase project, for us, and now.

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
# Clocks are not in step: a token may be this many seconds early or late.
LEEWAY_SECONDS = 30
_REQUIRED_CLAIMS = ["exp", "iat", "iss", "aud", "sub"]
_ALGORITHMS_OF_KEY_TYPE = {"EC": ["ES256"], "RSA": ["RS256"]}


class TokenInvalid(Exception):
    """The token proves nothing."""


def verify(token: str) -> Mapping[str, Any]:
    """The claims of an access token whose signature, dates, issuer and audience are right.

    Raises TokenInvalid, or AuthUnavailable when the keys cannot be had.
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
    # A token is anybody's text: its JSON may nest too deep, or hold halves of characters.
    except (jwt.InvalidTokenError, RecursionError, UnicodeError) as error:
        raise TokenInvalid from error
    return claims


def verify_fresh(token: str) -> Mapping[str, Any]:
    """The claims of a token that Supabase has just issued.

    One that cannot be verified says that the configuration is wrong, or that keys are changing:
    nobody's session has ended. Raises AuthUnavailable.
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
    """The key that must have signed `token`, and the algorithms that kind of key signs with."""
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
