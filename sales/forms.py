"""What a good student is: one definition for the page and for the API."""

import unicodedata
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from sales import passwords
from sales.intentions import NewStudent
from sales.models import StaffMember

_LONGEST_EMAIL = 254
_SHORTEST_NAME, _LONGEST_NAME = 2, 120
# Control characters, halves of characters, and what turns the direction of a text around.
_NOT_IN_A_NAME = ("Cc", "Cs", "Co")
_TURNING = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


class IdentityForm(forms.Form):
    """A student's e-mail and name."""

    email = forms.EmailField(
        label=_("Почта студента"),
        max_length=_LONGEST_EMAIL,
        widget=forms.EmailInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={
            "required": _("Укажите почту: на неё уйдут логин и пароль."),
            "invalid": _("Это не похоже на адрес почты. Пример: name@mail.kz"),
            "max_length": _("Адрес слишком длинный: поместится 254 символа."),
        },
    )
    full_name = forms.CharField(
        label=_("Имя и фамилия"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "words"}),
        error_messages={
            "required": _("Укажите имя студента."),
            "null_characters_not_allowed": _("В имени есть невидимые символы. Введите его заново."),
        },
    )

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if any(unicodedata.category(letter)[0] in "CZ" for letter in email) or '"' in email:
            raise ValidationError(self.fields["email"].error_messages["invalid"])
        return email

    def clean_full_name(self) -> str:
        name = " ".join(str(self.cleaned_data["full_name"]).split())
        if any(unicodedata.category(one) in _NOT_IN_A_NAME or one in _TURNING for one in name):
            raise ValidationError(_("В имени есть невидимые символы. Введите его заново."))
        if sum(unicodedata.category(one) != "Cf" for one in name) < _SHORTEST_NAME:
            raise ValidationError(_("Имя слишком короткое: нужно хотя бы 2 символа."))
        if len(name) > _LONGEST_NAME:
            raise ValidationError(_("Имя слишком длинное: поместится 120 символов."))
        return name


class PasswordForm(forms.Form):
    """A student's password."""

    # Of whom it is, where the form does not ask for the e-mail.
    known_email = ""

    password = forms.CharField(
        label=_("Пароль"),
        strip=False,
        # In plain sight: it is chosen for somebody else, and may be hidden by a button.
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "autocorrect": "off",
                "spellcheck": "false",
            }
        ),
        help_text=_("Можно оставить этот или вписать свой: от 8 символов."),
        error_messages={
            "required": _("Укажите пароль или возьмите предложенный."),
            "null_characters_not_allowed": _(
                "В пароле есть невидимые символы. Введите его заново."
            ),
        },
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "password" in cleaned:
            try:
                passwords.check(cleaned["password"], email=cleaned.get("email", self.known_email))
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class StudentForm(IdentityForm, PasswordForm):
    """A student to be. `manager_id` and `adopt` may be left out."""

    field_order = ("email", "full_name", "password")

    manager_id = forms.UUIDField(
        label=_("Менеджер"),
        required=False,
        widget=forms.Select,
        error_messages={"invalid": _("Такого менеджера нет.")},
    )
    adopt = forms.BooleanField(required=False)

    def offer_managers(self, staff: Sequence[StaffMember], *, myself: UUID) -> None:
        """The staff members an admin may choose from."""
        choices = [(str(one.user_id), one.name) for one in staff if one.user_id != myself]
        chosen = str(self["manager_id"].value() or "")
        if chosen and chosen not in dict(choices):
            # Also when nobody can list them just now: whom one chose must not become oneself.
            choices.append((chosen, str(_("Выбранный раньше"))))
        self.fields["manager_id"].widget = forms.Select(choices=[("", _("Я")), *choices])

    @property
    def new_student(self) -> NewStudent:
        """The student of a valid form."""
        return NewStudent(
            email=self.cleaned_data["email"],
            full_name=self.cleaned_data["full_name"],
            password=self.cleaned_data["password"],
        )
