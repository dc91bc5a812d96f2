"""Which index Landing lacks for the funnel, and what it would change. We alter nothing there.

Every figure is of leads that came in some days, so an index on `created_at` spares reading the
others; one that also includes what is counted spares reading the leads themselves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel.stages import FLAGS
from onai.ops.examination import Down, Probe

# What is counted of a lead for all pages but the advertisements'.
COUNTED = ("source", *FLAGS, *(f"{flag}_at" for flag in FLAGS))
BY_TIME = "create index concurrently landing_leads_by_time on landing_leads (created_at)"
COVERING = (
    "create index concurrently landing_leads_counted on landing_leads (created_at)"
    f" include ({', '.join(COUNTED)})"
)
_INDEXES = """
select array(
  select attname from pg_attribute where attrelid = indrelid and attnum = indkey[0]
), array(select attname from pg_attribute where attrelid = indrelid and attnum = any(indkey))
from pg_index
where indrelid = 'landing_leads'::regclass and indisvalid and indpred is null
"""
# The size of a table in pages and rows, the part of its pages whose rows everybody sees, and the
# mean width of a lead's counted columns in bytes.
_SIZE = """
select relpages, greatest(reltuples, 0), coalesce(relallvisible::float8 / nullif(relpages, 0), 0),
  (select coalesce(sum(avg_width * (1 - null_frac)), 0) from pg_stats
   where schemaname = relnamespace::regnamespace::text and tablename = relname
     and attname = any(%s))
from pg_class where oid = 'landing_leads'::regclass
"""
# Bytes of an entry beside the included columns, and how full PostgreSQL packs its pages.
_ENTRY, _FILLED = 24, 0.9


@dataclass(frozen=True, slots=True)
class Indexes:
    """Whether there is an index by time, and one that includes what is counted."""

    by_time: bool
    covering: bool


@dataclass(frozen=True, slots=True)
class Size:
    """Of `landing_leads`: pages and rows; the part of the pages, 0 to 1, that an index alone can
    answer for; and the bytes that the covering index would take."""

    pages: int
    rows: int
    visible: float
    covering_bytes: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A statement as the database ran it: milliseconds, pages of 8 KB that it looked at, and how it
    reached the leads."""

    milliseconds: float
    pages: int
    scans: tuple[str, ...]


def indexes() -> Indexes:
    """Those there are. Raises Django's database errors."""
    with connections["landing"].cursor() as cursor:
        cursor.execute(_INDEXES)
        found = [columns for first, columns in cursor.fetchall() if first == ["created_at"]]
    return Indexes(bool(found), any({*COUNTED} <= {*columns} for columns in found))


def size() -> Size:
    """As the database last noted it. Raises Django's database errors."""
    with connections["landing"].cursor() as cursor:
        cursor.execute(_SIZE, [list(COUNTED)])
        pages, rows, visible, width = cursor.fetchone()
    return Size(pages, int(rows), visible, round(rows * (float(width) + _ENTRY) / _FILLED))


def measure(text: str, parameters: Mapping[str, Any]) -> Measured:
    """Run a statement that only reads, and tell what it took. Raises Django's database errors."""
    with connections["landing"].cursor() as cursor:
        cursor.execute(f"explain (analyze, buffers, format json) {text}", parameters)
        (found,) = cursor.fetchone()
    plan = found[0]["Plan"]
    scans = {_scan(node) for node in _nodes(plan) if "Relation Name" in node}
    pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return Measured(found[0]["Execution Time"], pages, tuple(sorted(scans)))


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def _scan(node: Mapping[str, Any]) -> str:
    index = node.get("Index Name")
    return f"{node['Node Type']} {index}" if index else str(node["Node Type"])


def _probe() -> str:
    found = indexes()
    if not found.by_time:
        raise Down(_("нет индекса по created_at: каждая страница воронки читает всю таблицу"))
    if not found.covering:
        return _("есть по created_at; быстрее будет с полным, его покажет manage.py advise_landing")
    return _("все на месте")


PROBE = Probe(
    "landing_indexes",
    gettext_lazy("Индексы базы Landing"),
    _probe,
    gettext_lazy("Запустите manage.py advise_landing: команда измерит и покажет, какой создать."),
)
