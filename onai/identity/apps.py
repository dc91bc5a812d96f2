"""Identity as a Django app: it owns the register of staff, in the database Tripwire."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "onai.identity"
    label = "identity"
