"""What the page of money says: the sentence on top, a card for each stage, and the table."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.core.paginator import Paginator
from django.utils.formats import number_format
from django.utils.translation import gettext as _now
from django.utils.translation import ngettext

from funnel.report.sources import readable
from funnel.web.difference import Difference, compared_days
from funnel.web.rows import Cell as TableCell
from funnel.web.rows import Row as TableRow
from funnel.web.rows import Table
from onai.templatetags.russian import duration, tenge
from sales.money.cells import CELLS, CellId, Stage, cells_of, is_whole
from sales.money.figures import Amount, Key, Money, Row, Rows

_ROWS = 20
# The address of a cell's list, of all or of the source or manager of a row.
ListOf = Callable[[CellId], str]
RowListOf = Callable[[CellId, Key], str]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a stage: how many, what that is, and the address of its list."""

    count: str
    text: str
    money: str
    href: str
    is_gap: bool


@dataclass(frozen=True, slots=True)
class StageCard:
    """A stage: how many, the money, the change, and what became of them."""

    title: str
    count: str
    money: list[str]
    difference: Difference
    href: str
    parts: list[Part]


def sentence(money: Money) -> str:
    """What is missing most, or that nothing is."""
    total = money.total
    if money.question.period.is_to_come:
        return _now("Эти дни ещё не наступили.")
    if not any(total[CellId(stage.value)].count for stage in Stage):
        return _now("За эти дни не было ни переходов, ни сделок, ни доступов.")
    # Of equal numbers the first counts.
    worst = max((CellId.WON_WAITING, CellId.OPENED_NO_PAYMENT), key=lambda cell: total[cell].count)
    if not total[worst].count:
        worst = CellId.CHOSE_WAITING
    if not total[worst].count:
        return _now("Всё сходится: у каждой сделки есть доступ, у каждого доступа — оплата.")
    return _missing(worst, total[worst].count, money.longest_wait)


def _missing(cell: CellId, count: int, longest_wait: timedelta | None) -> str:
    told = {"count": number(count), "time": duration(longest_wait or timedelta())}
    match cell:
        case CellId.WON_WAITING if count == 1:
            text = _now("1 человек с выигранной сделкой без доступа, ждёт %(time)s.")
        case CellId.WON_WAITING:
            text = ngettext(
                "%(count)s человек с выигранной сделкой без доступа, дольше всех ждёт %(time)s.",
                "%(count)s человек с выигранной сделкой без доступа, дольше всех ждёт %(time)s.",
                count,
            )
        case CellId.OPENED_NO_PAYMENT:
            text = ngettext(
                "%(count)s доступ без видимой оплаты.",
                "%(count)s доступов без видимой оплаты.",
                count,
            )
        case _:
            text = ngettext(
                "%(count)s человек выбрал, как платить, но доступа нет.",
                "%(count)s человек выбрали, как платить, но доступа нет.",
                count,
            )
    return text % told


def cards(money: Money, list_of: ListOf) -> list[StageCard]:
    """A card for each stage."""
    return [_card(money, stage, list_of) for stage in Stage]


def _card(money: Money, stage: Stage, list_of: ListOf) -> StageCard:
    whole = CellId(stage.value)
    amount = money.total[whole]
    parts = [
        Part(
            count=number(part.count),
            text=str(CELLS[cell].short),
            money=_money_of(cell, part),
            href=list_of(cell),
            is_gap=CELLS[cell].is_gap,
        )
        for cell in cells_of(stage)
        if not is_whole(cell) and (part := money.total[cell]).count
    ]
    return StageCard(
        title=str(CELLS[whole].title),
        count=number(amount.count),
        money=_both_moneys(stage, amount),
        difference=_change(amount.count, money.before[whole].count, compared_days(money.question)),
        href=list_of(whole) if amount.count else "",
        parts=parts,
    )


def _both_moneys(stage: Stage, amount: Amount) -> list[str]:
    """What a stage's persons paid, by the CRM and by the prices of their accesses."""
    by_price = _now("%(money)s по ценам доступов") % {"money": tenge(amount.prices)}
    if not stage.is_of_persons:
        return [by_price]
    return [_now("%(money)s по сделкам") % {"money": tenge(amount.deals)}, by_price]


def _money_of(cell: CellId, amount: Amount) -> str:
    """The money in question beside a part of the won deals and of the accesses."""
    if CELLS[cell].stage is Stage.OPENED:
        return tenge(amount.prices) if amount.prices else ""
    if cell is CellId.WON_DIFFERS and amount.count:
        return _now("%(deals)s и %(prices)s") % {
            "deals": tenge(amount.deals),
            "prices": tenge(amount.prices),
        }
    return tenge(amount.deals) if CELLS[cell].stage is Stage.WON and amount.deals else ""


def _change(now: int, before: int, to: str) -> Difference:
    """The change in per cent. It is not tested, so it has no symbol."""
    if now == before:
        return Difference(_now("столько же"))
    if not before:
        return Difference(_now("раньше не было"))
    percent = round(100 * (now - before) / before)
    sign = "+" if percent > 0 else "\N{MINUS SIGN}"
    return Difference(f"{sign}{number(abs(percent))}\N{NO-BREAK SPACE}% {to}")


# --- By source, by manager ---------------------------------------------------------------------

_COLUMNS = (
    CellId.CLICKED,
    CellId.CHOSE,
    CellId.WON,
    CellId.OPENED,
    CellId.WON_WAITING,
    CellId.OPENED_NO_PAYMENT,
)


def table(
    rows: Iterable[Row], by: Rows, names: Mapping[UUID, str], list_of: RowListOf, page: int
) -> Table:
    """A page of the rows, each figure with its list."""
    titles = [
        _now("Менеджер") if by is Rows.MANAGER else _now("Источник"),
        _now("Перешли"),
        _now("Выбрали оплату"),
        _now("Сделки"),
        _now("Доступы"),
        _now("Сделка без доступа"),
        _now("Доступ без оплаты"),
    ]
    shown = Paginator(list(rows), _ROWS).get_page(page)
    drawn = [
        TableRow(
            name_of(row.key, by, names),
            tuple(
                (title, _cell(row, cell, list_of))
                for title, cell in zip(titles[1:], _COLUMNS, strict=True)
            ),
            note=row.key if isinstance(row.key, str) and readable(row.key) != row.key else "",
        )
        for row in shown
    ]
    return Table(titles, drawn, shown)


def name_of(key: Key, by: Rows, names: Mapping[UUID, str]) -> str:
    """A source or a manager by name."""
    if by is Rows.SOURCE:
        return readable(key) if isinstance(key, str) else _now("Заявка не найдена")
    return (names.get(key) if isinstance(key, UUID) else "") or _now("Без менеджера")


def _cell(row: Row, cell: CellId, list_of: RowListOf) -> TableCell:
    amount = row.cells[cell]
    money = {CellId.WON: amount.deals, CellId.OPENED: amount.prices}.get(cell, 0)
    return TableCell(
        number(amount.count),
        Difference(tenge(money)) if money else None,
        list_of(cell, row.key) if amount.count else "",
    )


def number(count: int) -> str:
    return number_format(count, force_grouping=True)


def purchases(count: int) -> str:
    """«30 покупок»."""
    return ngettext("%(count)s покупка", "%(count)s покупок", count) % {"count": number(count)}
