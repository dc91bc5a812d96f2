"""Keyset pagination: a page begins after the key of the last row before it, without an offset.

The cursor is that key and the row's id, as text for a URL.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from django import forms
from django.db.models import ExpressionWrapper, F, Model, Q, QuerySet
from django.db.models.functions import Coalesce, Lower
from django.utils.translation import gettext_lazy as _

from onai.web.address_form import AddressForm

Key = datetime | str
Row = TypeVar("Row")
Value = TypeVar("Value")
Rows = TypeVar("Rows", bound=Model)
# Rows are counted up to this number.
COUNTED_AT_MOST = 1_000
# Every row lies in [_FIRST, _LAST); a list may use _FIRST for rows without a date.
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ListOrder:
    """The order of a list: by a moment, newest first by default, or by a text; ties by id.

    The key must not be null. `of_another_table`: no index has it, so all rows are sorted. A page's
    rows are then found by their ids first, so that the others are not sorted in full.
    """

    key: "F | Coalesce | ExpressionWrapper[Any] | Lower"
    by_moment: bool = True
    oldest_first: bool = False
    of_another_table: bool = False

    def after(self, rows: QuerySet[Rows], place: str) -> QuerySet[Rows]:
        """The rows after a cursor, in order, annotated with `key`; all rows if it is invalid."""
        descends = self.by_moment and not self.oldest_first
        order = ("-key", "-pk") if descends else ("key", "pk")
        behind, begins = Q(), place_at(place, moments=self.by_moment)
        if begins and descends:
            behind = Q(key__lte=begins[0]) & (Q(key__lt=begins[0]) | Q(pk__lt=begins[1]))
        elif begins:
            behind = Q(key__gte=begins[0]) & (Q(key__gt=begins[0]) | Q(pk__gt=begins[1]))
        found: Any = rows.annotate(key=self.key).filter(behind).order_by(*order)
        return cast("QuerySet[Rows]", found)


@dataclass(frozen=True, slots=True)
class ListPage(Generic[Row]):
    """One page. `following` is the cursor of the next page, None on the last one.

    `count` is the total number of rows, or `COUNTED_AT_MOST` if `there_are_more`; 0 if the rows
    were not counted.
    """

    rows: list[Row]
    following: str | None
    count: int = 0
    there_are_more: bool = False

    def showing(self, values: list[Value]) -> "ListPage[Value]":
        """The same page, with these values in place of its rows."""
        return ListPage(values, self.following, self.count, self.there_are_more)


class PagedForm(AddressForm):
    """An address that asks for one page of a list: `?after=…`."""

    parameters = {"after": "`next` of the page before"}

    after = forms.CharField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        after = cleaned.get("after")
        if after and place_at(after, moments=self.by_moment) is None:
            self.add_error("after", _("Такой страницы нет: показана первая."))
        return cleaned

    @property
    def by_moment(self) -> bool:
        """Whether the list is ordered by a moment."""
        return True

    @property
    def place(self) -> str:
        """The cursor of the page; empty for the first page."""
        self.is_valid()
        return str(self.cleaned_data.get("after") or "")


class NumberedForm(AddressForm):
    """An address that asks for one page of a table by its number: `?page=2`."""

    parameters = {"page": "`next` of the page before"}

    page = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=100_000,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), _("Такой страницы нет.")
        ),
    )

    @property
    def number(self) -> int:
        """The page; the first where the address has none or an invalid one."""
        self.is_valid()
        return int(self.cleaned_data.get("page") or 1)


def page_of(
    rows: QuerySet[Rows], order: ListOrder, *, after: str, size: int, counted: bool = False
) -> ListPage[Rows]:
    """The page after the cursor `after`; the first page for an empty or invalid cursor."""
    asked = order.after(rows, after)[: size + 1]
    if order.of_another_table:
        ids = list(asked.values_list("pk", flat=True))
        asked = order.after(rows.filter(pk__in=ids), "")
    found = list(asked)
    # Counted even if everything fits on one page, so that the number of queries is constant.
    count = rows.order_by()[: COUNTED_AT_MOST + 1].count() if counted else 0
    shown = found[:size]
    return ListPage(
        rows=shown,
        following=_place(shown[-1]) if len(found) > size else None,
        count=min(count, COUNTED_AT_MOST),
        there_are_more=count > COUNTED_AT_MOST,
    )


def batches_of(rows: QuerySet[Rows], order: ListOrder, *, size: int) -> Iterator[list[Rows]]:
    """All rows in batches of `size`, so that neither side holds them all in memory."""
    place: str | None = ""
    while place is not None:
        found = list(order.after(rows, place)[:size])
        yield found
        place = _place(found[-1]) if len(found) == size else None


def _place(row: Any) -> str:
    return place_of(row.key, row.pk)


def place_of(key: Key, pk: UUID) -> str:
    """The cursor of a row: its key and its id."""
    text = key.isoformat() if isinstance(key, datetime) else key
    return urlsafe_b64encode(json.dumps([text, str(pk)]).encode()).decode()


def place_at(text: str, *, moments: bool) -> tuple[Key, UUID] | None:
    """The key and the id in a cursor, or None if it is invalid.

    The result is safe to query by: moments lie within `[1900, 2200)`, and PostgreSQL can hold the
    text.
    """
    try:
        key, pk = json.loads(urlsafe_b64decode(text.encode()))
        return (_moment(key) if moments else _text(key)), UUID(pk)
    # Deeply nested brackets raise RecursionError.
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone is none")
    if not _FIRST <= moment < _LAST:
        raise ValueError("no row is of that time")
    return moment


def _text(key: object) -> str:
    if not isinstance(key, str) or "\0" in key:
        raise ValueError("no text that a row can have")
    key.encode()  # a lone surrogate raises ValueError
    return key
