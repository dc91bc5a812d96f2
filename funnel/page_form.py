"""What an address says of the funnel's page: the question, and how the sources are listed."""

from django import forms
from django.utils.translation import gettext_lazy as _

from funnel.question import QuestionForm
from funnel.sources import SourceOrder


class PageForm(QuestionForm):
    """`?sort=leads&q=…` beside the question. Files and API take the order, and list all sources."""

    sort = forms.ChoiceField(
        choices=[(order.value, order.value) for order in SourceOrder],
        required=False,
        error_messages={
            "invalid_choice": _(
                "Источники можно расположить по sort=purchases, leads, conversion или name."
            )
        },
    )
    q = forms.CharField(
        max_length=100,
        required=False,
        error_messages={"max_length": _("Искать источник можно не длиннее 100 знаков.")},
    )

    @property
    def order(self) -> SourceOrder:
        """The order of the sources; by purchases where the address says nothing or nonsense."""
        self.is_valid()
        return SourceOrder(self.cleaned_data.get("sort") or SourceOrder.PURCHASES)

    @property
    def search(self) -> str:
        """What the sources to show contain; empty for all."""
        self.is_valid()
        return str(self.cleaned_data.get("q") or "")
