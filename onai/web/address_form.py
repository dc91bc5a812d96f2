"""Forms over the query of an address. A contradictory parameter is an error, not a guess."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from onai.web.problems import Problem


class InvalidInput(Problem):
    status = 400
    code = "invalid_input"
    message = _("В запросе есть ошибки.")
    advice = _("Проверьте адрес.")


class AddressForm(forms.Form):
    """A form over the query of an address.

    A field that takes one value and is given several that differ is an error of that field; the
    same value again is not. `parameters` says in English what each means, for readers of the API.
    """

    parameters: ClassVar[Mapping[str, str]] = {}

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query)
        self._query = query

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name, field in self.fields.items():
            takes_several = isinstance(field.widget, forms.MultipleHiddenInput)
            if takes_several or name in self.errors:
                continue
            if len(set(self._query.getlist(name))) > 1:
                message = _now("«%(name)s» указано несколько раз и по-разному: оставьте одно.")
                self.add_error(name, message % {"name": name})
        return cleaned


def refuse_errors(*asked: forms.Form, refusal: type[InvalidInput] = InvalidInput) -> None:
    """Raise the refusal, with a sentence for each invalid field of the forms."""
    errors = {
        name: " ".join(map(str, texts)) for form in asked for name, texts in form.errors.items()
    }
    if errors:
        raise refusal(fields=errors)
