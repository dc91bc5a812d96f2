"""Advises on the indexes that the funnel needs in Landing. It only reads there.

Every figure counts the leads of some days. An index on `created_at` avoids scanning all other
leads; an index that also includes the counted columns avoids reading the table at all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel.stages import FLAGS
from onai.db import postgres
from onai.ops.examination import Down, Probe

# The columns that all pages count, except the page of advertisements.
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
# Pages and rows of the table, the share of its all-visible pages, and the mean width in bytes of a
# lead's counted columns.
_SIZE = """
select relpages, greatest(reltuples, 0), coalesce(relallvisible::float8 / nullif(relpages, 0), 0),
  (select coalesce(sum(avg_width * (1 - null_frac)), 0) from pg_stats
   where schemaname = relnamespace::regnamespace::text and tablename = relname
     and attname = any(%s))
from pg_class where oid = 'landing_leads'::regclass
"""
# Bytes of an index entry besides the included columns, and the fill factor of an index page.
_ENTRY, _FILLED = 24, 0.9


@dataclass(frozen=True, slots=True)
class Indexes:
    """Whether there is an index on `created_at`, and one that includes the counted columns."""

    by_time: bool
    covering: bool


@dataclass(frozen=True, slots=True)
class Size:
    """The size of `landing_leads` in pages of 8 KB and in rows.

    `visible`: the share of pages, 0 to 1, that an index-only scan does not have to read.
    `covering_bytes`: the estimated size of the covering index.
    """

    pages: int
    rows: int
    visible: float
    covering_bytes: int


@dataclass(frozen=True, slots=True)
class Measured:
    """The cost of a statement: milliseconds, 8 KB pages from cache or disk, and kinds of scan."""

    milliseconds: float
    pages: int
    scans: tuple[str, ...]


def indexes() -> Indexes:
    """The existing indexes. Raises Django's database errors."""
    rows = postgres.rows("landing", _INDEXES)
    found = [columns for first, columns in rows if first == ["created_at"]]
    return Indexes(bool(found), any({*COUNTED} <= {*columns} for columns in found))


def size() -> Size:
    """The size by PostgreSQL's last statistics. Raises Django's database errors."""
    ((pages, rows, visible, width),) = postgres.rows("landing", _SIZE, [list(COUNTED)])
    return Size(pages, int(rows), visible, round(rows * (float(width) + _ENTRY) / _FILLED))


def measure(text: str, parameters: Mapping[str, Any]) -> Measured:
    """Run a read-only statement and return its cost. Raises Django's database errors."""
    explain = f"explain (analyze, buffers, format json) {text}"
    found = postgres.value("landing", explain, parameters)
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
