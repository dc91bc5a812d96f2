"""The reasons why an act on a student is refused, in words for the person who asked for it.

`Refused` are the reasons with which a request is closed; its row keeps their codes. The others are
raised before a request is recorded.
"""

from typing import ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from onai.identity.accounts import Refusal
from onai.identity.roles import Identity
from onai.web.problems import Link, Problem, Sentence
from sales.models import RequestKind, Student, StudentRequest


class Refused(Problem):
    """A request was closed, and nothing was done.

    For a change, `change_message` and `change_advice` replace the message. `field` is the form
    field that the message belongs to, `change_field` that of a change only.
    """

    status = 409
    change_message: ClassVar[Sentence | None] = None
    change_advice: ClassVar[Sentence | None] = None
    field: ClassVar[str | None] = None
    change_field: ClassVar[str | None] = None

    def __init__(
        self,
        kind: str = RequestKind.CREATION,
        *,
        message: Sentence | None = None,
        link: Link | None = None,
    ) -> None:
        super().__init__(message, link=link)
        field = self.field
        if kind != RequestKind.CREATION:
            self.message = self.change_message or self.message
            self.advice = self.change_advice or self.advice
            field = field or self.change_field
        if field:
            self.fields = {field: self.message}


_NOTHING_CREATED = _("Доступ не открыт.")
_NOTHING_CHANGED = _("Ничего не изменилось.")


# --- The address -------------------------------------------------------------------------------


class EmailTaken(Refused):
    code = "email_taken"
    message = _("У этого адреса уже есть доступ.")
    advice = _("Проверьте адрес. Если это тот же человек, новый доступ ему не нужен.")
    change_message = _("Этот адрес уже у другой учётной записи.")
    change_advice = _NOTHING_CHANGED
    change_field = "email"


class AccountExists(Refused):
    code = "account_exists"
    message = _("Учётная запись с этим адресом уже есть, а студента у неё нет.")
    advice = _("Администратор может принять её: тогда у неё будет новый пароль.")


class AddressElsewhere(Refused):
    code = "address_elsewhere"
    message = _("С этим адресом уже входит другая учётная запись, через внешний сервис входа.")
    advice = _(
        "Откройте доступ на основную почту этого человека или отвяжите этот вход в Supabase:"
        " Authentication → Users."
    )
    change_advice = _(
        "Укажите другой адрес или отвяжите этот вход в Supabase: Authentication → Users."
    )
    change_field = "email"


class AccountHalfDeleted(Refused):
    code = "account_half_deleted"
    message = _("Учётную запись с этим адресом удалили не до конца, и адрес ещё занят.")
    advice = _("Удалите её насовсем в Supabase (Authentication → Users) и создайте доступ снова.")


class AddressCopied(Refused):
    code = "address_copied"
    message = _("Этот адрес занят строкой таблицы public.users, хотя учётной записи с ним нет.")
    advice = _("Скажите администратору базы: эту строку нужно исправить или удалить.")


class AccountUnseen(Refused):
    code = "account_unseen"
    message = _("Сервис входа говорит, что адрес занят, но чьей учётной записью, отсюда не видно.")
    advice = _(
        "Укажите другой адрес или скажите администратору: базе могли не дать прав на auth.users"
        " и auth.identities, это видно в «Состоянии»."
    )


class InvalidEmail(Refused):
    status = 400
    code = "invalid_email"
    message = _("Сервис входа не принимает этот адрес. Проверьте его.")
    advice = _NOTHING_CREATED
    change_message = _("Сервис входа не принимает эти данные. Проверьте адрес и имя.")
    change_advice = _NOTHING_CHANGED
    field = "email"


# --- The account -------------------------------------------------------------------------------


class StaffAccount(Refused):
    code = "staff_account"
    message = _("Этот адрес принадлежит сотруднику, студентом его сделать нельзя.")
    advice = _("Укажите другой адрес.")
    change_message = _("Эта учётная запись принадлежит сотруднику, как студента её не изменить.")
    change_advice = _NOTHING_CHANGED


class AccountUnreadable(Refused):
    code = "account_unreadable"
    message = _("Учётную запись с этим адресом создали мимо сервиса входа, и он её не читает.")
    advice = _(
        "Скажите администратору сервера: python manage.py compare_accounts покажет,"
        " как её исправить."
    )
    change_message = _("Сервис входа не может прочитать эту учётную запись: её создали мимо него.")


class AccountGone(Refused):
    code = "account_gone"
    message = _("Учётную запись удалили, пока мы её принимали.")
    advice = _("Создайте доступ как обычно.")


