"""The mailbox: every letter that the product has sent, with buttons for the events of a
delivery.
"""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from onai.local.mail import webhook
from onai.local.mail.models import Letter, Suppression


@require_safe
def letters(request: HttpRequest) -> HttpResponse:
    context = {
        "letters": Letter.objects.all(),
        "suppressed": Suppression.objects.order_by("email"),
    }
    return render(request, "local/mailbox.html", context)


@require_safe
def letter(request: HttpRequest, letter_id: UUID) -> HttpResponse:
    found = get_object_or_404(Letter, pk=letter_id)
    context = {"letter": found, "events": webhook.EVENTS, "answered": request.GET.get("answered")}
    return render(request, "local/letter.html", context)


@require_POST
def happen(request: HttpRequest, letter_id: UUID, event: str) -> HttpResponse:
    """Make an event happen to a letter: the product gets the signed webhook at once."""
    if event not in webhook.EVENTS:
        raise Http404
    status = webhook.tell(get_object_or_404(Letter, pk=letter_id), event)
    return redirect(f"{reverse('letter', args=[letter_id])}?answered={status or 'nothing'}")


@require_POST
def unsuppress(request: HttpRequest) -> HttpResponse:
    Suppression.objects.filter(email=request.POST.get("email", "")).delete()
    return redirect("mailbox")


@require_safe
def letter_html(request: HttpRequest, letter_id: UUID) -> HttpResponse:
    """The letter's own HTML, alone, which may run no script."""
    response = HttpResponse(get_object_or_404(Letter, pk=letter_id).html)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    return response


@require_safe
def as_json(request: HttpRequest) -> HttpResponse:
    captured: list[dict[str, Any]] = [
        {
            "id": str(one.id),
            "from": one.sender,
            "to": one.recipients,
            **({"reply_to": one.reply_to} if one.reply_to else {}),
            "subject": one.subject,
            "html": one.html,
            "text": one.text,
            "created_at": one.created_at.isoformat(),
            "idempotency_key": one.idempotency_key,
        }
        for one in Letter.objects.all()
    ]
    return JsonResponse(captured, safe=False, json_dumps_params={"ensure_ascii": False})
