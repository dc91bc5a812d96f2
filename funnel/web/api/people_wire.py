"""The JSON of the lists of people and of repeated buyers."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from funnel.people.duplicates import DuplicatesPage
from funnel.people.listing import PeopleFilter, Person
from funnel.stages import StageId
from onai.periods import Period
from onai.web.api.shapes import Moment, Shape, TextOrNull
from onai.web.paging import ListPage


class DaysShape(Shape):
    first_day: date = Field(serialization_alias="from")
    last_day: date = Field(serialization_alias="to")


class EventShape(Shape):
    """Whether an event happened to a lead. `at` may be null even if it did."""

    happened: bool
    at: Moment | None


class PersonShape(Shape):
    id: UUID
    name: str
    phone: str = Field(description="as it was written")
    email: TextOrNull
    source: TextOrNull
    created_at: Moment
    emailed: EventShape
    opened: EventShape = Field(
        description="inferred from `clicked`, unless something writes `email_opened_at`"
    )
    clicked: EventShape
    texted: EventShape = Field(serialization_alias="sms")
    bought: EventShape


class PeopleShape(Shape):
    success: Literal[True]
    step: StageId
    lost: bool
    sources: tuple[str, ...]
    period: DaysShape
    count: int
    there_are_more: bool = Field(description="whether there are more than `count`")
    people: tuple[PersonShape, ...]
    following: str | None = Field(
        serialization_alias="next", description="`after` of the next page, null on the last"
    )
    timestamp: Moment


class PurchaseShape(Shape):
    name: str
    phone: str = Field(description="as it was written")
    email: TextOrNull
    source: TextOrNull
    created_at: Moment
    bought_at: Moment | None


class BuyerShape(Shape):
    """A person who bought more than once."""

    purchases: int
    same_phone: bool
    same_email: bool
    rows: tuple[PurchaseShape, ...]


class DuplicatesShape(Shape):
    success: Literal[True]
    sources: tuple[str, ...]
    period: DaysShape
    persons: int
    purchases: int
    buyers: tuple[BuyerShape, ...]
    following: int | None = Field(
        serialization_alias="next", description="`page` of the next page, null on the last"
    )
    timestamp: Moment


def people(wanted: PeopleFilter, page: ListPage[Person], *, as_of: datetime) -> PeopleShape:
    return PeopleShape(
        success=True,
        step=wanted.step,
        lost=wanted.lost,
        sources=wanted.sources,
        period=DaysShape.model_validate(wanted.period),
        count=page.count,
        there_are_more=page.there_are_more,
        people=tuple(PersonShape.model_validate(one) for one in page.rows),
        following=page.following,
        timestamp=as_of,
    )


def duplicates(period: Period, sources: Sequence[str], page: DuplicatesPage) -> DuplicatesShape:
    return DuplicatesShape(
        success=True,
        sources=tuple(sources),
        period=DaysShape.model_validate(period),
        persons=page.persons,
        purchases=page.purchases,
        buyers=tuple(BuyerShape.model_validate(one) for one in page.buyers),
        following=page.following,
        timestamp=page.as_of,
    )
