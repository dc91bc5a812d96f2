"""Who came in the demo, and how far each came: the same people in both databases.

The figures are those of the report of December 2025: in the last 30 days 350 visitors of the test,
380 e-mailed and 30 clicks in an SMS. Beside them stands what production has as well: the click mark
fell silent (`silent_since`), people go on buying by short links and from the course's own page, and
most buyers have access, while some wait for it.

Everything is the same at every start but for the moments, which are relative to `now`.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from onai.local.demo_data.names import typed_email
from onai.periods import Period, business_day

_SEED = 20251222
# The window of the report is 30 days; its leads lie in the youngest 28, so that the figures stand
# when midnight passes while the demo runs.
_WINDOW_DAYS = 28
_OLDER_DAYS = range(31, 151)
_OLDER_LEADS = 860
# Since that evening an SMS carries a short link, and nothing sets `sms_clicked` any more.
_SILENT_DAYS = 13
_SILENT_FROM = time(21, 44)
# The job that writes to a lead has done so by then.
_MESSAGED_WITHIN = timedelta(minutes=15)
METHODS = ("kaspi", "kaspi", "card", "manager")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who left contacts, and the moments of their way; None where they did not get there.

    `number` makes their phone and name. `email_clicks` counts clicks in the e-mail. `clicked` is
    the mark of a click in the SMS, whose moment `clicked_at` is not always written. `followed_at`
    is a click on a short link. `student_email` is the address of their access, from `access_at`.
    """

    number: int
    source: str | None
    came_at: datetime
    email: str | None = None
    emailed: bool = False
    texted: bool = False
    email_clicks: int = 0
    clicked: bool = False
    clicked_at: datetime | None = None
    followed_at: datetime | None = None
    method: str = ""
    chose_at: datetime | None = None
    won_at: datetime | None = None
    access_at: datetime | None = None
    student_email: str = ""


@dataclass(frozen=True, slots=True)
class _Quota:
    """What one source has in the report's window, buyers included."""

    source: str | None
    leads: int
    emailed: int


# 350 of them by ProfTest, 380 e-mailed. Leads of the course's own page are sent nothing.
_REPORT = (
    _Quota("proftest_kenesary", 141, 129),
    _Quota("proftest_arystan", 96, 88),
    _Quota("proftest_muha", 78, 70),
    _Quota("proftest_unknown", 35, 31),
    _Quota("expresscourse", 92, 0),
    _Quota("TF4", 63, 53),
    _Quota(None, 11, 9),
)
_CLICKED = (
    *("proftest_kenesary",) * 19,
    *("proftest_arystan",) * 9,
    *("expresscourse",) * 2,
)
_FOLLOWED = (
    *("proftest_kenesary",) * 5,
    *("proftest_arystan",) * 4,
    *("proftest_muha",) * 4,
    *("TF4",) * 3,
)
_COURSE_PAGE = 8
_OLD_STUDENTS = 5
# How long those wait who chose how to pay and have no access: from minutes to three days.
_FOLLOWERS_WAIT = tuple(timedelta(hours=hours) for hours in (0.75, 9, 26, 70))
_COURSE_PAGE_WAITS = tuple(timedelta(hours=hours) for hours in (0.12, 3, 50))
# The first number of each group; the crowd's follow one another from there.
_CROWD, _OLD_BUYERS, _OLDER = 100, 900, 1_000


def demo_people(now: datetime) -> list[Person]:
    """Everybody, in no order of time."""
    dice = random.Random(_SEED)
    buyers = [
        *_clickers(dice, now),
        *_followers(dice, now),
        *_from_the_course_page(dice, now),
    ]
    return [*buyers, *_crowd(dice, now, buyers), *_old_buyers(dice, now), *_older(dice, now)]


def silent_since(now: datetime) -> datetime:
    """When the mark of a click in an SMS was set for the last time."""
    day = business_day(now) - timedelta(days=_SILENT_DAYS)
    after_midnight = timedelta(hours=_SILENT_FROM.hour, minutes=_SILENT_FROM.minute)
    return Period.day(day).start + after_midnight


def _clickers(dice: random.Random, now: datetime) -> Iterator[Person]:
    """The report's 30 purchases. The first left no e-mail: 29 addresses over 30 phones."""
    silent = silent_since(now)
    for number, source in enumerate(_CLICKED):
        came = _moment(dice, now, days_ago=_SILENT_DAYS + 1 + number * 9 % 14)
        thought = _hours(dice, 0.3, 30)
        clicked = min(came + thought, silent - timedelta(minutes=1)) if number else silent
        chooses, has_access = number % 5 != 2, number % 5 != 2 and number != 20
        chose = clicked + _hours(dice, 0.1, 0.6) if chooses else None
        own_page = source == "expresscourse"
        yield Person(
            number,
            source,
            came,
            email=typed_email(number) if number else None,
            emailed=bool(number) and not own_page,
            texted=not own_page,
            email_clicks=2 if number in (1, 11, 21) else 0,
            clicked=True,
            clicked_at=None if number % 13 == 5 else clicked,
            method=METHODS[number % 4] if chooses else "",
            chose_at=chose,
            won_at=chose + _hours(dice, 0.2, 20) if chose and number not in (10, 20) else None,
            access_at=chose + _hours(dice, 0.2, 30) if chose and has_access else None,
            student_email=_student_email(number, other=number in (0, 15)),
        )


