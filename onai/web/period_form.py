"""Chooses a period by a name or by its days, in the address, so that a view can be sent as a link.

`?period=this-month`, or `?from=2026-11-01&to=2026-11-22`; days are business days, both included.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.http import QueryDict
from django.utils.formats import date_format, get_format
from django.utils.functional import Promise, cached_property
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


_OPENINGS: dict[Preset, str | Promise] = {
    Preset.TODAY: _("Сегодня"),
    Preset.YESTERDAY: _("Вчера"),
    Preset.SEVEN_DAYS: _("За 7 дней"),
    Preset.THIRTY_DAYS: _("За 30 дней"),
    Preset.NINETY_DAYS: _("За 90 дней"),
    Preset.THIS_WEEK: _("На этой неделе"),
    Preset.LAST_WEEK: _("На прошлой неделе"),
    Preset.THIS_MONTH: _("В этом месяце"),
    Preset.LAST_MONTH: _("В прошлом месяце"),
    Preset.ALL: _("За всё время"),
}
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

    @property
    def opening(self) -> str:
        """The days at the beginning of a sentence: «В этом месяце», «1 ноября 2026:»."""
        return str(_OPENINGS[self.preset]) if self.preset else f"{self.label}:"


def in_words(period: Period) -> str:
    """The days for a reader: «1 ноября — 22 ноября 2026»."""
    first, last = period.first_day, period.last_day
    if first == last:
        return date_format(last, "DATE_FORMAT")
    first_format = last_format = "DATE_FORMAT"
    if first.year == last.year:
        # In Kazakh the year stands first.
        year_first = get_format("DATE_FORMAT").startswith("Y")
        if year_first:
            last_format = "MONTH_DAY_FORMAT"
        else:
            first_format = "MONTH_DAY_FORMAT"
    return f"{date_format(first, first_format)} — {date_format(last, last_format)}"


class _DayField(forms.DateField):
    """A day that shows its initial value where the address has none."""

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data or initial


class PeriodForm(AddressForm):
    """The period of an address. `from` and `to` win over `period`.

    A form of its own says by its class which periods it offers, which one is the `default`, and how
    many days at most it takes.
    """

    parameters = {
        "period": "a period by its name; the last 30 days by default",
        "from": "the first of days of one's own, `2026-11-01`",
        "to": "the last of them; today by default",
    }
    default: ClassVar[Preset] = Preset.THIS_MONTH
    presets: ClassVar[Sequence[Preset]] = tuple(Preset)
    longest_days: ClassVar[int | None] = None

    period = forms.ChoiceField(
        required=False,
        error_messages={"invalid_choice": _("Такого периода нет. Выберите из списка.")},
    )

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query)
        named = self.fields["period"]
        assert isinstance(named, forms.ChoiceField)  # noqa: S101 - for the type checker
        named.choices = [(preset.value, preset.label) for preset in self.presets]
        for name, label in (("from", _("С")), ("to", _("По"))):
            # Declared here, because `from` is a keyword of Python.
            self.fields[name] = _DayField(
                label=label,
                required=False,
                input_formats=["%Y-%m-%d"],
                widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
                error_messages={"invalid": _("Это не дата. Пример: 2026-11-22")},
            )

    def first_day_of_all(self) -> date | None:
        """The first business day with data, for all time; None where there is none."""
        return None

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

    @cached_property
    def chosen(self) -> ChosenPeriod:
        """The period of the address, or the default where it has none or an invalid one.

        The form then shows the chosen days, so that one of them can be corrected; invalid values it
        shows as they were given.
        """
        invalid = not self.is_valid() and {"period", "from", "to"} & set(self.errors)
        cleaned = {} if invalid else self.cleaned_data
        if cleaned.get("from"):
            period, preset = Period(cleaned["from"], cleaned["to"]), None
            told = {"from": period.first_day.isoformat(), "to": period.last_day.isoformat()}
        else:
            preset = Preset(cleaned.get("period") or self.default)
            told = {"period": preset.value}
            period = self._all_time() if preset is Preset.ALL else _named(preset)
        if not invalid:
            self.initial = {"from": period.first_day, "to": period.last_day}
        return ChosenPeriod(period, preset, urlencode(told))

    def _all_time(self) -> Period:
        today = business_day()
        return Period(min(self.first_day_of_all() or today, today), today)


def _named(preset: Preset) -> Period:
    today = business_day()
    monday = today - timedelta(days=today.weekday())
    match preset:
        case Preset.YESTERDAY:
            return Period.day(today - timedelta(days=1))
        case Preset.THIS_WEEK:
            return Period(monday, today)
        case Preset.LAST_WEEK:
            return Period(monday - timedelta(days=7), monday - timedelta(days=1))
        case Preset.THIS_MONTH:
            return Period(today.replace(day=1), today)
        case Preset.LAST_MONTH:
            return Period.month_of(today.replace(day=1) - timedelta(days=1))
        case _:
            return Period.last_days(_LAST_DAYS[preset])
