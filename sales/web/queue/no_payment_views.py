"""Students with access and no known purchase: the list, and the page that matches one to a
buyer.
"""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onai.identity.guards import role_required
from onai.identity.roles import IdentifiedRequest
from onai.web.problems import BadRequest
from sales.handoff import landing_reader, lead_search, matching, no_payment
from sales.models import StudentLead
from sales.permissions import student_for
from sales.staff import distinct_names
from sales.web.cabinet.sections import section, staff
from sales.web.queue.forms import FindForm, NoPaymentForm, ReasonForm
from sales.web.queue.rows import line_row


@role_required("admin", "sales")
@require_safe
def students(request: IdentifiedRequest) -> HttpResponse:
    """The students without a known purchase. A manager sees their own, an admin all."""
    colleagues = staff()
    form = NoPaymentForm(request.GET, staff=colleagues)
    asker = request.identity
    names = distinct_names(colleagues)
    context = {
        "form": form,
        "page": section(
            lambda: no_payment.page_of_students(asker, manager_id=form.manager_id, after=form.place)
        ),
        "by_manager": section(
            lambda: [
                (names.get(one.manager_id, "") if one.manager_id else "", one)
                for one in (no_payment.by_manager() if asker.is_admin else [])
            ]
        ),
        "share": section(matching.match_share),
        "unknown": section(landing_reader.unknown_signals),
        "is_first_page": not form.place,
    }
    status = 400 if form.errors else 200
    return render(request, "sales/no_payment.html", context, status=status)


@role_required("admin", "sales")
@require_http_methods(["GET", "HEAD", "POST"])
def purchase(request: IdentifiedRequest, student_id: UUID) -> HttpResponse:
    """The purchase behind a student's access: the match, a search for the lead, an admin's
    explanation.
    """
    student = student_for(request.identity, student_id)
    form, reason = FindForm(request.POST or None), ReasonForm()
    found = None
    if request.method == "POST" and "explain" in request.POST:
        form, reason = FindForm(), ReasonForm(request.POST)
        if reason.is_valid():
            why = reason.cleaned_data["reason"]
            no_payment.explain(student_id, request.identity, reason=why)
            return redirect("purchase", student_id)
    elif request.method == "POST" and form.is_valid() and form.cleaned_data["who"]:
        found = lead_search.find(form.cleaned_data["who"], request.identity)
    context = {
        "student": student,
        "known": StudentLead.objects.select_related("buyer").filter(student=student).first(),
        "form": form,
        "reason": reason,
        "found": found,
        "found_rows": [line_row(one, request.identity) for one in found.lines] if found else [],
    }
    status = 400 if form.errors or reason.errors else 200
    return render(request, "sales/purchase.html", context, status=status)


@role_required("admin", "sales")
@require_POST
def tie(request: IdentifiedRequest, student_id: UUID) -> HttpResponse:
    """A person says that a student is this buyer."""
    try:
        buyer_id = UUID(request.POST.get("buyer", ""))
    except ValueError as error:
        raise BadRequest from error
    no_payment.tie(student_id, buyer_id, request.identity)
    return redirect("purchase", student_id)


@role_required("admin", "sales")
@require_POST
def undo(request: IdentifiedRequest, student_id: UUID) -> HttpResponse:
    """Takes back the match or the explanation."""
    no_payment.undo(student_id, request.identity)
    return redirect("purchase", student_id)
