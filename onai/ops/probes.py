"""The parts that the product depends on, and how to find out whether each works.

A probe asks the real dependency and tells no secret. `examination` runs them.
"""

from datetime import timedelta

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_redis import get_redis_connection
from procrastinate.contrib.django.models import ProcrastinateWorker
from redis.exceptions import RedisError

from onai.db import outage, postgres, time_zones
from onai.db.visibility import Visibility, visibility
from onai.ops import resend_state, supabase_state
from onai.ops.examination import Down, Probe

_HTTP_TIMEOUT_SECONDS = 1.8
_WORKER_IS_SILENT_AFTER = timedelta(minutes=1)
# Why a process that asked is not ready: it runs ahead of its database.
NOT_MIGRATED = "not_migrated"


def _database(alias: str) -> str:
    try:
        postgres.value(alias, "select 1")
    except DatabaseError as error:
        found = outage.explain(alias, error)
        advice = f"{_WITHOUT[alias]} {found.advice}"
        raise Down(found.seen, advice=advice, reason=found.reason) from error
    return _("отвечает")


def _landing() -> str:
    return _database("landing")


def _tripwire() -> str:
    return _database("tripwire")


# What becomes of the site while a database is down.
_WITHOUT = {
    "landing": gettext_lazy(
        "Воронка показывает последние удачные цифры, если они есть, и говорит, насколько они"
        " стары; файлы и списки людей недоступны."
    ),
    "tripwire": gettext_lazy("Доступы выдать нельзя."),
}


def _cache() -> str:
    if settings.CACHES["default"]["BACKEND"].endswith("LocMemCache"):
        return _("у каждого процесса своя память")
    try:
        # Asked directly: the cache itself swallows its outages.
        get_redis_connection("default").ping()
    except RedisError as error:
        raise Down(_("не отвечает")) from error
    return _("отвечает")


def _migrations() -> str:
    executor = MigrationExecutor(connections["tripwire"])
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    seen = visibility("tripwire", "django_migrations") if pending else Visibility.SEEN
    if seen in (Visibility.FILTERED, Visibility.NOT_GRANTED):
        raise Down(_("не узнать: нашей роли не видно, какие применены"), reason="migrations_hidden")
    if pending:
        raise Down(_("не применены: %(count)s") % {"count": len(pending)}, reason=NOT_MIGRATED)
    return _("все применены")


def _worker() -> str:
    alive_since = timezone.now() - _WORKER_IS_SILENT_AFTER
    alive = ProcrastinateWorker.objects.filter(last_heartbeat__gte=alive_since).count()
    if not alive:
        raise Down(_("ни один не подаёт признаков жизни"))
    return _("работает: %(count)s") % {"count": alive}


def _time_zones() -> str:
    wrong, unknown = [], []
    for alias in ("landing", "tripwire"):
        try:
            since = time_zones.first_difference(alias)
        except DatabaseError:
            # Its own probe says that it is down.
            unknown.append(_("база %(name)s: не узнать") % {"name": alias.title()})
            continue
        if since is not None:
            month = f"{since:%m.%Y}"
            wrong.append(
                _("база %(name)s неверно считает время с %(month)s")
                % {"name": alias.title(), "month": month}
            )
    if wrong:
        raise Down(", ".join(wrong + unknown))
    return ", ".join(unknown) or _("у обеих баз верный")


MIGRATIONS = Probe(
    "migrations",
    gettext_lazy("Миграции базы Tripwire"),
    _migrations,
    gettext_lazy("Выполните: python manage.py migrate --database tripwire"),
)

# What people miss at once.
DEPENDENCIES = [
    Probe(
        "landing",
        gettext_lazy("База Landing (лиды)"),
        _landing,
        format_lazy(
            "{} {}",
            _WITHOUT["landing"],
            gettext_lazy("Проверьте проект Landing в Supabase и переменную LANDING_DATABASE_URL."),
        ),
    ),
    Probe(
        "tripwire",
        gettext_lazy("База Tripwire (студенты)"),
        _tripwire,
        format_lazy(
            "{} {}",
            _WITHOUT["tripwire"],
            gettext_lazy(
                "Проверьте проект Tripwire в Supabase и переменную TRIPWIRE_DATABASE_URL."
            ),
        ),
    ),
    Probe(
        "auth",
        gettext_lazy("Вход (Supabase Auth)"),
        supabase_state.check,
        gettext_lazy(
            "Войти и выдать доступ нельзя; кто уже вошёл, работает, пока не истечёт сессия."
            " Проверьте status.supabase.com и переменные TRIPWIRE_SUPABASE_*."
        ),
    ),
]

# What the site can do without for a while. The apps add what they know of themselves.
BACKGROUND: list[Probe] = [
    Probe(
        "cache",
        gettext_lazy("Кэш"),
        _cache,
        gettext_lazy(
            "Воронка открывается медленнее: каждый раз считает база."
            " Проверьте Redis и переменную CACHE_URL."
        ),
    ),
    MIGRATIONS,
    Probe(
        "worker",
        gettext_lazy("Фоновые задания"),
        _worker,
        gettext_lazy(
            "Письма ждут в очереди и не теряются. Запустите: python manage.py procrastinate worker"
        ),
    ),
    Probe(
        "mail",
        gettext_lazy("Почта (Resend)"),
        resend_state.check,
        gettext_lazy(
            "Письма подождут и уйдут позже. Проверьте resend-status.com и переменную"
            " RESEND_API_KEY."
        ),
    ),
    Probe(
        "time_zones",
        gettext_lazy("Часовой пояс в базах"),
        _time_zones,
        gettext_lazy(
            "У этой базы устарели данные о часовых поясах, и сутки в ней начинаются не в полночь."
            " Обновите сервер PostgreSQL (в Supabase: Settings → Infrastructure → Upgrade)."
            " До того продажи по дням могут стоять не у того дня. Сам сайт считает верно."
        ),
    ),
]
