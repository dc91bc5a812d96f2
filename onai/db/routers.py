"""Which app lives in which database: the one place that decides it."""

from typing import Any

from django.conf import settings
from django.db.models import Model

HOME_OF_APP = {
    "funnel": "landing",
    "identity": "tripwire",
    "sales": "tripwire",
    "procrastinate": "tripwire",
}


class HomeRouter:
    """Sends each app's models to its own database, and keeps the two apart.

    A model of an app that is not named here fails loudly, because `default` is empty.
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return HOME_OF_APP.get(model._meta.app_label)

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        return HOME_OF_APP.get(model._meta.app_label)

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        homes = {HOME_OF_APP.get(side._meta.app_label) for side in (one, other)}
        return len(homes) == 1 and None not in homes

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        if db == "landing" and not settings.LANDING_TABLES_ARE_OURS:
            # In production the landing pages' own software owns the schema.
            return False
        return HOME_OF_APP.get(app_label) == db
