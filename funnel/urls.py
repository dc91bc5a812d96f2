"""The addresses of the funnel: its page and its API."""

from django.urls import path

from funnel import views

urlpatterns = [
    path("funnel", views.page, name="funnel"),
    path("funnel/refresh", views.refresh_figures, name="funnel-refresh"),
    path("api/traffic-dashboard/funnel", views.api_funnel, name="api-funnel"),
    path("api/traffic-dashboard/funnel/<str:stage_id>", views.api_stage, name="api-funnel-stage"),
]
