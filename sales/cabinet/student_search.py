"""Finds which students a page shows, and how many there are, by what each index can answer.

Where a condition has no index in the order that is wanted (a word, the state of a letter), two ways
lead to a page: along the order, looking at each student, which is quick where many fit; or by the
condition's own index, sorting all that fit, which is quick where few do. Which it is cannot be
known beforehand, so one statement tries the first for so many students, and then the second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from onai.contacts import folding
from onai.identity.models import StaffMember
from onai.web import paging
from sales.models import LetterState, StudentStatus

SHORTEST_WORD = 2
_GROUP = 3
# How many students are looked at one by one, in the order of a page or for a count, before an index
# is asked for all that fit. Fewer for several words: they are rarely together.
_LOOKED_AT = 5_000
# By name more of them, since an index alone has what is looked at.
_LOOKED_AT_BY_NAME = 36_000
_LOOKED_AT_FOR_EACH = 20
_MANY_WORDS = 3


class Order(TextChoices):
    NEWEST = "newest", _("сначала новые")
    NAME = "name", _("по имени")
    ACTIVE = "active", _("по последней активности")


class LetterFilter(TextChoices):
    SENT = "sent", _("отправлено")
    WAITING = "waiting", _("ждёт отправки")
    FAILED = "failed", _("не ушло")
    NONE = "none", _("не отправлялось")


@dataclass(frozen=True, slots=True)
class StudentFilter:
    """Which students, in which order. Each word of `text` is in the name or in the e-mail, but for
    what `onai.contacts.folding` takes for the same."""

    text: str = ""
    status: StudentStatus | None = None
    manager_id: UUID | None = None
    without_manager: bool = False
    letter: LetterFilter | None = None
    order: Order = Order.NEWEST


@dataclass(frozen=True, slots=True)
class Place:
    """Where a student stands in an order: by its key, and by their id among equals."""

    key: paging.Key
    pk: UUID


# As the indexes of `Student` have them, in `sales.models`.
_KEYS = {
    Order.NEWEST: "coalesce(student.created_at, timestamptz '1900-01-01 00:00+00')",
    Order.ACTIVE: "coalesce(student.last_active_at, timestamptz '1900-01-01 00:00+00')",
    Order.NAME: "lower(student.full_name)",
}
_IS_STUDENT = "student.user_id <> all(%(staff)s)"
_UNSENT = "(not student.welcome_email_sent or student.welcome_email_sent is null)"
_SEARCHED = "(' ' || student.full_name || ' ' || student.email)"
_HAS_WORD = f"position(%({{name}})s in lower({_SEARCHED})) > 0"
# Takes somewhat longer, and knows every spelling of a letter.
_HAS_SPELLING = f"{_SEARCHED} ~ %({{name}})s"
_HAS_TERMS = (
    "sales_search_terms(student.full_name, student.email, student.granted_by, student.status,"
    " student.welcome_email_sent) @> %(terms)s::text[]"
)
# One by one: OFFSET 0 keeps the planner from reading all letters there are.
_HAS_LETTER = (
    "exists (select from sales_letters letter"
    " where letter.student_id = student.id {state} offset 0)"
)
_IN_STATE = "and letter.state = %(letter_state)s"
_AMONG_LETTERS = (
    "student.id in (select student_id from sales_letters where state = %(letter_state)s)"
)

_ALONG_THE_ORDER = """
select student.id, {key} as key from tripwire_users student
where {base} order by {order} limit %(wanted)s
"""
_ALONG_THE_ORDER_OR_BY_INDEX = """
with near as materialized (
  select id, key from (
    select *, {key} as key from tripwire_users student
    where {base} order by {order} limit %(looked_at)s
  ) as student
  where {fits} order by {found_order} limit %(wanted)s
), found as (
  select count(*) as near from near
), far as materialized (
  select student.id, {key} as key from tripwire_users student
  where (select near from found) < %(wanted)s and {base} and {by_index}
)
select id, key from near where (select near from found) >= %(wanted)s
union all select id, key from far
order by {found_order} limit %(wanted)s
"""
# Staff are taken off afterwards, so that an index alone can count; one of them may have several
# student rows.
_COUNT_ALL = """
with of_staff as materialized (
  select count(*) as rows from tripwire_users student
  where {anybody} and student.user_id = any(%(staff)s)
)
select (select count(*) from (
    select from tripwire_users student where {anybody}
    limit %(enough)s + (select rows from of_staff)
  ) as counted)
  - (select rows from of_staff)
