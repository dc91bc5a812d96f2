"""What the page of one student shows: who they are, their way as one timeline, what may be done."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from funnel.report.sources import readable
from onai.identity.roles import Identity
from onai.templatetags.russian import moment
from onai.web.look.badge import Badge, Tone
from onai.web.look.days import moment_in_words
from sales.activity import Act
from sales.cabinet.availability import Availability
from sales.cabinet.learning import Learning
from sales.cabinet.written_columns import written_columns
from sales.models import (
    ActionType,
    ActivityEntry,
    Buyer,
    Delivery,
    LetterState,
    RequestKind,
    SignalKind,
    Student,
    StudentLead,
    StudentRequest,
    StudentStatus,
)
from sales.web.toast import Toast


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """Something that happened. `who` is empty where nobody of the staff did it."""

    at: datetime
    text: str | Promise
    detail: str = ""
    who: str | Promise = ""
    tone: Tone = Tone.PLAIN

    @property
    def moment(self) -> str:
        return moment_in_words(self.at)


@dataclass(frozen=True, slots=True)
class ActLink:
    """Something to do, and what follows from it."""

    href: str
    text: str
    consequence: str
    hurts: bool = False


# --- The way from the lead to the course ---------------------------------------------------------


def timeline(student: Student, learning: Learning, acts: list[Act]) -> list[TimelineItem]:
    """What happened to a student, the last first: as Landing, our log, the mail service, Supabase
    and the platform tell it.
    """
    items = [*_as_buyer(student), *_logged(acts), *_delivered(student), *_learned(learning)]
    has_beginning = any(act.entry.action_type == ActionType.USER_CREATED for act in acts)
    if student.created_at and not has_beginning:
        items.append(TimelineItem(student.created_at, _("Доступ открыт"), tone=Tone.GOOD))
    return sorted(items, key=lambda item: item.at, reverse=True)


def _as_buyer(student: Student) -> Iterator[TimelineItem]:
    known = StudentLead.objects.select_related("buyer").filter(student=student).first()
    buyer: Buyer | None = known.buyer if known and known.is_match else None
    if buyer is None:
        return
    yield TimelineItem(buyer.created_at, _("Заявка"), readable(buyer.source or ""))
    for kind in SignalKind:
        if (at := buyer.signal_at(kind)) is not None:
            label = str(kind.label)
            yield TimelineItem(at, label[:1].upper() + label[1:])


def _logged(acts: list[Act]) -> Iterator[TimelineItem]:
    for act in acts:
        if act.entry.created_at is None:
            continue
        opens = act.entry.action_type == ActionType.USER_CREATED
        yield TimelineItem(
            act.entry.created_at,
            act.what or "—",
            act.change,
            act.manager_name or _("кто, неизвестно"),
            Tone.GOOD if opens else Tone.PLAIN,
        )


def _delivered(student: Student) -> Iterator[TimelineItem]:
    """What became of the last letter; that it was sent stands in the log."""
    letter = student.latest_letter
    if letter is None or letter.state != LetterState.SENT or letter.delivery_at is None:
        return
    if letter.mark and letter.delivery != Delivery.ACCEPTED:
        text = str(letter.mark.text)
        text = text[:1].upper() + text[1:]
        yield TimelineItem(letter.delivery_at, text, letter.recipient, tone=letter.mark.tone)


def _learned(learning: Learning) -> Iterator[TimelineItem]:
    if learning.last_sign_in:
        yield TimelineItem(learning.last_sign_in, _("Последний вход"))
    if learning.last_lesson:
        yield TimelineItem(learning.last_lesson, _("Последний урок"), learning.modules_in_words)


# --- What may be done ----------------------------------------------------------------------------


def acts_of(student: Student, viewer: Identity) -> list[ActLink]:
    """The acts on a student, those that hurt last."""

    def act(page: str, text: str, consequence: str, *, hurts: bool = False) -> ActLink:
        return ActLink(reverse(page, args=[student.pk]), text, consequence, hurts)

    acts = [
        act("new-password", _("Сменить пароль"), _("прежний перестанет действовать")),
        act("correct", _("Исправить данные"), _("имя, почта, телефон")),
        act("status-of", _("Сменить статус"), _("учится, на паузе, курс пройден")),
        act("purchase", _("Чья это покупка"), _("связать с заявкой")),
    ]
    if viewer.is_admin:
        acts.append(
            act("hand-over", _("Передать менеджеру"), _("вместе с продажей и местом в рейтинге"))
        )
    block = reverse("status-of", args=[student.pk])
    if not student.is_blocked:
        shut = _("не сможет войти; на всех устройствах выйдет сразу")
        acts.append(
            ActLink(f"{block}?status={StudentStatus.BLOCKED}", _("Заблокировать"), shut, hurts=True)
        )
    if viewer.is_admin:
        acts.append(act("delete-student", _("Удалить"), _("вернуть нельзя"), hurts=True))
    return acts


# --- Who ------------------------------------------------------------------------------------------

_STATUS_TONES: dict[str, Tone] = {
    StudentStatus.ACTIVE: Tone.GOOD,
    StudentStatus.COMPLETED: Tone.GOOD,
    StudentStatus.BLOCKED: Tone.BAD,
}


def status_badge(student: Student) -> Badge:
    text = student.get_status_display() or _("статус неизвестен")
    return Badge(text, _STATUS_TONES.get(student.status or "", Tone.PLAIN))


def written_values(student: Student, known: Availability) -> list[tuple[str | Promise, object]]:
    """The values of the columns that usually nothing writes, with their titles."""
    found = [(title, getattr(student, name)) for name, title in written_columns(known).items()]
    return [(title, _in_words(value)) for title, value in found if value is not None]


def _in_words(value: object) -> object:
    if isinstance(value, bool):
        return _("да") if value else _("нет")
    if isinstance(value, datetime):
        return moment(value)
    return value


# --- What was just done -------------------------------------------------------------------------


def toast_of(change: StudentRequest, student: Student, viewer: Identity) -> Toast:
    """What to say of a change, with its undoing while the student is as it left them."""
    match change.kind:
        case RequestKind.STATUS:
            return _of_status(change, student)
        case RequestKind.HANDOVER:
            return _of_handover(change, student, viewer)
    if change.new_email:
        return Toast(_("Исправлено. Войти можно только по новой почте, пароль прежний."))
    return _of_correction(change, student)


def _of_status(change: StudentRequest, student: Student) -> Toast:
    before = _before(change)
    texts = {
        StudentStatus.BLOCKED: _("Студент заблокирован."),
        StudentStatus.INACTIVE: _("Студент на паузе."),
        StudentStatus.COMPLETED: _("Курс отмечен пройденным."),
        StudentStatus.ACTIVE: _("Студент учится."),
    }
    was_blocked = before == StudentStatus.BLOCKED
    text = (
        _("Студент разблокирован.")
        if was_blocked
        else texts[StudentStatus(student.status or StudentStatus.ACTIVE)]
    )
    if before not in StudentStatus.values or student.status != change.new_status:
        return Toast(text)
    undoing = (("status", str(before)), ("sure", "on"), ("attempt", str(uuid4())))
    return Toast(text, reverse("status-of", args=[student.pk]), undoing)


def _of_handover(change: StudentRequest, student: Student, viewer: Identity) -> Toast:
    text = _("Студент передан: %(manager)s.") % {"manager": student.manager_name}
    before = _details(change).get("before_by")
    is_last = student.granted_by == change.new_manager_id
    if not viewer.is_admin or not is_last or not _is_id(before):
        return Toast(text)
    undoing = (("manager_id", str(before)), ("attempt", str(uuid4())))
    return Toast(text, reverse("hand-over", args=[student.pk]), undoing)


def _of_correction(change: StudentRequest, student: Student) -> Toast:
    before = _before(change)
    now = {"full_name": student.full_name, "phone": student.phone or ""}
    made = {"full_name": change.new_full_name, "phone": change.new_phone}
    is_last = all(value is None or now[name] == value for name, value in made.items())
    if not isinstance(before, dict) or not is_last:
        return Toast(_("Исправлено."))
    values = {**now, **{name: before[name] or "" for name in now if name in before}}
    undoing = (("email", student.email), *values.items(), ("attempt", str(uuid4())))
    return Toast(_("Исправлено."), reverse("correct", args=[student.pk]), undoing)


def _before(change: StudentRequest) -> object:
    return _details(change).get("before")


def _details(change: StudentRequest) -> dict[str, object]:
    """The details that the log keeps of a change."""
    entries = ActivityEntry.objects.filter(
        target_user_id=change.account_id,
        manager_id=change.asked_by,
        details__change=change.kind,
        created_at__gte=change.created_at,
    )
    entry = entries.order_by("created_at").first()
    return entry.details if entry and isinstance(entry.details, dict) else {}


def _is_id(text: object) -> bool:
    try:
        UUID(str(text))
    except ValueError:
        return False
    return True
