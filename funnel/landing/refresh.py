"""Asks Landing again before its cached answers have aged: for everybody, once in a while.

cachalot keeps Landing's rows under the moment of the last refresh (`query_key`). After another
refresh nothing older is found, whatever was being counted meanwhile and however wrong a clock is:
the moment is of the database's clock, which all processes share. Where each process has a cache of
its own, the moment travels in a cookie of the person who refreshed, and the processes that they
reach adopt it.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import django.db
from cachalot.utils import get_query_cache_key
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from onai.db import postgres
from onai.identity.session.cookies import host_bound

logger = logging.getLogger(__name__)

SECONDS_BETWEEN = 10
_LIMIT, _REFRESHED = "funnel:refresh-limit", "funnel:refreshed"
_COOKIE, _TOO_SOON_COOKIE = "onai_refreshed", "onai_refreshed_too_soon"
# A statement that ran during a refresh may be stored this much later.
_STRAGGLERS_SECONDS = 60
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Refresh:
    """The outcome of a wish to refresh.

    `moment` is the last granted refresh. `refused_until` is when the next may be granted, by this
    process's clock.
    """

    moment: datetime
    refused_until: datetime | None = None


def query_key(compiler: Any) -> str:
    """The key under which cachalot keeps an answer (`CACHALOT_QUERY_KEYGEN`)."""
    return f"{get_query_cache_key(compiler)}:{last().timestamp()}"


def request_refresh() -> Refresh:
    """Have the database asked for everything from now on."""
    now = timezone.now()
    allowed_again = now + timedelta(seconds=SECONDS_BETWEEN)
    if not cache.add(_LIMIT, allowed_again.isoformat(), SECONDS_BETWEEN):
        # Neither a limit nor a place: the cache is down, so the database is asked anyway.
        return Refresh(last(), refused_until=_kept_moment(_LIMIT))
    moment = _moment()
    _remember(moment)
    return Refresh(moment)


def _moment() -> datetime:
    try:
        return postgres.clock("landing")
    except django.db.Error as error:
        # A cached answer must not pass for a refreshed one, so the outage shows.
        logger.error("refresh_unanswered", extra={"error": type(error).__name__})
        return last() + timedelta(microseconds=1)


def tell(response: HttpResponse, refresh: Refresh) -> None:
    """Let the browser carry the outcome to the next process."""
    options: dict[str, Any] = {"secure": not settings.DEBUG, "httponly": True, "samesite": "Lax"}
    response.set_signed_cookie(
        host_bound(_COOKIE),
        refresh.moment.isoformat(),
        salt=_COOKIE,
        max_age=_kept_seconds(),
        **options,
    )
    if refresh.refused_until:
        seconds = max(1, round((refresh.refused_until - timezone.now()).total_seconds()))
        granted = refresh.refused_until - timedelta(seconds=SECONDS_BETWEEN)
        response.set_signed_cookie(
            host_bound(_TOO_SOON_COOKIE),
            granted.isoformat(),
            salt=_TOO_SOON_COOKIE,
            max_age=seconds,
            **options,
        )


def take_up(request: HttpRequest) -> None:
    """Adopt the refresh that this browser carries."""
    moment = _carried(request, _COOKIE, _kept_seconds())
    if moment and moment > last():
        _remember(moment)


def refused_since(request: HttpRequest) -> datetime | None:
    """The last granted refresh, where this browser has just been refused one."""
    return _carried(request, _TOO_SOON_COOKIE, SECONDS_BETWEEN)


def _carried(request: HttpRequest, cookie: str, max_age: int) -> datetime | None:
    try:
        said = request.get_signed_cookie(host_bound(cookie), "", salt=cookie, max_age=max_age)
    except signing.BadSignature:
        return None
    return datetime.fromisoformat(said) if said else None


def last() -> datetime:
    """The moment of the last granted refresh; long ago where there was none."""
    return _kept_moment(_REFRESHED) or _NEVER


def _kept_moment(key: str) -> datetime | None:
    kept = cache.get(key)
    try:
        moment = datetime.fromisoformat(kept) if isinstance(kept, str) else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def _remember(moment: datetime) -> None:
    cache.set(_REFRESHED, moment.isoformat(), _kept_seconds())


def _kept_seconds() -> int:
    """Longer than any earlier answer is kept."""
    kept: int = settings.FUNNEL_CACHE_SECONDS
    return kept + _STRAGGLERS_SECONDS
