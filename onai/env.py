"""Every environment variable, declared once: its name, how it is read, what it is for.

`settings` takes all its outside values from here. What is missing or malformed stops the
start with one message that names every such variable; a secret's value is never in it.
"""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import date, datetime, timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones, reset_tzpath

import environ
from redis.connection import parse_url
from sentry_sdk.utils import Dsn

BASE_DIR = Path(__file__).resolve().parent.parent

# The machine's own time zone data may be years old; the locked package `tzdata` is not.
reset_tzpath(())
ZoneInfo.clear_cache()


class EnvironmentInvalid(SystemExit):
    """The process cannot start: its `code` is the message, printed once without a traceback."""


def _text(value: str) -> str:
    return value


def _boolean(value: str) -> bool:
    known = {"true": True, "1": True, "yes": True, "on": True}
    known |= {"false": False, "0": False, "no": False, "off": False}
    return known[value.lower()]


def _whole_number(value: str) -> int:
    number = int(value)
    if number < 0:
        raise ValueError
    return number


def _prices(value: str) -> tuple[tuple[date | None, int], ...]:
    """`5000`, or a price and the later ones by their first days: `5000,2026-01-01:6000`."""
    prices: list[tuple[date | None, int]] = []
    for part in value.split(","):
        since, _, price = part.rpartition(":")
        first_day = date.fromisoformat(since.strip()) if since else None
        prices.append((first_day, _whole_number(price)))
    starts = [since or date.min for since, _ in prices]
    if starts != sorted(set(starts)):
        raise ValueError  # Each since a later day than the one before.
    return tuple(prices)


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError
    if not value.isascii() or " " in value:
        raise ValueError
    return value.rstrip("/")


def _postgres(value: str) -> dict[str, Any]:
    if not value.startswith(("postgres://", "postgresql://")):
        raise ValueError
    config = dict(environ.Env.db_url_config(value))
    if not config["NAME"]:
        raise ValueError
    return config


def _redis(value: str) -> str:
    parse_url(value)  # type: ignore[no-untyped-call]
    return value


def _supabase_url(value: str) -> str:
    url = _http_url(value)
    if url.endswith("/auth/v1"):
        raise ValueError  # That part is ours to add.
    return url


def _sentry_dsn(value: str) -> str:
    Dsn(value)
    return value


