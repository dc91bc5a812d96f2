"""Runs the probes: all at once, for two seconds at most, and once for everybody who asks in a
language, because what a probe saw is a sentence.

A probe runs in a daemon thread of its own, so no thread that serves people waits for a part that
hangs. A hanging probe is not started again before it ends.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

import django.db
from django.db import connections
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from onai.db import deadline, outage

# The limit of an examination, and how long everybody gets its result.
PATIENCE_SECONDS = 2.0
KEPT_SECONDS = 2.0
# A little shorter, so that the probe itself can report what it waited for.
_DATABASE_SECONDS = 1.4


class Down(Exception):
    """A part does not work. The message says what was seen, and holds no secret.

    `advice` says what to do where the probe's own advice does not fit. `reason` is a stable word
    for the log and for programs.
    """

    def __init__(
        self,
        message: str,
        *,
        advice: str | Promise | None = None,
        reason: str = "down",
    ) -> None:
        super().__init__(message)
        self.advice = advice
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Probe:
    """How to examine one part. `check` returns what it saw, or raises `Down`, or Django's database
    errors where that is unknown.
    """

    name: str
    title: str | Promise
    check: Callable[[], str]
    advice: str | Promise


@dataclass(frozen=True, slots=True)
class Part:
    """One part as a probe found it. `advice` says what to do when it does not work."""

    name: str
    title: str | Promise
    works: bool
    seen: str
    advice: str | Promise
    reason: str = ""


@dataclass(slots=True)
class _Finding:
    """The last result of a probe, and whether it is running. Times are `monotonic()`."""

    part: Part | None = None
    ended: float = 0.0
    began: float | None = None


# By the name of the probe and the language of its words.
_findings: dict[tuple[str, str], _Finding] = {}
_change = threading.Condition()


def examine(probes: Sequence[Probe]) -> list[Part]:
    """What the probes found at most `KEPT_SECONDS` ago, after a wait of at most `PATIENCE_SECONDS`.

    A part whose probe has not answered by then is reported as not answering.
    """
    until = monotonic() + PATIENCE_SECONDS
    with _change:
        for probe in probes:
            _begin_if_old(probe)
        _change.wait_for(lambda: not any(map(_is_awaited, probes)), until - monotonic())
        return [_found(probe) for probe in probes]


def cannot_be_examined(error: django.db.Error) -> Down:
    """A part that cannot be examined: its database does not answer, or answers with an error."""
    name = {"name": outage.alias(error).title()}
    if outage.reason(error) is not None:
        return Down(_("не узнать: база %(name)s не отвечает") % name)
    state = getattr(error.__cause__, "sqlstate", None) or "?"
    return Down(
        _("не узнать: база %(name)s отвечает ошибкой %(state)s") % {**name, "state": state},
        reason="database_error",
    )


def _begin_if_old(probe: Probe) -> None:
    key = _key(probe)
    finding = _findings.setdefault(key, _Finding())
    fresh = finding.part and monotonic() - finding.ended < KEPT_SECONDS
    if finding.began is None and not fresh:
        finding.began = monotonic()
        name = f"probe {probe.name}"
        threading.Thread(target=_run, args=[probe, key], name=name, daemon=True).start()


def _key(probe: Probe) -> tuple[str, str]:
    return probe.name, translation.get_language()


def _is_awaited(probe: Probe) -> bool:
    """Whether the probe is running, and has not run for too long already."""
    began = _findings[_key(probe)].began
    return began is not None and monotonic() - began < PATIENCE_SECONDS


def _found(probe: Probe) -> Part:
    finding = _findings[_key(probe)]
    if finding.began is None and finding.part:
        return finding.part
    silent = _("не отвечает дольше %(seconds)s с") % {"seconds": round(PATIENCE_SECONDS)}
    return Part(probe.name, probe.title, False, silent, probe.advice, "timeout")


def _run(probe: Probe, key: tuple[str, str]) -> None:
    part = None
    try:
        with translation.override(key[1]):
            part = _part(probe)
    finally:
        # A probe that crashed did not answer; its traceback is in the log.
        with _change:
            finding = _findings[key]
            finding.part, finding.ended, finding.began = part, monotonic(), None
            _change.notify_all()


def _part(probe: Probe) -> Part:
    try:
        with deadline.within(_DATABASE_SECONDS):
            seen = probe.check()
    except Down as down:
        return _down(probe, down)
    except django.db.Error as error:
        return _down(probe, cannot_be_examined(error))
    finally:
        # The connections of this thread, which nobody else closes.
        connections.close_all()
    return Part(probe.name, probe.title, True, seen, probe.advice)


def _down(probe: Probe, down: Down) -> Part:
    advice = down.advice or probe.advice
    return Part(probe.name, probe.title, False, str(down), advice, down.reason)
