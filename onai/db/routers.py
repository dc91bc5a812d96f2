"""Sends each app's models to the database that `DATABASE_OF_APP` names, and parts the databases."""

from typing import Any

from django.conf import settings
from django.db.models import Model


class AppRouter:
    """A model of an app that is not named has no database, and fails loudly."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return _database_of(model._meta.app_label)

    db_for_write = db_for_read

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        databases = {_database_of(side._meta.app_label) for side in (one, other)}
        return len(databases) == 1 and None not in databases

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        if db == "landing" and not settings.LANDING_TABLES_ARE_OURS:
            # In production the landing pages' own software owns the schema.
            return False
        return _database_of(app_label) == db


def _database_of(app_label: str) -> str | None:
    databases: dict[str, str] = settings.DATABASE_OF_APP
    return databases.get(app_label)
