"""One statement for however many answers, so that all figures of a page are of one moment.

An answer says in a `Part` what it needs counted; `ask` puts the parts into one statement, which
django-cachalot keeps as one entry for `FUNNEL_CACHE_SECONDS`, and hands each its own back.

Do not use Django's `Now()` or `JSONObject` in a part: the first keeps a statement out of the
cache, the second asks the server's version and so needs a connection even for a hit.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

import django.db
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Count, DateTimeField, Func, JSONField, Max, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from funnel.models import LeadQuerySet
from onai.db import outage
from onai.db.visibility import ROWS_ARE_FILTERED
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
    """The database answers, and what it says is no figure: the table or a right is missing."""

    code = "leads_unreadable"
    message = _("База лидов отвечает, но прочесть лиды не даёт.")
    advice = _(
        "Это не значит, что лидов нет. Таблица landing_leads или права на неё изменились."
        " Что сделать, написано на странице «Состояние»."
    )


class JsonObject(Func):
    """`jsonb_build_object`, which Django's JSONObject would ask the server's version for first."""

    function = "jsonb_build_object"
    output_field = JSONField()


class JsonArray(Func):
    function = "jsonb_build_array"
    output_field = JSONField()


class _StatementTimestamp(Func):
    """When the database began the statement (Django's own `Now` would keep it out of the cache)."""

    template = "statement_timestamp()"
    output_field = DateTimeField()


class _RowsAreFiltered(Func):
    """Whether row level security chooses which leads our role of the database sees."""

    template = ROWS_ARE_FILTERED.format(table="'landing_leads'::regclass")
    output_field = BooleanField()


@dataclass(frozen=True, slots=True)
class Part:
    """What one answer needs: aggregates over the leads of the statement, and lists of rows of
    their own, each a queryset that gives one JSON value a row."""

    figures: Mapping[str, Any] = field(default_factory=dict)
    lists: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """What the database said to a part, and its moment of counting.

    `rows_are_filtered` is whether there may be leads that it keeps from us.
    """

    as_of: datetime
    rows_are_filtered: bool
    figures: Mapping[str, Any]
    lists: Mapping[str, list[Any]]


def ask(leads: LeadQuerySet, parts: Mapping[str, Part]) -> dict[str, Found]:
    """The parts' answers over `leads`.

    Raises FiguresUnavailable when the database is away, FiguresTakeTooLong when it does not answer
    in time, LeadsUnreadable when it answers with an error.
    """
    named_lists = {
        f"{name}_{key}": ArraySubquery(rows)
        for name, part in parts.items()
        for key, rows in part.lists.items()
    }
    try:
        counted = leads.aggregate(
            # Without a lead there is no row to take the maximum of, but still a moment of counting.
            as_of=Coalesce(Max(_StatementTimestamp()), _StatementTimestamp()),
            lists=JsonObject(
                # An aggregate has to be in it, for Django to take the whole for one.
                *(Value("leads"), Count("pk"), Value("filtered"), _RowsAreFiltered()),
                *chain.from_iterable((Value(name), rows) for name, rows in named_lists.items()),
            ),
            **{
                f"{name}_{key}": figure
                for name, part in parts.items()
                for key, figure in part.figures.items()
            },
        )
    except django.db.DataError:
        raise  # The database did answer: a value does not suit it.
    except django.db.Error as error:
        logger.exception("figures_unavailable")
        match outage.reason(error):
            case outage.Reason.SLOW | outage.Reason.DEADLINE:
                raise FiguresTakeTooLong from error
            case None:
                raise LeadsUnreadable from error
            case _:
                raise FiguresUnavailable from error
    return {
        name: Found(
            counted["as_of"],
            counted["lists"]["filtered"],
            {key: counted[f"{name}_{key}"] for key in part.figures},
            {key: counted["lists"][f"{name}_{key}"] for key in part.lists},
        )
        for name, part in parts.items()
    }
