"""Validates a student's data: one definition for the pages and the API."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from onai.contacts import emails, names, phones
from onai.identity import passwords
from onai.identity.models import StaffMember
from onai.identity.roles import Identity
from sales.models import Buyer, Language, Student, StudentRequest
from sales.provisioning.create_student import NewStudent
from sales.staff import distinct_names, manager_named


class IdentityForm(forms.Form):
    """A student's e-mail, name and phone.

    An address that was probably mistyped is accepted once `confirm_email` says that it is meant;
    `asks_about_email` says that the form has to ask.
    """

    # The student's current values, which may stay.
    known: Mapping[str, str] = {}
    asks_about_email = False

    email = forms.CharField(
        label=_("Почта студента"),
        template_name="sales/email_field.html",  # type: ignore[call-arg]
        widget=forms.EmailInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={
            "required": _("Укажите почту: на неё уйдут логин и пароль."),
            "null_characters_not_allowed": _("Это не похоже на адрес почты. Пример: name@mail.kz"),
        },
    )
    confirm_email = forms.BooleanField(label=_("Да, адрес верный"), required=False)
    full_name = forms.CharField(
        label=_("Имя и фамилия"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "words"}),
        error_messages={
            "required": _("Укажите имя студента."),
            "null_characters_not_allowed": _("В имени есть невидимые символы. Введите его заново."),
        },
    )

    phone = forms.CharField(
        label=_("Телефон (необязательно)"),
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
        error_messages={
            "null_characters_not_allowed": _(
                "Это не похоже на номер телефона. Пример: 8 700 000 00 11"
            ),
        },
    )

    def clean_email(self) -> str:
        return emails.clean(str(self.cleaned_data["email"]))

    def clean_full_name(self) -> str:
        return names.clean(str(self.cleaned_data["full_name"]))

    def clean_phone(self) -> str | None:
        return phones.clean(str(self.cleaned_data["phone"]))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        email = cleaned.get("email")
        if email and email != self.known.get("email"):
            meant = emails.probably_meant(email)
            self.asks_about_email = meant is not None
            if meant and not cleaned.get("confirm_email"):
                ask = _("Может быть, %(meant)s? Если адрес верный, подтвердите это.")
                self.add_error("email", ValidationError(ask, "doubtful", {"meant": meant}))
        return cleaned


class PasswordForm(forms.Form):
    """A student's password."""

    # The student's e-mail, where the form does not ask for it.
    known_email = ""

    password = forms.CharField(
        label=_("Пароль"),
        template_name="sales/password_field.html",  # type: ignore[call-arg]
        strip=False,
        # Shown in plain text, because it is chosen for somebody else; a button hides it.
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "autocorrect": "off",
                "spellcheck": "false",
            }
        ),
        error_messages={
            "required": _("Укажите пароль или возьмите предложенный."),
            "null_characters_not_allowed": _(
                "В пароле есть невидимые символы. Введите его заново."
            ),
        },
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        wanted = passwords.in_suggestions()
        self.fields["password"].help_text = _(
            "Можно оставить этот или вписать свой: от %(shortest)s символов."
        ) % {"shortest": passwords.shortest()}
        # For the script, which suggests another one in the browser.
        self.fields["password"].widget.attrs |= {
            "data-shortest": wanted.shortest,
            "data-required": json.dumps(wanted.required),
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "password" in cleaned:
            try:
                passwords.check(cleaned["password"], email=cleaned.get("email", self.known_email))
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class StudentForm(IdentityForm, PasswordForm):
    """A new student. `manager_id` and `adopt` may be left out."""

    field_order = ("email", "confirm_email", "full_name", "phone", "password")
    offers_managers = False

    manager_id = forms.UUIDField(
        label=_("Менеджер"),
        required=False,
        widget=forms.Select,
        error_messages={"invalid": _("Такого менеджера нет.")},
    )
    language = forms.ChoiceField(
        label=_("Язык письма"),
        required=False,
        choices=Language.choices,
        initial=Language.RUSSIAN,
        error_messages={"invalid_choice": _("Письма бывают на русском, казахском и английском.")},
    )
    adopt = forms.BooleanField(required=False)
    # The buyer whose line in the queue the access closes.
    line = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def offer_managers(self, staff: Sequence[StaffMember], *, myself: UUID) -> None:
        """Offer the staff members that an admin may choose from."""
        self.offers_managers = True
        names = distinct_names(staff)
        choices = [(str(one), name) for one, name in names.items() if one != myself]
        chosen = str(self["manager_id"].value() or "")
        if chosen and chosen not in dict(choices):
            # Offered even while the staff cannot be listed, so that the chosen manager is kept.
            choices.append((chosen, str(_("Выбранный раньше"))))
        self.fields["manager_id"].widget = forms.Select(choices=[("", _("Я")), *choices])

    @property
    def typed_fields(self) -> list[forms.BoundField]:
        """The text fields in order. Check boxes are drawn beside their question."""
        return [
            self[name]
            for name, field in self.fields.items()
            if not isinstance(field, forms.BooleanField)
            and name != "line"
            and (name != "manager_id" or self.offers_managers)
        ]

    def new_student(self, asker: Identity) -> NewStudent:
        """The student of a valid form. Raises what `manager_named` raises."""
        language = self.cleaned_data["language"]
        return NewStudent(
            email=self.cleaned_data["email"],
            full_name=self.cleaned_data["full_name"],
            password=self.cleaned_data["password"],
            manager=manager_named(asker, self.cleaned_data["manager_id"]),
            adopt=self.cleaned_data["adopt"],
            phone=self.cleaned_data["phone"],
            buyer_id=self.cleaned_data["line"],
            language=None if language in ("", Language.RUSSIAN) else language,
        )


# --- What a form begins with --------------------------------------------------------------------


def of_student(student: Student) -> dict[str, str]:
    """The fields of `IdentityForm` as a student has them."""
    return _identity(student.email, student.full_name, student.phone)


def of_buyer(buyer: Buyer) -> dict[str, str]:
    """The fields of `StudentForm` as a buyer's newest lead has them, with the buyer's line."""
    return {**_identity(buyer.email, buyer.name, buyer.phone), "line": str(buyer.pk)}


def of_request(request: StudentRequest) -> dict[str, str]:
    """The fields of `StudentForm` as an earlier creation has them."""
    identity = _identity(request.email, request.full_name, request.new_phone)
    return {**identity, "line": str(request.buyer_id or "")}


def _identity(email: str, full_name: str, phone: str | None) -> dict[str, str]:
    return {"email": email, "full_name": full_name, "phone": phones.spelled(phone or "")}
