"""Where the stand-ins keep their tables: schemas of the Tripwire database."""

from typing import Any

from django.db.models import Model

_HOME_OF_APP = {"local_auth": "auth", "local_mail": "mailbox"}


class LocalRouter:
    """Routes the stand-ins' apps and their aliases; the product's router decides the rest."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return _HOME_OF_APP.get(model._meta.app_label)

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        return _HOME_OF_APP.get(model._meta.app_label)

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool | None:
        homes = {_HOME_OF_APP.get(side._meta.app_label) for side in (one, other)}
        return True if len(homes) == 1 and None not in homes else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        home = _HOME_OF_APP.get(app_label)
        return home == db if home or db in _HOME_OF_APP.values() else None
