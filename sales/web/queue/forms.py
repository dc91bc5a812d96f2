"""The forms of the queue: the filter, the reason of a closing, a purchase added by hand."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from onai.contacts import emails, names, phones
from onai.web.paging import PagedForm
from sales.handoff.line_acts import Report
from sales.handoff.queue import LineState
from sales.models import ClosingReason
from sales.web.cabinet.forms import ListForm

_REASONS = [(one.value, one.label) for one in ClosingReason if one != ClosingReason.ACCESS]
_LONGEST_NOTE = 500


class QueueForm(PagedForm):
    """The filter of the queue: lines of one state, or all open ones."""

    parameters = {
        **PagedForm.parameters,
        "state": "only lines that wait, that somebody has claimed, or that are closed",
    }

    state = forms.ChoiceField(
        required=False,
        choices=[(one.value, one.value) for one in LineState],
        error_messages={"invalid_choice": _("Такого состояния нет.")},
    )

    @property
    def line_state(self) -> LineState | None:
        """The state in the address; None, for all open lines, where it is missing or invalid."""
        self.is_valid()
        state = self.cleaned_data.get("state")
        return LineState(state) if state else None


class ClosingForm(forms.Form):
    """Why a line is closed without an access."""

    reason = forms.ChoiceField(
        label=_("Почему закрываем"),
        template_name="sales/radio_field.html",  # type: ignore[call-arg]
        choices=_REASONS,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Выберите причину."),
            "invalid_choice": _("Такой причины нет. Выберите из списка."),
        },
    )
    note = forms.CharField(
        label=_("Заметка (необязательно)"),
        required=False,
        max_length=_LONGEST_NOTE,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"max_length": _("Слишком длинно: поместится 500 символов.")},
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("reason") == ClosingReason.OTHER and not cleaned.get("note"):
            self.add_error("note", _("Напишите в двух словах почему."))
        return cleaned


class ReportForm(forms.Form):
    """A person who paid, and whom no data show."""

    name = forms.CharField(
        label=_("Имя"), widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Укажите имя.")},
    )  # fmt: skip
    phone = forms.CharField(
        label=_("Телефон"),
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    email = forms.CharField(
        label=_("Почта"),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )

    def clean_name(self) -> str:
        return names.clean(str(self.cleaned_data["name"]))

    def clean_phone(self) -> str:
        return phones.clean(str(self.cleaned_data["phone"])) or ""

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        return emails.clean(email) if email else ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not (cleaned.get("phone") or cleaned.get("email")):
            self.add_error("phone", _("Укажите телефон или почту."))
        return cleaned

    @property
    def report(self) -> Report:
        values = self.cleaned_data
        return Report(values["name"], values["phone"], values["email"])


class NoPaymentForm(ListForm):
    """Whose students without a known purchase are listed; `manager` is for admins."""

    more_managers = ()


class FindForm(forms.Form):
    """A whole phone or e-mail, or the name of somebody in the queue."""

    who = forms.CharField(
        label=_("Телефон, почта или имя"),
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        error_messages={
            "max_length": _("Слишком длинно: впишите телефон, почту или имя."),
            "null_characters_not_allowed": _("Впишите телефон, почту или имя."),
        },
    )


class ReasonForm(forms.Form):
    """Why an access has no purchase."""

    reason = forms.CharField(
        label=_("Почему доступ без оплаты"),
        max_length=_LONGEST_NOTE,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": _("Напишите причину: подарок, другая почта, оплата наличными…"),
            "max_length": _("Слишком длинно: поместится 500 символов."),
        },
    )
