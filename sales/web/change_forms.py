"""The forms by which a student is changed."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundWidget
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from onai.contacts import emails
from onai.identity import passwords
from onai.identity.models import StaffMember
from onai.identity.roles import Identity
from sales.letters import addresses
from sales.models import Student, StudentStatus
from sales.provisioning.change_student import (
    Correction,
    Deletion,
    Handover,
    NewPassword,
    NewStatus,
)
from sales.staff import distinct_names, manager_named
from sales.web.forms import IdentityForm, PasswordForm

_MEANINGS: dict[str, Promise] = {
    StudentStatus.ACTIVE: _("доступ открыт"),
    StudentStatus.INACTIVE: _("не учится, войти может"),
    StudentStatus.COMPLETED: _("курс пройден до конца, войти может"),
    StudentStatus.BLOCKED: _("не сможет войти; на всех устройствах выйдет сразу"),
}


class StatusForm(forms.Form):
    """Another status. Blocking needs a confirmation."""

    status = forms.ChoiceField(
        label=_("Статус"),
        choices=StudentStatus,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Выберите статус."),
            "invalid_choice": _("Такого статуса нет. Выберите из списка."),
        },
    )
    sure = forms.BooleanField(label=_("Да, закрыть этому студенту доступ"), required=False)

    @property
    def choices(self) -> list[tuple[BoundWidget, Promise]]:
        """The button of each status, and what it means."""
        return [(button, _MEANINGS[button.data["value"]]) for button in self["status"]]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("status") == StudentStatus.BLOCKED and not cleaned.get("sure"):
            self.add_error("sure", _("Подтвердите: студент сразу потеряет доступ к курсу."))
        return cleaned

    def change(self, asker: Identity) -> NewStatus:
        return NewStatus(StudentStatus(self.cleaned_data["status"]))


class CorrectionForm(IdentityForm):
    """E-mail, name and phone, validated as for a new student unless they stay as they are."""

    def __init__(self, *args: Any, student: Student, **options: Any) -> None:
        super().__init__(*args, **options)
        self.known = {"email": student.email, "full_name": student.full_name}
        self.known_phone = student.phone
        for name, value in self.known.items():
            if self.is_bound and self.data.get(name) == value:
                # The predecessor accepted values that we refuse.
                self.fields[name].validators = []

    def clean_email(self) -> str:
        stays = self.cleaned_data["email"] == self.known["email"]
        return self.known["email"] if stays else super().clean_email()

    def clean_full_name(self) -> str:
        stays = self.cleaned_data["full_name"] == self.known["full_name"]
        return self.known["full_name"] if stays else super().clean_full_name()

    def clean_phone(self) -> str | None:
        # A form without the field says nothing about the phone.
        return super().clean_phone() if "phone" in self.data else self.known_phone

    def change(self, asker: Identity) -> Correction:
        values = self.cleaned_data
        return Correction(values["email"], values["full_name"], values["phone"])


class NewAddressForm(CorrectionForm):
    """Another address for a student whose letter did not arrive, with the password for a new one.

    `asks_about_list`: the mail service skips that address, so the form asks whether it still does.
    """

    asks_about_list = False

    despite_list = forms.BooleanField(
        label=_("Адрес верный, и в Resend его убрали из стоп-листа"), required=False
    )
    password = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, student: Student, **options: Any) -> None:
        super().__init__(*args, student=student, **options)
        del self.fields["full_name"], self.fields["phone"]
        self.fields["email"].label = _("Другая почта студента")

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        email, password = cleaned.get("email", ""), cleaned.get("password")
        self.asks_about_list = bool(email) and addresses.is_suppressed(email)
        if self.asks_about_list and not cleaned.get("despite_list"):
            self.add_error("email", _("На этот адрес письма не уходят: он в стоп-листе."))
        if password:
            try:
                passwords.check(password, email=email)
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned

    @sensitive_variables()
    def change(self, asker: Identity) -> Correction:
        email, password = self.cleaned_data["email"], self.cleaned_data["password"]
        return Correction(email, self.known["full_name"], self.known_phone, password or None)


class NewPasswordForm(PasswordForm):
    """A password, validated as for a new student."""

    def __init__(self, *args: Any, student: Student, **options: Any) -> None:
        super().__init__(*args, **options)
        self.known_email = student.email

    @sensitive_variables()
    def change(self, asker: Identity) -> NewPassword:
        return NewPassword(self.cleaned_data["password"])


class HandoverForm(forms.Form):
    """The new manager of a student."""

    manager_id = forms.ChoiceField(
        label=_("Новый менеджер"),
        error_messages={
            "required": _("Выберите менеджера."),
            "invalid_choice": _("Такого менеджера нет. Выберите из списка."),
        },
    )

    def __init__(self, *args: Any, staff: list[StaffMember], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["manager_id"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        names = distinct_names(staff)
        field.choices = [("", _("выберите")), *((str(one), name) for one, name in names.items())]

    def change(self, asker: Identity) -> Handover:
        return Handover(manager_named(asker, UUID(self.cleaned_data["manager_id"])))


class DeletionForm(forms.Form):
    """The confirmation of a deletion: the student's e-mail, typed."""

    email = forms.CharField(
        label=_("Почта студента, чтобы подтвердить"),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "inputmode": "email",
                "spellcheck": "false",
            }
        ),
        error_messages={"required": _("Впишите почту студента: так никого не удалить случайно.")},
    )

    def __init__(self, *args: Any, student: Student, **options: Any) -> None:
        super().__init__(*args, **options)
        self.expected = student.email.strip()

    def clean_email(self) -> str:
        typed = str(self.cleaned_data["email"])
        if self.expected.casefold() not in (typed.strip().casefold(), _one_spelling(typed)):
            raise ValidationError(_("Это другой адрес. Проверьте, того ли студента вы удаляете."))
        return typed

    def change(self, asker: Identity) -> Deletion:
        return Deletion()


def _one_spelling(address: str) -> str | None:
    try:
        return emails.clean(address)
    except ValidationError:
        return None


# `change(asker)` of each is the change of a valid form; it raises what `manager_named` raises.
ChangeForm = StatusForm | CorrectionForm | NewPasswordForm | HandoverForm | DeletionForm
