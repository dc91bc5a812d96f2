"""What a person types to get a new password, and the password itself."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from onai.contacts import emails
from onai.identity import passwords


class ForgotForm(forms.Form):
    email = forms.CharField(
        label=_("Почта"),
        widget=forms.EmailInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        ),
        error_messages={
            "required": _("Укажите почту."),
            "null_characters_not_allowed": _("Это не похоже на адрес почты. Пример: name@mail.kz"),
        },
    )

    def clean_email(self) -> str:
        return emails.clean(str(self.cleaned_data["email"]))


class OwnPasswordForm(forms.Form):
    """A new password, typed twice. `email` is the account's."""

    def __init__(self, *args: Any, email: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.email = email
        self.fields["password"].help_text = _("От %(shortest)s символов.") % {
            "shortest": passwords.shortest()
        }

    password = forms.CharField(
        label=_("Новый пароль"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "autofocus": True}),
        error_messages={
            "required": _("Укажите новый пароль."),
            "null_characters_not_allowed": _(
                "В пароле есть невидимые символы. Введите его заново."
            ),
        },
    )
    again = forms.CharField(
        label=_("Ещё раз"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={
            "required": _("Повторите пароль."),
            "null_characters_not_allowed": _(
                "В пароле есть невидимые символы. Введите его заново."
            ),
        },
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        password, again = cleaned.get("password"), cleaned.get("again")
        if password and again and password != again:
            self.add_error("again", ValidationError(_("Пароли не совпали. Введите оба заново.")))
        elif password:
            try:
                passwords.check(password, email=self.email, is_checked_again=True)
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned
