"""The app's label."""

from django.apps import AppConfig


class LocalMailConfig(AppConfig):
    name = "onai.local.mail"
    label = "local_mail"
