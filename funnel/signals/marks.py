"""The watched marks, and how each is recorded: in the leads, in other tables, or by another app.

An app whose marks the funnel may not import adds its recorders to `RECORDERS` when it starts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from funnel.stages import STAGES_OF, Counting, Stage, way_of


class MarkId(StrEnum):
    """The marks, in the order of a lead's way. Flags of a lead have the names of their columns."""

    LEADS = "leads"
    PROFTEST = "proftest"
    EMAIL_SENT = "email_sent"
    SMS_SENT = "sms_sent"
    EMAIL_CLICKED = "email_clicked"
    SMS_CLICKED = "sms_clicked"
    PAYMENT_CHOSEN = "payment_chosen"
    CRM_WON = "crm_won"
    ACCESS_OPENED = "access_opened"
    SIGNED_IN = "signed_in"


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark in words: `title` names it, `silent` says that it no longer comes, up to its moment,
    and `incomplete` which figures suffer from that.
    """

    id: MarkId
    title: str | Promise
    silent: str | Promise
    incomplete: str | Promise = ""


MARKS: dict[MarkId, Mark] = {
    mark.id: mark
    for mark in (
        Mark(MarkId.LEADS, _("Заявки"), _("Заявки не приходят"), _("проверьте лендинги и рекламу")),
        Mark(
            MarkId.PROFTEST,
            _("Тест ProfTest"),
            _("Тест никто не проходит"),
            _("этап «Тест» неполный"),
        ),
        Mark(
            MarkId.EMAIL_SENT,
            _("Письма с предложением"),
            _("Письма не отправляются"),
            _("этап «Письма» неполный"),
        ),
        Mark(
            MarkId.SMS_SENT,
            _("SMS с предложением"),
            _("SMS не отправляются"),
            _("этап «Сообщение» неполный"),
        ),
        Mark(
            MarkId.EMAIL_CLICKED,
            _("Клики по письмам"),
            _("Клики по письмам не отмечаются"),
            _("этап «Перешли» неполный"),
        ),
        Mark(
            MarkId.SMS_CLICKED,
            _("Клики по SMS"),
            _("Клики по SMS не отмечаются"),
            _("этап «Оплата» неполный"),
        ),
        Mark(
            MarkId.PAYMENT_CHOSEN, _("Выбор способа оплаты"), _("Способ оплаты никто не выбирает")
        ),
        Mark(MarkId.CRM_WON, _("Выигранные сделки в CRM"), _("Выигранных сделок в CRM нет")),
        Mark(MarkId.ACCESS_OPENED, _("Открытые доступы"), _("Доступы не открываются")),
        Mark(
            MarkId.SIGNED_IN,
            _("Входы студентов"),
            _("Студенты не входят"),
            _("«Не начали» и «Пропали» неточны"),
        ),
    )
}
# The marks that the report's purchases rest on.
PURCHASE = frozenset({MarkId.SMS_CLICKED})
LEADS = frozenset({MarkId.LEADS})


def rests_on(stage: Stage) -> frozenset[MarkId]:
    """The marks that a stage's count rests on; in the cohort, those of the steps before it too."""
    way = STAGES_OF[way_of(stage.id)]
    cohort = way_of(stage.id) is Counting.COHORT
    passed = way[: way.index(stage) + 1] if cohort else (stage,)
    flags = {MarkId(flag) for one in passed for flag in one.marks}
    return frozenset(flags | ({MarkId.PROFTEST} if stage.needs_test else set()))


@dataclass(frozen=True, slots=True)
class Series:
    """When a mark came: `counts` by the hour (`funnel.stats.silence.hour_of`), up to `as_of`, which
    is the clock of the database that recorded it.

    `untimed` of them have no moment of their own and count at the moment of their lead.
    """

    as_of: datetime
    counts: Mapping[int, int]
    last_seen: datetime | None
    untimed: int = 0


@dataclass(frozen=True, slots=True)
class Recorder:
    """Where a mark is recorded. Each function raises Django's database errors or a Problem.

    `hourly` reads `[since, until)`, without an end up to now. `last_before` is the last time the
    mark came before a moment. `unreadable` says why it cannot be read; empty where it can.
    """

    hourly: Callable[[datetime, datetime | None], Series]
    last_before: Callable[[datetime], datetime | None]
    unreadable: Callable[[], str] = str


RECORDERS: dict[MarkId, Recorder] = {}
