"""Requests that are open or were refused, as the cabinet's first page shows them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from onai.web.look.badge import Badge, Tone
from sales.models import StudentRequest


@dataclass(frozen=True, slots=True)
class UnsettledRow:
    """A request: about whom, what was asked, and how it stands."""

    href: str
    full_name: str
    email: str
    what: str
    badge: Badge


def unsettled_rows(requests: Iterable[StudentRequest]) -> list[UnsettledRow]:
    return [
        UnsettledRow(
            one.get_absolute_url(),
            one.full_name,
            one.email,
            "" if one.is_creation else one.get_kind_display(),
            _badge(one),
        )
        for one in requests
    ]


def _badge(request: StudentRequest) -> Badge:
    if request.is_open:
        opening = _("доступ открывается") if request.is_creation else _("выполняется")
        return Badge(opening, Tone.LOOK)
    refused = _("доступ не открыт") if request.is_creation else _("не получилось")
    return Badge(refused, Tone.BAD)
