"""The app's label; Django's own `auth` has the short one."""

from django.apps import AppConfig


class LocalAuthConfig(AppConfig):
    name = "onai.local.auth"
    label = "local_auth"
