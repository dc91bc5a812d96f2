"""The sources in an address: `?source=TF4&source=`, where an empty one means without a source."""

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
    """The chosen sources; none means all. `sources` are those to choose from."""

    parameters = {
        "source": "only these sources, exactly as written, up to 50; empty for leads without one"
    }

    source = SourcesField()

    def __init__(self, query: QueryDict, *, sources: Iterable[str] = ()) -> None:
        super().__init__(query)
        self._offered = tuple(sources)

    @property
    def chosen_sources(self) -> tuple[str, ...]:
        """The sources of the address; none where it has none or invalid ones."""
        self.is_valid()
        chosen: tuple[str, ...] = self.cleaned_data.get("source", ())
        return chosen

    @property
    def source_choices(self) -> list[str]:
        """The sources to choose from; chosen ones stay, even where none of their leads is left."""
        return list(dict.fromkeys([*self._offered, *self.chosen_sources]))
