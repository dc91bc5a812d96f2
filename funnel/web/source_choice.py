"""Choosing sources in an address: `?source=TF4&source=`, where an empty one means without any."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from onai.web.address_form import AddressForm

MOST_SOURCES = 50
_LONGEST_SOURCE = 500


class SourcesField(forms.Field):
    """The sources of an address, exactly as the landing pages wrote them, each once."""

    widget = forms.MultipleHiddenInput
    default_error_messages = {
        "unfit": _("Источников не больше %(most)s, и каждый — обычный текст."),
    }

    def __init__(self) -> None:
        super().__init__(label=_("Источники"), required=False)

    def clean(self, value: Any) -> tuple[str, ...]:
        sources: list[str] = value or []
        unfit = any("\0" in source or len(source) > _LONGEST_SOURCE for source in sources)
        if unfit or len(sources) > MOST_SOURCES:
            message = self.error_messages["unfit"]
            raise forms.ValidationError(message, "unfit", params={"most": MOST_SOURCES})
        return tuple(dict.fromkeys(sources))


class SourcesForm(AddressForm):
    """Of which sources; none told means any. `sources` are those one is offered to choose from."""

    parameters = {
        "source": "only these sources, exactly as written, up to 50; empty for leads without one"
    }

    source = SourcesField()

    def __init__(self, query: QueryDict, *, sources: Iterable[str] = ()) -> None:
        super().__init__(query)
        self._offered = tuple(sources)

    @property
    def chosen_sources(self) -> tuple[str, ...]:
        """The sources of the address; none where it says nothing or nonsense."""
        self.is_valid()
        chosen: tuple[str, ...] = self.cleaned_data.get("source", ())
        return chosen

    @property
    def source_choices(self) -> list[str]:
        """Those that were chosen stay to be chosen, also where none of their leads is left."""
        return list(dict.fromkeys([*self._offered, *self.chosen_sources]))
