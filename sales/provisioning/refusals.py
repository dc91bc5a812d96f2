"""Why a student is not created, in words for the person who asked."""

from collections.abc import Mapping
from uuid import UUID

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from onai.identity.accounts import Refusal
from onai.identity.roles import Identity, Role
from onai.web.problems import Problem, Sentence
from sales.models import Intention, Student


class InvalidInput(Problem):
    status = 400
    code = "invalid_input"
    message = _("Проверьте, что введено.")
    advice = _("Исправьте отмеченные поля и отправьте ещё раз.")


class EmailInDoubt(InvalidInput):
    code = "email_in_doubt"
    message = _("В адресе, похоже, опечатка.")
    advice = _('Исправьте его или отправьте ещё раз с "confirm_email": true.')


class EmailTaken(Problem):
    """`student_id` is whose the address is, where the asker may know."""

    status = 409
    code = "email_taken"
    message = _("У этого адреса уже есть доступ.")
    advice = _("Проверьте адрес. Если это тот же человек, новый доступ ему не нужен.")

    def __init__(self, message: Sentence | None = None, *, student_id: UUID | None = None) -> None:
        super().__init__(message)
        self.student_id = student_id


class InProgress(Problem):
    """`creation_id` is the creation under way, where it is the asker's own."""

    status = 409
    code = "creation_in_progress"
    message = _("Доступ для этого адреса создаётся прямо сейчас.")
    advice = _("Подождите минуту: второй раз создавать не нужно.")

    def __init__(self, *, creation_id: UUID | None = None) -> None:
        super().__init__()
        self.creation_id = creation_id


class AccountExists(Problem):
    status = 409
    code = "account_exists"
    message = _("Учётная запись с этим адресом уже есть, а студента у неё нет.")
    advice = _("Администратор может принять её: тогда у неё будет новый пароль.")


class AddressElsewhere(Problem):
    status = 409
    code = "address_elsewhere"
    message = _("С этим адресом уже входит другая учётная запись, через внешний сервис входа.")
    advice = _(
        "Откройте доступ на основную почту этого человека или отвяжите этот вход в Supabase:"
        " Authentication → Users."
    )


class AccountHalfDeleted(Problem):
    status = 409
    code = "account_half_deleted"
    message = _("Учётную запись с этим адресом удалили не до конца, и адрес ещё занят.")
    advice = _("Удалите её насовсем в Supabase (Authentication → Users) и создайте доступ снова.")


class AccountUnreadable(Problem):
    status = 409
    code = "account_unreadable"
    message = _("Учётную запись с этим адресом создали мимо сервиса входа, и он её не читает.")
    advice = _(
        "Скажите администратору сервера: python manage.py compare_accounts покажет,"
        " как её исправить."
    )


class AddressCopied(Problem):
    status = 409
    code = "address_copied"
    message = _("Этот адрес занят строкой таблицы public.users, хотя учётной записи с ним нет.")
    advice = _("Скажите администратору базы: эту строку нужно исправить или удалить.")


class AccountUnseen(Problem):
    status = 409
    code = "account_unseen"
    message = _("Сервис входа говорит, что адрес занят, но чьей учётной записью, отсюда не видно.")
    advice = _(
        "Укажите другой адрес или скажите администратору: базе могли не дать прав на auth.users"
        " и auth.identities, это видно в «Состоянии»."
    )


class StaffAccount(Problem):
    status = 409
    code = "staff_account"
    message = _("Этот адрес принадлежит сотруднику, студентом его сделать нельзя.")
    advice = _("Укажите другой адрес.")


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


class AccountGone(Problem):
    status = 409
    code = "account_gone"
    message = _("Учётную запись удалили, пока мы её принимали.")
    advice = _("Создайте доступ как обычно.")


class KeyUsedOtherwise(Problem):
    status = 409
    code = "idempotency_key_reused"
    message = _("С этим ключом идемпотентности уже пришёл другой запрос.")
    advice = _("Для нового запроса нужен новый ключ.")


class WeakPassword(Problem):
    status = 400
    code = "weak_password"
    message = _("Сервис входа считает этот пароль слишком слабым. Придумайте другой.")
    advice = _("Ничего не создано.")

    def __init__(self) -> None:
        super().__init__(fields={"password": type(self).message})


