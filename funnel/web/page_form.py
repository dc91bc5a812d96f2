"""Parameters beside the question: the order and search of pages, and the topics of the API."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from funnel.question import QuestionForm
from funnel.report.answers import Topic
from funnel.report.sources import SourceOrder
from funnel.report.utm import Mark
from funnel.web.picture import Metric
from onai.web.paging import NumberedForm


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
        """The order of the sources; by purchases where the address has none or an invalid one."""
        self.is_valid()
        return SourceOrder(self.cleaned_data.get("sort") or SourceOrder.PURCHASES)

    @property
    def search(self) -> str:
        """The text that the shown sources contain; empty for all."""
        self.is_valid()
        return str(self.cleaned_data.get("q") or "")


class TableForm(NumberedForm, PageForm):
    """`?page=2`, and what to show: `?metric=revenue`, `?mark=medium`, `?rows=time`."""

    metric = forms.ChoiceField(choices=[(one.value, one.value) for one in Metric], required=False)
    mark = forms.ChoiceField(choices=[(one.value, one.value) for one in Mark], required=False)
    rows = forms.ChoiceField(choices=[("source", ""), ("time", "")], required=False)

    def chosen_or(self, name: str, default: str) -> str:
        """The value in the address; the default where it is missing or invalid."""
        self.is_valid()
        return str(self.cleaned_data.get(name) or default)


class IncludeField(forms.CharField):
    """`sources,overTime`: what the API tells beside the report; everything where it is empty."""

    def clean(self, value: Any) -> tuple[Topic, ...]:
        names = [name.strip() for name in super().clean(value).split(",") if name.strip()]
        if not set(names) <= set(Topic):
            message = _("Включить в ответ можно: %(known)s — через запятую.")
            raise forms.ValidationError(message, "unknown", params={"known": ", ".join(Topic)})
        return tuple(topic for topic in Topic if topic in names or not names)


class ApiForm(PageForm):
    """`?include=sources,overTime` beside what the pages take."""

    parameters = PageForm.parameters | {
        "include": "what is told beside the report, of `funnel`, `sources`, `overTime`,"
        " `timeToBuy`, `utm` and `path`, separated by commas; everything by default",
    }

    include = IncludeField(required=False)

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The requested topics beside the report."""
        self.is_valid()
        topics: tuple[Topic, ...] = self.cleaned_data.get("include") or tuple(Topic)
        return topics
