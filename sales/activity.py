"""The activity log: writes the acts of managers and admins, and lists them newest first.

An entry outlives its student, so it keeps the student's name and account among its details.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from onai.identity.models import StaffMember
from onai.identity.roles import Identity
from onai.web import paging
from onai.web.paging import ListOrder, ListPage
from sales.models import (
    CREATED,
    ActionType,
    ActivityEntry,
    RequestKind,
    Student,
    StudentStatus,
)
from sales.permissions import may_act_on
from sales.staff import distinct_names

_PAGE, _NEWEST = 50, ListOrder(CREATED)


class LineAct(StrEnum):
    """Acts on a line of the queue and on the match of a student, as the log names them."""

    CLAIM = "queue_claim"
    RELEASE = "queue_release"
    CLOSE = "queue_close"
    REOPEN = "queue_reopen"
    REPORT = "queue_report"
    FIND = "lead_found"
    TIE = "lead_tied"
    UNTIE = "lead_untied"
    EXPLAIN = "access_explained"
    UNEXPLAIN = "access_unexplained"


# The log's word for an admin's end to a change that could not be finished.
GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Act:
    """One entry for a reader. `student` is set while the student is the reader's to see.

    `before` and `after` are the changed values, empty where the entry has none.
    """

    entry: ActivityEntry
    what: str | Promise
    before: str | Promise
    after: str | Promise
    manager_name: str
    student_name: str | Promise
    student: Student | None

    @property
    def change(self) -> str:
        """The changed values in a line: «Учится → На паузе»; empty where the entry has none."""
        if not self.before and not self.after:
            return ""
        if not self.before and self.entry.action_type == ActionType.EMAIL_SENT:
            return f"→ {self.after}"
        return f"{self.before or '—'} → {self.after or '—'}"


def log(
    action: ActionType,
    *,
    by: UUID,
    account_id: UUID | None,
    email: str,
    full_name: str,
    is_gone: bool = False,
    **details: Any,
) -> None:
    """Write an entry, in the caller's transaction. An act on a line of the queue has no account.
    `is_gone`: no key may point to the account.
    """
    ActivityEntry.objects.create(
        manager_id=by,
        action_type=action,
        target_user_id=None if is_gone else account_id,
        details={
            "email": email,
            "full_name": full_name,
            **({"user_id": str(account_id)} if account_id else {}),
            **details,
        },
    )


def page_of_activity(
    viewer: Identity,
    *,
    manager_id: UUID | None = None,
    action: ActionType | None = None,
    target_user_id: UUID | None = None,
    after: str = "",
) -> ListPage[Act]:
    """The acts of one manager or all, of one kind or any, on one student or all.

    About a student who is not (or no longer) the viewer's it shows the entry's own words, and not
    the student's present name.
    """
    entries = ActivityEntry.objects.all()
    if manager_id:
        entries = entries.filter(manager_id=manager_id)
    if action:
        entries = entries.filter(action_type=action)
    if target_user_id:
        entries = entries.filter(target_user_id=target_user_id)
    page = paging.page_of(entries, _NEWEST, after=after, size=_PAGE)
    return page.showing(_acts(page.rows, viewer))


def _acts(entries: Sequence[ActivityEntry], viewer: Identity) -> list[Act]:
    managers = distinct_names(StaffMember.objects.all())
    students = {
        student.user_id: student
        for student in Student.objects.filter(user_id__in=[e.target_user_id for e in entries])
    }
    return [_act(entry, managers, students, viewer) for entry in entries]


def _act(
    entry: ActivityEntry,
    managers: dict[UUID, str],
    students: dict[UUID, Student],
    viewer: Identity,
) -> Act:
    student = students.get(entry.target_user_id) if entry.target_user_id else None
    details = entry.details if isinstance(entry.details, dict) else {}
    named: str | Promise = str(details.get("full_name") or details.get("email") or "")
    if student is not None and may_act_on(viewer, student):
        named = student.full_name
    elif student is not None:
        student, named = None, named or _("студент другого менеджера")
    before, after = _told(details.get("before")), _told(details.get("after"))
    if entry.action_type == ActionType.EMAIL_SENT:
        after = _told(details.get("email"))
    manager_name = managers.get(entry.manager_id, "") if entry.manager_id else ""
    return Act(entry, _what(entry, details), before, after, manager_name, named, student)


_CHANGES: Mapping[str, Promise] = {
    RequestKind.STATUS: _("Статус сменён"),
    RequestKind.CORRECTION: _("Данные исправлены"),
    RequestKind.HANDOVER: _("Студент передан"),
    GIVEN_UP: _("Незаконченное изменение отменено"),
    LineAct.CLAIM: _("Очередь: взято в работу"),
    LineAct.RELEASE: _("Очередь: отпущено"),
    LineAct.CLOSE: _("Очередь: закрыто"),
    LineAct.REOPEN: _("Очередь: открыто снова"),
    LineAct.REPORT: _("Очередь: добавлено вручную"),
    LineAct.FIND: _("Заявка найдена по телефону или почте"),
    LineAct.TIE: _("Студент связан с заявкой"),
    LineAct.UNTIE: _("Связь с заявкой снята"),
    LineAct.EXPLAIN: _("Доступ без оплаты объяснён"),
    LineAct.UNEXPLAIN: _("Объяснение снято"),
}


def _what(entry: ActivityEntry, details: dict[str, Any]) -> str | Promise:
    if entry.action_type == ActionType.STATUS_CHANGED and details.get("change") in _CHANGES:
        return _CHANGES[details["change"]]
    return str(entry.get_action_type_display() or "")


def _told(value: object) -> str | Promise:
    """A value of an entry's details: text or a mapping, or anything in the predecessor's."""
    if isinstance(value, dict):
        return ", ".join(str(one) for one in value.values())
    return _STATUSES.get(str(value or ""), str(value or ""))


_STATUSES: dict[str, str | Promise] = {
    one.value: one.label for one in (*StudentStatus, *RequestKind)
}
