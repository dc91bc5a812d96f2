"""Every address of the product."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

# Stands where an address takes the id of a student or of a request.
ID = "0e5a6a5e-2c0e-4d0c-9a3e-6d8f0b5f4a11"
_FITTING = {"uuid": ID, "str": "payment", "slug": "x", "int": "7", "path": "x"}


def every_address() -> tuple[str, ...]:
    """Each once, with something that fits where it takes a value."""
    return tuple(dict.fromkeys(_addresses(get_resolver().url_patterns)))


def _addresses(patterns: list[Any], before: str = "/") -> Iterator[str]:
    for one in patterns:
        route = before + str(getattr(one.pattern, "_route", ""))
        for kind, value in _FITTING.items():
            while f"<{kind}:" in route:
                start = route.index(f"<{kind}:")
                route = route[:start] + value + route[route.index(">", start) + 1 :]
        if isinstance(one, URLResolver):
            yield from _addresses(one.url_patterns, route)
        elif isinstance(one, URLPattern):
            yield route
