"""Why nothing was changed about a student, in words for the person who asked."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from onai.identity.accounts import Refusal
from onai.web.problems import Problem
from sales.models import Change, ChangeKind

# How long a refusal that came after its asker had left is worth telling.
SHOWN = timedelta(days=1)
_NOTHING_CHANGED = _("Ничего не изменилось.")


class ChangeInProgress(Problem):
    """`change_id` is the change under way."""

    status = 409
    code = "change_in_progress"
    message = _("Другое изменение этого студента ещё не закончено.")
    advice = _("Подождите минуту и попробуйте снова.")

    def __init__(self, change_id: UUID | None = None) -> None:
        super().__init__()
        self.change_id = change_id


class AttemptUsed(Problem):
    """`change_id` is the change that was asked for with the same form before."""

    status = 409
    code = "attempt_used"
    message = _("Эта форма уже отправлена с другими данными, и ответ на них ещё не показан.")
    advice = _("Посмотрите, чем кончилось, и если нужно, отправьте ещё раз.")

    def __init__(self, change_id: UUID) -> None:
        super().__init__()
        self.change_id = change_id


class NothingToChange(Problem):
    status = 409
    code = "nothing_to_change"
    message = _("Так и есть, менять нечего.")
    advice = _NOTHING_CHANGED


class AddressTaken(Problem):
    status = 409
    code = "email_taken"
    message = _("Этот адрес уже у другой учётной записи.")
    advice = _NOTHING_CHANGED

    def __init__(self) -> None:
        super().__init__(fields={"email": type(self).message})


class AddressTakenByIdentity(AddressTaken):
    code = "email_taken_by_identity"
    message = _("С этим адресом уже входит другая учётная запись, через внешний сервис входа.")
    advice = _("Укажите другой адрес или отвяжите этот вход в Supabase: Authentication → Users.")


class AccountUnreadable(Problem):
    status = 409
    code = "account_unreadable"
    message = _("Сервис входа не может прочитать эту учётную запись: её создали мимо него.")
    advice = _(
        "Скажите администратору сервера: python manage.py compare_accounts покажет,"
        " как её исправить."
    )


class DeletionForbidden(Problem):
    status = 409
    code = "deletion_forbidden"
    message = _("Удалить нельзя: на эту учётную запись ссылаются записи других таблиц.")
    advice = _("Ничего не изменилось. Чтобы закрыть доступ сразу, заблокируйте студента.")


class RowsForbidden(Problem):
    status = 502
    code = "rows_forbidden"
    message = _("Таблицы базы не дают это записать. Ничего не изменилось.")
    advice = _(
        "Скажите администратору сервера: python manage.py check_database покажет, в чём дело."
    )


class AuthAnswersErrors(Problem):
    status = 502
    code = "auth_failed"
    message = _("Сервис учётных записей несколько раз ответил ошибкой, и мы остановились.")
    advice = _("Проверьте студента и попробуйте ещё раз. Причину знает журнал Supabase Auth.")


class AddressDiffers(Problem):
    status = 409
    code = "address_differs"
    message = _("Почта студента здесь и его логин в сервисе входа разошлись.")
    advice = _("Сначала откройте «Исправить имя или почту» и сохраните верный адрес.")


class StaffAccount(Problem):
    status = 409
    code = "staff_account"
    message = _("Эта учётная запись принадлежит сотруднику, как студента её не изменить.")
    advice = _NOTHING_CHANGED


class SharedAccount(Problem):
    status = 409
    code = "shared_account"
    message = _("Одна учётная запись записана у нескольких студентов, поэтому менять её опасно.")
    advice = _("Скажите администратору сервера: python manage.py compare_accounts покажет, у кого.")


class StudentGone(Problem):
    status = 409
    code = "student_gone"
    message = _("Этого студента уже нет: его доступ удалили.")
    advice = _NOTHING_CHANGED


class ChangeWeakPassword(Problem):
    status = 400
    code = "weak_password"
    message = _("Сервис входа считает этот пароль слишком слабым. Придумайте другой.")
    advice = _NOTHING_CHANGED

    def __init__(self) -> None:
        super().__init__(fields={"password": type(self).message})


class ChangeInvalid(Problem):
    status = 400
    code = "invalid_email"
    message = _("Сервис входа не принимает эти данные. Проверьте адрес и имя.")
    advice = _NOTHING_CHANGED

    def __init__(self) -> None:
        super().__init__(fields={"email": type(self).message})


class ChangeUnreachable(Problem):
    status = 503
    code = "auth_unavailable"
    message = _("Сервис учётных записей сейчас недоступен. Ничего не изменилось.")
    advice = _("Попробуйте ещё раз через минуту.")
    retry_after_seconds = 30


class ChangeTooManyRequests(Problem):
    status = 429
    code = "too_many_requests"
    message = _("Сервис учётных записей просит подождать. Ничего не изменилось.")
    advice = _("Попробуйте ещё раз через минуту.")
    retry_after_seconds = 60


class ChangeNotPermitted(Problem):
    status = 502
    code = "auth_not_permitted"
    message = _("Изменить учётную запись не получилось. Ничего не изменилось.")
    advice = _("Это ошибка на нашей стороне. Скажите администратору, пусть посмотрит «Состояние».")


class ChangeGivenUp(Problem):
    status = 409
    code = "given_up"
    message = _("Изменение отменено вручную: сервис учётных записей так и не ответил ясно.")
    advice = _("Проверьте студента и, если нужно, измените ещё раз.")


class ChangeTooNew(Problem):
    status = 409
    code = "change_too_new"
    message = _("Остановить изменение можно через 10 минут после начала: запрос ещё в пути.")
    advice = _("Чаще всего оно до тех пор заканчивается само.")


class PasswordLost(Problem):
    status = 409
    code = "password_lost"
    message = _("Новый пароль не прочитать: у сайта сменился ключ. Письмо не отправлено.")
    advice = _("Выдайте новый пароль ещё раз.")


_OF_ACCOUNT: Mapping[Refusal, type[Problem]] = {
    Refusal.EMAIL_EXISTS: AddressTaken,
    Refusal.WEAK_PASSWORD: ChangeWeakPassword,
    Refusal.INVALID: ChangeInvalid,
    Refusal.GONE: StudentGone,
    Refusal.RATE_LIMITED: ChangeTooManyRequests,
    Refusal.UNREACHABLE: ChangeUnreachable,
    Refusal.NOT_PERMITTED: ChangeNotPermitted,
}
_CLOSING: list[type[Problem]] = [
    *_OF_ACCOUNT.values(),
    AddressTakenByIdentity,
    AccountUnreadable,
    DeletionForbidden,
    AuthAnswersErrors,
    RowsForbidden,
    ChangeGivenUp,
    PasswordLost,
]
# What each of these has to be about, to be said.
_ABOUT = {
    Refusal.EMAIL_EXISTS: ChangeKind.CORRECTION,
    Refusal.INVALID: ChangeKind.CORRECTION,
    Refusal.WEAK_PASSWORD: ChangeKind.PASSWORD,
}
_BY_CODE = {kind.code: kind for kind in _CLOSING}


def of_account(why: Refusal, change: Change) -> Problem:
    """What to tell of a refusal by Supabase."""
    if _ABOUT.get(why, change.kind) != change.kind:
        return ChangeNotPermitted()
    return _OF_ACCOUNT[why]()


def by_code(code: str) -> Problem:
    """The refusal that a change was closed with."""
    return _BY_CODE[code]()
