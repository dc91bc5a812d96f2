"""Unique keys and foreign keys of the adopted tables that do not fit what the code writes."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from onai.db.catalog import ForeignKey, Table, quoted
from sales.adoption.findings import LOG, STUDENTS, Finding, Severity

# Columns with ids of accounts that may be deleted before or after the row is written.
_OUTLIVING = {STUDENTS: {"granted_by"}, LOG: {"manager_id", "target_user_id"}}
# Columns whose values repeat from row to row.
_REPEATED = {
    STUDENTS: {"full_name", "granted_by", "manager_name", "price", "status", "modules_completed"}
    | {"welcome_email_sent", "email_opened"},
    LOG: {"manager_id", "action_type", "target_user_id", "details"},
}


def unique_findings(table: Table) -> Iterator[Finding]:
    """Unique keys over values that the code writes more than once."""
    repeated = _REPEATED[table.name]
    for unique in table.uniques:
        if not repeated.issuperset(unique.key.split(", ")):
            continue
        drop = (
            f"alter table public.{table.name} drop constraint {quoted(unique.name)}"
            if unique.constraint
            else f"drop index public.{quoted(unique.name)}"
        )
        yield Finding(
            "unique_refuses",
            Severity.BLOCKS,
            _("В %(table)s не может повторяться то, что сайт пишет не раз: %(columns)s.")
            % {"table": table.name, "columns": unique.key},
            (drop,),
        )


def foreign_key_findings(table: Table) -> Iterator[Finding]:
    where = f"alter table public.{table.name}"
    for key in table.foreign_keys:
        about = {"table": table.name, "key": key.name, "column": ", ".join(key.columns)}
        drop = f"{where} drop constraint {quoted(key.name)}"
        if _OUTLIVING[table.name] & set(key.columns):
            yield Finding(
                "key_outlived",
                Severity.ADAPTS,
                _(
                    "Ключ %(key)s таблицы %(table)s не даст записать, кто и о ком действовал, когда"
                    " учётной записи уже нет (столбец %(column)s)."
                )
                % about,
                (drop,),
            )
        elif key.columns == ("user_id",) and key.references != "auth.users":
            yield Finding(
                "key_elsewhere",
                Severity.BLOCKS,
                _("Ключ %(key)s таблицы %(table)s указывает не на auth.users.") % about,
                (drop, _key_of_account(table.name)),
            )
        elif key.columns == ("user_id",) and key.on_delete != "CASCADE":
            yield Finding(
                "key_forbids_deletion",
                Severity.ADAPTS,
                _("Ключ %(key)s таблицы %(table)s не даёт удалить учётную запись студента.")
                % about,
                (
                    f"{drop}, add constraint {quoted(key.name)} foreign key (user_id)"
                    " references auth.users (id) on delete cascade not valid",
                    f"{where} validate constraint {quoted(key.name)}",
                ),
            )


def _key_of_account(table: str) -> str:
    return (
        f"alter table public.{table} add foreign key (user_id)"
        " references auth.users (id) on delete cascade not valid"
    )


def student_key_findings(students: Table) -> Iterator[Finding]:
    keys = {unique.key for unique in students.uniques}
    if "id" not in keys:
        yield Finding(
            "id_not_unique",
            Severity.BLOCKS,
            _("В tripwire_users столбец id не уникален, письма не к чему привязать."),
            (f"alter table public.{STUDENTS} add primary key (id)",),
        )
    if not any(key.columns == ("user_id",) for key in students.foreign_keys):
        yield Finding(
            "key_missing",
            Severity.NOTE,
            _(
                "У tripwire_users нет ключа на auth.users: студент останется, если учётную запись"
                " удалят мимо сайта."
            ),
            (_key_of_account(STUDENTS),),
        )
    for key in students.referenced_by:
        if _forbids(key):
            yield Finding(
                "deletion_forbidden_elsewhere",
                Severity.NOTE,
                _(
                    "Таблица %(table)s не даст удалить студента, пока в ней есть его строки"
                    " (%(key)s)."
                )
                % {"table": key.table, "key": key.name},
            )


def _forbids(key: ForeignKey) -> bool:
    return key.on_delete in ("NO ACTION", "RESTRICT")
