"""The order of the middlewares, which `onai/settings.py` gives the reasons for."""

import pytest
from django.conf import settings

ABOVE = [
    ("ResponseHeadersMiddleware", "HeadMiddleware"),
    ("HeadMiddleware", "ProbeMiddleware"),
    ("SecurityMiddleware", "WhiteNoiseMiddleware"),
    ("ProbeMiddleware", "DeadlineMiddleware"),
    ("ProbeMiddleware", "RequestLimitsMiddleware"),
    ("DeadlineMiddleware", "IdentityMiddleware"),
    ("WhiteNoiseMiddleware", "GZipMiddleware"),
    ("HeadMiddleware", "GZipMiddleware"),
    ("CSPMiddleware", "RequestLimitsMiddleware"),
    ("XFrameOptionsMiddleware", "RequestLimitsMiddleware"),
    ("LanguageMiddleware", "RequestLimitsMiddleware"),
    ("LanguageMiddleware", "ProblemMiddleware"),
    ("RequestLimitsMiddleware", "CommonMiddleware"),
    ("RequestLimitsMiddleware", "IdentityMiddleware"),
    ("RequestLimitsMiddleware", "CsrfViewMiddleware"),
    ("IdentityMiddleware", "CsrfViewMiddleware"),
    ("IdentityMiddleware", "ProblemMiddleware"),
]


@pytest.mark.parametrize(("higher", "lower"), ABOVE)
def test_the_middlewares_are_in_the_documented_order(higher: str, lower: str) -> None:
    names = [path.rpartition(".")[2] for path in settings.MIDDLEWARE]

    assert names.index(higher) < names.index(lower)


def test_every_middleware_of_ours_has_its_place() -> None:
    ours = {path.rpartition(".")[2] for path in settings.MIDDLEWARE if path.startswith("onai.")}

    assert ours <= {name for pair in ABOVE for name in pair}
