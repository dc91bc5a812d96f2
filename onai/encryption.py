"""Seals secrets that have to wait, with keys derived from `SECRET_KEY`.

Authenticated encryption (Fernet). New seals use `SECRET_KEY`; those of `SECRET_KEY_FALLBACKS` still
open, so the key can change while something waits.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache
from hmac import compare_digest

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.encoding import force_bytes


class Unsealable(Exception):
    """Not sealed by us for this purpose, too old, or sealed with a key that is gone."""


def seal(secret: str, *, purpose: str) -> str:
    """Encrypt to ASCII text that only `unseal` with the same purpose can read."""
    return _box(_keys(), purpose).encrypt(secret.encode()).decode()


def unseal(sealed: str, *, purpose: str, not_older_than: timedelta | None = None) -> str:
    """Decrypt sealed text. Raises `Unsealable`."""
    age = None if not_older_than is None else int(not_older_than.total_seconds())
    try:
        return _box(_keys(), purpose).decrypt(sealed.encode(), ttl=age).decode()
    except InvalidToken as error:
        raise Unsealable from error


def fingerprint(text: str, *, purpose: str) -> str:
    """A keyed digest: it shows whether two texts are the same, and nothing else of them."""
    return _digest(_keys()[0], text, purpose)


def has_fingerprint(text: str, known: str, *, purpose: str) -> bool:
    """Whether `known` is the fingerprint of `text`, under the present key or a former one."""
    return any(compare_digest(_digest(key, text, purpose), known) for key in _keys())


def _digest(key: str | bytes, text: str, purpose: str) -> str:
    return salted_hmac(f"onai {purpose}", text, secret=key, algorithm="sha256").hexdigest()


def _keys() -> tuple[str | bytes, ...]:
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=16)
def _box(keys: Iterable[str | bytes], purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(_derived(key, purpose)) for key in keys])


def _derived(key: str | bytes, purpose: str) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"onai {purpose}".encode())
    return urlsafe_b64encode(kdf.derive(force_bytes(key)))
