"""What the owner of a Supabase project sets in its dashboard, and a test while the stand-in runs.

`PUT /project` with `{"captcha": true}` changes what is named, `DELETE /project` puts everything
back and forgets who has asked how often, `GET /project` tells how it stands.

`password_required_characters` are sets of which a password needs one character each, and
`pwned_passwords` those found in leaks, which a project may refuse. `forwarded_for` is whether
`Sb-Forwarded-For` is believed. `rate_limit` is how many requests to `/token` an address has in five
minutes once its first thirty are used, and 0 is no limit.
"""

import ipaddress
import json
from dataclasses import asdict, dataclass, field

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from onai.local.auth.rate_limit import RateLimit


@dataclass(slots=True)
class Project:
    email_provider: bool = True
    captcha: bool = False
    password_min_length: int = 6
    password_required_characters: list[str] = field(default_factory=list)
    pwned_passwords: list[str] = field(default_factory=list)
    forwarded_for: bool = True
    rate_limit: int = field(default_factory=lambda: int(settings.LOCAL_RATE_LIMIT))


project = Project()
token_limit = RateLimit()


def address_of(request: HttpRequest) -> str:
    """Whose request Supabase takes it for: the first address of `Sb-Forwarded-For`, if it is one
    and believed, else the sender's."""
    if project.forwarded_for:
        first = request.headers.get("Sb-Forwarded-For", "").partition(",")[0].strip()
        try:
            return str(ipaddress.ip_address(first))
        except ValueError:
            pass  # As if the header were not there.
    return str(request.META.get("REMOTE_ADDR", ""))


def control(request: HttpRequest) -> HttpResponse:
    """`/project`."""
    changes: dict[str, object] = {}
    if request.method == "DELETE":
        changes = asdict(Project())
        token_limit.forget()
    elif request.method == "PUT":
        changes = json.loads(request.body)
    for name, value in changes.items():
        setattr(project, name, value)
    return JsonResponse(asdict(project))
