"""The funnel, as Django knows it."""

from django.apps import AppConfig


class FunnelConfig(AppConfig):
    name = "funnel"

    def ready(self) -> None:
        """Tell the owners' page of states what this app knows of itself."""
        from funnel.landing import index_advice, visibility
        from onai.ops.probes import BACKGROUND

        BACKGROUND.extend((visibility.PROBE, index_advice.PROBE))
