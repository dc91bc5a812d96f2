"""Reads each kind of environment variable, and says why a value is refused, without the value.

A value that travels on one machine only, over a loopback address or a socket, may do so
unprotected.
"""

import json
import re
from base64 import b64decode, urlsafe_b64decode
from datetime import date
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, available_timezones

import environ
from psycopg import ProgrammingError
from psycopg.conninfo import make_conninfo
from redis.connection import parse_url
from sentry_sdk.utils import Dsn

_SHORTEST_SECRET, _FEWEST_LETTERS = 32, 8
_SHORTEST_KEY_BYTES = 16
_PROTECTED = ("require", "verify-ca", "verify-full")
_COMMENT = re.compile(r"(^|\s)#(\s|$)|\s#")
_QUOTES = ('""', "''", "“”", "‘’", "«»", "„“", "``")
_PLACEHOLDER = re.compile(r"replace[-_]me|\[your-password\]", re.IGNORECASE)
_MOST = 1_000_000_000
_ADDRESS = r"(?a:[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+)"
_QUEUE_SIGNALS = ("won", "chose", "clicked")
_HOST = re.compile(r"\.?[\w-]+(?:\.[\w-]+)*\.?|\[[0-9a-f:.]+\]", re.ASCII | re.IGNORECASE)
# A comma or an at sign outside quotes begins another address.
_NAME = r"\"[^\"\r\n]+\"|[^<>\",;@\r\n]*[^<>\",;@\s][^<>\",;@\r\n]*"
_SENDER = re.compile(rf"{_ADDRESS}|(?:{_NAME})\s*<{_ADDRESS}>")


class Malformed(ValueError):
    """A value that cannot be used. The message is a clause with the reason, and shows nothing of
    the value.
    """


def check_form(value: str) -> None:
    """Check what is wrong with a value of any kind. Raises Malformed."""
    if len(value) > 1 and value[0] + value[-1] in _QUOTES:
        raise Malformed("it stands in quotes, which `docker --env-file` takes for a part of it")
    if _COMMENT.search(value):
        raise Malformed("a comment stands behind it, which is taken for a part of it")
    if _PLACEHOLDER.search(value):
        raise Malformed("it is still the placeholder of .env.example")


def secret(value: str) -> str:
    if value.startswith("django-insecure-"):
        raise Malformed("Django marks by this beginning what is for development only")
    # A repeated piece adds no security.
    piece = next(end for end in range(1, len(value) + 1) if value.startswith(value[end:]))
    if piece < _SHORTEST_SECRET or len(set(value)) < _FEWEST_LETTERS:
        raise Malformed(
            f"it can be guessed: take at least {_SHORTEST_SECRET} random characters, of many kinds"
        )
    return value


def boolean(value: str) -> bool:
    known = {"true": True, "1": True, "yes": True, "on": True}
    known |= {"false": False, "0": False, "no": False, "off": False}
    if value.lower() not in known:
        raise Malformed("it is neither true nor false")
    return known[value.lower()]


def whole_number(value: str) -> int:
    number = int(value)
    if not 0 <= number <= _MOST:
        raise Malformed(f"it is a number from 0 to {_MOST}")
    return number


def prices(value: str) -> tuple[tuple[date | None, int], ...]:
    """`5000`, or a price and the later ones by their first days: `5000,2026-01-01:6000`."""
    found: list[tuple[date | None, int]] = []
    for part in value.split(","):
        since, _, price = part.rpartition(":")
        first_day = date.fromisoformat(since.strip()) if since else None
        found.append((first_day, whole_number(price)))
    starts = [since or date.min for since, _ in found]
    if starts != sorted(set(starts)):
        raise Malformed("each price begins on a later day than the one before")
    return tuple(found)


def http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError
    if not value.isascii() or " " in value:
        raise ValueError
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise Malformed("it must begin with https, as whoever listens could read along")
    return value.rstrip("/")


def origin(value: str) -> str:
    url = http_url(value)
    parts = urlsplit(url)
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        raise Malformed("it is scheme and host alone, as in https://desk.example.com")
    return url


