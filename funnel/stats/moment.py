"""The moment up to which an unfinished span is compared with the same of another one.

It stands in the funnel's statement, and a statement is kept by what it says: so all questions
share one moment for as long as an answer is kept. The figures themselves are of now.
"""

from datetime import UTC, datetime

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

_KEY = "funnel:moment"


def shared_moment() -> datetime:
    """This process's clock, at most `FUNNEL_CACHE_SECONDS` ago; in UTC."""
    now, seconds = timezone.now().timestamp(), settings.FUNNEL_CACHE_SECONDS
    kept = cache.get(_KEY) if seconds else None
    if not isinstance(kept, int | float) or not kept <= now < kept + seconds:
        kept = now
        if seconds:
            cache.set(_KEY, kept, seconds)
    return datetime.fromtimestamp(kept, UTC)
