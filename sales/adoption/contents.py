"""Rows of the adopted tables, and accounts of Supabase, that the code cannot work with or should
report.

Each query stops at the first row that answers it, or counts few rows.
"""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from onai.db import catalog, postgres
from onai.db.catalog import Table
from sales.adoption.findings import STUDENTS, Finding, Severity
from sales.unreadable_accounts import NOTHING

_TEXTS = ("text", "character varying", "character")
_UNIQUE = "tripwire_users_email_unique"
_DUPLICATES = "select email from public.tripwire_users group by email having count(*) > 1 limit 1"
_REGISTER = "sales_staff"
# The staff that reports leave out, without claims in `user_metadata`.
_STAFF = """
select count(*) from public.tripwire_users student join auth.users account on account.id = user_id
where raw_app_meta_data ->> 'role' in ('admin', 'sales')
"""
_REGISTERED = " or account.id in (select user_id from public.sales_staff where role <> '')"


def content_findings(found: Mapping[str, Table]) -> Iterator[Finding]:
    """Findings about rows of tables and accounts that our role sees. Raises Django's database
    errors.
    """
    if students := found.get(STUDENTS):
        yield from _of_passwords(students)
        yield from _of_emails(students)
        yield from _of_staff(found)
        yield from _of_accounts()


def _of_passwords(students: Table) -> Iterator[Finding]:
    for column in students.columns.values():
        if "password" not in column.name.lower() or column.kind not in _TEXTS:
            continue
        name = catalog.quoted(column.name)
        filled = f"{name} is not null and {name} <> ''"
        if postgres.value(
            "tripwire", f"select exists (select from public.tripwire_users where {filled})"
        ):
            empty = "null" if column.nullable else "''"
            yield Finding(
                "passwords_kept",
                Severity.DANGER,
                _("В tripwire_users.%(column)s лежат пароли студентов открытым текстом.")
                % {"column": column.name},
                (f"update public.tripwire_users set {name} = {empty} where {filled}",),
            )


def _of_emails(students: Table) -> Iterator[Finding]:
    if {unique.key for unique in students.uniques} & {"email", "lower(email)"}:
        return
    if postgres.value("tripwire", _DUPLICATES) is not None:
        yield Finding(
            "email_repeated",
            Severity.NOTE,
            _("Почта в tripwire_users повторяется, поэтому уникальной её не сделать."),
            (_DUPLICATES.replace("limit 1", "order by 1"),),
        )
        return
    yield Finding(
        "email_not_unique",
        Severity.ADAPTS,
        _("Почта в tripwire_users не уникальна: у двух студентов могла бы стать одна."),
        (
            f"drop index concurrently if exists public.{_UNIQUE}",
            f"create unique index concurrently {_UNIQUE} on public.tripwire_users (email)",
        ),
    )


def _of_staff(found: Mapping[str, Table]) -> Iterator[Finding]:
    if staff := postgres.value("tripwire", _STAFF + (_REGISTERED if _REGISTER in found else "")):
        yield Finding(
            "staff_are_students",
            Severity.NOTE,
            _("Среди студентов есть сотрудники: %(count)s. В отчётах их продаж нет.")
            % {"count": staff},
        )


def _of_accounts() -> Iterator[Finding]:
    # One scan of the accounts. `compare_accounts` lists them, and takes longer.
    columns = catalog.tables("tripwire", ["users"], schema="auth")["users"].columns
    missing = " or ".join(f"{name} is null" for name in NOTHING if name in columns)
    if unreadable := postgres.value("tripwire", f"select count(*) from auth.users where {missing}"):
        yield Finding(
            "accounts_unreadable",
            Severity.NOTE,
            _(
                "Есть учётные записи, заведённые через SQL: %(count)s. На запрос о них Supabase"
                " отвечает ошибкой 500. Подробности: python manage.py compare_accounts"
            )
            % {"count": unreadable},
        )
