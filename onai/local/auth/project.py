"""The settings that the owner of a Supabase project changes in its dashboard, and a test while the
stand-in runs.

`PUT /project` with `{"captcha": true}` changes the named settings, `DELETE /project` resets all of
them and the rate limits, `GET /project` returns them.
"""

import ipaddress
import json
import threading
import time
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from onai.local.auth.wire import Refusal

MAX_PASSWORD_BYTES = 72  # more than that bcrypt does not read
WINDOW_SECONDS = 300
_BURST = 30
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _product() -> str:
    login = urlsplit(settings.ENVIRONMENT.platform_login_url)
    return f"{login.scheme}://{login.netloc}"


@dataclass(slots=True)
class Project:
    """The settings.

    `password_required_characters` are sets, of each of which a password needs a character;
    `pwned_passwords` are those found in leaks. `forwarded_for`: whether `Sb-Forwarded-For` is
    trusted. `rate_limit`: the requests to `/token`, and as many to `/verify`, that an address has
    in five minutes after a burst of thirty; 0 for no limit. `otp_seconds`: the lifetime of a link
    or a code. `mail_gap_seconds`: the time between two letters of one kind to one account. Links
    lead to `site_url` or to a match of `redirect_urls`, patterns such as `https://*.onai.test/**`.
    A request whose database takes longer than `request_seconds` is answered 504.
    """

    email_provider: bool = True
    signup: bool = False
    anonymous: bool = False
    autoconfirm: bool = True
    totp: bool = True
    captcha: bool = False
    password_min_length: int = 6
    password_required_characters: list[str] = field(default_factory=list)
    pwned_passwords: list[str] = field(default_factory=list)
    forwarded_for: bool = True
    rate_limit: int = field(default_factory=lambda: int(settings.LOCAL_RATE_LIMIT))
    otp_seconds: int = 3_600
    mail_gap_seconds: int = 60
    site_url: str = field(default_factory=_product)
    redirect_urls: list[str] = field(default_factory=list)
    request_seconds: float = 10

    def redirect_target(self, wanted: str) -> str:
        """The page that a link leads to: the requested one where it is allowed, else the site."""
        site, url = urlsplit(self.site_url), urlsplit(wanted)
        same_site = (site.scheme, site.hostname) == (url.scheme, url.hostname)
        if same_site and (site.port == url.port or url.hostname in _LOOPBACK):
            return wanted
        if any(fnmatch(wanted, pattern) for pattern in self.redirect_urls):
            return wanted
        return self.site_url


@dataclass(slots=True)
class _Allowance:
    """The number of requests that an address has left, and when it was computed (`monotonic()`)."""

    left: float
    at: float


class RateLimit:
    """A token bucket for each address: a burst of thirty requests, then a steady rate."""

    def __init__(self) -> None:
        self._allowances: dict[str, _Allowance] = {}
        self._lock = threading.Lock()

    def takes(self, address: str, limit: int) -> bool:
        """Whether one more request of this address is allowed."""
        if not limit:
            return True
        now = time.monotonic()
        with self._lock:
            allowance = self._allowances.setdefault(address, _Allowance(_BURST, now))
            dripped = (now - allowance.at) * limit / WINDOW_SECONDS
            allowance.left = min(_BURST, allowance.left + dripped)
            allowance.at = now
            if allowance.left < 1:
                return False
            allowance.left -= 1
            return True

    def forget(self) -> None:
        with self._lock:
            self._allowances.clear()


project = Project()
limits = {"token": RateLimit(), "verify": RateLimit()}


def require_allowance(request: HttpRequest, name: str) -> None:
    """Refuse an address that has sent too many requests."""
    if not limits[name].takes(address_of(request), project.rate_limit):
        raise Refusal(429, "over_request_rate_limit", "Request rate limit reached")


def require_strength(password: str) -> None:
    """Refuse a password that the project's rules forbid.

    Supabase Auth applies them when a password is changed and at sign-up; an account that an
    administrator creates may have any password.
    """
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        raise Refusal(
            400,
            "validation_failed",
            f"Password cannot be longer than {MAX_PASSWORD_BYTES} characters",
        )
    weak = password_faults(password)
    if weak:
        raise Refusal(
            422, "weak_password", " ".join(weak.values()), weak_password={"reasons": list(weak)}
        )


def password_faults(password: str) -> dict[str, str]:
    """What is wrong with a password: Supabase's word for each reason, and its sentence."""
    found = {}
    if len(password.encode()) < project.password_min_length:
        shortest = project.password_min_length
        found["length"] = f"Password should be at least {shortest} characters."
    required = project.password_required_characters
    if not all(set(characters) & set(password) for characters in required):
        found["characters"] = (
            f"Password should contain at least one character of each: {', '.join(required)}."
        )
    # The lists of leaked passwords hold the empty one.
    if project.pwned_passwords and (not password or password in project.pwned_passwords):
        found["pwned"] = (
            "Password is known to be weak and easy to guess, please choose a different one."
        )
    return found


def address_of(request: HttpRequest) -> str:
    """The IP address that Supabase counts a request for: the first of `Sb-Forwarded-For` where it
    is valid and trusted, else the sender's.
    """
    if project.forwarded_for:
        first = request.headers.get("Sb-Forwarded-For", "").partition(",")[0].strip()
        try:
            return str(ipaddress.ip_address(first))
        except ValueError:
            pass  # An invalid header counts as absent.
    return str(request.META.get("REMOTE_ADDR", ""))


def control(request: HttpRequest) -> HttpResponse:
    """`/project`: read, change or reset the settings."""
    changes: dict[str, object] = {}
    if request.method == "DELETE":
        changes = asdict(Project())
        for limit in limits.values():
            limit.forget()
    elif request.method == "PUT":
        changes = json.loads(request.body)
    for name, value in changes.items():
        setattr(project, name, value)
    return JsonResponse(asdict(project))
