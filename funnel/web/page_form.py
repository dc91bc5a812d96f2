"""What an address says of the funnel's page: the question, and how the sources are listed."""

from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from funnel.report.question import QuestionForm
from funnel.report.sources import SourceOrder

# How one looks at the page, whatever it is about: the lists of persons keep it for the way back.
LOOK = ("compare", "count", "by", "sort")


def said(query: QueryDict, *names: str) -> list[tuple[str, str]]:
    """These parameters as they stand in an address; a source may be empty, the others not."""
    return [
        (name, value)
        for name in names
        for value in query.getlist(name)
        if value or name == "source"
    ]


def joined(query: str, told: list[tuple[str, str]]) -> str:
    """A query with more parameters behind it, if there are any."""
    return "&".join(filter(None, (query, urlencode(told))))


class PageForm(QuestionForm):
    """`?sort=leads&q=…` beside the question. Files and API take the order, and list all sources."""

    parameters = QuestionForm.parameters | {
        "sort": "the order of `sources`; by `conversion` is by the lower end of its interval, those"
        " of fewer than 10 leads last",
        "q": "of the page alone",
    }

    sort = forms.ChoiceField(
        choices=[(order.value, order.value) for order in SourceOrder],
        required=False,
        error_messages={
            "invalid_choice": _(
                "Источники можно расположить по покупкам (purchases), по лидам (leads),"
                " по конверсии (conversion) или по имени (name)."
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
