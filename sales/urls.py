"""The addresses of the sales desk."""

from django.urls import path

from sales import views

urlpatterns = [
    path("sales-manager", views.cabinet, name="sales-manager"),
    path("welcome", views.welcome, name="welcome"),
]
