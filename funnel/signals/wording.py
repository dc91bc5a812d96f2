"""Sentences about the marks, for the pages, `/status` and the API; the most important first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from funnel.landing.statement import FiguresUnavailable
from funnel.report.sources import readable
from funnel.signals.lead_reader import MailErrors, Unmailed
from funnel.signals.marks import MARKS, MarkId
from funnel.signals.short_links import LinkClicks
from funnel.signals.watch import Reading, Signal, State, last_reading, reading
from onai.periods import Period
from onai.templatetags import russian
from onai.templatetags.russian import day, day_of_year, moment_of_year, plural

# The end of a campaign is told for so long on the pages of the funnel.
_SOURCE_TOLD = timedelta(days=7)
# Whatever stops within so long before the leads do has stopped because of them.
_CONSEQUENCE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Incomplete:
    """The marks that were silent for a part of a page's days, and the notices about them."""

    since: dict[MarkId, datetime]
    notices: tuple[str, ...] = ()

    def of(self, marks: Iterable[MarkId]) -> str:
        """The note beside a figure that rests on these marks; empty where the figure is
        complete.
        """
        moments = [self.since[mark] for mark in marks if mark in self.since]
        if not moments:
            return ""
        return _("неполно с %(since)s") % {"since": _day(min(moments))}


def incomplete_in(period: Period, *, only_kept: bool = False) -> Incomplete:
    """What is incomplete in a period: the marks that have been silent for a part of it.

    Nothing is said while the marks cannot be read; with `only_kept`, while no reading is kept.
    """
    try:
        found = last_reading() if only_kept else reading().figures
    except FiguresUnavailable:
        found = None
    if found is None:
        return Incomplete({})
    since = {
        one.id: one.silent_since
        for one in found.signals
        if one.silent_since and one.silent_since < period.end
    }
    return Incomplete(since, tuple(_notices(found, period)))


def silence_of(mark: MarkId) -> str:
    """The sentence about a mark that had fallen silent at the last reading; else empty."""
    found = last_reading()
    silent = [one for one in found.silent if one.id is mark and not one.source] if found else []
    return f"{message(silent[0])}." if silent else ""


def _notices(found: Reading, period: Period) -> Iterator[str]:
    if found.unmailed.count and period.end > found.as_of:
        yield of_mailer(found.unmailed)
    leads = next(one for one in found.signals if one.id is MarkId.LEADS)
    for one in found.silent:
        since = one.silent_since
        if since is None or since >= period.end:
            continue
        if one.source is not None and found.as_of - since > _SOURCE_TOLD:
            continue
        if one is not leads and leads.silent_since and since > leads.silent_since - _CONSEQUENCE:
            continue
        yield f"{message(one)}."


def message(signal: Signal) -> str:
    """The state of a mark as a sentence without its full stop."""
    mark, since = MARKS[signal.id], signal.silent_since
    title = str(mark.title)
    if signal.source is not None:
        title = _("Заявки источника «%(source)s»") % {"source": readable(signal.source)}
    match signal.state:
        case State.UNKNOWN:
            return _("%(title)s: неизвестно, %(why)s") % {
                "title": title,
                "why": signal.unreadable[get_language()],
            }
        case State.NEVER:
            return _("%(title)s: ещё ни разу") % {"title": title}
        case State.SLOW:
            told = {"title": title, "lately": signal.lately, "usual": _usual(signal)}
            return _("%(title)s: %(lately)s за три дня, обычно около %(usual)s") % told
        case State.SILENT if since is not None:
            return _silent(signal, since)
    if signal.last_seen is None:
        return title
    return _("%(title)s: последний раз %(at)s") % {"title": title, "at": _at(signal.last_seen)}


def _silent(signal: Signal, since: datetime) -> str:
    if signal.source is not None:
        told = {"source": readable(signal.source), "since": _at(since)}
        return _("Источник «%(source)s» молчит с %(since)s") % told
    mark = MARKS[signal.id]
    told = {
        "silent": str(mark.silent),
        "since": _at(since),
        "incomplete": str(mark.incomplete),
    }
    if not mark.incomplete:
        return _("%(silent)s с %(since)s") % told
    return _("%(silent)s с %(since)s: %(incomplete)s") % told


def _usual(signal: Signal) -> str:
    return number_format(round(3 * (signal.expected_per_day or 0)))


def of_mailer(unmailed: Unmailed) -> str:
    """The state of the mailer as a sentence."""
    count = unmailed.count
    if not count or unmailed.oldest is None:
        return _("Рассылка работает.")
    told = {
        "leads": f"{count} {plural(count, 'заявка,заявки,заявок')}",
        "since": _at(unmailed.oldest),
    }
    if unmailed.passed_over:
        return _("Без письма и SMS остались %(leads)s, первая — %(since)s.") % told
    return _("Рассылка стоит: без письма и SMS ждут %(leads)s, первая — %(since)s.") % told


def of_links(clicks: LinkClicks) -> str:
    """The clicks on short links as a sentence."""
    if not clicks.readable:
        return _("Клики по коротким ссылкам неизвестны: таблиц с ними нет, или читать их нельзя.")
    told = {"sms": clicks.sms, "email": clicks.email}
    return (
        _(
            "Второй источник, короткие ссылки: из SMS перешли %(sms)s, из писем — %(email)s."
            " В этапах выше их нет."
        )
        % told
    )


def of_errors(errors: Iterable[MailErrors]) -> list[str]:
    """The errors of the mailer, a line for each text."""
    names = {"email": _("письма"), "sms": _("SMS")}
    line = _("%(channel)s: %(text)s — %(count)s")
    return [
        line
        % {
            "channel": names[one.channel],
            "text": one.text or _("другие ошибки"),
            "count": one.count,
        }
        for one in errors
    ]


def _at(moment: datetime) -> str:
    """«14 декабря, 21:44», with the year where it is another one."""
    return moment_of_year(moment) if _is_of_this_year(moment) else russian.moment(moment)


def _day(moment: datetime) -> str:
    return day_of_year(moment) if _is_of_this_year(moment) else day(moment)


def _is_of_this_year(moment: datetime) -> bool:
    return timezone.localtime(moment).year == timezone.localtime().year
