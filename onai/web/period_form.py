"""Chooses a period by a name or by its days, in the address, so that a view can be sent as a link.

`?period=this-month`, or `?from=2026-11-01&to=2026-11-22`; days are business days, both included.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from onai.periods import Period, business_day
from onai.web.address_form import AddressForm

_FIRST_DAY_OF_ALL = date(2000, 1, 1)
_LATEST = timedelta(days=366)


class Preset(TextChoices):
    TODAY = "today", _("Сегодня")
    YESTERDAY = "yesterday", _("Вчера")
    SEVEN_DAYS = "7-days", _("7 дней")
    THIRTY_DAYS = "30-days", _("30 дней")
    NINETY_DAYS = "90-days", _("90 дней")
    THIS_WEEK = "this-week", _("Эта неделя")
    LAST_WEEK = "last-week", _("Прошлая неделя")
    THIS_MONTH = "this-month", _("Этот месяц")
    LAST_MONTH = "last-month", _("Прошлый месяц")
    ALL = "all", _("Всё время")


_LAST_DAYS = {
    Preset.TODAY: 1,
    Preset.SEVEN_DAYS: 7,
    Preset.THIRTY_DAYS: 30,
    Preset.NINETY_DAYS: 90,
}


@dataclass(frozen=True, slots=True)
class ChosenPeriod:
    """A chosen period. `preset` is None for chosen days. `query` is the choice as it stands in an
    address.
    """

    period: Period
    preset: Preset | None
    query: str

    @property
    def label(self) -> str:
        return in_words(self.period)


def in_words(period: Period) -> str:
    """The days for a reader: «1 ноября — 22 ноября 2026»."""
    first, last = period.first_day, period.last_day
    if first == last:
        return date_format(first, "j E Y")
    first_format = "j E Y" if first.year != last.year else "j E"
    return f"{date_format(first, first_format)} — {date_format(last, 'j E Y')}"


class _DayField(forms.DateField):
    """A day that shows its initial value where the address has none."""

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data or initial


class PeriodForm(AddressForm):
    """The period of an address. `from` and `to` win over `period`."""

    parameters = {
        "period": "a period by its name; the last 30 days by default",
        "from": "the first of days of one's own, `2026-11-01`",
        "to": "the last of them; today by default",
    }

    period = forms.ChoiceField(
        choices=Preset.choices,
        required=False,
        error_messages={"invalid_choice": _("Такого периода нет. Выберите из списка.")},
    )

    def __init__(
        self,
        query: QueryDict,
        *,
        longest_days: int | None = None,
        presets: Iterable[Preset] = tuple(Preset),
    ) -> None:
        super().__init__(query)
        self.longest_days = longest_days
        named = self.fields["period"]
        assert isinstance(named, forms.ChoiceField)  # noqa: S101 - for the type checker
        named.choices = [(preset.value, preset.label) for preset in presets]
        for name, label in (("from", _("С")), ("to", _("По"))):
            # Declared here, because `from` is a keyword of Python.
            self.fields[name] = _DayField(
                label=label,
                required=False,
                input_formats=["%Y-%m-%d"],
                widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
                error_messages={"invalid": _("Это не дата. Пример: 2026-11-22")},
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        first, last = cleaned.get("from"), cleaned.get("to")
        if first is None and last is not None and "from" not in self.errors:
            self.add_error("from", ValidationError(_("Укажите, с какого дня.")))
        if first is None:
            return cleaned
        for name, day in (("from", first), ("to", last)):
            if day and not _FIRST_DAY_OF_ALL <= day <= business_day() + _LATEST:
                self.add_error(name, ValidationError(_("Таких дней у нас нет.")))
        if {"from", "to"} & set(self.errors):
            return cleaned
        last = last or max(first, business_day())
        if last < first:
            self.add_error("to", ValidationError(_("Конец раньше начала.")))
        elif self.longest_days and (last - first).days >= self.longest_days:
            message = _now("Период не длиннее %(years)s лет.")
            self.add_error("to", ValidationError(message % {"years": self.longest_days // 365}))
        else:
            cleaned["to"] = last
        return cleaned


def chosen_period(
    form: PeriodForm,
    *,
    default: Preset = Preset.THIS_MONTH,
    first_day_of_all: Callable[[], date | None] = lambda: None,
) -> ChosenPeriod:
    """The period of the form, or the default where it has none or an invalid one.

    `first_day_of_all` returns the first day with data, for all time. The form then shows the chosen
    days, so that one of them can be corrected; invalid values it shows as they were given.
    """
    nonsense = not form.is_valid() and {"period", "from", "to"} & set(form.errors)
    cleaned = {} if nonsense else form.cleaned_data
    chosen = _chosen(cleaned, default, first_day_of_all)
    if not nonsense:
        form.initial = {"from": chosen.period.first_day, "to": chosen.period.last_day}
    return chosen


def _chosen(
    cleaned: dict[str, Any], default: Preset, first_day_of_all: Callable[[], date | None]
) -> ChosenPeriod:
    if cleaned.get("from"):
        period = Period(cleaned["from"], cleaned["to"])
        days = {"from": period.first_day.isoformat(), "to": period.last_day.isoformat()}
        return ChosenPeriod(period, None, urlencode(days))
    preset = Preset(cleaned.get("period") or default)
    query = urlencode({"period": preset.value})
    if preset is Preset.ALL:
        today = business_day()
        first = min(first_day_of_all() or today, today)
        return ChosenPeriod(Period(first, today), preset, query)
    return ChosenPeriod(_named(preset), preset, query)


def _named(preset: Preset) -> Period:
    today = business_day()
    match preset:
        case Preset.YESTERDAY:
            return Period.day(today - timedelta(days=1))
        case Preset.THIS_WEEK:
            return Period(today - timedelta(days=today.weekday()), today)
        case Preset.LAST_WEEK:
            monday = today - timedelta(days=today.weekday() + 7)
            return Period(monday, monday + timedelta(days=6))
        case Preset.THIS_MONTH:
            return Period(today.replace(day=1), today)
        case Preset.LAST_MONTH:
            return Period.month_of(today.replace(day=1) - timedelta(days=1))
        case _:
            return Period.last_days(_LAST_DAYS[preset])
