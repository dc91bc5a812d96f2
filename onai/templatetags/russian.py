"""Numbers and nouns as a Russian reader expects them."""

from datetime import datetime, timedelta
from decimal import Decimal

from django import template
from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from onai.identity.roles import Role

register = template.Library()

_NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
# A zone that is not listed is shown by its own name.
_ZONES = {"Asia/Almaty": "Алматы"}


@register.filter
def tenge(amount: int) -> str:
    """`150000` as «150 000 ₸»."""
    return f"{number_format(amount, force_grouping=True)}{_NO_BREAK_SPACE}₸"


@register.filter
def percent(share: Decimal | int | None) -> str:
    """`Decimal("8.57")` as «8,57 %»; `109` as «109 %»; None, where there is no share, as «—»."""
    if share is None:
        return "—"
    return f"{number_format(share, force_grouping=True)}{_NO_BREAK_SPACE}%"


@register.filter
def plural(count: int, forms: str) -> str:
    """The form of a noun that goes with `count`: `5|plural:"покупка,покупки,покупок"`."""
    one, few, many = forms.split(",")
    if count % 10 == 1 and count % 100 != 11:
        return one
    if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14):
        return few
    return many


@register.filter
def ago(age: timedelta) -> str:
    """The time passed, in its largest unit: «25 минут назад», «1 день назад»."""
    minutes = int(age.total_seconds()) // 60
    if minutes < 1:
        return "меньше минуты назад"
    if minutes < 60:
        return f"{minutes} {plural(minutes, 'минуту,минуты,минут')} назад"
    hours = minutes // 60
    if hours < 24:
        return f"{hours} {plural(hours, 'час,часа,часов')} назад"
    return f"{hours // 24} {plural(hours // 24, 'день,дня,дней')} назад"


@register.filter
def duration(time: timedelta) -> str:
    """A duration in its two largest units: «1 д 5 ч», «5 ч 12 мин», «12 мин»."""
    minutes = round(time.total_seconds() / 60)
    if minutes < 60:
        return _joined((minutes, "мин"))
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return _joined((hours, "ч"), (minutes, "мин"))
    days, hours = divmod(hours, 24)
    return _joined((days, "д"), (hours, "ч"))


@register.filter
def hours(count: int) -> str:
    """An age in hours or days, in the genitive: «72 часов», «9 дней»."""
    days, rest = divmod(count, 24)
    if rest or days <= 3:
        return f"{count}{_NO_BREAK_SPACE}{plural(count, 'часа,часов,часов')}"
    return f"{days}{_NO_BREAK_SPACE}{plural(days, 'дня,дней,дней')}"


@register.filter(expects_localtime=True)
def time_zone(moment: datetime) -> str:
    """The clock by which a moment is shown: «по времени Алматы (UTC+5)»."""
    offset = f"{moment:%z}"
    hours, minutes = offset[:1] + (offset[1:3].lstrip("0") or "0"), offset[3:5]
    name = _ZONES.get(settings.TIME_ZONE, settings.TIME_ZONE)
    away = f"{hours}{'' if minutes == '00' else ':' + minutes}"
    utc = f"UTC{'' if away in ('+0', '-0') else away}"
    return f"по времени {name} ({utc})"


def _joined(*parts: tuple[int, str]) -> str:
    first, *rest = parts
    told = [first, *(part for part in rest if part[0])]
    return " ".join(f"{count}{_NO_BREAK_SPACE}{unit}" for count, unit in told)


@register.filter
def role_title(role: Role | str) -> str:
    """The title of a staff role."""
    return _("администратор") if role == Role.ADMIN else _("менеджер")
