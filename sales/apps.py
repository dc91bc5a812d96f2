"""The sales desk, as Django knows it."""

from django.apps import AppConfig
from django.db.models.signals import pre_migrate


class SalesConfig(AppConfig):
    name = "sales"

    def ready(self) -> None:
        """Tell the owners' page of states what this app knows of itself; look before migrating."""
        from onai.ops.probes import BACKGROUND, DEPENDENCIES
        from sales import probes
        from sales.adoption.migrating import look_before_migrating

        DEPENDENCIES.append(probes.ACCOUNTS)
        BACKGROUND.extend(probes.PROBES)
        pre_migrate.connect(look_before_migrating, sender=self)
