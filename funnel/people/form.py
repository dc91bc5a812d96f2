"""The list of people that an address asks for."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from funnel.people.listing import PeopleFilter
from funnel.stages import FIRST_STAGES, STAGES, StageId
from funnel.web.source_choice import SourcesForm
from onai.periods import Period
from onai.web.paging import NumberedForm, PagedForm


class PeopleForm(PagedForm, SourcesForm):
    """`?step=payment&lost=1&source=…&source=…&q=…&after=…`; an empty source means without one."""

    parameters = {
        **SourcesForm.parameters,
        **PagedForm.parameters,
        "step": "the step that they are in: of the report, each counted by itself, or of the path"
        " of those who took the test and passed every step before; `payment` by default",
        "lost": "those who are in the step before and not in this one",
        "q": "words, each of which is in the name, the e-mail or the phone",
    }

    step = forms.ChoiceField(
        label=_("Шаг"),
        required=False,
        choices=[(stage.id.value, stage.title) for stage in STAGES.values()],
        error_messages={"invalid_choice": _("Такого шага нет. Выберите из списка.")},
    )
    lost = forms.ChoiceField(
        label=_("Кого показать"),
        required=False,
        choices=[("", _("кто дошёл")), ("1", _("кто потерян"))],
        error_messages={"invalid_choice": _("Укажите 1 или ничего.")},
    )
    q = forms.CharField(
        label=_("Имя, телефон или почта"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocapitalize": "none"}),
    )

    def clean_q(self) -> str:
        return " ".join(self.cleaned_data["q"].split())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("lost") and cleaned.get("step") in FIRST_STAGES:
            self.add_error("lost", _("До первого шага терять некого."))
        return cleaned

    def wanted(self, period: Period) -> PeopleFilter:
        """The filter of the address; an invalid value filters nothing."""
        self.is_valid()
        chosen = self.cleaned_data
        return PeopleFilter(
            period=period,
            step=StageId(chosen.get("step") or StageId.PAYMENT),
            lost=bool(chosen.get("lost")),
            sources=self.chosen_sources,
            text=chosen.get("q") or "",
        )


class DuplicatesForm(NumberedForm, SourcesForm):
    """`?source=…&source=…&page=2`."""

    parameters = {**SourcesForm.parameters, **NumberedForm.parameters}
