"""Generated leads with every odd value, and the funnel counted over them in plain Python."""

import random
from calendar import monthrange
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from funnel.question import FunnelQuestion
from funnel.report.counts.counting import Tally
from funnel.stages import Counting, StageId
from funnel.stats.spans import Compare
from onai.periods import Period, Unit
from tests.conftest import LandingPages

Row = dict[str, Any]
ALMATY = ZoneInfo("Asia/Almaty")
PERIODS = (
    Period(date(2025, 11, 23), date(2025, 12, 22)),
    Period.day(date(2025, 12, 1)),
    # Almaty went from UTC+6 to UTC+5 on the first of these March days.
    Period(date(2024, 2, 20), date(2024, 3, 10)),
    Period(date(2025, 1, 1), date(2025, 3, 31)),
)
SOURCES = (
    *("proftest_kenesary", "proftest_arystan", "proftest", "PROFTEST_x", "xproftest"),
    *("expresscourse", "TF4", None, "", " ", "Прогрев", "proftest%", "O\"Brien's; --"),
)
_FLAGS = (True, False, None)
_VALUES: Sequence[Any] = (
    *("winter", " winter ", "Winter", "", "  ", "Ә-лид", 7, 1.5, -3, True, None),
    *(["winter"], {"winter": 1}),
)
_STAMPS = (
    *("email_opened_at", "sms_clicked_at", "email_sent_at", "email_clicked_at", "sms_sent_at"),
)
_COLUMNS = (
    *("name", "phone", "email", "source", "email_sent", "email_clicked", "sms_sent"),
    *("sms_clicked", *_STAMPS, "metadata", "created_at"),
)


@st.composite
def questions(draw: st.DrawFn) -> FunnelQuestion:
    period = draw(st.sampled_from(PERIODS))
    return FunnelQuestion(
        period=period,
        compare=draw(st.sampled_from(list(Compare))),
        sources=draw(
            st.sampled_from([(), (), ("proftest_kenesary",), ("", "TF4"), ("Прогрев", "nobody")])
        ),
        counting=draw(st.sampled_from(list(Counting))),
        unit=draw(st.sampled_from(list(Unit))),
        moment=draw(_asked_at(period)),
    )


def _asked_at(period: Period) -> st.SearchStrategy[datetime]:
    """A moment long after the period, within it, or before it."""
    first = period.start.astimezone(UTC)
    hours = st.integers(-30, 24 * (period.days + 9))
    return st.just(datetime(2026, 6, 1, tzinfo=UTC)) | hours.map(
        lambda passed: first + timedelta(hours=passed, minutes=7)
    )


def edges_of(question: FunnelQuestion) -> list[datetime]:
    """The bounds of both periods, in UTC, because Python computes with local times by the wall
    clock, also over a night in which the clock changes.
    """
    return [
        edge.astimezone(UTC)
        for period in (question.period, question.compared)
        for edge in (period.start, period.end)
    ]


def moments(question: FunnelQuestion) -> st.SearchStrategy[datetime]:
    """Moments in and around both periods, many of them at the edge of a day."""
    edges = edges_of(question)
    near = st.builds(
        lambda edge, days, offset: edge + timedelta(days=days) + offset,
        st.sampled_from(edges),
        st.integers(-8, 8),
        st.sampled_from(
            [timedelta(0), timedelta(microseconds=-1), timedelta(seconds=1), timedelta(hours=11)]
        ),
    )
    first, last = min(edges), max(edges)
    span = int((last - first).total_seconds())
    return near | st.integers(0, span).map(lambda seconds: first + timedelta(seconds=seconds))


@st.composite
def leads(draw: st.DrawFn, question: FunnelQuestion) -> Row:
    created_at = draw(moments(question))
    stamp = st.none() | st.integers(-90, 60 * 24 * 40).map(
        lambda minutes: created_at + timedelta(minutes=minutes)
    )
    return {
        "name": "Кто-то",
        "phone": "",
        "email": None,
        "source": draw(st.sampled_from(SOURCES)),
        **{
            flag: draw(st.sampled_from(_FLAGS))
            for flag in ("email_sent", "email_clicked", "sms_sent", "sms_clicked")
        },
        **{name: draw(stamp) for name in _STAMPS},
        "metadata": draw(_metadata()),
        "created_at": created_at,
    }