"""
_COUNT_ONE_BY_ONE = """
select count(*) from (
  select from tripwire_users student where {base} and {fits} limit %(enough)s
) as counted
"""
# A materialized part is asked for no more than is counted of it, and planned as if for all.
_COUNT_BY_INDEX = """
with far as materialized (
  select from tripwire_users student where {base} and {by_index}
)
select count(*) from (select from far limit %(enough)s) as counted
"""
_COUNT_ONE_BY_ONE_OR_BY_INDEX = """
with near as materialized (
  select count(*) as found from (
    select from (
      select * from tripwire_users student where {base} limit %(looked_at)s
    ) as student
    where {fits} limit %(enough)s
  ) as fitting
), far as materialized (
  select from tripwire_users student
  where (select found from near) < %(enough)s and {base} and {by_index}
)
select greatest(found, (select count(*) from (select from far limit %(enough)s) as counted))
from near
"""


def places(wanted: StudentFilter, *, after: Place | None, count: int) -> list[Place]:
    """Where the next so many students stand, in order; staff are not among them."""
    question = _Question(wanted)
    base = [*question.base, _IS_STUDENT]
    key = _KEYS[wanted.order]
    sign, direction = (">", "asc") if wanted.order is Order.NAME else ("<", "desc")
    if after:
        base.append(f"({key}, student.id) {sign} (%(after_key)s, %(after_pk)s)")
    # That the manager is null is no constant to the planner: said in the order, it sees the index.
    lead = "student.granted_by, " if wanted.without_manager else ""
    statement = _ALONG_THE_ORDER_OR_BY_INDEX if question.fits else _ALONG_THE_ORDER
    found = _rows(
        statement.format(
            key=key,
            base=" and ".join(base),
            order=f"{lead}{key} {direction}, student.id {direction}",
            found_order=f"key {direction}, id {direction}",
            fits=" and ".join(question.fits),
            by_index=" and ".join(question.by_index),
        ),
        **question.parameters,
        staff=_staff_ids(),
        wanted=count,
        looked_at=max(_looked_at(wanted), count * _LOOKED_AT_FOR_EACH),
        after_key=after and after.key,
        after_pk=after and after.pk,
    )
    return [Place(key, pk) for pk, key in found]


def count(wanted: StudentFilter, *, at_most: int) -> int:
    """How many there are, staff not among them, counted no further than one above `at_most`."""
    question = _Question(wanted)
    ((found,),) = _rows(
        _count_statement(question).format(
            anybody=" and ".join(question.base) or "true",
            base=" and ".join([*question.base, _IS_STUDENT]),
            fits=" and ".join(question.fits),
            by_index=" and ".join(question.by_index),
        ),
        **question.parameters,
        staff=_staff_ids(),
        enough=at_most + 1,
        looked_at=_LOOKED_AT // _words(wanted),
    )
    return min(int(found), at_most + 1)


def _looked_at(wanted: StudentFilter) -> int:
    alone = not (wanted.status or wanted.letter)
    by_name = wanted.order is Order.NAME and alone
    return (_LOOKED_AT_BY_NAME if by_name else _LOOKED_AT) // _words(wanted)


def _words(wanted: StudentFilter) -> int:
    return len(wanted.text.split()) or 1


def _count_statement(question: "_Question") -> str:
    if not question.fits:
        return _COUNT_ALL
    # Letters that wait or failed are few; of words one never knows.
    if _AMONG_LETTERS in question.by_index:
        return _COUNT_BY_INDEX
    return _COUNT_ONE_BY_ONE_OR_BY_INDEX if _HAS_TERMS in question.by_index else _COUNT_ONE_BY_ONE


class _Question:
    """A filter as conditions: those that every order has an index for (`base`), and the others,
    as each student is looked at for them (`fits`) and as their own index is asked (`by_index`)."""

    def __init__(self, wanted: StudentFilter) -> None:
        self.base: list[str] = []
        self.fits: list[str] = []
        self.by_index: list[str] = []
        self.parameters: dict[str, Any] = {}
        self._of_manager_and_status(wanted)
        if wanted.letter:
            self._of_letter(wanted.letter)
        if words := folding.fold(wanted.text).split():
            self._of_words(words, wanted)

    def _of_manager_and_status(self, wanted: StudentFilter) -> None:
        if wanted.without_manager:
            self.base.append("student.granted_by is null")
        elif wanted.manager_id:
            self.base.append("student.granted_by = %(manager)s")
            self.parameters["manager"] = wanted.manager_id
        if wanted.status:
            self.base.append("student.status = %(status)s")
            self.parameters["status"] = wanted.status.value

    def _of_letter(self, letter: LetterFilter) -> None:
        if letter is LetterFilter.SENT:
            self.base.append("student.welcome_email_sent")
            return
        self.base.append(_UNSENT)
        if letter is LetterFilter.NONE:
            self._also(f"not {_HAS_LETTER.format(state='')}")
            return
        waiting = letter is LetterFilter.WAITING
        state = LetterState.PENDING if waiting else LetterState.FAILED
        self.parameters["letter_state"] = state.value
        self.fits.append(_HAS_LETTER.format(state=_IN_STATE))
        self.by_index.append(_AMONG_LETTERS)

    def _of_words(self, words: Sequence[str], wanted: StudentFilter) -> None:
        # Two letters are looked for at the beginning of a word only: within words the index knows
        # groups of three.
        spaced = [f" {word}" if len(word) < _GROUP else word for word in words]
        terms = set(_groups_of(spaced))
        # Beside many words a manager narrows nothing down, and is one more long list to read.
        if (wanted.manager_id or wanted.without_manager) and len(words) < _MANY_WORDS:
            terms.add(f"manager {wanted.manager_id or ''}")
        if wanted.status:
            terms.add(f"status {wanted.status.value}")
        if wanted.letter and wanted.letter is not LetterFilter.SENT:
            terms.add("letter false")
        self.parameters["terms"] = sorted(terms)
        if _AMONG_LETTERS not in self.by_index:
            self.by_index.append(_HAS_TERMS)
        for number, word in enumerate(spaced):
            name = f"word_{number}"
            as_it_is = word.isascii() and " " not in word
            self.parameters[name] = word if as_it_is else folding.pattern(word)
            self._also((_HAS_WORD if as_it_is else _HAS_SPELLING).format(name=name))

    def _also(self, condition: str) -> None:
        self.fits.append(condition)
        self.by_index.append(condition)


def _groups_of(words: Sequence[str]) -> list[str]:
    """The groups of three letters by which the index finds these words.

    Of many words one group each is enough, and of the longest two: each is a list to read.
    """
    if len(words) < _MANY_WORDS:
        return [group for word in words for group in _groups(word)]
    return [*(word[:_GROUP] for word in words), max(words, key=len)[-_GROUP:]]


def _groups(word: str) -> list[str]:
    """Groups of three letters that cover a word. Those between them would make the index slower."""
    last = len(word) - _GROUP
    return [word[place : place + _GROUP] for place in (*range(0, last, _GROUP), last)]


def _staff_ids() -> list[UUID]:
    # As values: they are few, and the planner knows so.
    return list(StaffMember.objects.values_list("user_id", flat=True))


def _rows(statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connections["tripwire"].cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