def same_site(one: str, other: str) -> bool:
    """Whether two addresses are of one scheme, host and port."""
    return _place(one) == _place(other)


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def supabase_url(value: str) -> str:
    url = http_url(value)
    parts = urlsplit(url)
    if parts.path.endswith(("/auth/v1", "/rest/v1")):
        raise Malformed("/auth/v1 is ours to add")
    if parts.query or parts.fragment or parts.username is not None:
        raise Malformed("it is the bare address of the project")
    return url


def postgres(value: str) -> dict[str, Any]:
    if not value.startswith(("postgres://", "postgresql://")):
        raise ValueError
    config = dict(environ.Env.db_url_config(value))
    if not config["NAME"]:
        raise ValueError
    options = config.get("OPTIONS", {})
    try:
        make_conninfo(**options)
    except ProgrammingError as error:
        raise Malformed("it has an option behind ? that PostgreSQL does not know") from error
    where = options.get("hostaddr") or options.get("host") or unquote(config["HOST"] or "")
    stays_here = all(
        not host or host[0] in "/@" or is_loopback(host) for host in str(where).split(",")
    )
    if not stays_here and options.get("sslmode") not in _PROTECTED:
        raise Malformed("it needs ?sslmode=require, or verify-full, as the data go over a network")
    return config


def redis(value: str) -> str:
    parse_url(value)  # type: ignore[no-untyped-call]
    return value


def sentry_dsn(value: str) -> str:
    Dsn(value)
    return value


def _header(value: str) -> str:
    if not value.isascii() or not value.isprintable() or " " in value:
        raise Malformed("it travels in HTTP headers, and has a letter that cannot")
    return value


def anon_key(value: str) -> str:
    return _key_of_role(value, "anon", other="sb_secret_")


def service_role_key(value: str) -> str:
    return _key_of_role(value, "service_role", other="sb_publishable_")


def _key_of_role(value: str, role: str, *, other: str) -> str:
    claims = api_key_claims(_header(value))
    if value.startswith(other) or claims.get("role", role) != role:
        raise Malformed("it is another kind of key: the project's two are easily confused")
    return value


def api_key_claims(value: str) -> dict[str, Any]:
    """The claims of a project's older API key, which is a token; empty for any other text."""
    parts = value.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def resend_key(value: str) -> str:
    if not _header(value).startswith("re_"):
        raise Malformed("Resend's keys begin with re_")
    return value


def webhook_secret(value: str) -> str:
    prefix, _, key = _header(value).rpartition("_")
    if prefix != "whsec":
        raise Malformed("Resend's signing secrets begin with whsec_")
    try:
        length = len(b64decode(key, validate=True))
    except ValueError:
        length = 0
    if length < _SHORTEST_KEY_BYTES:
        raise Malformed("it is no signing secret of Resend's, or not all of it")
    return value


def sender(value: str) -> str:
    if not value.isprintable() or not _SENDER.fullmatch(value):
        raise Malformed("it is an address, or a name and behind it the address in < >")
    return value


def hosts(value: str) -> list[str]:
    named = [host.strip() for host in value.split(",") if host.strip()]
    for host in named:
        if "*" in host:
            raise Malformed(
                "* lets anybody choose the host's name; .example.com is all of a domain"
            )
        if not _HOST.fullmatch(host):
            raise Malformed("each is a bare name, in other letters as xn--…, without a port")
    if not named:
        raise ValueError
    return named


def queue_signals(value: str) -> list[str]:
    kinds = list(dict.fromkeys(kind.strip() for kind in value.split(",") if kind.strip()))
    if not kinds or not set(kinds) <= set(_QUEUE_SIGNALS):
        raise Malformed(f"each is one of {', '.join(_QUEUE_SIGNALS)}")
    return kinds


def former_keys(value: str) -> list[str]:
    return [key.strip() for key in value.split(",") if key.strip()]


def time_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError
    return ZoneInfo(value).key


def is_loopback(host: str) -> bool:
    """Whether traffic to this host stays on this machine."""
    if host.lower().rstrip(".") in ("localhost", "ip6-localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
