"""The addresses of Resend's API, and of the mailbox."""

from django.urls import path

from onai.local.mail import api, mailbox

urlpatterns = [
    path("emails", api.emails),
    path("emails/<uuid:letter_id>", api.email),
    path("domains", api.domains),
    path("suppressions", api.suppressions),
    path("suppressions/<str:email>", api.suppression),
    path("mailbox", mailbox.letters, name="mailbox"),
    path("mailbox.json", mailbox.as_json),
    path("mailbox/suppressed", mailbox.unsuppress, name="unsuppress"),
    path("mailbox/<uuid:letter_id>", mailbox.letter, name="letter"),
    path("mailbox/<uuid:letter_id>/html", mailbox.letter_html, name="letter-html"),
    path("mailbox/<uuid:letter_id>/<str:event>", mailbox.happen, name="letter-event"),
]
