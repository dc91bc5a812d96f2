"""The funnel as a Django app."""

from django.apps import AppConfig


class FunnelConfig(AppConfig):
    name = "funnel"

    def ready(self) -> None:
        """Register the funnel's probes of `/status`."""
        from funnel.landing import index_advice, optional_tables, visibility
        from funnel.signals import probes
        from onai.ops.probes import BACKGROUND

        BACKGROUND.extend(
            (visibility.PROBE, optional_tables.PROBE, index_advice.PROBE, *probes.PROBES)
        )
