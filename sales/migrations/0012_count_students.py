"""The cabinet counts the students' own rows: the triggers, totals, search terms and indexes that it
once had beside them go, wherever they are. What remains is an index for each order of the list, and
one of `pg_trgm` for the search.

Each step finds out for itself what is left to do, so that an interrupted run can be taken up again.
"""

import datetime

import django.db.models.functions.comparison
import django.db.models.functions.text
from django.db import migrations, models

from onai.db import schema_changes
from onai.db.schema_changes import EnsureIndex
from sales.adoption import search

_EVENTS = ("insert", "update", "delete", "truncate")
_TERMS = "(text, text, uuid, text, boolean)"
_FORGOTTEN = (
    ";".join(f"drop trigger if exists sales_count_{event} on tripwire_users" for event in _EVENTS),
    ";".join(f"drop function if exists sales_count_{event}()" for event in _EVENTS),
    "drop table if exists sales_totals, sales_totals_monthly",
)
_INDEXES = (
    # The search's own, before their functions.
    *("tripwire_users_search", "tripwire_users_search_folded", "tripwire_users_search_plain"),
    *("tripwire_users_manager_newest", "tripwire_users_name", "tripwire_users_manager_name"),
    "tripwire_users_manager_active",
    *("tripwire_users_by_status", "tripwire_users_manager_status", "tripwire_users_no_letter"),
    *("students_status_name", "students_status_active", "students_manager_status_name"),
    *("students_manager_status_active", "students_unsent_name", "students_unsent_active"),
    *("students_manager_unsent", "students_manager_unsent_name", "students_manager_unsent_active"),
    *("sales_activity_log_by_manager", "sales_activity_log_action"),
    "sales_activity_log_manager_act",
)
_FUNCTIONS = ";".join(
    f"drop function if exists {function}"
    for function in (
        f"sales_search_terms{_TERMS}",
        f"sales_search_terms_plain{_TERMS}",
        f"sales_search_terms_folded{_TERMS}",
        "sales_letter_groups(text)",
    )
)


_LONG_PAST = models.Value(datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))
_ID = models.OrderBy(models.F('id'), descending=True)


def _newest(column):
    return models.OrderBy(django.db.models.functions.comparison.Coalesce(column, _LONG_PAST), descending=True)


def _forget(apps, schema_editor):
    alias = schema_editor.connection.alias
    for statement in _FORGOTTEN:
        schema_changes.execute(alias, statement)
    for index in _INDEXES:
        schema_changes.execute(alias, f"drop index concurrently if exists {index}")
    schema_changes.execute(alias, _FUNCTIONS)


def _index_search(apps, schema_editor):
    search.try_to_index()


class Migration(migrations.Migration):

    # An index that goes or comes while others write cannot be part of a transaction.
    atomic = False

    dependencies = [
        ('sales', '0011_student_requests'),
    ]

    operations = [
        migrations.RunPython(_forget, migrations.RunPython.noop),
        EnsureIndex(
            model_name='student',
            index=models.Index(_newest('created_at'), _ID, name='tripwire_users_newest'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(_newest('last_active_at'), _ID, name='tripwire_users_active'),
        ),
        EnsureIndex(
            model_name='student',
            index=models.Index(django.db.models.functions.text.Lower('full_name'), models.F('id'), name='students_by_name'),
        ),
        migrations.RunPython(_index_search, migrations.RunPython.noop),
    ]
