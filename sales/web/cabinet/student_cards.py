"""Students as the list shows them: ready texts, badges and links."""

from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from onai.contacts import phones
from onai.web.look.badge import Badge, Tone
from onai.web.look.days import day_in_words
from sales import messenger
from sales.cabinet.attention import attention_of
from sales.cabinet.learning import MODULES, Learning
from sales.letters.addresses import OtherAddress
from sales.models import LetterState, Student, StudentStatus


@dataclass(frozen=True, slots=True)
class CardAct:
    """A link below a student. `note` explains it; `opens_chat` leads to a messenger."""

    href: str
    text: str
    note: str | Promise = ""
    opens_chat: bool = False


@dataclass(frozen=True, slots=True)
class StudentCard:
    """One row of the list. `manager_name` is empty where the reader knows whose students these
    are.
    """

    id: UUID
    full_name: str
    email: str
    phone: str
    manager_name: str
    badge: Badge
    facts: list[str]
    acts: list[CardAct]


def student_card(
    student: Student,
    learning: Learning,
    others: list[OtherAddress],
    *,
    manager_name: str,
) -> StudentCard:
    """The row of a student, with what they need somebody to do."""
    badge = student_badge(student, learning)
    return StudentCard(
        id=student.pk,
        full_name=student.full_name,
        email=student.email,
        phone=phones.spelled(student.phone or ""),
        manager_name=manager_name,
        badge=badge,
        facts=_facts(student, learning, badge),
        acts=_acts(student, learning, others),
    )


def student_badge(student: Student, learning: Learning) -> Badge:
    """The one thing to know of a student: what is wrong, or else how far they have come."""
    return _trouble(student) or _progress(student, learning)


def _trouble(student: Student) -> Badge | None:
    if student.is_blocked:
        return Badge(StudentStatus.BLOCKED.label)
    mark = student.latest_letter.mark if student.latest_letter else None
    return mark if mark and mark.tone in (Tone.BAD, Tone.LOOK) else None


def _progress(student: Student, learning: Learning) -> Badge:
    status = student.get_status_display() or _("статус неизвестен")
    if learning.finished:
        return Badge(_("курс пройден"), Tone.GOOD)
    if learning.signed_in is False:
        return Badge(_("входа не было"), Tone.LOOK)
    if learning.modules is None or student.status not in (StudentStatus.ACTIVE, None):
        return Badge(status)
    done = _("%(done)s из %(all)s") % {"done": learning.modules, "all": MODULES}
    return Badge(done, Tone.GOOD if learning.modules else Tone.PLAIN)


def _facts(student: Student, learning: Learning, badge: Badge) -> list[str]:
    letter, opened = student.latest_letter, student.created_at
    said = str(letter.mark.text) if letter and letter.mark else ""
    if not student.welcome_email_sent and (letter is None or letter.state != LetterState.SENT):
        said = said or _("без письма")
    facts = [
        _("открыт %(day)s") % {"day": day_in_words(opened)} if opened else "",
        "" if said == badge.text else said,
        learning.sign_in_in_words,
        learning.modules_in_words,
    ]
    return [fact for fact in facts if fact]


def _acts(student: Student, learning: Learning, others: list[OtherAddress]) -> list[CardAct]:
    acts = []
    attention, letter = attention_of(student, learning), student.latest_letter
    if attention:
        message = messenger.nudge(student, has_started=attention.has_started)
        here = f"{reverse('student', args=[student.pk])}#message"
        acts.append(
            CardAct(message.whatsapp, _("Написать в WhatsApp"), opens_chat=True)
            if message.whatsapp
            else CardAct(here, _("Текст сообщения"))
        )
    again = reverse("letter-of", args=[student.pk])
    if letter and letter.is_lost:
        acts.append(CardAct(again, _("Письмо не дошло?")))
    acts += [
        CardAct(f"{again}?{urlencode({'email': other.email})}", other.email, other.why)
        for other in others
    ]
    return acts
