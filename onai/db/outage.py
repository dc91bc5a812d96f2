"""Why a database does not answer: a word for the log, and sentences for the owner.

The driver gives no code for a failed connection, only the message of the server or the network. So
this is the one place that reads messages.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

import psycopg
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onai.db.bounded import ClientLeft, DatabaseHangs, DeadlinePassed, database_note


class Reason(StrEnum):
    """Why there is no answer."""

    NAME = "name_not_resolved"
    NETWORK = "network_unreachable"
    REFUSED = "connection_refused"
    PASSWORD = "wrong_password"  # noqa: S105
    TENANT = "unknown_project"
    TLS = "tls_failed"
    FULL = "too_many_connections"
    NO_SPACE = "server_out_of_space"
    DATABASE = "no_such_database"
    CLOSED = "not_accepting_connections"
    TIMEOUT = "timeout"
    SLOW = "statement_timeout"
    DEADLINE = "request_deadline"
    LEFT = "client_left"
    LOST = "connection_lost"


_BY_STATE = {
    "28P01": Reason.PASSWORD,
    "28000": Reason.PASSWORD,
    "3D000": Reason.DATABASE,
    "53300": Reason.FULL,
    "53100": Reason.NO_SPACE,
    "53200": Reason.NO_SPACE,
    "55000": Reason.CLOSED,
    "57P03": Reason.CLOSED,
    "57014": Reason.SLOW,
    "57P01": Reason.LOST,
    "57P02": Reason.LOST,
    "57P05": Reason.LOST,
    "08000": Reason.LOST,
    "08003": Reason.LOST,
    "08006": Reason.LOST,
}
# Messages of PostgreSQL, PgBouncer, Supavisor, libpq and the operating system; the first match
# counts.
_BY_MESSAGE = [
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (r"tenant or user not found|tenant identifier", Reason.TENANT),
        (r"password|no such user|role \".*\" does not exist|authentication", Reason.PASSWORD),
        (r"no encryption|\bSSL\b|\bTLS\b|certificate", Reason.TLS),
        (r"no pg_hba\.conf entry", Reason.PASSWORD),
        (r"too many (clients|connections)|connection slots|max.?client|EMAXCONN", Reason.FULL),
        (r"no more connections allowed|connection limit|query_wait_timeout", Reason.FULL),
        (r"no space left|disk full|out of memory|could not fork", Reason.NO_SPACE),
        (r"database \".*\" does not exist|no such database", Reason.DATABASE),
        (r"not (currently )?accepting connections|is (starting|shutting)", Reason.CLOSED),
        (r"recovery mode|not yet accepting|server login failed|is disabled", Reason.CLOSED),
        (r"failed to resolve|translate host name|Name or service|No address", Reason.NAME),
        (r"unreachable|No route|Cannot assign requested|Address family", Reason.NETWORK),
        (r"refused|No such file or directory", Reason.REFUSED),
        (r"time.?out|timed out", Reason.TIMEOUT),
        (r"closed|terminat|EOF|reset by peer|broken pipe|consuming input|lost", Reason.LOST),
    )
]


def reason(error: BaseException | None) -> Reason | None:
    """Why the database did not answer; None where `error` is something else, such as a bug.

    The driver's error behind a Django error is examined.
    """
    while error is not None and not isinstance(error, psycopg.Error):
        error = error.__cause__
    if isinstance(error, ClientLeft):
        return Reason.LEFT
    if isinstance(error, DeadlinePassed):
        return Reason.DEADLINE
    if isinstance(error, DatabaseHangs):
        return Reason.TIMEOUT
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return None
    if error.sqlstate:
        return _BY_STATE.get(error.sqlstate)
    return _by_message(str(error))


def alias(error: BaseException | None) -> str:
    """The database that did not answer; empty where that is unknown."""
    while error is not None:
        for name in settings.DATABASES:
            if database_note(name) in getattr(error, "__notes__", ()):
                return name
        error = error.__cause__
    return ""


def _by_message(message: str) -> Reason:
    # Where several addresses were tried, the failure of the last comes first. Text before «failed:»
    # holds our own names, which may contain any word.
    for line in message.splitlines():
        said = re.split(r"failed: ", line)[-1]
        for pattern, found in _BY_MESSAGE:
            if pattern.search(said):
                return found
    return Reason.LOST


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was seen of a database that does not answer, and what the owner can do."""

    reason: Reason
    seen: str
    advice: str


