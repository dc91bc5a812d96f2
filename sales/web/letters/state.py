"""What a page says of a student's letter: ready sentences and their tone."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from onai.identity.roles import Identity
from onai.templatetags.russian import moment_of_year
from onai.web.look.badge import Badge, Tone
from sales.models import Delivery, LetterKind, LetterState, Student, WelcomeLetter


@dataclass(frozen=True, slots=True)
class LetterNotice:
    """What became of a letter. `strong` comes first; both it and `details` may be empty.

    `repeats` is set where the letter can be sent again at once.
    """

    tone: Tone
    strong: str = ""
    sentences: tuple[str | Promise, ...] = ()
    details: tuple[str, ...] = ()
    repeats: WelcomeLetter | None = None

    @property
    def css_class(self) -> str:
        return _CLASSES[self.tone]

    @property
    def role(self) -> str:
        """The role by which a screen reader announces it."""
        return "alert" if self.tone is Tone.BAD else "status"


_CLASSES = {
    Tone.PLAIN: "note",
    Tone.GOOD: "good-news",
    Tone.LOOK: "warning-note",
    Tone.BAD: "alert",
}
_TONES = {
    Delivery.DELAYED: Tone.LOOK,
    Delivery.COMPLAINED: Tone.LOOK,
    Delivery.UNDELIVERED: Tone.BAD,
    Delivery.SUPPRESSED: Tone.BAD,
    LetterState.PENDING: Tone.LOOK,
    LetterState.FAILED: Tone.BAD,
}


def letter_badge(student: Student, letter: WelcomeLetter | None) -> Badge:
    """The state of a letter in a word: «принято», «доставлено», «не дошло»."""
    if letter is None:
        sent = bool(student.welcome_email_sent)
        return Badge(_("отправлено") if sent else _("не отправлялось"))
    tone = _TONES.get(letter.outcome, Tone.GOOD)
    return Badge(str(letter.outcome.label).lower(), tone)


def letter_notice(student: Student, letter: WelcomeLetter | None, viewer: Identity) -> LetterNotice:
    """What to tell of a letter, or of there being none."""
    if letter is None or letter.outcome == LetterState.REPLACED:
        return _without_letter(student)
    if letter.outcome == LetterState.PENDING:
        return _pending(student, letter)
    if letter.outcome == LetterState.FAILED:
        return _failed(student, letter, viewer)
    return _sent(letter)


def _without_letter(student: Student) -> LetterNotice:
    if student.welcome_email_sent:
        return LetterNotice(Tone.GOOD, sentences=(_("Письмо отправлено."),))
    return LetterNotice(Tone.PLAIN, sentences=(_("Письмо с доступом не отправлялось."),))


def _pending(student: Student, letter: WelcomeLetter) -> LetterNotice:
    until = moment_of_year(letter.give_up_at)
    works = not student.is_blocked and letter.kind != LetterKind.NEW_ADDRESS
    urgent = _("Доступ уже работает: если студенту срочно, отправьте логин и пароль в мессенджере.")
    return LetterNotice(
        Tone.LOOK,
        _("Письмо пока не ушло."),
        (
            *((letter.why_waiting,) if letter.why_waiting else ()),
            _("Мы пробуем снова сами, до %(until)s.") % {"until": until},
            *((urgent,) if works else ()),
        ),
    )


def _failed(student: Student, letter: WelcomeLetter, viewer: Identity) -> LetterNotice:
    works = () if student.is_blocked else (_("Доступ при этом работает."),)
    technical = (letter.problem,) if viewer.is_admin and letter.problem else ()
    return LetterNotice(
        Tone.BAD,
        _("Письмо не ушло."),
        (letter.why_failed, *works),
        (letter.recipient, *technical),
        repeats=letter,
    )


def _sent(letter: WelcomeLetter) -> LetterNotice:
    at = {"email": letter.recipient, "what": letter.get_kind_display()}
    match letter.outcome:
        case Delivery.DELIVERED:
            return LetterNotice(Tone.GOOD, sentences=(_("Письмо доставлено на %(email)s.") % at,))
        case Delivery.DELAYED:
            retried = _("Почта %(email)s пока его не принимает. Почтовый сервис пробует снова сам.")
            return LetterNotice(Tone.LOOK, _("Письмо задерживается."), (retried % at,))
        case Delivery.UNDELIVERED:
            strong = _("Письмо не дошло на %(email)s.") % at
            reason = letter.why_undelivered
            return LetterNotice(Tone.BAD, strong, (reason,) if reason else ())
        case Delivery.SUPPRESSED:
            why = _(
                "Раньше письмо на этот адрес не дошло или его назвали спамом, и почтовый сервис"
                " туда больше не пишет."
            )
            return LetterNotice(Tone.BAD, _("Письмо не ушло: %(email)s в стоп-листе.") % at, (why,))
        case Delivery.COMPLAINED:
            strong = _("Письмо дошло, но на %(email)s его назвали спамом.") % at
            next_ones = _("Следующие письма на этот адрес почтовый сервис не отправит.")
            return LetterNotice(Tone.LOOK, strong, (next_ones,))
    sent = (
        _("Письмо отправлено на %(email)s.")
        if letter.kind == LetterKind.WELCOME
        else _("Письмо (%(what)s) отправлено на %(email)s.")
    )
    return LetterNotice(Tone.GOOD, sentences=(sent % at, _("Почтовый сервис его принял.")))
