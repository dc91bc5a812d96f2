"""The page of a request to create or change a student: its progress and its outcome."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest, Identity
from onai.templatetags.russian import duration
from onai.web.problems import NotFound
from sales import letters, messenger
from sales.handoff import queue
from sales.models import RequestKind, RequestState, StudentRequest
from sales.permissions import SomebodyElsesStudent, may_act_on
from sales.provisioning import open_requests, student_requests
from sales.provisioning.student_requests import Progress
from sales.web import shown_password
from sales.web.letters.state import letter_badge, letter_notice

# After these the student's card shows what has changed.
_SHOWN_ON_CARD = (RequestKind.STATUS, RequestKind.CORRECTION, RequestKind.HANDOVER)

_STILL_OPEN = _(
    "Сервис учётных записей не ответил вовремя. Мы доведём дело до конца сами, повторять не нужно:"
    " эта страница обновляется и скоро покажет, чем кончилось."
)
_DELETED = _("Учётной записи и данных студента больше нет. Запись об этом осталась в журнале.")

_GONE = _("Этого студента уже нет")
_DELETED_LATER = _("Его доступ потом удалили.")


@dataclass(frozen=True, slots=True)
class _Button:
    label: str | Promise
    address: str


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What the page says of a request, and the page that its user goes to next. `text` is empty
    where the page shows the refusal, or the student with their letter, instead.
    """

    heading: str | Promise
    text: str | Promise = ""
    buttons: tuple[_Button, ...] = ()


@role_required("admin", "sales")
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("password")
def progress(
    request: IdentifiedRequest, request_id: UUID, *, of_creation: bool
) -> HttpResponseBase:
    """The outcome of a request, or that it is open. Whoever chose the password sees it for a
    quarter of an hour. A POST ends the request.
    """
    if request.method == "POST":
        return end(request, request_id, of_creation=of_creation)
    found = _request_or_404(request, request_id, of_creation)
    if _is_shown_on_card(found):
        return redirect_to_result(found)
    reached = student_requests.progress_of(found)
    if reached.student is not None and not may_act_on(request.identity, reached.student):
        raise SomebodyElsesStudent  # Handed over meanwhile, so no longer the user's to see.
    student = reached.student
    is_shown = found.is_open or student_requests.is_latest_password(found, student)
    password = shown_password.read(request, request.path) if is_shown else None
    context = {
        "outcome": _outcome(reached),
        "student_request": found,
        "refusal": reached.refusal,
        "student": student,
        "waited": _waited(found, request.identity),
        "letter_badge": letter_badge(student, reached.letter) if student else None,
        "notice": letter_notice(student, reached.letter, request.identity) if student else None,
        "password": password,
        "message": (
            messenger.credentials(
                student,
                password=password.text,
                kind=found.kind,
                language=letters.language_of(student),
            )
            if student and password
            else None
        ),
        "may_be_ended_at": open_requests.may_be_ended_at(found),
        "now": timezone.now(),
    }
    response = render(request, "sales/request.html", context)
    if found.is_open and password:
        # The quarter of an hour begins when there is something to show.
        shown_password.give(request, response, request.path, password.text)
    return response


def _waited(found: StudentRequest, viewer: Identity) -> str:
    """How long the person has waited for the access; empty where they came by no line."""
    line = queue.person(found.buyer_id, viewer) if found.buyer_id else None
    if line is None or line.since is None or found.state != RequestState.DONE:
        return ""
    return _now("Ожидание доступа: %(time)s.") % {"time": duration(line.waits)}


@role_required("admin")
@require_POST
def end(request: IdentifiedRequest, request_id: UUID, *, of_creation: bool) -> HttpResponse:
    """End a request that nobody can finish, so that its student or address is free again."""
    found = _request_or_404(request, request_id, of_creation)
    if found.is_open:
        open_requests.end(found, by=request.identity.user_id)
    return redirect(found)


def redirect_to_result(change: StudentRequest) -> HttpResponseRedirect:
    """Redirect to the page that shows the outcome of a change."""
    if _is_shown_on_card(change):
        card = reverse("student", args=[change.student_id])
        return HttpResponseRedirect(f"{card}?done={change.pk}")
    return HttpResponseRedirect(change.get_absolute_url())


def _is_shown_on_card(found: StudentRequest) -> bool:
    is_done = found.state == RequestState.DONE
    return is_done and found.kind in _SHOWN_ON_CARD and not found.reissues


def _outcome(reached: Progress) -> _Outcome:
    found, student = reached.request, reached.student
    what = found.get_kind_display()
    cabinet = _Button(_("В кабинет"), reverse("sales-manager"))
    card = (
        _Button(_("Карточка студента"), reverse("student", args=[student.pk])) if student else None
    )
    match found.state:
        case RequestState.OPEN:
            return _Outcome(f"{_('Открываем доступ') if found.is_creation else what}…", _STILL_OPEN)
        case RequestState.REFUSED if found.is_creation:
            again = f"{reverse('new-student')}?again={found.pk}"
            return _Outcome(_("Доступ не открыт"), buttons=(_Button(_("Открыть ещё раз"), again),))
        case RequestState.REFUSED:
            heading = _now("%(what)s: не получилось") % {"what": what}
            return _Outcome(heading, buttons=(card or cabinet,))
    if found.kind == RequestKind.DELETION:
        log = _Button(_("Журнал действий"), reverse("activity"))
        return _Outcome(_("Доступ удалён"), _DELETED, (cabinet, log))
    return _opened(found, card) if card else _Outcome(_GONE, _DELETED_LATER, (cabinet,))


def _opened(found: StudentRequest, card: _Button) -> _Outcome:
    """The outcome that the page shows with the student, their letter and their password."""
    if found.reissues:
        return _Outcome(_("Доступ отправлен на новый адрес"), buttons=(card,))
    if not found.is_creation:
        return _Outcome(_("Пароль сменён"), buttons=(card,))
    another = _Button(_("Открыть ещё"), reverse("new-student"))
    return _Outcome(_("Доступ открыт"), buttons=(another, card))


def _request_or_404(
    request: IdentifiedRequest, request_id: UUID, of_creation: bool
) -> StudentRequest:
    found = student_requests.find(request_id, request.identity)
    if found is None or found.is_creation != of_creation:
        raise NotFound
    return found