def _key(value: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise ValueError  # It travels in HTTP headers.
    return value


def _sender(value: str) -> str:
    if "@" not in parseaddr(value)[1] or not value.isprintable():
        raise ValueError
    return value


def _hosts(value: str) -> list[str]:
    hosts = [host.strip() for host in value.split(",") if host.strip()]
    for host in hosts:
        if "/" in host or " " in host or (":" in host and not host.endswith("]")):
            raise ValueError
    if not hosts:
        raise ValueError
    return hosts


def _former_keys(value: str) -> list[str]:
    return [key.strip() for key in value.split(",") if key.strip()]


def _time_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError
    return ZoneInfo(value).key


def _variable(
    parse: Callable[[str], Any], purpose: str, *, example: str, default: Any = MISSING
) -> Any:
    """Declare one variable. Without a default it is needed; an empty value counts as absent."""
    metadata = {"parse": parse, "purpose": purpose, "example": example}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The configuration of one process. A field's upper-case name is its variable's name."""

    secret_key: str = _variable(
        _text,
        "signs what Django signs and seals a password while its e-mail waits",
        example="50 random characters",
    )
    secret_key_fallbacks: list[str] | None = _variable(
        _former_keys,
        "former values of SECRET_KEY, comma separated, that still open what they sealed",
        example="the SECRET_KEY before this one",
        default=None,
    )
    landing_database_url: dict[str, Any] = _variable(
        _postgres,
        "the Landing database, which is only read",
        example="postgres://reader:secret@landing.example.com:6543/postgres?sslmode=require",
    )
    tripwire_database_url: dict[str, Any] = _variable(
        _postgres,
        "the Tripwire database: students, managers and the job queue",
        example="postgres://desk:secret@tripwire.example.com:6543/postgres?sslmode=require",
    )
    tripwire_supabase_url: str = _variable(
        _supabase_url,
        "the Supabase project that signs people in",
        example="https://abcdefgh.supabase.co",
    )
    tripwire_supabase_anon_key: str = _variable(
        _key, "the project's public API key", example="eyJhbGciOi…"
    )
    tripwire_supabase_service_role_key: str = _variable(
        _key, "the project's secret API key, which administers accounts", example="eyJhbGciOi…"
    )
    tripwire_supabase_jwt_secret: str | None = _variable(
        _text,
        "the shared secret of a project that signs with HS256; without it the JWKS is used",
        example="the project's JWT secret",
        default=None,
    )
    resend_api_key: str = _variable(_key, "sends e-mail through Resend", example="re_12345678")
    resend_from_email: str = _variable(
        _sender, "the sender of the students' e-mails", example="onAI Academy <hello@example.com>"
    )
    resend_api_url: str = _variable(
        _http_url,
        "where the Resend API is; its SDK reads it too",
        example="https://api.resend.com",
        default="https://api.resend.com",
    )
    platform_login_url: str = _variable(
        _http_url,
        "the link to the learning platform in a student's e-mail",
        example="https://platform.example.com/login",
    )
    allowed_hosts: list[str] = _variable(
        _hosts, "the host names this site answers to, comma separated", example="desk.example.com"
    )
    cache_url: str | None = _variable(
        _redis,
        "a Redis that all processes share; without it each has a cache of its own",
        example="redis://cache.example.com:6379/0",
        default=None,
    )
    course_price_kzt: tuple[tuple[date | None, int], ...] = _variable(
        _prices,
        "the price of the express course in tenge, and later prices by their first days",
        example="5000,2026-01-01:6000",
        default=((None, 5000),),
    )
    funnel_cache_seconds: int = _variable(
        _whole_number,
        "how old the funnel's numbers may be, in seconds; 0 always asks the database",
        example="300",
        default=300,
    )
    debug: bool = _variable(
        _boolean, "development mode; never in production", example="false", default=False
    )
    time_zone: str = _variable(
        _time_zone,
        "the time zone of a business day, by its tz database name",
        example="Asia/Almaty",
        default="Asia/Almaty",
    )
    sentry_dsn: str | None = _variable(
        _sentry_dsn,
        "where exceptions are reported; without it nowhere",
        example="https://key@sentry.example.com/1",
        default=None,
    )


def _name(variable: "Field[Any]") -> str:
    return variable.name.upper()


def _complaint(variable: "Field[Any]", what: str) -> str:
    about = variable.metadata
    return f"  {_name(variable)} {what}: {about['purpose']}. Example: {about['example']}"


def read(source: Mapping[str, str]) -> Environment:
    """Parse every declared variable of `source`.

    Raises `EnvironmentInvalid` naming all that are missing or malformed, and no value.
    """
    values: dict[str, Any] = {}
    complaints: list[str] = []
    for variable in fields(Environment):
        raw = source.get(_name(variable), "").strip()
        if raw:
            try:
                values[variable.name] = variable.metadata["parse"](raw)
            except (ValueError, KeyError):
                complaints.append(_complaint(variable, "is malformed"))
        elif variable.default is MISSING:
            complaints.append(_complaint(variable, "is missing"))
    if complaints:
        count = f"{len(complaints)} environment variable{'s' if len(complaints) > 1 else ''}"
        raise EnvironmentInvalid("\n".join([f"onAI cannot start, {count} to mend:", *complaints]))
    return Environment(**values)


def _check_time_zone_data() -> None:
    """Kazakhstan has been at UTC+5 since 1 March 2024; older data would move every day."""
    noon = datetime(2024, 3, 2, 12, tzinfo=ZoneInfo("Asia/Almaty"))
    if noon.utcoffset() != timedelta(hours=5):
        raise EnvironmentInvalid(
            "onAI cannot start: Python's time zone data are older than March 2024, so that every"
            " day in Asia/Almaty would begin an hour early. Install the package tzdata as"
            " requirements.txt has it."
        )


def load() -> Environment:
    """The environment of this process, with `.env` filling in what is not set."""
    _check_time_zone_data()
    dotenv = BASE_DIR / ".env"
    if dotenv.exists():
        # It would print the lines it cannot read, with what is secret in them; a variable that
        # such a line was to set is told as missing.
        logging.getLogger("environ.environ").setLevel(logging.CRITICAL)
        try:
            environ.Env.read_env(dotenv)
        except UnicodeDecodeError:
            raise EnvironmentInvalid("onAI cannot start: .env is not UTF-8 text.") from None
    return read(os.environ)
