"""The keys that a Supabase project publishes (JWKS), kept for when it is down."""

import logging
import threading
import time
from datetime import timedelta

import httpx
import jwt
from django.conf import settings

from onai.db import deadline
from onai.identity import supabase
from onai.identity.supabase import AuthUnavailable

logger = logging.getLogger(__name__)

_LIFESPAN = timedelta(minutes=10)
# The shortest time between two fetches for unknown key ids.
_COOLDOWN = timedelta(seconds=5)
# How long a request waits for another one's fetch before it is refused.
_PATIENCE = timedelta(seconds=1)


class UnknownKey(Exception):
    """The project publishes no key with this id."""


class PublishedKeys:
    """One project's keys. Old keys stay valid while new ones cannot be fetched, and a known key
    never waits for another request's fetch.
    """

    def __init__(self, auth_url: str) -> None:
        self._url = f"{auth_url}/.well-known/jwks.json"
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at: float | None = None
        self._in_vain_at: float | None = None
        self._last_try_failed = False
        self._fetching = threading.Lock()

    def key(self, key_id: str) -> jwt.PyJWK:
        """The key with this id. Raises UnknownKey, or AuthUnavailable when that cannot be found
        out.
        """
        known = key_id in self._keys
        if known and _is_recent(self._fetched_at, _LIFESPAN):
            return self._keys[key_id]
        if self._fetching.acquire(timeout=0 if known else _PATIENCE.total_seconds()):
            try:
                self._fetch_unless_just_in_vain(key_id)
            finally:
                self._fetching.release()
        elif not known:
            raise AuthUnavailable
        if key_id in self._keys:
            return self._keys[key_id]
        if self._last_try_failed:
            raise AuthUnavailable
        raise UnknownKey

    def _fetch_unless_just_in_vain(self, key_id: str) -> None:
        fetched_meanwhile = key_id in self._keys and _is_recent(self._fetched_at, _LIFESPAN)
        if fetched_meanwhile or _is_recent(self._in_vain_at, _COOLDOWN):
            return
        try:
            fetched = self._fetch()
        except (httpx.HTTPError, jwt.PyJWKSetError, ValueError, KeyError, TypeError) as error:
            logger.warning("published_keys_unavailable", extra={"error": type(error).__name__})
            self._last_try_failed = True
        else:
            self._keys = fetched
            self._fetched_at = time.monotonic()
            self._last_try_failed = False
        if self._last_try_failed or key_id not in self._keys:
            self._in_vain_at = time.monotonic()

    def _fetch(self) -> dict[str, jwt.PyJWK]:
        with deadline.for_others_too():
            answer = supabase.connections().get(
                self._url,
                headers={"apikey": settings.SUPABASE_ANON_KEY},
                timeout=settings.SUPABASE_CONNECT_TIMEOUT.total_seconds(),
            )
        keys = jwt.PyJWKSet(answer.raise_for_status().json()["keys"]).keys
        return {key.key_id: key for key in keys if key.key_id and key.public_key_use != "enc"}


def _is_recent(moment: float | None, span: timedelta) -> bool:
    return moment is not None and time.monotonic() - moment < span.total_seconds()