def explain(alias: str, error: BaseException) -> Explanation:
    """The sentences for an outage of this database."""
    found = reason(error) or Reason.LOST
    seen, advice = _SENTENCES[found]
    place = {"variable": f"{alias.upper()}_DATABASE_URL"}
    sentences = [str(advice) % place]
    host = str(settings.DATABASES[alias].get("HOST", ""))
    if found in _OF_THE_ADDRESS and re.fullmatch(r"db\.[^.]+\.supabase\.(co|com|red)", host):
        sentences.append(
            _(
                "Прямой адрес Supabase (db.….supabase.co) доступен только по IPv6. Возьмите в"
                " Supabase → Connect адрес Transaction pooler: ….pooler.supabase.com, порт 6543."
            )
        )
    return Explanation(found, str(seen), " ".join(sentences))


_OF_THE_ADDRESS = (Reason.NAME, Reason.NETWORK, Reason.REFUSED, Reason.TIMEOUT)
_BUSY = (
    gettext_lazy("не успевает ответить"),
    gettext_lazy("База занята. Посмотрите в Supabase, какие запросы идут. (%(variable)s)"),
)
_SENTENCES: dict[Reason, tuple[str | Promise, str | Promise]] = {
    Reason.NAME: (
        gettext_lazy("адрес сервера не находится"),
        gettext_lazy("Проверьте имя сервера в переменной %(variable)s."),
    ),
    Reason.NETWORK: (
        gettext_lazy("до сервера нет пути по сети"),
        gettext_lazy("Проверьте сеть этой машины и адрес в переменной %(variable)s."),
    ),
    Reason.REFUSED: (
        gettext_lazy("сервер не принимает соединение"),
        gettext_lazy(
            "Проверьте, что проект Supabase не на паузе, и адрес с портом в %(variable)s."
        ),
    ),
    Reason.PASSWORD: (
        gettext_lazy("сервер не принимает имя или пароль"),
        gettext_lazy(
            "Возьмите строку подключения заново (Supabase → Connect) и замените %(variable)s."
        ),
    ),
    Reason.TENANT: (
        gettext_lazy("пулер не знает такого проекта или пользователя"),
        gettext_lazy(
            "В %(variable)s имя пользователя у пулера — роль.код-проекта, а регион в адресе —"
            " регион проекта. Возьмите строку в Supabase → Connect."
        ),
    ),
    Reason.TLS: (
        gettext_lazy("не удалось защищённое соединение (TLS)"),
        gettext_lazy("Проверьте sslmode и сертификат в %(variable)s. Для Supabase — require."),
    ),
    Reason.FULL: (
        gettext_lazy("на сервере заняты все соединения"),
        gettext_lazy(
            "Подключайтесь через пулер (у Supabase это порт 6543) или увеличьте его размер и"
            " проверьте, кто ещё держит соединения. Переменная: %(variable)s."
        ),
    ),
    Reason.NO_SPACE: (
        gettext_lazy("у сервера кончилось место или память"),
        gettext_lazy("Увеличьте диск или мощность проекта в Supabase. Переменная: %(variable)s."),
    ),
    Reason.DATABASE: (
        gettext_lazy("такой базы на сервере нет"),
        gettext_lazy("Проверьте имя базы в конце %(variable)s. У Supabase это postgres."),
    ),
    Reason.CLOSED: (
        gettext_lazy("сервер сейчас никого не пускает"),
        gettext_lazy(
            "База запускается, останавливается или на паузе. Если это не пройдёт за минуту,"
            " проверьте проект в Supabase. Переменная: %(variable)s."
        ),
    ),
    Reason.TIMEOUT: (
        gettext_lazy("не отвечает"),
        gettext_lazy("Проверьте проект в Supabase и адрес в переменной %(variable)s."),
    ),
    Reason.SLOW: _BUSY,
    Reason.DEADLINE: _BUSY,
    Reason.LOST: (
        gettext_lazy("соединение обрывается"),
        gettext_lazy("Проверьте проект в Supabase и переменную %(variable)s."),
    ),
}
