"""What a person types to sign in."""

from django import forms
from django.utils.translation import gettext_lazy as _

from onai.contacts import emails


class SignInForm(forms.Form):
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
    password = forms.CharField(
        label=_("Пароль"),
        strip=False,
        max_length=1_000,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Укажите пароль.")},
    )

    def clean_email(self) -> str:
        return emails.clean(str(self.cleaned_data["email"]))
