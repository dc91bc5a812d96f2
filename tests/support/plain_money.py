"""Random persons and accesses, and the cells of the page of money counted in plain Python."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from onai.periods import Period
from tests.support.buyers import ago
from tests.support.desk import Desk
from tests.support.student_rows import Sales

SIGNALS = ("clicked", "chose", "won")
MATCHES = ("id", "email", "phone", "hand")
DAYS = 7

# Days since each signal, the signals that are gone, the amount, whether closed, and the source.
_AGE = st.one_of(st.none(), st.integers(0, 16))
BUYER = st.fixed_dictionaries(
    {
        "clicked": _AGE,
        "chose": _AGE,
        "won": _AGE,
        "gone": st.sets(st.sampled_from(SIGNALS)),
        "amount": st.sampled_from((None, 5000, 7000)),
        "closed": st.booleans(),
        "source": st.sampled_from((None, "", "TF4", "proftest_muha")),
    }
)
# Days since the access, its price, whose it is by number, how that is known, and its manager.
STUDENT = st.fixed_dictionaries(
    {
        "age": st.integers(0, 16),
        "price": st.sampled_from((None, 5000, 7000)),
        "buyer": st.one_of(st.none(), st.integers(0, 5)),
        "how": st.sampled_from((*MATCHES, "explained", "undone")),
        "manager": st.sampled_from((None, "ayaulym", "botagoz")),
    }
)
Amounts = tuple[int, int, int]
# A cell, the source and the manager it is of, and what it counts.
Counted = tuple[str, str | None, str | None, Amounts]


def moment(days: int) -> datetime:
    """A minute past midnight in Almaty, so many days ago."""
    return Period.last_days(days + 1).start + timedelta(minutes=1)


def write(desk: Desk, sales: Sales, buyers: list[Any], students: list[Any]) -> None:
    """Write them to Tripwire as the join and other software do."""
    desk.connection.execute(
        "truncate sales_buyers, sales_student_leads, tripwire_users restart identity cascade"
    )
    for one in buyers:
        at = {name: None if one[name] is None else moment(one[name]) for name in SIGNALS}
        one["id"] = uuid4()
        desk.connection.execute(
            "insert into sales_buyers (id, name, phone, email, created_at, source, gone,"
            " won_amount, clicked_at, chose_at, won_at, closed_at, closed_by)"
            " values (%s, 'Дана', '', '', now(), %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                *(one["id"], one["source"]),
                Jsonb({name: ago(hours=1).isoformat() for name in one["gone"]}),
                *(one["amount"], *at.values()),
                ago(hours=1) if one["closed"] else None,
                sales.ids["admin"] if one["closed"] else None,
            ],
        )
    for one in students:
        manager = sales.ids[one["manager"]] if one["manager"] else None
        row = sales.add(created_at=moment(one["age"]), price=one["price"], granted_by=manager)
        whose = _buyer_of(one, buyers)
        if whose or one["how"] == "explained":
            known = (whose["id"], whose["source"]) if whose else (None, None)
            desk.connection.execute(
                "insert into sales_student_leads (student_id, buyer_id, source, phone,"
                " first_signal, how) values (%s, %s, %s, '', '', %s)",
                [row["id"], *known, one["how"]],
            )


def by_hand(
    buyers: list[Any], students: list[Any], ids: dict[str, UUID]
) -> dict[str, dict[str, Amounts]]:
    """The amounts of each cell in all, of each source and of each manager: count, deals, prices."""
    found: dict[str, dict[str, Amounts]] = {}
    for cell, source, manager, amounts in (
        *_persons(buyers, students, ids),
        *_accesses(buyers, students, ids),
    ):
        for key in ("all", f"source {source}", f"manager {manager}"):
            cells = found.setdefault(key, {})
            count, deals, prices = cells.get(cell, (0, 0, 0))
            cells[cell] = (count + amounts[0], deals + amounts[1], prices + amounts[2])
    return found


def _buyer_of(student: Any, buyers: list[Any]) -> Any:
    number = student["buyer"]
    return (
        None if number is None or student["how"] == "explained" else (buyers + [None] * 6)[number]
    )


def _persons(buyers: list[Any], students: list[Any], ids: dict[str, UUID]) -> Iterator[Counted]:
    for one in buyers:
        theirs = [
            each for each in students if each["how"] in MATCHES and _buyer_of(each, buyers) is one
        ]
        live = [name for name in SIGNALS if one[name] is not None and name not in one["gone"]]
        deal = (one["amount"] or 0) if "won" in live else 0
        price = sum(each["price"] or 0 for each in theirs)
        managers = sorted(str(ids[each["manager"]]) for each in theirs if each["manager"])
        closer = str(ids["admin"]) if one["closed"] else None
        became = "access" if theirs else "closed" if one["closed"] else "waiting"
        for stage in live:
            cells = ["", f"-{became}"]
            if stage == "chose":
                cells.append("-won" if "won" in live else "-not-won")
            if stage == "won" and theirs and one["amount"] and deal != price:
                cells.append("-differs")
            for cell in cells if one[stage] < DAYS else []:
                manager = managers[0] if managers else closer
                yield stage + cell, one["source"] or "", manager, (1, deal, price)


def _accesses(buyers: list[Any], students: list[Any], ids: dict[str, UUID]) -> Iterator[Counted]:
    for each in students:
        whose = _buyer_of(each, buyers) if each["how"] in MATCHES else None
        signals = [name for name in SIGNALS if whose and whose[name] is not None]
        if each["how"] == "explained":
            part = "explained"
        elif whose and "won" in signals and "won" not in whose["gone"]:
            part = "won"
        else:
            part = "paid" if signals else "no-payment"
        source = (whose["source"] or "") if whose else None
        manager = str(ids[each["manager"]]) if each["manager"] else None
        for cell in ("opened", f"opened-{part}") if each["age"] < DAYS else ():
            yield cell, source, manager, (1, 0, each["price"] or 0)
