"""Every environment variable, declared once: its name, how it is read, what it is for.

`settings` takes all its outside values from here. A missing or malformed variable stops the start
with one message that names every such variable, without a secret's value.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, reset_tzpath

import environ

from onai import env_values as values

BASE_DIR = Path(__file__).resolve().parent.parent
STATIC_ROOT = BASE_DIR / "staticfiles"
_MANIFEST = STATIC_ROOT / "staticfiles.json"
# Of the language of the house, whose plurals it holds.
_CATALOGUE = BASE_DIR / "locale/ru/LC_MESSAGES/django.mo"
_KEYS = ("anon", "service_role")

# The machine's own time zone data may be years old; the locked package `tzdata` is current.
reset_tzpath(())
ZoneInfo.clear_cache()


class EnvironmentInvalid(SystemExit):
    """The process cannot start: its `code` is the message, printed once without a traceback."""


def _variable(
    parse: Callable[[str], Any], purpose: str, *, example: str, default: Any = MISSING
) -> Any:
    """Declare one variable. Without a default it is mandatory; an empty value counts as absent."""
    metadata = {"parse": parse, "purpose": purpose, "example": example}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The configuration of one process. A field's upper-case name is its variable's name."""

    secret_key: str = _variable(
        values.secret,
        "signs what Django signs and seals a password while its e-mail waits",
        example="50 random characters",
    )
    secret_key_fallbacks: list[str] | None = _variable(
        values.former_keys,
        "former values of SECRET_KEY, comma separated, that still open what they sealed",
        example="the SECRET_KEY before this one",
        default=None,
    )
    landing_database_url: dict[str, Any] = _variable(
        values.postgres,
        "the Landing database, which is only read",
        example="postgres://reader:secret@landing.example.com:6543/postgres?sslmode=require",
    )
    tripwire_database_url: dict[str, Any] = _variable(
        values.postgres,
        "the Tripwire database: students, managers and the job queue",
        example="postgres://desk:secret@tripwire.example.com:6543/postgres?sslmode=require",
    )
    tripwire_supabase_url: str = _variable(
        values.supabase_url,
        "the Supabase project that signs people in",
        example="https://abcdefgh.supabase.co",
    )
    tripwire_supabase_anon_key: str = _variable(
        values.anon_key, "the project's public API key", example="eyJhbGciOi… or sb_publishable_…"
    )
    tripwire_supabase_service_role_key: str = _variable(
        values.service_role_key,
        "the project's secret API key, which administers accounts",
        example="eyJhbGciOi… or sb_secret_…",
    )
    tripwire_supabase_jwt_secret: str | None = _variable(
        values.secret,
        "the shared secret of a project that signs with HS256; without it the JWKS is used",
        example="the project's JWT secret",
        default=None,
    )
    resend_api_key: str = _variable(
        values.resend_key, "sends e-mail through Resend", example="re_12345678"
    )
    resend_from_email: str = _variable(
        values.sender,
        "the sender of the students' e-mails",
        example="onAI Academy <hello@example.com>",
    )
    resend_api_url: str = _variable(
        values.http_url,
        "where the Resend API is; its SDK reads it too",
        example="https://api.resend.com",
        default="https://api.resend.com",
    )
    resend_webhook_secret: str | None = _variable(
        values.webhook_secret,
        "what Resend signs its events with; without it nobody hears what became of a letter",
        example="whsec_… of the webhook in Resend",
        default=None,
    )
    platform_login_url: str = _variable(
        values.http_url,
        "the link to the learning platform in a student's e-mail",
        example="https://platform.example.com/login",
    )
    site_url: str | None = _variable(
        values.origin,
        "where people reach this site, for links in letters; without it https:// and the first of"
        " ALLOWED_HOSTS",
        example="https://desk.example.com",
        default=None,
    )
    allowed_hosts: list[str] = _variable(
        values.hosts,
        "the host names this site answers to, comma separated",
        example="desk.example.com",
    )
    cache_url: str | None = _variable(
        values.redis,
        "a Redis that all processes share; without it each has a cache of its own",
        example="redis://cache.example.com:6379/0",
        default=None,
    )
    course_price_kzt: tuple[tuple[date | None, int], ...] = _variable(
        values.prices,
        "the price of the express course in tenge, and later prices by their first days",
        example="5000,2026-01-01:6000",
        default=((None, 5000),),
    )
    funnel_cache_seconds: int = _variable(
        values.whole_number,
        "how old the funnel's numbers may be, in seconds; 0 always asks the database",
        example="300",
        default=300,
    )
    debug: bool = _variable(
        values.boolean, "development mode; never in production", example="false", default=False
    )
    time_zone: str = _variable(
        values.time_zone,
        "the time zone of a business day, by its tz database name",
        example="Asia/Almaty",
        default="Asia/Almaty",
    )
    queue_signals: Sequence[str] = _variable(
        values.queue_signals,
        "which signs of a purchase put a person into the queue: won, chose, clicked",
        example="won,chose,clicked",
        default=("won", "chose", "clicked"),
    )
    sentry_dsn: str | None = _variable(
        values.sentry_dsn,
        "where exceptions are reported; without it nowhere",
        example="https://key@sentry.example.com/1",
        default=None,
    )


