"""Lines of the queue as pages show them: ready texts, links, and what may be done."""

from dataclasses import dataclass
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from onai.contacts import phones
from onai.identity.roles import Identity
from onai.templatetags.russian import clock, duration, tenge
from onai.web.look.days import day_in_words, moment_in_words
from sales.handoff.queue import Line, LineState, Signal
from sales.models import ClosingReason, SignalKind, Student


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of a purchase in words. `gone` says since when it is not there any more."""

    text: str
    gone: str


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line. `phone_href` is empty where what was written is no number; `similar` are students
    who may be the same person.
    """

    id: UUID
    name: str | Promise
    phone: str
    phone_href: str
    whatsapp: str
    email: str
    source: str
    warning: str
    asked_on: str
    signs: list[Sign]
    waits: str
    standing: str
    is_open: bool
    may_claim: bool
    may_release: bool
    may_reopen: bool
    similar: list[Student]


def line_row(line: Line, viewer: Identity, similar: list[Student] | None = None) -> LineRow:
    """The row of a line, with what this reader may do."""
    buyer, state = line.buyer, line.state
    is_closed = state is LineState.CLOSED
    return LineRow(
        id=buyer.pk,
        name=buyer.name or _("Имя неизвестно"),
        phone=phones.spelled(line.phone) if phones.link(line.phone) else buyer.phone,
        phone_href=phones.link(line.phone),
        whatsapp=line.greeting.whatsapp,
        email=buyer.email,
        source=buyer.source or "",
        warning=f"{str(buyer.get_ambiguity_display()).capitalize()}." if buyer.ambiguity else "",
        asked_on=_("Заявка: %(moment)s") % {"moment": moment_in_words(buyer.created_at)},
        signs=[_sign(one, line) for one in line.signals],
        waits=duration(line.waits),
        standing=_closed(line) if is_closed else _open(line),
        is_open=not is_closed,
        may_claim=state is LineState.WAITING,
        may_release=line.is_mine or (state is LineState.CLAIMED and viewer.is_admin),
        may_reopen=is_closed and buyer.closed_reason != ClosingReason.ACCESS,
        similar=similar or [],
    )


def _sign(signal: Signal, line: Line) -> Sign:
    amount = line.buyer.won_amount if signal.kind is SignalKind.WON else None
    text = str(signal.kind.label)
    if signal.way_to_pay:
        text = f"{text}: {signal.way_to_pay}"
    if amount:
        text = f"{text}, {tenge(amount)}"
    gone = ""
    if signal.gone_at:
        gone = _("отметка исчезла %(day)s") % {"day": day_in_words(signal.gone_at)}
    return Sign(f"{text} · {moment_in_words(signal.at)}", gone)


def _open(line: Line) -> str:
    at = {"time": duration(line.waits), "name": line.buyer.claimed_name, "until": ""}
    if line.buyer.claimed_until and line.state is LineState.CLAIMED:
        at["until"] = clock(line.buyer.claimed_until)
    if line.is_mine:
        return _("Ждёт %(time)s · вы занимаетесь до %(until)s") % at
    if line.state is LineState.CLAIMED:
        return _("Ждёт %(time)s · занимается %(name)s до %(until)s") % at
    return _("Ждёт %(time)s · свободна") % at


def _closed(line: Line) -> str:
    buyer = line.buyer
    moment = moment_in_words(buyer.closed_at) if buyer.closed_at else ""
    closed = _("Закрыто %(moment)s: %(reason)s") % {
        "moment": moment,
        "reason": buyer.get_closed_reason_display(),
    }
    told = ", ".join(filter(None, (closed, buyer.closed_note)))
    return " · ".join(filter(None, (told, buyer.closed_name)))