class StudentGone(Refused):
    code = "student_gone"
    message = _("Этого студента уже нет: его доступ удалили.")
    advice = _NOTHING_CHANGED


class DeletionForbidden(Refused):
    code = "deletion_forbidden"
    message = _("Удалить нельзя: на эту учётную запись ссылаются записи других таблиц.")
    advice = _("Ничего не изменилось. Чтобы закрыть доступ сразу, заблокируйте студента.")


class WeakPassword(Refused):
    status = 400
    code = "weak_password"
    message = _("Сервис входа считает этот пароль слишком слабым. Придумайте другой.")
    advice = _NOTHING_CREATED
    change_advice = _NOTHING_CHANGED
    field = "password"


class PasswordLost(Refused):
    code = "password_lost"
    message = _("Новый пароль не прочитать: у сайта сменился ключ. Письмо не отправлено.")
    advice = _("Выдайте новый пароль ещё раз.")


# --- Our tables, and Supabase Auth -------------------------------------------------------------


class RowsForbidden(Refused):
    status = 502
    code = "rows_forbidden"
    message = _("Таблицы базы не дают записать студента. Доступ не открыт.")
    advice = _(
        "Скажите администратору сервера: python manage.py check_database покажет, в чём дело."
    )
    change_message = _("Таблицы базы не дают это записать. Ничего не изменилось.")


class AuthUnreachable(Refused):
    status = 503
    code = "auth_unavailable"
    message = _("Сервис учётных записей сейчас недоступен. Доступ не открыт.")
    advice = _("Отправьте форму ещё раз через минуту.")
    change_message = _("Сервис учётных записей сейчас недоступен. Ничего не изменилось.")
    retry_after_seconds = 30


class TooManyRequests(Refused):
    status = 429
    code = "too_many_requests"
    message = _("Сервис учётных записей просит подождать. Доступ не открыт.")
    advice = _("Отправьте форму ещё раз через минуту.")
    change_message = _("Сервис учётных записей просит подождать. Ничего не изменилось.")
    retry_after_seconds = 60


class AuthNotPermitted(Refused):
    status = 502
    code = "auth_not_permitted"
    message = _("Создать учётную запись не получилось. Доступ не открыт.")
    advice = _("Это ошибка на нашей стороне. Скажите администратору, пусть посмотрит «Состояние».")
    change_message = _("Изменить учётную запись не получилось. Ничего не изменилось.")


class AuthFailed(Refused):
    status = 502
    code = "auth_failed"
    message = _("Сервис учётных записей ответил ошибкой. Доступ не открыт.")
    advice = _("Отправьте форму ещё раз через минуту.")
    change_message = _("Сервис учётных записей несколько раз ответил ошибкой, и мы остановились.")
    change_advice = _(
        "Проверьте студента и попробуйте ещё раз. Причину знает журнал Supabase Auth."
    )


class GivenUp(Refused):
    code = "given_up"
    message = _("Создание отменено вручную. Доступ не открыт.")
    advice = _("Создайте доступ ещё раз, если он нужен.")
    change_message = _("Изменение отменено вручную: сервис учётных записей так и не ответил ясно.")
    change_advice = _("Проверьте студента и, если нужно, измените ещё раз.")


class ReasonUnknown(Refused):
    """The code in the row comes from another version of the product."""

    code = "reason_unknown"
    message = _("Не получилось. Причину записала другая версия сайта, эта её не знает.")
    advice = _("Попробуйте ещё раз, если нужно.")


_BY_CODE = {kind.code: kind for kind in Refused.__subclasses__()}
_OF_ACCOUNT: dict[Refusal, type[Refused]] = {
    Refusal.WEAK_PASSWORD: WeakPassword,
    Refusal.INVALID: InvalidEmail,
    Refusal.RATE_LIMITED: TooManyRequests,
    Refusal.UNREACHABLE: AuthUnreachable,
    Refusal.NOT_PERMITTED: AuthNotPermitted,
}
# Refusals of some kinds of requests only.
_ONLY_OF = {
    WeakPassword: (RequestKind.CREATION, RequestKind.PASSWORD, RequestKind.CORRECTION),
    InvalidEmail: (RequestKind.CREATION, RequestKind.CORRECTION),
    EmailTaken: (RequestKind.CORRECTION,),
}


def of_request(request: StudentRequest) -> Refused:
    """The refusal of a refused request."""
    return _BY_CODE.get(request.refusal or "", ReasonUnknown)(request.kind)


