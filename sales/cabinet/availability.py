"""What can be known of students' sign-ins and progress in this database.

Supabase's accounts and the platform's tables may be closed to our role, and some columns of
`tripwire_users` exist without anything that writes them. A page shows what can be known, and says
in words what it therefore cannot.
"""

from dataclasses import dataclass

from django.core.cache import cache
from django.db import connections
from django.utils.translation import gettext as _

from onai.db.visibility import ROWS_ARE_FILTERED
from sales.adoption.optional_tables import CERTIFICATES, PROFILES, PROGRESS

_WRITTEN_KEY = "sales.written_columns"
_A_DAY = 24 * 60 * 60
_ASKED = f"""
select
  has_schema_privilege(pg_namespace.oid, 'usage')
    and has_column_privilege(pg_class.oid, 'id', 'select')
    and has_column_privilege(pg_class.oid, 'is_anonymous', 'select')
    and has_column_privilege(pg_class.oid, 'last_sign_in_at', 'select'),
  {ROWS_ARE_FILTERED.format(table="pg_class.oid")},
  exists (select from tripwire_users where status = 'completed')
from pg_class join pg_namespace on pg_namespace.oid = relnamespace
where nspname = 'auth' and relname = 'users'
"""  # noqa: S608
# What has to stand in a column of `tripwire_users`, in some row, for it to count as written.
_WRITTEN = {
    "first_login_at": "first_login_at is not null",
    "last_active_at": "last_active_at is not null",
    "email_opened": "email_opened",
    "modules_completed": "modules_completed > 0",
}


@dataclass(frozen=True, slots=True)
class Availability:
    """Which rows about students our role can read, and which columns of theirs are written.

    `accounts_filtered`: row level security may hide some accounts, or all.
    """

    sign_ins: bool
    accounts_filtered: bool
    lessons: bool
    profiles: bool
    certificates: bool
    # Somebody has given a student the status «Прошёл курс».
    marks: bool
    written: frozenset[str]

    @property
    def modules(self) -> bool:
        """Whether the platform tells how many modules a student has completed."""
        return self.lessons or self.profiles

    @property
    def finished(self) -> bool:
        """Whether the platform tells who has finished the course."""
        return self.modules or self.certificates

    @property
    def unknown(self) -> list[str]:
        """What a page cannot know, a sentence each."""
        sentences = []
        if not self.sign_ins:
            sentences.append(
                _("База не даёт сайту читать входы студентов, поэтому кто входил, неизвестно.")
            )
        elif self.accounts_filtered:
            sentences.append(
                _(
                    "База показывает сайту не все учётные записи: у кого запись не видна,"
                    " вход неизвестен."
                )
            )
        if not self.modules:
            sentences.append(
                _(
                    "Таблицы учебной платформы сайту не видны, поэтому прогресса здесь нет, а"
                    " студент мог заниматься, не входя заново."
                )
            )
        elif not self.lessons:
            sentences.append(
                _(
                    "Уроки платформы сайту не видны: студент мог заниматься, не входя заново, и"
                    " здесь этого не видно."
                )
            )
        return sentences


NOTHING = Availability(False, False, False, False, False, False, frozenset())


def availability() -> Availability:
    """What can be known now. Raises Django's database errors."""
    with connections["tripwire"].cursor() as cursor:
        cursor.execute(_ASKED)
        readable, filtered, marks = cursor.fetchone() or (False, False, False)
    return Availability(
        sign_ins=readable,
        accounts_filtered=filtered,
        lessons=PROGRESS.readable(),
        profiles=PROFILES.readable(),
        certificates=CERTIFICATES.readable(),
        marks=marks,
        written=_written(),
    )


def _written() -> frozenset[str]:
    """The columns that something has ever written, as asked within the last day."""
    kept = cache.get(_WRITTEN_KEY)
    if not isinstance(kept, list):
        kept = _ask_written()
        cache.set(_WRITTEN_KEY, kept, _A_DAY)
    return frozenset(kept) & _WRITTEN.keys()


def _ask_written() -> list[str]:
    # One pass, because a column that nothing writes is read to its end.
    asked = ", ".join(f"coalesce(bool_or({written}), false)" for written in _WRITTEN.values())
    with connections["tripwire"].cursor() as cursor:
        cursor.execute(f"select {asked} from tripwire_users")  # noqa: S608
        found = cursor.fetchone()
    return [name for name, is_written in zip(_WRITTEN, found, strict=True) if is_written]
