"""The sales desk on `/status`: stuck creations and letters."""

from datetime import timedelta
from urllib.parse import urljoin

import httpx
from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onai.db import outage
from onai.identity import supabase
from onai.ops.examination import Down, Probe, cannot_be_examined
from onai.templatetags.russian import moment_of_year
from sales import adoption, links, supabase_users
from sales.adoption import HEADINGS, Finding, Severity
from sales.adoption.access import account_findings
from sales.models import LetterEvent, LetterState, RequestState, StudentRequest, WelcomeLetter

_HTTP_TIMEOUT_SECONDS = 1.8
_SETTLED_WITHIN = timedelta(minutes=2)
# By then Resend has told something of a letter; an older silence is no sign of a fault any more.
_TOLD_WITHIN, _HEARD_OF_WITHIN = timedelta(hours=1), timedelta(days=7)


def _creations() -> str:
    count = StudentRequest.objects.filter(
        state=RequestState.OPEN, created_at__lt=Now() - _SETTLED_WITHIN
    ).count()
    if count:
        raise Down(_("не закончены: %(count)s") % {"count": count})
    return _("все закончены")


def _sessions() -> str:
    allowed = supabase_users.may_end_sessions()
    if not allowed:
        raise Down(_("нельзя: до часа заблокированный ещё остаётся внутри"))
    return _("завершаются сразу")


def _accounts() -> str:
    try:
        hidden = next(account_findings(), None)
    except DatabaseError as error:
        if outage.reason(error) is None:
            raise
        # The probe of the database reports that it is down.
        return str(cannot_be_examined(error))
    if hidden is not None:
        raise Down(str(hidden.sentence), advice=_advice([hidden]), reason=hidden.code)
    return _("видны")


def _tables() -> str:
    findings = adoption.check()
    notes = [finding for finding in findings if finding.severity is Severity.NOTE]
    amiss = [finding for finding in findings if finding.severity is not Severity.NOTE]
    if amiss:
        told = _("замечаний: %(count)s") % {"count": len(amiss)}
        raise Down(told, advice=_advice(findings), reason="unfit")
    fits = _("подходят, закрыты")
    return ". ".join([fits, " ".join(str(note.sentence) for note in notes)]) if notes else fits


def _advice(findings: list[Finding]) -> str:
    """The findings and the commands to run, a line each."""
    lines = []
    for finding in findings:
        lines.append(f"{HEADINGS[finding.severity]}: {finding.sentence}")
        lines += [f"{' '.join(statement.split())};" for statement in finding.sql]
    closable = any(finding.closable for finding in findings)
    if closable:
        lines.append(_("Закрыть всё сразу: python manage.py check_database --close"))
    if any(finding.severity is Severity.ADAPTS for finding in findings):
        lines.append(_("Исправить: python manage.py migrate --database tripwire"))
    return "\n".join(lines)


def _letters() -> str:
    failed = WelcomeLetter.objects.filter(state=LetterState.FAILED).count()
    late = WelcomeLetter.objects.filter(
        state=LetterState.PENDING, created_at__lt=Now() - _SETTLED_WITHIN
    ).count()
    ours = WelcomeLetter.objects.filter(state=LetterState.PENDING, ours=True).count()
    if ours:
        raise Down(
            _("Resend не принимает ключ или отправителя, из-за этого ждут: %(count)s")
            % {"count": ours},
            advice=_(
                "Проверьте RESEND_API_KEY и RESEND_FROM_EMAIL и подтверждён ли домен отправителя"
                " в Resend. Письма уйдут сами. Подробности: python manage.py letters"
            ),
            reason="sender_refused",
        )
    if failed or late:
        raise Down(_("не ушли: %(failed)s, ждут: %(late)s") % {"failed": failed, "late": late})
    return _("все отправлены")


