"""The activity log: who did what to whom."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.identity.staff import register
from sales.activity import page_of_activity
from sales.web.cabinet.forms import ActivityForm
from sales.web.cabinet.sections import query, staff


@role_required("admin", "sales")
@require_safe
def activity(request: IdentifiedRequest) -> HttpResponse:
    """The log of acts: a manager's own, an admin's all."""
    register.note(request.identity)
    form = ActivityForm(request.GET, staff=staff())
    is_admin = request.identity.is_admin
    page = page_of_activity(
        request.identity,
        manager_id=form.manager_id if is_admin else request.identity.user_id,
        action=form.action_type,
        after=form.place,
    )
    context = {
        "form": form,
        "page": page,
        "filter_query": query(request, "action", "manager"),
        "is_first_page": not form.place,
    }
    status = 400 if form.errors else 200
    return render(request, "sales/activity.html", context, status=status)
