"""The filters of the lists of students and acts, from the address. `manager` is for admins.

Plain forms over the address: each filter is a method or a value of the domain, so a library of
filters would only add a second way to refuse invalid values.
"""

from collections.abc import Container, Iterable
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from funnel.web.links import Link, changed
from onai.contacts import phones
from onai.identity.models import StaffMember
from onai.identity.roles import Identity
from onai.periods import Period, Unit, business_day
from onai.web.address_form import AddressForm
from onai.web.paging import PagedForm
from sales.cabinet.attention import Attention
from sales.cabinet.student_list import (
    ORDERS,
    SHORTEST_WORD,
    LetterFilter,
    Order,
    StudentFilter,
)
from sales.models import ActionType, StudentStatus
from sales.staff import distinct_names

NOBODY = "none"
_FINISHED = "finished"
_FIRST_DAY = date(2000, 1, 1)


class ManagerForm(AddressForm):
    """Whose students a page shows: those of all managers, of one, or those without a manager."""

    manager = forms.ChoiceField(label=_("Менеджер"), required=False)

    more_managers: tuple[tuple[str, Any], ...] = ((NOBODY, _("без менеджера")),)
    takes_former_staff = False

    def __init__(self, query: QueryDict, *, staff: Iterable[StaffMember]) -> None:
        super().__init__(query)
        everybody = [(str(one), name) for one, name in distinct_names(staff).items()]
        manager = self.fields["manager"]
        assert isinstance(manager, forms.ChoiceField)  # noqa: S101 - for the type checker
        more = [*self.more_managers, *self._former(query.get("manager"), dict(everybody))]
        manager.choices = [("", _("все")), *everybody, *more]
        self.is_valid()

    def _former(self, asked: str | None, staff: Container[str]) -> list[tuple[str, Any]]:
        """The choice of a former staff member, whom only a link names."""
        if not self.takes_former_staff or not asked or asked in staff:
            return []
        try:
            UUID(asked)
        except ValueError:
            return []
        return [(asked, _("бывший сотрудник"))]

    @property
    def manager_id(self) -> UUID | None:
        manager = self.cleaned_data.get("manager") or NOBODY
        return None if manager == NOBODY else UUID(manager)

    @property
    def without_manager(self) -> bool:
        return bool(self.cleaned_data.get("manager") == NOBODY)


class ListForm(PagedForm, ManagerForm):
    """A list of which one page is shown."""


class StudentListForm(ListForm):
    takes_former_staff = True

    q = forms.CharField(
        label=_("Найти студента"),
        required=False,
        max_length=100,
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "autocapitalize": "none",
                "autocomplete": "off",
                "placeholder": _("Имя, почта или телефон"),
            }
        ),
    )
    status = forms.ChoiceField(
        label=_("Статус"), required=False, choices=[("", _("любой")), *StudentStatus.choices]
    )
    letter = forms.ChoiceField(
        label=_("Письмо"), required=False, choices=[("", _("любое")), *LetterFilter.choices]
    )
    attention = forms.ChoiceField(
        label=_("Учёба"),
        required=False,
        choices=[("", _("все")), *Attention.choices, (_FINISHED, _("прошли курс"))],
    )
    sort = forms.ChoiceField(label=_("Порядок"), required=False, choices=Order.choices)
    # By links only: from the shares of those who have not started, and from the week's figures.
    source = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)
    source_unknown = forms.BooleanField(required=False, widget=forms.HiddenInput)
    week = forms.DateField(required=False, widget=forms.HiddenInput, input_formats=["%Y-%m-%d"])

    # In a sheet, outside the form whose button searches.
    _IN_SHEET = ("status", "letter", "attention", "manager", "sort")

    def __init__(self, query: QueryDict, *, staff: Iterable[StaffMember]) -> None:
        super().__init__(query, staff=staff)
        for name in self._IN_SHEET:
            self.fields[name].widget.attrs["form"] = "search"

    def sheet_fields(self, viewer: Identity) -> list[forms.BoundField]:
        """The filters and the order."""
        return [self[name] for name in self._IN_SHEET if name != "manager" or viewer.is_admin]

    def chosen(self, query: QueryDict, viewer: Identity) -> list[Link]:
        """The filters that narrow the list, each with the address without it."""
        chosen = []
        for one in self.sheet_fields(viewer):
            value = self.cleaned_data.get(one.name)
            if value and one.name != "sort":
                names: dict[str, str] = dict(one.field.widget.choices)
                text = f"{one.label}: {names[value]}"
                chosen.append(Link(changed(query, **{one.name: None}), text))
        return chosen

    def clean_q(self) -> str:
        text = " ".join(self.cleaned_data["q"].split())
        if any(len(word) < SHORTEST_WORD for word in phones.words(text)):
            raise forms.ValidationError(_("Слишком коротко: в каждом слове хотя бы две буквы."))
        return text

    def clean_week(self) -> Period | None:
        """The week that the day is in, from Monday to Sunday."""
        day: date | None = self.cleaned_data["week"]
        if day is None:
            return None
        if not _FIRST_DAY <= day <= business_day():
            raise forms.ValidationError(_("Такой недели в списке нет."))
        return Period.day(day).whole_units(Unit.WEEK)[0]

    @property
    def by_moment(self) -> bool:
        return ORDERS[Order(self.cleaned_data.get("sort") or Order.NEWEST)].by_moment

    @property
    def wanted(self) -> StudentFilter:
        """The filter of an address; an invalid value filters nothing."""
        chosen = self.cleaned_data
        attention = chosen.get("attention") or ""
        return StudentFilter(
            text=chosen.get("q") or "",
            status=StudentStatus(chosen["status"]) if chosen.get("status") else None,
            letter=LetterFilter(chosen["letter"]) if chosen.get("letter") else None,
            attention=Attention(attention) if attention in Attention else None,
            finished=attention == _FINISHED,
            source=chosen.get("source") or "",
            source_unknown=bool(chosen.get("source_unknown")),
            week=chosen.get("week"),
            manager_id=self.manager_id,
            without_manager=self.without_manager,
            order=Order(chosen.get("sort") or Order.NEWEST),
        )


class ActivityForm(ListForm):
    manager = forms.ChoiceField(label=_("Кто"), required=False)
    action = forms.ChoiceField(
        label=_("Что сделано"), required=False, choices=[("", _("всё")), *ActionType.choices]
    )

    more_managers = ()

    @property
    def action_type(self) -> ActionType | None:
        action = self.cleaned_data.get("action")
        return ActionType(action) if action else None
