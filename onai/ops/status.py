"""/status: the state of every part, and what to do about it, for the owners."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from onai.identity import audit
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.identity.staff.register_views import staff_register
from onai.ops.examination import examine
from onai.ops.probes import BACKGROUND, DEPENDENCIES

# What the site does not do, a sentence each, as the apps tell it.
LIMITS: list[Promise] = []


@role_required("admin")
@require_safe
def status(request: IdentifiedRequest) -> HttpResponse:
    parts = examine([*DEPENDENCIES, *BACKGROUND])
    tripwire_works = all(part.works for part in parts if part.name == "tripwire")
    context = {
        "parts": parts,
        "broken": _broken(sum(not part.works for part in parts), len(parts)),
        "limits": LIMITS,
        "staff": staff_register() if tripwire_works else None,
        "proxy": audit.address_of(request) if audit.may_be_a_proxys(request) else "",
    }
    return render(request, "status.html", context)


def _broken(count: int, of: int) -> str:
    """What the page begins with; empty where everything works."""
    if not count:
        return ""
    told = ngettext(
        "Не работает %(count)s часть из %(all)s. Что делать, написано рядом.",
        "Не работают %(count)s частей из %(all)s. Что делать, написано рядом.",
        count,
    )
    return told % {"count": count, "all": of}
