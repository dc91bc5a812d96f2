"""Sends a statement about figures to Landing, and names the reasons for no answer."""

import logging
from collections.abc import Mapping
from typing import Any

import django.db
from django.db import connections
from django.utils.translation import gettext_lazy as _

from onai.db import outage
from onai.web.problems import Problem

logger = logging.getLogger(__name__)


class FiguresUnavailable(Problem):
    status = 503
    code = "figures_unavailable"
    message = _("Цифры воронки сейчас недоступны: база лидов не отвечает.")
    advice = _(
        "Это не значит, что продаж нет. Лиды продолжают записываться; откройте воронку позже."
    )
    retry_after_seconds = 30


class FiguresTakeTooLong(FiguresUnavailable):
    """The database answers, but would count for longer than anybody should wait."""

    code = "figures_take_too_long"
    message = _("Цифры не успели посчитаться: лидов за эти дни слишком много, или база занята.")
    advice = _("Выберите период короче. Если и он не открывается, попробуйте через минуту.")


class LeadsUnreadable(FiguresUnavailable):
    """The database answers with an error: a table or a right is missing."""

    code = "leads_unreadable"
    message = _("База лидов отвечает, но прочесть лиды не даёт.")
    advice = _(
        "Это не значит, что лидов нет. Таблица landing_leads или права на неё изменились."
        " Что сделать, написано на странице «Состояние»."
    )


# PostgreSQL expects as many groups as leads and would sort them all; hashing half a million takes a
# third of the time. It expects a single value of a mark, and would compare each value with each.
_HASHED = """
select set_config('enable_sort', 'off', true), set_config('enable_nestloop', 'off', true),
  set_config('work_mem', '32MB', true)
"""


def ask(text: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The row that Landing returns for a statement that counts, by column names.

    Raises FiguresUnavailable when the database is away, FiguresTakeTooLong when it does not answer
    in time, LeadsUnreadable when it answers with an error.
    """
    try:
        with connections["landing"].cursor() as cursor:
            cursor.execute(f"{_HASHED}; {text}", parameters)
            cursor.nextset()
            names = [column.name for column in cursor.description]
            return dict(zip(names, cursor.fetchone(), strict=True))
    except django.db.DataError:
        raise  # The database answered: it refuses a value.
    except django.db.Error as error:
        logger.exception("figures_unavailable")
        match outage.reason(error):
            case outage.Reason.SLOW | outage.Reason.DEADLINE:
                raise FiguresTakeTooLong from error
            case None:
                raise LeadsUnreadable from error
            case _:
                raise FiguresUnavailable from error
