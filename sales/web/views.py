"""Opens a student's access, shows one student, and welcomes a student."""

import logging
from uuid import UUID, uuid4

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from onai import encryption
from onai.identity import passwords
from onai.identity.guards import role_required
from onai.identity.models import StaffMember
from onai.identity.roles import IdentifiedRequest
from onai.identity.staff import register
from onai.identity.supabase import AccountBlocked
from onai.web.address_form import refuse_errors
from onai.web.look import language
from onai.web.paging import PagedForm
from onai.web.problems import Problem, set_retry_after
from sales import letters, messenger
from sales.activity import page_of_activity
from sales.cabinet.attention import attention_of
from sales.cabinet.availability import availability
from sales.cabinet.learning import learning_of
from sales.handoff import lead_search, queue
from sales.handoff.lead_search import FoundLeads
from sales.handoff.queue import Line
from sales.models import (
    RequestState,
    Student,
    StudentStatus,
)
from sales.permissions import student_for
from sales.provisioning import problems, student_requests
from sales.provisioning.create_student import create_student
from sales.web import shown_password, student_page
from sales.web.cabinet.sections import unknown_in
from sales.web.forms import StudentForm, of_buyer, of_request
from sales.web.letters.state import letter_notice
from sales.web.queue.forms import FindForm
from sales.web.queue.rows import line_row
from sales.web.toast import Toast

logger = logging.getLogger(__name__)


# --- A new student -----------------------------------------------------------------------------


@role_required("admin", "sales", keeps_text=True)
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def new_student(request: IdentifiedRequest) -> HttpResponse:
    passwords.find_out_rules(request.access_token)
    if request.method == "POST":
        if _asks_to_find(request) and not request.refusal:
            return _find(request)
        suggests = "suggest" in request.POST or request.refusal
        return _suggest(request) if suggests else _create(request)
    asked = _line_with(request.GET.get("line", ""), request)
    typed = {**_filled_in(asked), **_of_earlier(request), **request.typed}
    return _form_page(request, StudentForm(initial={**typed, "password": passwords.suggest()}))


def _asks_to_find(request: IdentifiedRequest) -> bool:
    """Whether a button of the search was pressed, or Enter after another text was typed there."""
    sent = request.POST
    is_other = sent.get("who", "").strip() != sent.get("searched", "")
    return "find" in sent or "person" in sent or ("enter" in sent and is_other)


@sensitive_variables("typed")
def _find(request: IdentifiedRequest) -> HttpResponse:
    """Fill in the form from the one lead that is found or chosen, or offer those that are found.
    What was typed stays.
    """
    find = FindForm(request.POST)
    found, only = None, _line_with(request.POST.get("person", ""), request)
    if only is None and find.is_valid() and find.cleaned_data["who"]:
        found = lead_search.find(find.cleaned_data["who"], request.identity)
        only = found.lines[0] if len(found.lines) == 1 else None
    typed = _typed_by_hand(request)
    form = StudentForm(initial={"password": passwords.suggest(), **_filled_in(only), **typed})
    return _form_page(request, form, find=find, found=found, status=400 if find.errors else 200)


def _typed_by_hand(request: IdentifiedRequest) -> dict[str, str]:
    """The fields of the form but those that the lead before has filled in."""
    before = _filled_in(_line_with(request.POST.get("line", ""), request))
    return {
        name: value
        for name in ("email", "full_name", "phone", "password", "language", "manager_id")
        if (value := request.POST.get(name)) and value != before.get(name)
    }


def _filled_in(line: Line | None) -> dict[str, str]:
    """What a lead says of the student to be."""
    return of_buyer(line.buyer) if line else {}


def _line_with(buyer_id: str, request: IdentifiedRequest) -> Line | None:
    """The line of a buyer, as an address or a form names them; None where there is none."""
    try:
        return queue.person(UUID(buyer_id), request.identity)
    except ValueError:
        return None


def _of_earlier(request: IdentifiedRequest) -> dict[str, str]:
    """The text of a creation that was refused later, when its user tries again."""
    try:
        earlier = student_requests.find(UUID(request.GET.get("again", "")), request.identity)
    except ValueError:
        return {}
    return of_request(earlier) if earlier is not None and earlier.is_creation else {}


def _suggest(request: IdentifiedRequest) -> HttpResponse:
    """The form as it was, with another password: for browsers without JavaScript, and for a form of
    another user, whose password is private.
    """
    typed = {name: value for name, value in request.POST.items() if name in StudentForm.base_fields}
    form = StudentForm(initial={**typed, "password": passwords.suggest()})
    status = request.refusal.status if request.refusal else 200
    return _form_page(request, form, problem=request.refusal, status=status)


@sensitive_variables("form", "new")
def _create(request: IdentifiedRequest) -> HttpResponse:
    form = StudentForm(request.POST)
    if not form.is_valid():
        return _form_page(request, form, status=400)
    try:
        new = form.new_student(request.identity)
        progress = create_student(
            new, asker=request.identity, idempotency_key=_form_key(request, form)
        )
    except Problem as problem:
        return _form_page(request, form, problem=problem, status=problem.status)
    response = HttpResponseRedirect(progress.request.get_absolute_url())
    shown_password.give(request, response, response.url, new.password)
    return response


