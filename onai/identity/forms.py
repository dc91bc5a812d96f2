"""What a person types to sign in."""

from django import forms
from django.utils.translation import gettext_lazy as _


class SignInForm(forms.Form):
    email = forms.EmailField(
        label=_("Почта"),
        max_length=254,
        widget=forms.EmailInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        ),
        error_messages={
            "required": _("Укажите почту."),
            "invalid": _("Это не похоже на адрес почты. Пример: name@onai.kz"),
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
        return str(self.cleaned_data["email"]).lower()
