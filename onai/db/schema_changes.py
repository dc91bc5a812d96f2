"""Changes a table while others write to it: no statement waits long for its lock.

Whoever waits for a table's exclusive lock delays everybody who comes after. So a wait ends after
`LOCK_TIMEOUT_MS` and is repeated. A slow step (an index, the check of a constraint) must be a
statement that lets others write.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg.errors
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import OperationalError, connections, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

logger = logging.getLogger(__name__)

LOCK_TIMEOUT_MS = 1_500
_ATTEMPTS = 10
_PAUSE_SECONDS = 1.0


def execute(alias: str, statement: str) -> None:
    """Run one statement of DDL, in a transaction of its own unless it is CONCURRENTLY.

    Raises Django's database errors, `OperationalError` where others keep the table locked.
    """
    if " concurrently " in statement.lower():
        # It waits for running transactions and delays nobody meanwhile.
        with connections[alias].cursor() as cursor:
            cursor.execute(statement)
        return
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
                cursor.execute(f"set local lock_timeout = {LOCK_TIMEOUT_MS}")
                cursor.execute(statement)
        except OperationalError as error:
            locked = isinstance(error.__cause__, psycopg.errors.LockNotAvailable)
            if not locked or attempt == _ATTEMPTS:
                raise
            logger.warning("table_is_locked", extra={"attempt": attempt})
            time.sleep(_PAUSE_SECONDS)
        else:
            return


@contextmanager
def warnings(alias: str) -> Iterator[list[str]]:
    """Collects the database's warnings; a `revoke` without the right is a warning, not an error."""
    connections[alias].ensure_connection()
    connection: psycopg.Connection[Any] = connections[alias].connection
    said: list[str] = []

    def listen(notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            said.append(notice.message_primary or "")

    connection.add_notice_handler(listen)
    try:
        yield said
    finally:
        connection.remove_notice_handler(listen)


class EnsureIndex(AddIndexConcurrently):
    """Builds an index of a model while others write, unless it exists; an unfinished one is
    replaced.

    For migrations that are not atomic.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        if not _is_whole(schema_editor, self.index.name):
            super().database_forwards(app_label, schema_editor, from_state, to_state)


def _is_whole(schema_editor: BaseDatabaseSchemaEditor, index: str) -> bool:
    """Whether the index exists and is valid. The remains of an interrupted build are dropped."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "select indisvalid from pg_index where indexrelid = to_regclass(%s)",
            [schema_editor.quote_name(index)],
        )
        found = cursor.fetchone()
    if found is not None and not found[0]:
        schema_editor.execute(f"drop index concurrently {schema_editor.quote_name(index)}")
    return found is not None and bool(found[0])
