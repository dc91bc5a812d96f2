"""Whether `tripwire_users` and `sales_activity_log`, as production has them, fit the rows that the
code writes.

Sample rows are tried against the tables' rules before any is written. `migrate` adds what is
missing; what it may not change is reported in words.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from onai.db import catalog
from onai.db.catalog import Column, Table, quoted
from sales.adoption.findings import LOG, STUDENTS, Finding, Severity
from sales.adoption.keys import foreign_key_findings, student_key_findings, unique_findings
from sales.models import ActionType, ActivityEntry, Student, StudentStatus

_MODELS: dict[str, type[models.Model]] = {STUDENTS: Student, LOG: ActivityEntry}
# A row makes no sense without these columns, so `migrate` does not add them.
_NEEDED = {STUDENTS: {"id", "user_id", "full_name", "email"}, LOG: {"id", "action_type"}}
_DEFAULTS = {
    STUDENTS: {
        "welcome_email_sent": "false",
        "email_opened": "false",
        "modules_completed": "0",
        "price": "5000",
        "status": "'active'",
        "created_at": "now()",
        "updated_at": "now()",
    },
    LOG: {"details": "'{}'", "created_at": "now()"},
}
# Old rows stay without a value in these columns, because it is unknown.
_UNKNOWN_OF_OLD = {"created_at", "updated_at"}
_KINDS = {
    "UUIDField": ("uuid",),
    "TextField": ("text", "character varying", "citext"),
    "BooleanField": ("boolean",),
    "DateTimeField": ("timestamp with time zone",),
    "IntegerField": ("integer", "bigint", "smallint", "numeric"),
    "JSONField": ("jsonb",),
}
# Columns that an insert sets to null. It gives the others a value, or leaves them to the default.
_WRITTEN_NULL = {
    *("welcome_email_sent_at", "first_login_at", "last_active_at"),
    *("amocrm_deal_id", "amocrm_contact_id"),
}
_LONGEST = {"email": 254, "full_name": 120, "manager_name": 254, "status": 9, "action_type": 14}
_WORDS = {
    STUDENTS: ("status", tuple(StudentStatus.values)),
    LOG: ("action_type", tuple(ActionType.values)),
}
_NOBODY = "00000000-0000-0000-0000-000000000001"
_SAMPLE: dict[str, dict[str, Any]] = {
    STUDENTS: {
        "id": _NOBODY,
        "user_id": _NOBODY,
        "granted_by": _NOBODY,
        "full_name": "Ару Тест",
        "manager_name": "Менеджер Тест",
        "email": "student@example.com",
        "price": 5000,
        "modules_completed": 0,
        "welcome_email_sent": False,
        "email_opened": False,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
    },
    LOG: {
        "id": _NOBODY,
        "manager_id": _NOBODY,
        "target_user_id": _NOBODY,
        "details": {},
        "created_at": "2026-01-01T00:00:00Z",
    },
}
_CREATE_LOG = """
create table public.sales_activity_log (
  id uuid primary key default gen_random_uuid(), manager_id uuid,
  action_type text constraint sales_activity_log_action_known check (action_type in ({words})),
  target_user_id uuid, details jsonb default '{{}}', created_at timestamptz default now())
