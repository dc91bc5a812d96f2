"""The cache that all processes share: Redis, which nobody trusts and nobody waits for long.

Values are JSON. A pickle is a program, so whoever could write to Redis could run code here. A value
that is not JSON counts as absent.
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
    """Strings, numbers, lists and dicts. Storing anything else raises TypeError."""

    def dumps(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def loads(self, value: bytes) -> Any:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return None


class Redis(redis.Redis):
    """A client that does not ask the server for a few seconds after it was away.

    A page asks it several times, and each call to a hanging server would wait for the whole
    time-out.
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
