"""The sales desk, as Django knows it."""

from django.apps import AppConfig


class SalesConfig(AppConfig):
    name = "sales"

    def ready(self) -> None:
        """Tell the owners' page of states what this app knows of itself."""
        from onai.ops.probes import BACKGROUND
        from sales import probes

        BACKGROUND.extend(probes.PROBES)
