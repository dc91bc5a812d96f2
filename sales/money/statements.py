"""The persons and the accesses of a period in SQL, with what became of each.

Each figure and each list selects from one of these two. All values of an address are parameters.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sales.cabinet.statistics import NOBODY
from sales.handoff.matching import MATCHES
from sales.models import MatchedBy
from sales.money.cells import CELLS, CellId, Stage

OF_STAFF = "exists (select from sales_staff staff where staff.user_id = student.user_id)"
_IN_PERIOD = "{at} >= %(start)s and {at} < %(end)s"
_SIGNALS = ("clicked", "chose", "won")


def _live(signal: str) -> str:
    return f"case when not buyer.gone ? '{signal}' then buyer.{signal}_at end"


# A person with a signal in the period: what was paid, and whether there is an access. The manager
# is the one of the access; without one, whoever closed their line.
PERSONS = f"""
select *, won_at is not null as is_won, coalesce(deal <> price, false) as differs,
  {", ".join(f"coalesce({_IN_PERIOD.format(at=f'{one}_at')}, false) as {one}" for one in _SIGNALS)}
from (
  select buyer.id, coalesce(buyer.source, '') as source,
    {", ".join(f"{_live(one)} as {one}_at" for one in _SIGNALS)},
    case when {_live("won")} is not null then buyer.won_amount end as deal,
    count(student.id) > 0 as has_access,
    buyer.closed_at is not null as is_closed,
    coalesce(sum(student.price), 0)::bigint as price,
    coalesce(min(student.granted_by::text)::uuid, buyer.closed_by) as manager
  from sales_buyers buyer
  left join sales_student_leads match
    on match.buyer_id = buyer.id and match.how = any(%(matches)s)
  left join tripwire_users student on student.id = match.student_id and not {OF_STAFF}
  where {" or ".join(f"({_IN_PERIOD.format(at=f'buyer.{one}_at')})" for one in _SIGNALS)}
  group by buyer.id
) as person
"""  # noqa: S608

# An access opened in the period. The source is null where nobody knows whose purchase it is.
ACCESSES = f"""
select id, case when buyer_id is not null then coalesce(source, '') end as source, manager,
  created_at as opened_at, price, null::bigint as deal, true as opened,
  coalesce(buyer_id is not null and won_at is not null and not gone ? 'won', false) as is_won,
  coalesce(won_at, chose_at, clicked_at, by_hand_at) is not null as is_paid, is_explained
from (
  select student.id, student.granted_by as manager, student.created_at,
    coalesce(student.price, 0)::bigint as price,
    coalesce(known.how = %(explained)s, false) as is_explained,
    known.source, buyer.id as buyer_id, buyer.gone,
    buyer.won_at, buyer.chose_at, buyer.clicked_at, buyer.by_hand_at
  from tripwire_users student
  left join sales_student_leads known on known.student_id = student.id
  left join sales_buyers buyer on buyer.id = known.buyer_id and known.how = any(%(matches)s)
  where {_IN_PERIOD.format(at="student.created_at")} and not {OF_STAFF}
) as access
"""  # noqa: S608

# What the cells' conditions are made of.
FLAGS = {
    PERSONS: (*_SIGNALS, "is_won", "has_access", "is_closed", "differs"),
    ACCESSES: ("opened", "is_won", "is_paid", "is_explained"),
}
_PARAMETERS = {"matches": list(MATCHES), "explained": MatchedBy.EXPLAINED.value}


def rows_of(stage: Stage) -> str:
    """The persons or accesses among whom a stage is counted."""
    return PERSONS if stage.is_of_persons else ACCESSES


def condition_of(cell: CellId) -> str:
    """The condition of a cell on its persons or accesses."""
    one = CELLS[cell]
    return f"({one.stage.value} and {one.condition})"


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Whose persons and accesses: of these sources, or of one manager; of all by default.

    `not_matched` are the accesses of whom no purchase is known, so no source either. `manager_id`
    is `NOBODY` for what has no manager.
    """

    sources: tuple[str, ...] = ()
    not_matched: bool = False
    manager_id: UUID | None = None

    @property
    def condition(self) -> str:
        """The condition in SQL, to follow a `where`."""
        conditions = ["true"]
        if self.not_matched:
            conditions.append("source is null")
        elif self.sources:
            conditions.append("source = any(%(sources)s)")
        if self.manager_id == NOBODY:
            conditions.append("manager is null")
        elif self.manager_id is not None:
            conditions.append("manager = %(manager)s")
        return " and ".join(conditions)

    def parameters(self, start: datetime, end: datetime) -> dict[str, Any]:
        """The parameters of a statement about `[start, end)`."""
        named = {"sources": list(self.sources), "manager": self.manager_id}
        return {**_PARAMETERS, **named, "start": start, "end": end}


EVERYBODY = Narrowing()