def _metadata() -> st.SearchStrategy[Any]:
    keys = st.sampled_from(["utm_campaign", "utm_medium", "utm_content", "utm_source", "other"])
    marks = st.dictionaries(keys, st.sampled_from(_VALUES), max_size=4)
    under = st.builds(
        lambda top, below: {**top, "utmParams": below},
        marks,
        marks | st.sampled_from([None, "utm_campaign", ["utm_campaign"], 3]),
    )
    return st.none() | marks | under | st.sampled_from([["utm_campaign"], "utm_campaign", 5])


def many(question: FunnelQuestion, count: int, *, seed: int) -> list[Row]:
    """Random rows of the same kind, because hypothesis cannot shrink thousands."""
    dice = random.Random(seed)
    edges = edges_of(question)
    span = int((max(edges) - min(edges)).total_seconds())
    marks = ("winter", " winter ", "", 7, 1.5, True, None, ["x"], "Ә-лид")

    def row() -> Row:
        created_at = dice.choice(
            [
                min(edges) + timedelta(seconds=dice.randrange(span)),
                dice.choice(edges)
                + timedelta(days=dice.randint(-9, 9), microseconds=dice.randint(-1, 1)),
            ]
        )

        def stamp() -> Any:
            return dice.choice(
                [None, created_at + timedelta(seconds=dice.randint(-9_000, 999_999))]
            )

        def mark() -> dict[str, Any]:
            names = ("campaign", "medium", "content")
            return {f"utm_{name}": dice.choice(marks) for name in names if dice.random() < 0.5}

        return {
            "name": "Кто-то",
            "phone": "",
            "email": None,
            "source": dice.choice(SOURCES),
            **{
                flag: dice.choice([True, True, False, None])
                for flag in ("email_sent", "email_clicked", "sms_sent", "sms_clicked")
            },
            **{name: stamp() for name in _STAMPS},
            "metadata": dice.choice(
                [None, {}, [], "x", mark(), {"utmParams": mark()}, {**mark(), "utmParams": mark()}]
            ),
            "created_at": created_at,
        }

    return [row() for _ in range(count)]


def fill(landing: LandingPages, rows: Iterable[Row]) -> None:
    """Empty `landing_leads`, then write these."""
    landing.connection.execute("truncate landing_leads")
    statement = f"copy landing_leads ({', '.join(_COLUMNS)}) from stdin"
    with landing.connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            values = {
                **row,
                "metadata": None if row["metadata"] is None else Jsonb(row["metadata"]),
            }
            copy.write_row([values[name] for name in _COLUMNS])


# --- The plain count ---------------------------------------------------------------------------


def within(rows: Iterable[Row], period: Period) -> list[Row]:
    return [row for row in rows if period.start <= row["created_at"] < period.end]


def day_of(row: Row) -> date:
    created_at: datetime = row["created_at"]
    return created_at.astimezone(ALMATY).date()


def held_against(question: FunnelQuestion, firsts: Sequence[date]) -> dict[date, set[date]]:
    """The compared days of each bucket, by its first day. A day belongs to the bucket that begins
    last of those that do not begin after it; of several that begin on it, to the first.
    """
    owned: dict[date, set[date]] = {first: set() for first in firsts}
    day = question.compared.first_day
    while day <= question.compared.last_day:
        begins = [(_counterpart(first, question), first) for first in firsts]
        latest = max(begin for begin, _ in begins if begin <= day)
        owned[min(first for begin, first in begins if begin == latest)].add(day)
        day += timedelta(days=1)
    return owned


