"""For whom a form was drawn, so that nobody who signed in since sends it in another's name."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from onai import encryption
from onai.identity.roles import Identity
from onai.web.problems import Problem

FIELD = "drawn_for"
_PURPOSE = "form owner"


class FormOfAnother(Problem):
    status = 409
    code = "form_of_another"
    message = _("Эту страницу открыли под другой учётной записью, поэтому ничего не отправлено.")
    advice = _("Проверьте, кто вошёл: имя вверху страницы. Если всё верно, отправьте ещё раз.")


def mark_of(identity: Identity) -> str:
    """The mark in a form drawn for this person, which only we can read."""
    return encryption.fingerprint(str(identity.user_id), purpose=_PURPOSE)


def mark_in(request: HttpRequest) -> str:
    """The mark of the form that was sent; empty for a program's request, which has none."""
    return request.POST.get(FIELD, "")


def is_mark_of(mark: str, identity: Identity) -> bool:
    known = mark if mark.isascii() else ""
    return encryption.has_fingerprint(str(identity.user_id), known, purpose=_PURPOSE)


def is_anothers(request: HttpRequest, identity: Identity) -> bool:
    """Whether the form that was sent had been drawn for somebody else."""
    mark = mark_in(request)
    return bool(mark) and not is_mark_of(mark, identity)
