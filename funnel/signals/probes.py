"""The watch on `/status`."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel.landing.statement import FiguresUnavailable
from funnel.signals import wording
from funnel.signals.watch import reading
from onai.ops.examination import Down, Probe


def _marks() -> str:
    try:
        found = reading().figures
    except FiguresUnavailable as problem:
        return _cannot_be_examined(problem)
    lines = [wording.message(one) for one in (*found.signals, *found.sources)]
    if found.silent:
        silent = ". ".join(wording.message(one) for one in found.silent)
        raise Down(silent, advice="\n".join((str(_ADVICE), *lines)), reason="silent")
    return ". ".join(lines)


def _mailer() -> str:
    try:
        found = reading().figures
    except FiguresUnavailable as problem:
        return _cannot_be_examined(problem)
    errors = wording.of_errors(found.errors)
    if found.unmailed.count:
        advice = "\n".join((str(_MAILER_ADVICE), *errors))
        raise Down(wording.of_mailer(found.unmailed), advice=advice, reason="unmailed")
    told = [wording.of_mailer(found.unmailed)]
    if errors:
        told.append(_("Ошибки за неделю: %(errors)s.") % {"errors": "; ".join(errors)})
    return " ".join(told)


def _cannot_be_examined(problem: FiguresUnavailable) -> str:
    """The message while Landing is unreadable; another probe reports the outage itself."""
    return _("не узнать: %(why)s") % {"why": problem.message}


_ADVICE = gettext_lazy(
    "Цифры воронки показаны как есть, рядом написано, какие неполны. Проверьте, что перестало"
    " писать отметку: лендинг, рассылку, CRM или платформу. Все отметки:"
)
_MAILER_ADVICE = gettext_lazy(
    "Письмо и SMS уходят минут через десять после теста. Проверьте задание лендинга, которое их"
    " отправляет."
)
PROBES = (
    Probe("signals", gettext_lazy("Отметки воронки"), _marks, _ADVICE),
    Probe("mailer", gettext_lazy("Рассылка лендингов"), _mailer, _MAILER_ADVICE),
)
