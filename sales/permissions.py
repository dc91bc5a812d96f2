"""Which students a user may see and act upon: a manager their own, an admin everybody's."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from onai.identity.models import StaffMember
from onai.identity.roles import Identity
from onai.web.problems import NotFound, Problem
from sales.models import Student


class SomebodyElsesStudent(Problem):
    status = 403
    code = "somebody_elses_student"
    message = _("Это студент другого менеджера.")
    advice = _("Если он должен быть вашим, попросите администратора передать его вам.")


class NoSuchStudent(NotFound):
    message = _("Такого студента нет.")
    advice = _("Возможно, его доступ удалили. Найдите студента в кабинете.")


def student_for(asker: Identity, student_id: UUID, *, locked: bool = False) -> Student:
    """The student, if the user may act on them; `locked` for the rest of the transaction.

    Raises `NoSuchStudent`, also for the row of a staff member, or `SomebodyElsesStudent`.
    """
    students = Student.objects.select_for_update() if locked else Student.objects.all()
    found = students.filter(pk=student_id).first()
    if found is None or StaffMember.objects.filter(user_id=found.user_id).exists():
        raise NoSuchStudent
    if not may_act_on(asker, found):
        raise SomebodyElsesStudent(
            None if found.granted_by else _("У этого студента нет менеджера.")
        )
    return found


def may_act_on(asker: Identity, student: Student) -> bool:
    """Whether the user may see and change this student."""
    return asker.is_admin or student.granted_by == asker.user_id
