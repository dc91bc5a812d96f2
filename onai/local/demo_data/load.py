"""Puts the demo's rows into its two databases.

Rows of Landing are written anew at each start. Those of Tripwire are loaded once, because from then
on they belong to whoever tries the demo; later starts only date them anew.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import connections, models, transaction
from django.db.models.functions import Greatest
from django.utils import timezone
from procrastinate.contrib.django import app
from psycopg import sql
from psycopg.types.json import Jsonb

from onai import encryption
from onai.local.auth.accounts import hash_password, identify_by_email
from onai.local.auth.models import User
from onai.local.demo_data.accounts import PASSWORD, DemoAccount, demo_tripwire
from onai.local.demo_data.advertising import advertising_tables
from onai.local.demo_data.leads import demo_leads
from onai.local.demo_data.marks import landing_tables

Row = dict[str, Any]
# By the phone of the buyer: why a manager closed the line, and the note.
_CLOSED_LINES = (
    ("+77000000034", "refund", ""),
    ("+77000000036", "duplicate", "Доступ есть у сестры, учатся вместе"),
    ("+77000009901", "other", "Оплатили за двоих, второй доступ не нужен"),
)
# Nobody waits longer than three days: managers have called the others.
_CLOSE_LINES = """
update sales_buyers set waiting_since = null,
  closed_at = least(waiting_since + interval '1 day', now() - interval '2 hours'),
  closed_by = %(by)s, closed_name = %(name)s,
  closed_reason = %(reason)s, closed_note = %(note)s
where closed_at is null and waiting_since is not null and case
  when %(phone)s is null then waiting_since < now() - interval '3 days'
  else id in (select buyer_id from sales_buyer_contacts where phone_key = %(phone)s) end
"""
# A manager has just taken this one.
_CLAIM_LINE = """
update sales_buyers set claimed_by = %(by)s, claimed_name = %(name)s,
  claimed_until = now() + interval '25 minutes'
where waiting_since is not null and id in (
  select buyer_id from sales_buyer_contacts where phone_key = '+77000000032'
)
"""
# What `sales.letters` seals passwords for.
_LETTER, _CREATION, _SEALED_FOR = "welcome letter", "intended password", timedelta(days=1)
_FOR_GOOD = datetime(2126, 1, 1, tzinfo=UTC)


def load_landing() -> None:
    """The report stands on any day: everything is dated relative to now."""
    now = timezone.now()
    with transaction.atomic(using="landing"), connections["landing"].cursor() as cursor:
        # The trigger would say that every lead was changed just now.
        cursor.execute("set local session_replication_role = replica")
        tables = {"landing_leads": demo_leads(now), **landing_tables(now)}
        for table, rows in tables.items():
            _remove(cursor, table, rows)
            _insert("landing", cursor, table, rows)
        # Other days have other rows.
        cursor.execute("truncate traffic_stats, exchange_rates")
        for table, rows in advertising_tables(now).items():
            _insert("landing", cursor, table, rows)


def load_tripwire() -> None:
    """Load accounts, students and their letters, or date anew those that were loaded before."""
    demo = demo_tripwire(timezone.now())
    tables = {
        "tripwire_users": demo.students,
        "sales_activity_log": demo.activity,
        **demo.tables,
    }
    is_first = not apps.get_model("sales", "Student")._default_manager.exists()
    if is_first:
        password = hash_password(PASSWORD)
        with transaction.atomic(using="auth"):
            for account in demo.accounts:
                _create_account(account, password)
        for letter in demo.tables["sales_letters"]:
            if letter["created_at"] > timezone.now() - _SEALED_FOR:
                letter["sealed_password"] = encryption.seal(PASSWORD, purpose=_LETTER)
        for request in demo.tables["sales_requests"]:
            if request["kind"] == "creation" and request["state"] == "open":
                request["sealed_password"] = encryption.seal(PASSWORD, purpose=_CREATION)
    for account in demo.accounts:
        _date_account(account)
    with transaction.atomic(using="tripwire"), connections["tripwire"].cursor() as cursor:
        for table, rows in tables.items():
            if is_first:
                _insert("tripwire", cursor, table, rows)
            else:
                _date(cursor, table, rows)


def load_queue() -> None:
    """Have the worker's task join buyers and students, and close the lines that are settled."""
    app.tasks["sales.join_buyers"].func(0)
    manager = User.objects.get(email="ayaulym@onai.test")
    by = {"by": manager.pk, "name": (manager.raw_user_meta_data or {}).get("full_name", "")}
    with connections["tripwire"].cursor() as cursor:
        for phone, reason, note in (*_CLOSED_LINES, (None, "not_paid", "")):
            cursor.execute(_CLOSE_LINES, {**by, "phone": phone, "reason": reason, "note": note})
        cursor.execute(_CLAIM_LINE, by)


