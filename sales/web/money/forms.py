"""What the pages of money take from an address beside the funnel's question."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from funnel.web.forms import QuestionForm
from onai.web.paging import NumberedForm, PagedForm
from sales.cabinet.statistics import NOBODY
from sales.money.cells import CellId
from sales.money.figures import Rows
from sales.money.statements import Narrowing
from sales.money.time_to_access import Split

_NO_MANAGER = "none"


class MoneyForm(NumberedForm, QuestionForm):
    """`?rows=manager&page=2` beside the question."""

    parameters = QuestionForm.parameters | {
        "rows": "what a row of `rows` is of: a source (the default) or a manager",
        "page": "of the page alone",
    }

    rows = forms.ChoiceField(
        choices=[(one.value, one.value) for one in Rows],
        required=False,
        error_messages={
            "invalid_choice": _("Строки бывают по источникам (source) или по менеджерам (manager).")
        },
    )

    @property
    def row_kind(self) -> Rows:
        """What the rows are of; sources where the address has nothing or nonsense."""
        self.is_valid()
        return Rows(self.cleaned_data.get("rows") or Rows.SOURCE)


class SplitForm(NumberedForm, QuestionForm):
    """`?rows=hour&page=2` beside the question."""

    rows = forms.ChoiceField(choices=[(one.value, one.value) for one in Split], required=False)

    @property
    def split(self) -> Split:
        """What the times are shown by; sources where the address has nothing or nonsense."""
        self.is_valid()
        return Split(self.cleaned_data.get("rows") or Split.SOURCE)


class CellForm(PagedForm, QuestionForm):
    """`?cell=won-waiting&manager=…&unmatched=1` beside the question."""

    cell = forms.ChoiceField(
        choices=[(one.value, one.value) for one in CellId],
        required=False,
        error_messages={"invalid_choice": _("Такого списка нет.")},
    )
    manager = forms.CharField(required=False, max_length=36)
    unmatched = forms.ChoiceField(
        choices=[("", ""), ("1", "1")],
        required=False,
        error_messages={"invalid_choice": _("Укажите 1 или ничего.")},
    )

    def clean_manager(self) -> Any:
        told = self.cleaned_data["manager"]
        if told in ("", _NO_MANAGER):
            return NOBODY if told else None
        try:
            return UUID(told)
        except ValueError as error:
            raise forms.ValidationError(_("Такого менеджера нет.")) from error

    @property
    def cell_id(self) -> CellId:
        """The cell; that of won deals without access where the address has none or nonsense."""
        self.is_valid()
        return CellId(self.cleaned_data.get("cell") or CellId.WON_WAITING)

    @property
    def whose(self) -> Narrowing:
        """The sources or the manager of the address."""
        self.is_valid()
        chosen = self.cleaned_data
        return Narrowing(
            sources=chosen.get("source") or (),
            not_matched=bool(chosen.get("unmatched")),
            manager_id=chosen.get("manager"),
        )


def manager_in_address(manager_id: UUID | None) -> str:
    """A manager as `CellForm` reads one."""
    return str(manager_id) if manager_id else _NO_MANAGER
