"""The moment up to which an unfinished span is compared with the same part of another one.

The moment is a part of the funnel's statement, and answers are kept by their statement. So all
questions share one moment for as long as an answer is kept. The figures shown are of now.
"""

from datetime import UTC, datetime

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

_KEY = "funnel:moment"


def shared_moment() -> datetime:
    """A moment of this process's clock, in UTC, at most `FUNNEL_CACHE_SECONDS` ago."""
    now, seconds = timezone.now().timestamp(), settings.FUNNEL_CACHE_SECONDS
    kept = cache.get(_KEY) if seconds else None
    if not isinstance(kept, int | float) or not kept <= now < kept + seconds:
        kept = now
        if seconds:
            cache.set(_KEY, kept, seconds)
    return datetime.fromtimestamp(kept, UTC)
