"""Pages of the funnel whose figures are kept: how much longer they take than `/welcome`.

Each is asked for as a whole page, in this process and without a server in between, so what every
request pays for (sign-in, compression) is on neither side.
"""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from tests.bench.funnel import SMALL

RUNS = 15
PAGES, APIS = 8.0, 5.0
_PERIOD = f"from={SMALL.first_day}&to={SMALL.last_day}"
# The view, its query, and how many milliseconds above `/welcome` it may take.
_ASKED: dict[str, tuple[str, str, float]] = {
    "overview": ("funnel", "", PAGES),
    "sources": ("funnel-sources", "", PAGES),
    "trend": ("funnel-trend", "", PAGES),
    "ads": ("funnel-ads", "", PAGES),
    "speed": ("funnel-speed", "", PAGES),
    "people": ("funnel-people", "&step=payment", PAGES),
    "duplicates": ("funnel-duplicates", "", PAGES),
    "API": ("api-funnel", "", APIS),
}


def measure() -> bool:
    """Print a row for each page; answers whether all came within what is allowed."""
    taken: dict[str, float] = {}
    asked = {name: _asking(view, query) for name, (view, query, _) in _ASKED.items()}
    asked["/welcome"] = _asking("welcome", "")
    for run in range(RUNS + 1):
        for name, ask in asked.items():
            began = time.perf_counter()
            ask()
            if run:
                milliseconds = (time.perf_counter() - began) * 1_000
                taken[name] = min(milliseconds, taken.get(name, milliseconds))
    passed = True
    for name, (*_, allowed) in _ASKED.items():
        above = taken[name] - taken["/welcome"]
        passed = passed and above <= allowed
        mark = "pass" if above <= allowed else "ABOVE"
        print(f"warm {name}: {above:.1f} ms above /welcome, at most {allowed:g} {mark}", flush=True)
    return passed


def _asking(name: str, query: str) -> Callable[[], None]:
    from django.test import RequestFactory
    from django.urls import resolve, reverse

    from onai.identity.roles import Identity, Role

    path = reverse(name)
    found = resolve(path)
    role = Role.STUDENT if name == "welcome" else Role.ADMIN

    def ask() -> None:
        request: Any = RequestFactory().get(f"{path}?{_PERIOD}{query}")
        request.identity = Identity(UUID(int=2), "bench@onai.test", "Проверка", role)
        request.identity_problem = None
        request.resolver_match = found
        response = found.func(request, *found.args, **found.kwargs)
        if response.status_code != 200:
            raise RuntimeError(f"{path}: {response.status_code}")

    return ask