def _counterpart(day: date, question: FunnelQuestion) -> date:
    if question.compare is Compare.PREVIOUS:
        return day - timedelta(days=question.period.days)
    months = 12 if question.compare is Compare.LAST_YEAR else 1
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def of_sources(rows: Iterable[Row], sources: Sequence[str]) -> list[Row]:
    return [row for row in rows if not sources or source_of(row) in sources]


def source_of(row: Row) -> str:
    return row["source"] or ""


def tested(row: Row) -> bool:
    return source_of(row).startswith("proftest")


def steps_of(row: Row, counting: Counting, age: timedelta | None = None) -> set[str]:
    """The steps that a lead has reached; with an age, those it had reached by then."""

    def done(flag: str) -> bool:
        at = row[f"{flag}_at"]
        return bool(row[flag]) and (age is None or at is None or at <= row["created_at"] + age)

    if counting is Counting.REPORTED:
        return {
            *([StageId.PROFTEST] if tested(row) else []),
            *([StageId.EXPRESS] if done("email_sent") else []),
            *([StageId.PAYMENT] if done("sms_clicked") else []),
        }
    passed: set[str] = set()
    for step, happened in (
        (StageId.TESTED, tested(row)),
        (StageId.MESSAGED, done("email_sent") or done("sms_sent")),
        (StageId.CLICKED, done("email_clicked") or done("sms_clicked")),
        (StageId.BOUGHT, done("sms_clicked")),
    ):
        if not happened:
            break
        passed.add(step)
    return passed


def bought(row: Row, age: timedelta | None = None) -> bool:
    return StageId.PAYMENT in steps_of(row, Counting.REPORTED, age)


def counted(rows: Iterable[Row], question: FunnelQuestion, age: timedelta | None = None) -> Tally:
    """The tally of these leads by the question's way of counting; with an age, as of then."""
    among = [row for row in rows if question.counting is Counting.REPORTED or tested(row)]
    at = [steps_of(row, question.counting, age) for row in among]
    return Tally(
        leads=len(among),
        reached=tuple(sum(step in steps for steps in at) for step in question.steps),
        purchases=sum(bought(row, age) for row in among),
    )


def came_before(rows: Iterable[Row], moment: datetime) -> list[Row]:
    return [row for row in rows if row["created_at"] < moment]


def grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def mark_of(row: Row, mark: str) -> str:
    """The UTM mark in the metadata: at the top level, else under utmParams; empty without one."""
    top = row["metadata"]
    under = top.get("utmParams") if isinstance(top, dict) else None
    for place in (top, under):
        value = place.get(f"utm_{mark}") if isinstance(place, dict) else None
        if isinstance(value, str) or (isinstance(value, int | float) and value is not True):
            text = str(value).strip(" ")
            if text:
                return text
    return ""


@dataclass(frozen=True, slots=True)
class PlainTimes:
    purchases: int
    without_moment: int
    before_lead: int
    quartiles: tuple[int, ...] | None


def times_to_buy(rows: Iterable[Row]) -> PlainTimes:
    bought = [row for row in rows if row["sms_clicked"]]
    stamped = [row for row in bought if row["sms_clicked_at"]]
    took = seconds_to_buy(bought)
    return PlainTimes(
        purchases=len(bought),
        without_moment=len(bought) - len(stamped),
        before_lead=len(stamped) - len(took),
        quartiles=tuple(_quantile(took, Fraction(n, 4)) for n in (1, 2, 3)) if took else None,
    )


def seconds_to_buy(rows: Iterable[Row]) -> list[float]:
    """The known times to buy, quickest first."""
    return sorted(
        (row["sms_clicked_at"] - row["created_at"]).total_seconds()
        for row in rows
        if row["sms_clicked"]
        and row["sms_clicked_at"]
        and row["sms_clicked_at"] >= row["created_at"]
    )


def _quantile(values: list[float], share: Fraction) -> int:
    """By linear interpolation between the two nearest values."""
    place = share * (len(values) - 1)
    lower = values[int(place)]
    upper = values[min(int(place) + 1, len(values) - 1)]
    return round(lower + (upper - lower) * float(place - int(place)))