@sensitive_variables("form", "content")
def _form_key(request: IdentifiedRequest, form: StudentForm) -> str | None:
    """The idempotency key of a form: a second tap on the button sends the same one, a form that was
    filled in again another."""
    try:
        attempt = UUID(request.POST.get("attempt", ""))
    except ValueError:
        return None
    content = repr(sorted(form.cleaned_data.items()))
    return f"form {attempt} {encryption.fingerprint(content, purpose='form')}"


def _form_page(
    request: IdentifiedRequest,
    form: StudentForm,
    *,
    problem: Problem | None = None,
    find: FindForm | None = None,
    found: FoundLeads | None = None,
    status: int = 200,
) -> HttpResponse:
    if request.identity.is_admin:
        form.offer_managers(_staff(), myself=request.identity.user_id)
    for name, sentence in (problem.fields if problem else {}).items():
        form.add_error(name, str(sentence))
    line = _line_of(form, request)
    find = find or FindForm(initial={"who": request.POST.get("who") or request.typed.get("who")})
    _focus(form, find, line)
    context = {
        "form": form,
        "find": find,
        "found": found,
        "found_rows": [line_row(one, request.identity) for one in found.lines] if found else [],
        "row": line_row(line, request.identity) if line else None,
        "searched": str(find["who"].value() or "").strip(),
        "is_filled": form.is_bound or any(form[name].value() for name in ("email", "full_name")),
        "problem": problem,
        "attempt": uuid4() if request.refusal else request.POST.get("attempt") or uuid4(),
        "may_adopt": (
            request.identity.is_admin
            and (
                isinstance(problem, problems.AccountExists)
                or ("adopt" in request.POST and (problem is None or problem.status != 409))
            )
        ),
    }
    response = render(request, "sales/new_student.html", context, status=status)
    set_retry_after(response, problem)
    return response


def _focus(form: StudentForm, find: FindForm, line: Line | None) -> None:
    """Let typing begin where something is wrong, or else where the next thing is missing."""
    wrong = next((name for name in form.fields if name in form.errors), None)
    missing = next((name for name in ("email", "full_name") if not form[name].value()), None)
    if wrong or (line and missing):
        form.fields[wrong or missing or ""].widget.attrs["autofocus"] = True
    elif line is None:
        find.fields["who"].widget.attrs["autofocus"] = True


def _line_of(form: StudentForm, request: IdentifiedRequest) -> Line | None:
    """The line of the queue that the form is filled in from; None also while the database is away,
    so that the form still opens."""
    try:
        return _line_with(str(form["line"].value() or ""), request)
    except (OperationalError, InterfaceError) as error:
        logger.error("line_not_shown", exc_info=error)
        return None


def _staff() -> list[StaffMember]:
    try:
        return register.all_staff()
    except (OperationalError, InterfaceError) as error:
        # Typed text must not be lost because the list of managers is unavailable; without it the
        # user is the manager.
        logger.error("staff_not_listed", exc_info=error)
        return []


# --- One student -------------------------------------------------------------------------------


@role_required("admin", "sales")
@require_safe
def student(request: IdentifiedRequest, student_id: UUID) -> HttpResponse:
    found = student_for(request.identity, student_id)
    page = PagedForm(request.GET)
    refuse_errors(page)
    register.note(request.identity)
    history = page_of_activity(request.identity, target_user_id=found.user_id, after=page.place)
    known = availability()
    learning = learning_of([found], known)[found.user_id]
    attention = attention_of(found, learning)
    context = {
        "student": found,
        "status_badge": student_page.status_badge(found),
        "facts": [one for one in (learning.sign_in_in_words, learning.modules_in_words) if one],
        "learning": learning,
        "unknown": unknown_in(known),
        "written": student_page.written_values(found, known),
        "acts": student_page.acts_of(found, request.identity),
        "items": student_page.timeline(found, learning, history.rows),
        "attention": attention,
        "attention_title": _now("Сообщение тому, кто пропал")
        if attention and attention.has_started
        else _now("Сообщение тому, кто не начал"),
        "notice": letter_notice(found, found.latest_letter, request.identity),
        "history": history,
        "under_way": student_requests.open_request_of(found),
        "toast": _just_done(request, found),
        "message": messenger.nudge(found, has_started=attention.has_started)
        if attention
        else messenger.reminder(found, language=letters.language_of(found)),
        "shows_password": student_requests.with_shown_password(
            found, request.identity, shown_password.SHOWN_FOR
        ),
    }
    return render(request, "sales/student.html", context)


def _just_done(request: IdentifiedRequest, student: Student) -> Toast | None:
    """What to say of the change that led here; None without one."""
    try:
        change = student_requests.find(UUID(request.GET.get("done", "")), request.identity)
    except ValueError:
        return None
    if change is None or (change.student_id, change.state) != (student.pk, RequestState.DONE):
        return None
    return student_page.toast_of(change, student, request.identity)


# --- The student's own page --------------------------------------------------------------------


@role_required("student")
@require_safe
def welcome(request: IdentifiedRequest) -> HttpResponse:
    # A banned student still holds a token that is valid for up to an hour.
    if Student.objects.filter(
        user_id=request.identity.user_id, status=StudentStatus.BLOCKED
    ).exists():
        raise AccountBlocked
    if not language.of_browser(request):
        of_letters = letters.language_of_account(request.identity.user_id)
        language.use(of_letters or settings.LANGUAGE_CODE)
    return render(request, "sales/welcome.html", {"platform_url": settings.PLATFORM_LOGIN_URL})
