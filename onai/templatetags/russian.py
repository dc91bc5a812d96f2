"""Numbers, nouns, days and times as a reader of the page's language expects them."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from django import template
from django.conf import settings
from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext_lazy, ngettext, npgettext
from django.utils.translation import gettext as _

from onai.identity.roles import Role

register = template.Library()

_NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
# A zone that is not listed is shown by its own name.
_ZONES = {"Asia/Almaty": gettext_lazy("Алматы")}


@register.filter
def tenge(amount: int) -> str:
    """`150000` as «150 000 ₸»."""
    return f"{number_format(amount, force_grouping=True)}{_NO_BREAK_SPACE}₸"


def short_number(number: Decimal | int) -> str:
    """A number for the axis of a chart: «1,5 млн», «20 тыс.», «950»."""
    for unit, name in ((1_000_000, _("млн")), (1_000, _("тыс."))):
        if number >= max(unit, 10_000):
            return f"{number_format((Decimal(number) / unit).normalize())}{_NO_BREAK_SPACE}{name}"
    return number_format(number)


@register.filter
def percent(share: Decimal | int | None) -> str:
    """`Decimal("8.57")` as «8,57 %»; `109` as «109 %»; None, where there is no share, as «—»."""
    if share is None:
        return "—"
    return _("%(share)s\u00a0%%") % {"share": number_format(share, force_grouping=True)}


@register.filter
def plural(count: int, forms: str) -> str:
    """The form of a noun that goes with `count`: `5|plural:"покупка,покупки,покупок"`.

    The three are Russian; `locale/` has those of the other languages. Forms that do not stand in
    the call itself are marked by `nouns`.
    """
    one, few, many = forms.split(",")
    if get_language() != settings.LANGUAGE_CODE:
        return npgettext("number", one, many, count)
    if count % 10 == 1 and count % 100 != 11:
        return one
    if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14):
        return few
    return many


def nouns(forms: str) -> str:
    """Mark the forms of a noun for translation, for a later `plural`."""
    return forms


@register.filter
def ago(age: timedelta) -> str:
    """The time passed, in its largest unit: «25 минут назад», «1 день назад»."""
    minutes = int(age.total_seconds()) // 60
    if minutes < 1:
        return _("меньше минуты назад")
    if minutes < 60:
        told = ngettext("%(count)s минуту назад", "%(count)s минут назад", minutes)
        return told % {"count": minutes}
    hours = minutes // 60
    if hours < 24:
        return ngettext("%(count)s час назад", "%(count)s часов назад", hours) % {"count": hours}
    days = hours // 24
    return ngettext("%(count)s день назад", "%(count)s дней назад", days) % {"count": days}


@register.filter
def duration(time: timedelta) -> str:
    """A duration in its two largest units: «1 д 5 ч», «5 ч 12 мин», «12 мин»."""
    minutes = round(time.total_seconds() / 60)
    if minutes < 60:
        return _joined((minutes, _("%(count)s мин")))
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return _joined((hours, _("%(count)s ч")), (minutes, _("%(count)s мин")))
    days, hours = divmod(hours, 24)
    return _joined((days, _("%(count)s д")), (hours, _("%(count)s ч")))


def duration_in_words(time: timedelta) -> str:
    """A duration in a sentence, after «через»: «1 день 7 часов», «5 часов 12 минут»."""
    minutes = round(time.total_seconds() / 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [
        (days, nouns("день,дня,дней")),
        (hours, nouns("час,часа,часов")),
        (minutes, nouns("минуту,минуты,минут")),
    ]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    told = [one for one in parts[:2] if one[0]] or parts[:1]
    return " ".join(f"{count}{_NO_BREAK_SPACE}{plural(count, forms)}" for count, forms in told)


@register.filter
def hours(count: int) -> str:
    """An age in hours or days, in the genitive: «72 часов», «9 дней»."""
    days, rest = divmod(count, 24)
    if rest or days <= 3:
        age = npgettext("older than", "%(count)s часа", "%(count)s часов", count) % {"count": count}
    else:
        age = npgettext("older than", "%(count)s дня", "%(count)s дней", days) % {"count": days}
    return age.replace(" ", _NO_BREAK_SPACE)


@register.filter(expects_localtime=True)
def time_zone(moment: datetime) -> str:
    """The clock by which a moment is shown: «по времени Алматы (UTC+5)»."""
    offset = f"{moment:%z}"
    hours, minutes = offset[:1] + (offset[1:3].lstrip("0") or "0"), offset[3:5]
    name = _ZONES.get(settings.TIME_ZONE, settings.TIME_ZONE)
    away = f"{hours}{'' if minutes == '00' else ':' + minutes}"
    utc = f"UTC{'' if away in ('+0', '-0') else away}"
    return _("по времени %(place)s (%(utc)s)") % {"place": name, "utc": utc}


def day(moment: date | None) -> str:
    """A day with its year: «26 ноября 2026»."""
    return date_format(_local(moment), "DATE_FORMAT") if moment else ""


def day_of_year(moment: date | None) -> str:
    """A day of this year: «26 ноября»."""
    return date_format(_local(moment), "MONTH_DAY_FORMAT") if moment else ""


def moment(at: datetime | None) -> str:
    """A moment with its year: «26 ноября 2026, 14:30»."""
    return date_format(_local(at), "DATETIME_FORMAT") if at else ""


@register.filter
def moment_of_year(at: datetime | None) -> str:
    """A moment of this year: «26 ноября, 14:30»."""
    return f"{day_of_year(at)}, {clock(at)}" if at else ""


def clock(at: datetime | None) -> str:
    """The time of a moment: «14:30»."""
    return date_format(_local(at), "TIME_FORMAT") if at else ""


def _local(at: date) -> date:
    return localtime(at) if isinstance(at, datetime) else at


def _joined(*parts: tuple[int, str]) -> str:
    first, *rest = parts
    told = [first, *(part for part in rest if part[0])]
    return " ".join(unit.replace(" ", _NO_BREAK_SPACE) % {"count": count} for count, unit in told)


@register.filter
def role_title(role: Role | str) -> str:
    """The title of a staff role."""
    return _("администратор") if role == Role.ADMIN else _("менеджер")