def _followers(dice: random.Random, now: datetime) -> Iterator[Person]:
    """Buyers since the mark fell silent: they followed a short link."""
    for position, source in enumerate(_FOLLOWED):
        number = len(_CLICKED) + position
        waits = _FOLLOWERS_WAIT[position] if position < len(_FOLLOWERS_WAIT) else None
        came = _moment(dice, now, days_ago=2 + position % (_SILENT_DAYS - 2))
        followed = came + _hours(dice, 0.4, 16)
        if waits is not None:
            followed = now - waits - timedelta(minutes=10)
            came = followed - _hours(dice, 0.5, 3)
        chooses = position not in (6, 13)
        chose = followed + timedelta(minutes=10) if chooses else None
        has_access = chooses and position > len(_FOLLOWERS_WAIT)
        won = chooses and position not in (0, 4, 15)
        yield Person(
            number,
            source,
            came,
            email=typed_email(number),
            emailed=True,
            texted=True,
            followed_at=followed,
            method=METHODS[number % 4] if chooses else "",
            chose_at=chose,
            won_at=min(now, chose + _hours(dice, 0.2, 6)) if chose and won else None,
            access_at=_opened(position, chose, now) if chose and has_access else None,
            # One learns under another address than they left.
            student_email=_student_email(number, other=position == 11),
        )


def _opened(position: int, chose: datetime, now: datetime) -> datetime:
    """When a follower's access was opened; for the youngest two within the last day."""
    recent = {11: timedelta(hours=5), 12: timedelta(hours=20)}
    if position in recent:
        return now - recent[position]
    return chose + timedelta(hours=1 + position * 1.5)


def _from_the_course_page(dice: random.Random, now: datetime) -> Iterator[Person]:
    """Buyers who were sent nothing: they chose how to pay on the page they came to."""
    for position in range(_COURSE_PAGE):
        number = len(_CLICKED) + len(_FOLLOWED) + position
        waits = _COURSE_PAGE_WAITS[position] if position < len(_COURSE_PAGE_WAITS) else None
        came = _moment(dice, now, days_ago=3 + position * 3)
        if waits is not None:
            came = now - waits - timedelta(minutes=2)
        chose = came + timedelta(minutes=2)
        won = position not in (0, 2)
        # One had taken the test before, under another address and the same phone.
        is_known = position == 6
        without_email = position in (1, 4)
        yield Person(
            _CROWD if is_known else number,
            "expresscourse",
            came,
            email=None if without_email else typed_email(number),
            method=METHODS[number % 4],
            chose_at=chose,
            won_at=min(now, chose + _hours(dice, 0.2, 6)) if won else None,
            access_at=chose + _hours(dice, 0.3, 24) if waits is None else None,
            student_email=_student_email(number, other=without_email),
        )


def _crowd(dice: random.Random, now: datetime, buyers: list[Person]) -> Iterator[Person]:
    """Everybody else in the window, so that each source has its quota."""
    number = _CROWD
    for quota in _REPORT:
        there = [buyer for buyer in buyers if buyer.source == quota.source]
        to_email = quota.emailed - sum(buyer.emailed for buyer in there)
        sent_nothing = quota.source == "expresscourse"
        for position in range(quota.leads - len(there)):
            emailed = position < to_email
            yield Person(
                number,
                quota.source,
                _moment(dice, now, days_ago=dice.randrange(_WINDOW_DAYS)),
                email=typed_email(number) if emailed or number % 3 else None,
                emailed=emailed,
                texted=not sent_nothing and number % 31 != 7,
                email_clicks=1 if number in (120, 240, 360) else 0,
            )
            number += 1


def _old_buyers(dice: random.Random, now: datetime) -> Iterator[Person]:
    for position in range(_OLD_STUDENTS):
        came = _moment(dice, now, days_ago=33 + position * 6)
        clicked = came + _hours(dice, 0.5, 20)
        number = _OLD_BUYERS + position
        yield Person(
            number,
            "proftest_kenesary",
            came,
            email=typed_email(number),
            emailed=True,
            texted=True,
            clicked=True,
            clicked_at=clicked,
            method="kaspi",
            chose_at=clicked + timedelta(minutes=12),
            won_at=clicked + timedelta(hours=3),
            access_at=clicked + _hours(dice, 1, 20),
            student_email=_student_email(number),
        )


def _older(dice: random.Random, now: datetime) -> Iterator[Person]:
    """The leads of the four months before the window, when nobody wrote down who chose how to pay.

    Now and then a person comes back.
    """
    sources = [quota.source for quota in _REPORT]
    weights = [quota.leads for quota in _REPORT]
    for position in range(_OLDER_LEADS):
        number = _OLDER + position - (position % 40 == 39)
        source = dice.choices(sources, weights)[0]
        came = _moment(dice, now, days_ago=dice.choice(_OLDER_DAYS))
        messaged = source != "expresscourse"
        emailed = messaged and dice.random() < 0.92
        clicked = messaged and dice.random() < 0.16
        clicked_at = came + _hours(dice, 0.3, 30)
        yield Person(
            number,
            source,
            came,
            email=typed_email(number) if emailed or position % 2 else None,
            emailed=emailed,
            texted=messaged and position % 31 != 7,
            email_clicks=1 if position in (100, 400, 800) else 0,
            clicked=clicked,
            clicked_at=clicked_at if clicked and dice.random() < 0.93 else None,
        )


def _student_email(number: int, *, other: bool = False) -> str:
    return f"student{number}@onai.test" if other else typed_email(number).lower()


def _hours(dice: random.Random, least: float, most: float) -> timedelta:
    return timedelta(hours=dice.uniform(least, most))


def _moment(dice: random.Random, now: datetime, *, days_ago: int) -> datetime:
    """A moment of the business day so many days ago, early enough to have been written to."""
    today = Period.day(business_day(now)).start
    fraction = dice.random()
    passed = now - today - _MESSAGED_WITHIN
    if days_ago == 0 and passed > timedelta():
        return today + passed * fraction
    return today - timedelta(days=max(1, days_ago)) + timedelta(hours=7 + 16 * fraction)
