"""The cells of the page of money: ONE definition of each, for its figures and for its list.

A person (`sales_buyers`) counts in a stage on the day their signal was first seen, an access on the
day it was opened. What became of them is as of now, whenever it happened. A signal that has
disappeared from Landing does not count.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Stage(StrEnum):
    """The stages, in order. The first three are of persons, the last of students."""

    CLICKED = "clicked"
    CHOSE = "chose"
    WON = "won"
    OPENED = "opened"

    @property
    def is_of_persons(self) -> bool:
        return self is not Stage.OPENED


_TITLES = {
    Stage.CLICKED: _("Перешли по ссылке"),
    Stage.CHOSE: _("Выбрали, как платить"),
    Stage.WON: _("Сделка выиграна в CRM"),
    Stage.OPENED: _("Доступ открыт"),
}


class CellId(StrEnum):
    """The cells, each by its word in an address. The parts of a stage follow it."""

    CLICKED = "clicked"
    CLICKED_ACCESS = "clicked-access"
    CLICKED_CLOSED = "clicked-closed"
    CLICKED_WAITING = "clicked-waiting"
    CHOSE = "chose"
    CHOSE_WON = "chose-won"
    CHOSE_NOT_WON = "chose-not-won"
    CHOSE_ACCESS = "chose-access"
    CHOSE_CLOSED = "chose-closed"
    CHOSE_WAITING = "chose-waiting"
    WON = "won"
    WON_ACCESS = "won-access"
    WON_CLOSED = "won-closed"
    WON_WAITING = "won-waiting"
    WON_DIFFERS = "won-differs"
    OPENED = "opened"
    OPENED_WON = "opened-won"
    OPENED_PAID = "opened-paid"
    OPENED_EXPLAINED = "opened-explained"
    OPENED_NO_PAYMENT = "opened-no-payment"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: `condition` is SQL over the columns of `sales.money.statements`.

    `short` follows the number within its stage, `title` heads the list. `is_gap` marks what the two
    halves do not agree on.
    """

    stage: Stage
    condition: str
    short: str | Promise
    title: str | Promise
    is_gap: bool = False


def _stage(stage: Stage) -> Cell:
    return Cell(stage, stage.value, _TITLES[stage], _TITLES[stage])


_WITH_ACCESS, _CLOSED, _WAITING = "has_access", "is_closed", "not has_access and not is_closed"

CELLS: dict[CellId, Cell] = {
    CellId.CLICKED: _stage(Stage.CLICKED),
    CellId.CLICKED_ACCESS: Cell(
        Stage.CLICKED,
        _WITH_ACCESS,
        _("с доступом"),
        _("Перешли по ссылке, доступ открыт"),
    ),
    CellId.CLICKED_CLOSED: Cell(
        Stage.CLICKED,
        f"not {_WITH_ACCESS} and {_CLOSED}",
        _("закрыты без доступа"),
        _("Перешли по ссылке, закрыты в очереди без доступа"),
    ),
    CellId.CLICKED_WAITING: Cell(
        Stage.CLICKED,
        _WAITING,
        _("без доступа"),
        _("Перешли по ссылке, доступа нет"),
    ),
    CellId.CHOSE: _stage(Stage.CHOSE),
    CellId.CHOSE_WON: Cell(
        Stage.CHOSE,
        "is_won",
        _("сделка выиграна"),
        _("Выбрали, как платить, сделка выиграна"),
    ),
    CellId.CHOSE_NOT_WON: Cell(
        Stage.CHOSE,
        "not is_won",
        _("сделки нет"),
        _("Выбрали, как платить, выигранной сделки нет"),
        is_gap=True,
    ),
    CellId.CHOSE_ACCESS: Cell(
        Stage.CHOSE,
        _WITH_ACCESS,
        _("с доступом"),
        _("Выбрали, как платить, доступ открыт"),
    ),
    CellId.CHOSE_CLOSED: Cell(
        Stage.CHOSE,
        f"not {_WITH_ACCESS} and {_CLOSED}",
        _("закрыты без доступа"),
        _("Выбрали, как платить, закрыты в очереди без доступа"),
    ),
    CellId.CHOSE_WAITING: Cell(
        Stage.CHOSE,
        _WAITING,
        _("без доступа"),
        _("Выбрали, как платить, доступа нет"),
    ),
    CellId.WON: _stage(Stage.WON),
    CellId.WON_ACCESS: Cell(
        Stage.WON,
        _WITH_ACCESS,
        _("с доступом"),
        _("Сделка выиграна, доступ открыт"),
    ),
    CellId.WON_CLOSED: Cell(
        Stage.WON,
        f"not {_WITH_ACCESS} and {_CLOSED}",
        _("закрыты без доступа"),
        _("Сделка выиграна, закрыты в очереди без доступа"),
    ),
    CellId.WON_WAITING: Cell(
        Stage.WON,
        _WAITING,
        _("без доступа"),
        _("Сделка выиграна, доступа нет"),
        is_gap=True,
    ),
    CellId.WON_DIFFERS: Cell(
        Stage.WON,
        f"{_WITH_ACCESS} and differs",
        _("цена доступа другая"),
        _("Сумма сделки и цена доступа различаются"),
        is_gap=True,
    ),
    CellId.OPENED: _stage(Stage.OPENED),
    CellId.OPENED_WON: Cell(
        Stage.OPENED,
        "is_won",
        _("сделка выиграна"),
        _("Доступ открыт, сделка выиграна"),
    ),
    CellId.OPENED_PAID: Cell(
        Stage.OPENED,
        "is_paid and not is_won",
        _("оплату видно, сделки нет"),
        _("Доступ открыт, оплату видно, выигранной сделки нет"),
    ),
    CellId.OPENED_EXPLAINED: Cell(
        Stage.OPENED,
        "is_explained",
        _("без оплаты, причина записана"),
        _("Доступ открыт без оплаты, причина записана"),
    ),
    CellId.OPENED_NO_PAYMENT: Cell(
        Stage.OPENED,
        "not is_paid and not is_explained",
        _("оплаты не видно"),
        _("Доступ открыт, оплаты не видно"),
        is_gap=True,
    ),
}


def cells_of(stage: Stage) -> list[CellId]:
    """The cells of a stage: the stage itself, then its parts."""
    return [one for one, cell in CELLS.items() if cell.stage is stage]


def is_whole(cell: CellId) -> bool:
    """Whether the cell is a whole stage."""
    return cell.value in set(Stage)