class InvalidEmail(Problem):
    status = 400
    code = "invalid_email"
    message = _("Сервис входа не принимает этот адрес. Проверьте его.")
    advice = _("Ничего не создано.")

    def __init__(self) -> None:
        super().__init__(fields={"email": type(self).message})


class RowsForbidden(Problem):
    status = 502
    code = "rows_forbidden"
    message = _("Таблицы базы не дают записать студента. Ничего не создано.")
    advice = _(
        "Скажите администратору сервера: python manage.py check_database покажет, в чём дело."
    )


class AuthUnreachable(Problem):
    status = 503
    code = "auth_unavailable"
    message = _("Сервис учётных записей сейчас недоступен. Ничего не создано.")
    advice = _("Отправьте форму ещё раз через минуту.")
    retry_after_seconds = 30


class AuthFailed(Problem):
    status = 502
    code = "auth_failed"
    message = _("Сервис учётных записей ответил ошибкой. Ничего не создано.")
    advice = _("Отправьте форму ещё раз через минуту.")


class AuthNotPermitted(Problem):
    status = 502
    code = "auth_not_permitted"
    message = _("Создать учётную запись не получилось. Ничего не создано.")
    advice = _("Это ошибка на нашей стороне. Скажите администратору, пусть посмотрит «Состояние».")


class TooManyRequests(Problem):
    status = 429
    code = "too_many_requests"
    message = _("Сервис учётных записей просит подождать. Ничего не создано.")
    advice = _("Отправьте форму ещё раз через минуту.")
    retry_after_seconds = 60


class StillCreating(Problem):
    status = 503
    code = "still_creating"
    message = _("Доступ ещё создаётся: сервис учётных записей не ответил вовремя.")
    advice = _("Мы доведём его до конца сами; повторите запрос с тем же ключом идемпотентности.")
    retry_after_seconds = 10


class GivenUp(Problem):
    status = 409
    code = "given_up"
    message = _("Создание отменено вручную. Ничего не создано.")
    advice = _("Создайте доступ ещё раз, если он нужен.")


_OF_ACCOUNT: Mapping[Refusal, type[Problem]] = {
    Refusal.EMAIL_EXISTS: AccountExists,
    Refusal.WEAK_PASSWORD: WeakPassword,
    Refusal.INVALID: InvalidEmail,
    Refusal.GONE: AccountGone,
    Refusal.RATE_LIMITED: TooManyRequests,
    Refusal.UNREACHABLE: AuthUnreachable,
    Refusal.NOT_PERMITTED: AuthNotPermitted,
}
_CLOSING: list[type[Problem]] = [
    *_OF_ACCOUNT.values(),
    EmailTaken,
    AddressElsewhere,
    AccountHalfDeleted,
    AccountUnreadable,
    AccountUnseen,
    AddressCopied,
    StaffAccount,
    RowsForbidden,
    AuthFailed,
    GivenUp,
]
_BY_CODE = {kind.code: kind for kind in _CLOSING}


def of_account(why: Refusal) -> Problem:
    """What to tell of a refusal by Supabase."""
    return _OF_ACCOUNT[why]()


def by_code(code: str) -> Problem:
    """The refusal that an intention was closed with."""
    return _BY_CODE[code]()


def email_taken(student: Student, asker: Identity) -> EmailTaken:
    """Says whose the address is if the asker may know: an admin, or the student's own manager."""
    if student.granted_by == asker.user_id:
        mine = _now("Это уже ваш студент: %(name)s.") % {"name": student.full_name}
        return EmailTaken(mine, student_id=student.pk)
    if asker.role is Role.ADMIN:
        whose = {
            "name": student.full_name,
            "manager": student.manager_name or _now("без менеджера"),
        }
        return EmailTaken(
            _now("Это уже студент: %(name)s, менеджер: %(manager)s.") % whose,
            student_id=student.pk,
        )
    return EmailTaken()


def in_progress(under_way: Intention, asker: Identity) -> InProgress:
    """Leads to the creation under way if it is the asker's own, or the asker an admin."""
    known = under_way.asked_by == asker.user_id or asker.role is Role.ADMIN
    return InProgress(creation_id=under_way.pk if known else None)