def _name(variable: "Field[Any]") -> str:
    return variable.name.upper()


def _complaint(variable: "Field[Any]", what: str) -> str:
    about = variable.metadata
    return f"  {_name(variable)} {what}: {about['purpose']}. Example: {about['example']}"


def read(source: Mapping[str, str], *, serves_pages: bool = False) -> Environment:
    """Parse every declared variable of `source`.

    Raises `EnvironmentInvalid`, which names all that are missing or malformed, and no value. With
    `serves_pages` the static files are checked too.
    """
    read_values: dict[str, Any] = {}
    complaints: list[str] = []
    for variable in fields(Environment):
        raw = source.get(_name(variable), "").strip()
        try:
            if raw:
                read_values[variable.name] = _read_one(variable, raw)
            elif variable.default is MISSING:
                complaints.append(_complaint(variable, "is missing"))
        except values.Malformed as reason:
            complaints.append(_complaint(variable, f"is malformed ({reason})"))
        except (ValueError, KeyError):
            complaints.append(_complaint(variable, "is malformed"))
    complaints += [*_confused_keys(read_values), *_platform_is_this_site(read_values)]
    to_mend = [_counted(len(complaints), "environment variable")] if complaints else []
    if serves_pages and not read_values.get("debug"):
        if not _MANIFEST.exists():
            to_mend.append("the static files")
            complaints.append(
                "  The static files are not collected: manage.py collectstatic --noinput"
            )
        if not _CATALOGUE.exists():
            to_mend.append("the translations")
            complaints.append(
                "  The translations are not compiled:"
                " .venv/bin/pybabel compile --domain django --directory locale"
            )
    if complaints:
        first = f"onAI cannot start, {' and '.join(to_mend)} to mend:"
        raise EnvironmentInvalid("\n".join([first, *complaints]))
    return Environment(**read_values)


def _read_one(variable: "Field[Any]", raw: str) -> Any:
    values.check_form(raw)
    if variable.default is MISSING and raw == variable.metadata["example"]:
        raise values.Malformed("it is still the example")
    return variable.metadata["parse"](raw)


def _confused_keys(read_values: Mapping[str, Any]) -> Iterator[str]:
    """Keys that are valid alone and not together."""
    anon, service = (read_values.get(f"tripwire_supabase_{one}_key") for one in _KEYS)
    if anon and anon == service:
        yield (
            "  TRIPWIRE_SUPABASE_ANON_KEY and TRIPWIRE_SUPABASE_SERVICE_ROLE_KEY are malformed"
            " (they are one key): the project has two, a public and a secret one"
        )


def _platform_is_this_site(read_values: Mapping[str, Any]) -> Iterator[str]:
    """A letter would lead its student to the managers' own sign-in."""
    platform, site = read_values.get("platform_login_url"), read_values.get("site_url")
    hosts = [f"https://{host}" for host in read_values.get("allowed_hosts") or []]
    if platform and any(values.same_site(platform, one) for one in filter(None, [site, *hosts])):
        yield "  PLATFORM_LOGIN_URL is malformed (it is this site): students learn on another"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}"


def _check_time_zone_data() -> None:
    """Kazakhstan has been at UTC+5 since 1 March 2024; older data would move every day."""
    noon = datetime(2024, 3, 2, 12, tzinfo=ZoneInfo("Asia/Almaty"))
    if noon.utcoffset() != timedelta(hours=5):
        raise EnvironmentInvalid(
            "onAI cannot start: Python's time zone data are older than March 2024, so that every"
            " day in Asia/Almaty would begin an hour early. Install the package tzdata as"
            " requirements.txt has it."
        )


def load(*, serves_pages: bool = False) -> Environment:
    """The environment of this process. `.env` adds what is not set. See `read`."""
    _check_time_zone_data()
    dotenv = BASE_DIR / ".env"
    if dotenv.exists():
        # The library would print the lines that it cannot read, secrets included. The variable of
        # such a line is reported as missing.
        logging.getLogger("environ.environ").setLevel(logging.CRITICAL)
        try:
            environ.Env.read_env(dotenv, encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise EnvironmentInvalid("onAI cannot start: .env is not UTF-8 text.") from None
    return read(os.environ, serves_pages=serves_pages)