def of_account(why: Refusal, kind: str) -> Refused:
    """The problem for a refusal by Supabase."""
    is_creation = kind == RequestKind.CREATION
    match why:
        case Refusal.EMAIL_EXISTS:
            found: type[Refused] = AccountExists if is_creation else EmailTaken
        case Refusal.GONE:
            found = AccountGone if is_creation else StudentGone
        case _:
            found = _OF_ACCOUNT[why]
    return (found if kind in _ONLY_OF.get(found, (kind,)) else AuthNotPermitted)(kind)


def email_taken(student: Student, asker: Identity) -> EmailTaken:
    """Names the student with the address if the user may know: an admin, or the student's own
    manager.
    """
    about = {"name": student.full_name, "manager": student.manager_name or _now("без менеджера")}
    if student.granted_by == asker.user_id:
        told = _now("Это уже ваш студент: %(name)s.")
    elif asker.is_admin:
        told = _now("Это уже студент: %(name)s, менеджер: %(manager)s.")
    else:
        return EmailTaken()
    card = Link(_("Открыть карточку студента"), reverse("student", args=[student.pk]))
    return EmailTaken(message=told % about, link=card)


# --- What is told before a request is recorded -------------------------------------------------


def link_to(request: StudentRequest | None) -> Link | None:
    """The page of a request, for a problem that it causes."""
    return Link(_("Посмотреть, как оно идёт"), request.get_absolute_url()) if request else None


class InProgress(Problem):
    status = 409
    code = "creation_in_progress"
    message = _("Доступ для этого адреса создаётся прямо сейчас.")
    advice = _("Подождите минуту: второй раз создавать не нужно.")


class ChangeInProgress(Problem):
    status = 409
    code = "change_in_progress"
    message = _("Другое изменение этого студента ещё не закончено.")
    advice = _("Подождите минуту и попробуйте снова.")


class LetterNotKept(Problem):
    status = 409
    code = "letter_not_kept"
    message = _("Это письмо уже не отправить как было: пароля из него больше нет.")
    advice = _("Отправьте с новым паролем.")


class AddressSuppressed(Problem):
    status = 409
    code = "address_suppressed"
    message = _("Письмо на этот адрес не уйдёт: почтовый сервис молча его пропустит.")
    advice = _("Исправьте адрес или напишите студенту в WhatsApp.")


class AttemptUsed(Problem):
    status = 409
    code = "attempt_used"
    message = _("Эта форма уже отправлена с другими данными, и ответ на них ещё не показан.")
    advice = _("Посмотрите, чем кончилось, и если нужно, отправьте ещё раз.")


class KeyUsedOtherwise(Problem):
    status = 409
    code = "idempotency_key_reused"
    message = _("С этим ключом идемпотентности уже пришёл другой запрос.")
    advice = _("Для нового запроса нужен новый ключ.")


class StillCreating(Problem):
    status = 503
    code = "still_creating"
    message = _("Доступ ещё создаётся: сервис учётных записей не ответил вовремя.")
    advice = _("Мы доведём его до конца сами; повторите запрос с тем же ключом идемпотентности.")
    retry_after_seconds = 10


class OnlyAdminsAdopt(Problem):
    status = 403
    code = "only_admins_adopt"
    message = _("Принять чужую учётную запись может только администратор.")
    advice = _("Попросите администратора.")


class NothingToAdopt(Problem):
    status = 409
    code = "nothing_to_adopt"
    message = _("Учётной записи с этим адресом нет, принимать нечего.")
    advice = _("Создайте доступ как обычно.")


class NothingToChange(Problem):
    status = 409
    code = "nothing_to_change"
    message = _("Так и есть, менять нечего.")
    advice = _NOTHING_CHANGED


class AddressDiffers(Problem):
    status = 409
    code = "address_differs"
    message = _("Почта студента здесь и его логин в сервисе входа разошлись.")
    advice = _("Сначала откройте «Исправить данные» и сохраните верный адрес.")


class SharedAccount(Problem):
    status = 409
    code = "shared_account"
    message = _("Одна учётная запись записана у нескольких студентов, поэтому менять её опасно.")
    advice = _("Скажите администратору сервера: python manage.py compare_accounts покажет, у кого.")


class TooNewToEnd(Problem):
    status = 409
    code = "change_too_new"
    message = _("Остановить можно через 10 минут после начала: запрос ещё в пути.")
    advice = _("Чаще всего дело до тех пор заканчивается само.")