def _create_account(account: DemoAccount, password: str) -> None:
    user, _ = User.objects.update_or_create(
        pk=account.id,
        defaults={
            "email": account.email,
            "encrypted_password": password,
            "email_confirmed_at": account.created_at,
            "banned_until": _FOR_GOOD if account.is_banned else None,
            "raw_user_meta_data": {**account.metadata, "email_verified": True},
            "raw_app_meta_data": {
                "provider": "email",
                "providers": ["email"],
                "role": account.role,
            },
        },
    )
    identify_by_email(user, verified=False)


def _date_account(account: DemoAccount) -> None:
    """Give an account its past: Django stamps a new row with the present moment."""
    User.objects.filter(pk=account.id).update(
        created_at=account.created_at,
        # Whoever has signed in since the demo was loaded may have a later moment.
        last_sign_in_at=Greatest("last_sign_in_at", models.Value(account.last_sign_in_at)),
    )


def _insert(alias: str, cursor: Any, table: str, rows: list[Row]) -> None:
    """Insert rows; other columns get the defaults of the table, or of its model where there is one.

    Rows that are there stay as they are.
    """
    if not rows:
        return
    if model := _model(table):
        model._default_manager.using(alias).bulk_create(
            [model(**row) for row in rows], ignore_conflicts=True
        )
        return
    statement = sql.SQL("insert into {} ({}) values ({}) on conflict do nothing").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, rows[0])),
        sql.SQL(", ").join(sql.Placeholder() * len(rows[0])),
    )
    cursor.executemany(statement.as_string(), [list(_adapted(row)) for row in rows])


def _date(cursor: Any, table: str, rows: list[Row]) -> None:
    """Update the moments of the rows that are still there."""
    name = sql.Identifier(table)
    # Those that would say that everything was changed just now.
    cursor.execute(sql.SQL("alter table {} disable trigger user").format(name).as_string())
    for row in rows:
        moments = {column: value for column, value in row.items() if isinstance(value, datetime)}
        if not moments:
            continue
        statement = sql.SQL("update {} set {} where id = %s").format(
            name,
            sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(one)) for one in moments),
        )
        cursor.execute(statement.as_string(), [*moments.values(), row["id"]])
    cursor.execute(sql.SQL("alter table {} enable trigger user").format(name).as_string())


def _remove(cursor: Any, table: str, rows: list[Row]) -> None:
    statement = sql.SQL("delete from {} where id = any(%s)").format(sql.Identifier(table))
    cursor.execute(statement.as_string(), [[row["id"] for row in rows]])


def _model(table: str) -> type[models.Model] | None:
    """The model of a table, unless it is another software's, of which we know some columns only."""
    ours = (one._meta for one in apps.get_models() if one._meta.managed)
    return next((one.model for one in ours if one.db_table == table), None)


def _adapted(row: Row) -> Iterable[object]:
    return (Jsonb(value) if isinstance(value, dict) else value for value in row.values())
