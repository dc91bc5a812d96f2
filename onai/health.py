"""What works and what does not: probes for the load balancer, a page for the owners.

A probe asks the real dependency, within a short time-out, and tells no secret.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import httpx
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django_redis import get_redis_connection
from procrastinate.contrib.django.models import ProcrastinateWorker
from redis.exceptions import RedisError

from onai.identity import supabase
from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest

_HTTP_TIMEOUT_SECONDS = 2
_WORKER_IS_SILENT_AFTER = timedelta(minutes=1)


class Down(Exception):
    """A part does not work; the message says what was seen, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Probe:
    """How to find out about one part. `check` answers what it saw, or raises `Down`."""

    name: str
    title: str | Promise
    check: Callable[[], str]
    advice: str | Promise


@dataclass(frozen=True, slots=True)
class Part:
    """One part as a probe found it. `advice` is what to do when it does not work."""

    name: str
    title: str | Promise
    works: bool
    seen: str
    advice: str | Promise


class ProbeMiddleware:
    """Answers the load balancer before anything else runs, whatever host name it uses."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return HttpResponse("ok", content_type="text/plain")
        if request.path == "/readyz":
            return _readiness()
        return self.get_response(request)


def _readiness() -> HttpResponse:
    parts = examine(DEPENDENCIES)
    ready = all(part.works for part in parts)
    states = {part.name: "ok" if part.works else "down" for part in parts}
    response = JsonResponse({"ready": ready, "dependencies": states}, status=200 if ready else 503)
    response["Cache-Control"] = "no-store"
    return response


@role_required("admin")
@require_safe
def status(request: IdentifiedRequest) -> HttpResponse:
    parts = examine([*DEPENDENCIES, *BACKGROUND])
    broken = [part for part in parts if not part.works]
    return render(request, "status.html", {"parts": parts, "broken": broken})


def examine(probes: Sequence[Probe]) -> list[Part]:
    """Run the probes side by side, so that together they take as long as the slowest."""
    with ThreadPoolExecutor(max_workers=len(probes)) as pool:
        return list(pool.map(_examine_one, probes))


def _examine_one(probe: Probe) -> Part:
    try:
        seen, works = probe.check(), True
    except Down as down:
        seen, works = str(down), False
    finally:
        # This thread's own connections; nobody else would close them.
        connections.close_all()
    return Part(probe.name, probe.title, works, seen, probe.advice)


def _database(alias: str) -> str:
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("select 1")
    except DatabaseError as error:
        raise Down(_("не отвечает")) from error
    return _("отвечает")


def _landing() -> str:
    return _database("landing")


def _tripwire() -> str:
    return _database("tripwire")


def _auth() -> str:
    return _http(
        f"{settings.SUPABASE_AUTH_URL}/health", headers={"apikey": settings.SUPABASE_ANON_KEY}
    )


def _mail() -> str:
    # Asked without the key: even a refusal shows that Resend is there.
    return _http(settings.RESEND_API_URL, refusal_counts=True)


def _http(url: str, *, headers: dict[str, str] | None = None, refusal_counts: bool = False) -> str:
    try:
        response = supabase.connections().get(url, headers=headers, timeout=_HTTP_TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        raise Down(_("не отвечает")) from error
    worst = 499 if refusal_counts else 399
    if response.status_code > worst:
        raise Down(_("отвечает ошибкой %(status)s") % {"status": response.status_code})
    return _("отвечает")


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
    try:
        executor = MigrationExecutor(connections["tripwire"])
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise Down(_("не узнать: база Tripwire не отвечает")) from error
    if pending:
        raise Down(_("не применены: %(count)s") % {"count": len(pending)})
    return _("все применены")


def _worker() -> str:
    alive_since = timezone.now() - _WORKER_IS_SILENT_AFTER
    try:
        alive = ProcrastinateWorker.objects.filter(last_heartbeat__gte=alive_since).count()
    except DatabaseError as error:
        raise Down(_("не узнать: база Tripwire не отвечает")) from error
    if not alive:
        raise Down(_("ни один не подаёт признаков жизни"))
    return _("работает: %(count)s") % {"count": alive}


DEPENDENCIES = [
    Probe(
        "landing",
        gettext_lazy("База Landing (лиды)"),
        _landing,
        gettext_lazy(
            "Воронка показывает последние удачные цифры, если они есть, и говорит, насколько они"
            " стары; файлы и списки людей недоступны. Проверьте проект Landing в Supabase"
            " и переменную LANDING_DATABASE_URL."
        ),
    ),
    Probe(
        "tripwire",
        gettext_lazy("База Tripwire (студенты)"),
        _tripwire,
        gettext_lazy(
            "Доступы выдать нельзя. Проверьте проект Tripwire в Supabase"
            " и переменную TRIPWIRE_DATABASE_URL."
        ),
    ),
    Probe(
        "auth",
        gettext_lazy("Вход (Supabase Auth)"),
        _auth,
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
    Probe(
        "migrations",
        gettext_lazy("Миграции базы Tripwire"),
        _migrations,
        gettext_lazy("Выполните: python manage.py migrate --database tripwire"),
    ),
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
        _mail,
        gettext_lazy(
            "Письма подождут и уйдут позже. Проверьте resend-status.com и переменную"
            " RESEND_API_KEY."
        ),
    ),
]
