"""The register of staff on `/status`: who claims a role, and the admins' decisions."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import django.db
from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from onai.identity import audit
from onai.identity.guards import role_required
from onai.identity.models import StaffMember
from onai.identity.roles import STAFF, IdentifiedRequest, Role
from onai.identity.staff import register
from onai.identity.staff.standing import AccountsHidden
from onai.web.problems import BadRequest, Problem

_SHOWN_AT_MOST = 50
_DECISIONS = ("confirm", "refuse", "revoke")


class NotYourself(Problem):
    status = 409
    code = "not_yourself"
    message = _("Себя из сотрудников убрать или понизить нельзя.")
    advice = _("Попросите другого администратора.")


@dataclass(frozen=True, slots=True)
class StaffRegister:
    """The part of `/status` about staff. `claims_count` counts all claims, of which the oldest are
    shown.
    """

    claims: list[StaffMember]
    claims_count: int
    unreviewed: list[StaffMember]
    problem: Problem | None = None


class DecisionForm(forms.Form):
    user_id = forms.UUIDField()
    role = forms.ChoiceField(choices=[(role.value, role.value) for role in STAFF])
    decision = forms.ChoiceField(choices=[(one, one) for one in _DECISIONS])


def staff_register() -> StaffRegister | None:
    """Current staff and claims; None while the database cannot answer."""
    problem = None
    try:
        try:
            register.refresh()
        except AccountsHidden as hidden:
            problem = hidden
        claims = register.claims()
        return StaffRegister(claims[:_SHOWN_AT_MOST], len(claims), register.unreviewed(), problem)
    except django.db.Error:
        return None  # The probe of the database reports it.


@role_required("admin")
@require_POST
def decide(request: IdentifiedRequest) -> HttpResponse:
    """Confirm, refuse or revoke one account's role."""
    form = DecisionForm(request.POST)
    if not form.is_valid():
        raise BadRequest
    wanted: dict[str, Any] = form.cleaned_data
    user_id: UUID = wanted["user_id"]
    role, me = Role(wanted["role"]), request.identity.user_id
    account = register.account_with(user_id)
    if account is None:
        raise register.NoSuchAccount
    match wanted["decision"]:
        case "confirm":
            if user_id == me and role is not Role.ADMIN:
                raise NotYourself
            register.confirm(account, role, by=me)
        case "refuse":
            register.refuse(account, role, by=me)
        case _:
            if user_id == me:
                raise NotYourself
            register.revoke(account, by=me)
    event = {"confirm": "staff_confirmed", "refuse": "staff_refused", "revoke": "staff_revoked"}
    audit.record(
        event[wanted["decision"]],
        request,
        user_id=me,
        account_id=str(user_id),
        role=role.value,
    )
    return redirect("status")