def _letter_events() -> str:
    if not settings.RESEND_WEBHOOK_SECRET:
        return _(
            "не настроены: письма остаются «принято», дошли ли они, не видно. В Resend откройте"
            " Webhooks, добавьте адрес https://…/webhooks/resend этого сайта с событиями email.*,"
            " и задайте RESEND_WEBHOOK_SECRET его секретом"
        )
    newest = LetterEvent.objects.order_by("-received_at").first()
    heard = newest.received_at if newest else Now() - _HEARD_OF_WITHIN
    unheard = WelcomeLetter.objects.filter(
        state=LetterState.SENT, sent_at__gt=heard, sent_at__lt=Now() - _TOLD_WITHIN
    ).exclude(resend_id="")
    if unheard.filter(sent_at__gt=Now() - _HEARD_OF_WITHIN).exists():
        raise Down(_("не приходят: о последних письмах Resend ничего не сказал"), reason="unheard")
    if newest is None:
        return _("настроены, пока ни одного")
    when = moment_of_year(newest.received_at)
    return _("приходят, последнее %(when)s") % {"when": when}


def _platform() -> str:
    url = settings.PLATFORM_LOGIN_URL
    if links.is_this_site(url):
        raise Down(_("это адрес этого сайта"), reason="this_site")
    try:
        answer = supabase.connections().get(url, timeout=_HTTP_TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        raise Down(_("не отвечает")) from error
    if answer.has_redirect_location and links.is_this_site(
        urljoin(url, answer.headers["Location"])
    ):
        raise Down(_("ведёт на этот сайт"), reason="this_site")
    # A guard against robots also shows that somebody is there.
    if answer.is_server_error or answer.status_code in (404, 410):
        raise Down(_("отвечает ошибкой %(status)s") % {"status": answer.status_code})
    return _("отвечает")


LIMITS = [
    gettext_lazy(
        "Сам студентам не напоминает: расписания и «AI-наставника» прежней системы здесь нет."
        " Кто не начал и кто пропал, видно в кабинете, рядом готовое сообщение."
    ),
    gettext_lazy(
        "CRM не подключена: сайт не создаёт и не меняет в ней сделок и контактов. Когда доступ"
        " открыт, сделку в CRM закрывает человек. Выигранные сделки сайт видит, только если их"
        " пишут в таблицу express_course_sales базы Landing."
    ),
]
ACCOUNTS = Probe(
    "accounts",
    gettext_lazy("Учётные записи в базе Tripwire"),
    _accounts,
    gettext_lazy("Доступы выдать нельзя. Подробности: python manage.py check_database"),
)
PROBES = [
    Probe(
        "letter_events",
        gettext_lazy("События о письмах (вебхук Resend)"),
        _letter_events,
        gettext_lazy(
            "Дошли ли письма, не видно. Проверьте в Resend, Webhooks: адрес этого сайта"
            " /webhooks/resend, включён ли он, какие ответы получил и тот ли секрет в"
            " RESEND_WEBHOOK_SECRET."
        ),
    ),
    Probe(
        "platform",
        gettext_lazy("Учебная платформа"),
        _platform,
        gettext_lazy(
            "На неё ведёт ссылка в письмах студентам. Проверьте её саму и переменную"
            " PLATFORM_LOGIN_URL."
        ),
    ),
    Probe(
        "creations",
        gettext_lazy("Создание и изменение доступов"),
        _creations,
        gettext_lazy(
            "Доводятся до конца сами, когда Supabase Auth отвечает и работают фоновые задания."
            " Подробности: python manage.py intentions"
        ),
    ),
    Probe(
        "sessions",
        gettext_lazy("Сессии заблокированных"),
        _sessions,
        gettext_lazy(
            "Дайте роли базы Tripwire право:"
            " grant usage on schema auth, select, delete on auth.sessions"
        ),
    ),
    Probe(
        "tripwire_tables",
        gettext_lazy("Таблицы базы Tripwire"),
        _tables,
        gettext_lazy("Подробности: python manage.py check_database"),
    ),
    Probe(
        "letters",
        gettext_lazy("Письма студентам"),
        _letters,
        gettext_lazy(
            "Ждущие уйдут сами, не ушедшие отправляются из карточки студента."
            " Подробности: python manage.py letters"
        ),
    ),
]
