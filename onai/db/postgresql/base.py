"""The backend module that Django loads from this package."""

from typing import Any

from django.db.backends.postgresql import base
from psycopg import IsolationLevel

from onai.db import bounded


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own wrapper, with our connections."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> bounded.Connection:
        self.isolation_level = IsolationLevel.READ_COMMITTED
        return bounded.connect(self.alias, conn_params, read_only=self.settings_dict["READ_ONLY"])
