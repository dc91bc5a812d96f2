"""The addresses of the letters."""

from django.urls import path

from onai.local.mail import views

urlpatterns = [
    path("emails", views.emails),
    path("mailbox", views.mailbox, name="mailbox"),
    path("mailbox.json", views.mailbox_json),
    path("mailbox/<uuid:letter_id>", views.letter, name="letter"),
    path("mailbox/<uuid:letter_id>/html", views.letter_html, name="letter-html"),
]
