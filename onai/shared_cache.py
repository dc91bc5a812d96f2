"""The cache that all processes share: Redis, of which nothing is trusted and nobody waits for long.

What lies in it is JSON. Whoever can write to it could otherwise have every process run what they
like, since a pickle is a program. A value that is no JSON is not there.
"""

import json
from typing import Any

import redis
from django_redis.serializers.base import BaseSerializer

from onai.db.circuit import circuit

_TIMEOUT_SECONDS = 1


def configuration(url: str) -> dict[str, Any]:
    """The entry of CACHES for the Redis at this address."""
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": url,
        "OPTIONS": {
            "SERIALIZER": "onai.shared_cache.JsonSerializer",
            "REDIS_CLIENT_CLASS": "onai.shared_cache.Redis",
            "SOCKET_CONNECT_TIMEOUT": _TIMEOUT_SECONDS,
            "SOCKET_TIMEOUT": _TIMEOUT_SECONDS,
            "IGNORE_EXCEPTIONS": True,
        },
    }


class JsonSerializer(BaseSerializer):  # type: ignore[misc]
    """Strings, numbers, lists and dicts. Anything else raises TypeError when it is kept."""

    def dumps(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def loads(self, value: bytes) -> Any:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return None


class Redis(redis.Redis):
    """A client that remembers for a few seconds that the server was away, and does not ask it.

    A page asks it several times; each would wait for the whole time-out of a server that hangs.
    """

    def execute_command(self, *args: Any, **options: Any) -> Any:
        memory = circuit("cache")
        if not memory.lets_through():
            raise redis.ConnectionError("the cache was away a moment ago")
        try:
            answer = super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except (redis.ConnectionError, redis.TimeoutError):
            memory.hung()
            raise
        except redis.RedisError:
            memory.answered()
            raise
        memory.answered()
        return answer