"""


def shape_findings(found: Mapping[str, Table]) -> Iterator[Finding]:
    """What the code could not write into the existing tables. Where neither exists, `migrate`
    creates both and there is nothing to report.
    """
    if not found:
        return
    if STUDENTS not in found:
        yield Finding(
            "students_missing",
            Severity.BLOCKS,
            _("Таблица sales_activity_log есть, а tripwire_users нет: та ли это база?"),
        )
        return
    if LOG not in found:
        yield Finding(
            "log_missing",
            Severity.ADAPTS,
            _("Таблицы sales_activity_log нет, журналу некуда писать."),
            (
                _CREATE_LOG.format(words=_listed(ActionType.values)),
                f"alter table public.{LOG} enable row level security",
            ),
        )
    for table in found.values():
        if table.kind != "r":
            yield _not_a_table(table)
            continue
        yield from _of_columns(table)
        yield from _of_checks(table)
        yield from unique_findings(table)
        yield from _of_triggers(table)
        yield from foreign_key_findings(table)
    if found[STUDENTS].kind == "r":
        yield from student_key_findings(found[STUDENTS])


def _not_a_table(table: Table) -> Finding:
    sentence = (
        _("%(table)s — таблица из секций: нужных индексов и ключей в ней не построить.")
        if table.kind == "p"
        else _("%(table)s — не таблица, а представление: писать в неё нельзя.")
    )
    return Finding("not_a_table", Severity.BLOCKS, sentence % {"table": table.name})


def _of_columns(table: Table) -> Iterator[Finding]:
    # The model has the columns that are read and written; other columns do not concern us.
    fields = {str(field.column): field for field in _MODELS[table.name]._meta.concrete_fields}
    for name, field in fields.items():
        column = table.columns.get(name)
        if column is None:
            yield _missing(table, name, field)
        elif column.kind not in _KINDS[field.get_internal_type()]:
            yield _other_type(table, column, field)
        else:
            yield from _of_known_column(table, column)
    for column in table.columns.values():
        if column.name not in fields and not column.nullable and not column.has_default:
            yield _not_filled(table, column)


def _missing(table: Table, name: str, field: "models.Field[Any, Any]") -> Finding:
    kind = _KINDS[field.get_internal_type()][0]
    if name in _NEEDED[table.name]:
        return Finding(
            "column_missing",
            Severity.BLOCKS,
            _("В %(table)s нет столбца %(column)s, без него работать нельзя.")
            % {"table": table.name, "column": name},
        )
    where, default = f"alter table public.{table.name}", _DEFAULTS[table.name].get(name)
    sql = [f"{where} add column if not exists {name} {kind}"]
    if default and name in _UNKNOWN_OF_OLD:
        sql.append(f"{where} alter column {name} set default {default}")
    elif default:
        sql[0] += f" default {default}"
    return Finding(
        "column_missing",
        Severity.ADAPTS,
        _("В %(table)s нет столбца %(column)s.") % {"table": table.name, "column": name},
        tuple(sql),
    )


def _other_type(table: Table, column: Column, field: "models.Field[Any, Any]") -> Finding:
    kind, using = _KINDS[field.get_internal_type()][0], column.name
    if column.kind == "timestamp without time zone":
        using += " at time zone 'utc'"
    else:
        using += f"::text::{kind}"
    return Finding(
        "column_type",
        Severity.BLOCKS,
        _("В %(table)s столбец %(column)s имеет тип %(kind)s, а нужен %(needed)s.")
        % {"table": table.name, "column": column.name, "kind": column.kind, "needed": kind},
        (
            f"alter table public.{table.name} alter column {column.name} drop default,"
            f" alter column {column.name} type {kind} using {using}",
            *_defaults_again(table, column.name),
        ),
    )


def _defaults_again(table: Table, name: str) -> Iterator[str]:
    if default := _DEFAULTS[table.name].get(name):
        yield f"alter table public.{table.name} alter column {name} set default {default}"


def _of_known_column(table: Table, column: Column) -> Iterator[Finding]:
    about = {"table": table.name, "column": column.name}
    where = f"alter table public.{table.name} alter column {column.name}"
    if column.generated:
        yield Finding(
            "column_generated",
            Severity.BLOCKS,
            _("В %(table)s столбец %(column)s вычисляет база, а заполняет его сайт.") % about,
            (f"{where} drop expression",),
        )
    longest = _LONGEST.get(column.name, 0)
    if column.length is not None and column.length < longest:
        yield Finding(
            "column_short",
            Severity.ADAPTS,
            _("В %(table)s столбец %(column)s вмещает %(length)s знаков, а нужно %(longest)s.")
            % {**about, "length": column.length, "longest": longest},
            (f"{where} type text",),
        )
    if not column.nullable and column.name in _WRITTEN_NULL:
        yield Finding(
            "column_not_null",
            Severity.ADAPTS,
            _("В %(table)s столбец %(column)s обязателен, а у нового студента он пуст.") % about,
            (f"{where} drop not null",),
        )
    default = _DEFAULTS[table.name].get(column.name)
    if default and not column.has_default and column.name != "price":
        yield Finding(
            "default_missing",
            Severity.ADAPTS,
            _("В %(table)s у столбца %(column)s нет значения по умолчанию.") % about,
            (f"{where} set default {default}",),
        )


def _not_filled(table: Table, column: Column) -> Finding:
    """A mandatory column of other software, for which we have no value."""
    sentence = _(
        "В %(table)s столбец %(column)s обязателен и без значения по умолчанию, а сайт его не"
        " заполняет: новая строка не запишется."
    ) % {"table": table.name, "column": column.name}
    where = f"alter table public.{table.name} alter column {quoted(column.name)}"
    if "password" in column.name:
        # Passwords do not belong there, and nobody loses anything when the column may be empty.
        return Finding("not_filled", Severity.ADAPTS, sentence, (f"{where} drop not null",))
    return Finding("not_filled", Severity.BLOCKS, sentence, (f"{where} drop not null",))


def _of_checks(table: Table) -> Iterator[Finding]:
    name, words = _WORDS[table.name]
    kinds = {
        str(field.column): _KINDS[field.get_internal_type()]
        for field in _MODELS[table.name]._meta.concrete_fields
    }
    for check in table.checks:
        # The column's type differs; that is reported first.
        if any(table.columns[one].kind not in kinds[one] for one in kinds.keys() & check.columns):
            continue
        rows = [{**_SAMPLE[table.name], name: word} for word in words]
        if not check.columns or catalog.satisfies("tripwire", table, check, rows):
            continue
        lacks = [
            word
            for word, row in zip(words, rows, strict=True)
            if not catalog.satisfies("tripwire", table, check, [row])
        ]
        about = {"table": table.name, "check": check.name, "words": ", ".join(lacks)}
        if check.columns == (name,):
            yield Finding(
                "check_lacks_words",
                Severity.ADAPTS,
                _("Ограничение %(check)s таблицы %(table)s не знает слов: %(words)s.") % about,
                _wider(table.name, check, f"{name} in ({_listed(words)})"),
            )
        else:
            yield Finding(
                "check_refuses",
                Severity.BLOCKS,
                _("Ограничение %(check)s таблицы %(table)s не пустит строк, которые пишет сайт.")
                % about,
                (f"alter table public.{table.name} drop constraint {quoted(check.name)}",),
            )


def _wider(table: str, check: catalog.Check, also: str) -> tuple[str, ...]:
    """The constraint widened by `also`. At no moment does the table accept everything."""
    where, name = f"alter table public.{table}", quoted(check.name)
    wider = quoted(f"{check.name[:50]}_wider")
    steps = [
        f"{where} drop constraint if exists {wider},"
        f" add constraint {wider} check (({check.condition}) or {also}) not valid",
        f"{where} drop constraint {name}",
        f"{where} rename constraint {wider} to {name}",
    ]
    if check.validated:
        # Rows can be written while the constraint is validated.
        steps.append(f"{where} validate constraint {name}")
    return tuple(steps)


def _of_triggers(table: Table) -> Iterator[Finding]:
    for trigger in table.triggers:
        if trigger.may_refuse:
            yield Finding(
                "trigger_may_refuse",
                Severity.NOTE,
                _(
                    "Триггер %(trigger)s таблицы %(table)s может не дать записать: проверьте, что"
                    " %(function)s() пропускает новых студентов, их изменение, удаление и журнал."
                )
                % {"trigger": trigger.name, "table": table.name, "function": trigger.function},
            )


def _listed(words: Any) -> str:
    return ", ".join(f"'{word}'" for word in words)
