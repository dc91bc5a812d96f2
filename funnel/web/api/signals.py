"""The watch as JSON: which marks are alive, and since when each is silent."""

from typing import Literal

from django.http import HttpResponse
from django.views.decorators.http import require_safe
from pydantic import Field

from funnel.landing.statement import FiguresTakeTooLong, FiguresUnavailable, LeadsUnreadable
from funnel.landing.visibility import LeadsHidden
from funnel.signals import wording
from funnel.signals.marks import MarkId
from funnel.signals.short_links import LinkClicks, link_clicks
from funnel.signals.watch import Signal, State, reading
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.periods import Period
from onai.web.api.openapi import Operation, describes
from onai.web.api.shapes import Moment, Shape, json_answer

_DAYS = 30


class SecondSourceShape(Shape):
    """Leads of the last 30 days that opened the short link of a message, by `short_link_clicks`.

    Link previews are left out.
    """

    table: Literal["short_link_clicks"]
    leads: int
    last_seen: Moment | None


class SignalShape(Shape):
    """A mark. `unknown`: its table, or the right to read it, is missing."""

    id: MarkId
    state: State
    last_seen: Moment | None
    silent_since: Moment | None = Field(description="the last sighting of a silent mark")
    expected_per_day: float | None = Field(description="of its own four weeks up to `lastSeen`")
    message: str
    second_source: SecondSourceShape | None = Field(
        None, description="of the two kinds of clicks, where the tables can be read"
    )


class SourceSignalShape(SignalShape):
    """The leads of one big source."""

    source: str = Field(description="as the landing page wrote it, empty where it wrote none")


class MailerShape(Shape):
    """`down`: there are leads of the last day, older than half an hour, that have neither a message
    nor an error; leads of sources that are never mailed do not count."""

    state: Literal["down", "working"]
    waiting: int
    since: Moment | None
    message: str


class MailErrorShape(Shape):
    """Leads of the last week with this error, whose text is without contacts, and empty for all the
    rarer ones of a channel.
    """

    channel: str = Field(description="`email` or `sms`")
    text: str
    count: int


class SignalsShape(Shape):
    success: Literal[True]
    as_of: Moment
    stale: bool = Field(description="Landing does not answer: this is the last good reading")
    signals: tuple[SignalShape, ...]
    sources: tuple[SourceSignalShape, ...]
    mailer: MailerShape
    errors: tuple[MailErrorShape, ...]


@role_required("admin")
@require_safe
@describes(
    Operation(
        SignalsShape,
        problems=(FiguresUnavailable, FiguresTakeTooLong, LeadsUnreadable, LeadsHidden),
    )
)
def signals(request: IdentifiedRequest) -> HttpResponse:
    """Which marks still come, and since when each is silent.

    Silent means a gap that the mark's own four weeks bring less than once in a year, and that is at
    least three hours long. Marks are read once an hour.
    """
    found = reading()
    links = link_clicks("30 days", Period.last_days(_DAYS)).figures
    one_reading, unmailed = found.figures, found.figures.unmailed
    answer = SignalsShape(
        success=True,
        as_of=one_reading.as_of,
        stale=found.stale,
        signals=tuple(
            SignalShape.model_validate({**_of(one), "second_source": _second(one, links)})
            for one in one_reading.signals
        ),
        sources=tuple(
            SourceSignalShape.model_validate({**_of(one), "source": one.source})
            for one in one_reading.sources
        ),
        mailer=MailerShape(
            state="down" if unmailed.count else "working",
            waiting=unmailed.count,
            since=unmailed.oldest,
            message=wording.of_mailer(unmailed),
        ),
        errors=tuple(MailErrorShape.model_validate(one) for one in one_reading.errors),
    )
    return json_answer(answer)


def _of(one: Signal) -> dict[str, object]:
    expected = one.expected_per_day
    return {
        "id": one.id,
        "state": one.state,
        "last_seen": one.last_seen,
        "silent_since": one.silent_since,
        "expected_per_day": None if expected is None else round(expected, 1),
        "message": f"{wording.message(one)}.",
    }


def _second(one: Signal, links: LinkClicks) -> SecondSourceShape | None:
    found = links.of(one.id)
    if found is None:
        return None
    leads, last = found
    return SecondSourceShape(table="short_link_clicks", leads=leads, last_seen=last)
