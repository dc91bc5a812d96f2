"""The addresses of the funnel: its pages, their files and its API."""

from django.urls import path

from funnel.web import people_views, views
from funnel.web.api import signals
from funnel.web.api import views as api

urlpatterns = [
    path("funnel", views.overview, name="funnel"),
    path("funnel/sources", views.sources, name="funnel-sources"),
    path("funnel/trend", views.trend, name="funnel-trend"),
    path("funnel/ads", views.ads, name="funnel-ads"),
    path("funnel/speed", views.speed, name="funnel-speed"),
    path("funnel/people", people_views.people_page, name="funnel-people"),
    path("funnel/people.csv", people_views.people_csv, name="funnel-people-csv"),
    path("funnel/duplicates", people_views.duplicates_page, name="funnel-duplicates"),
    path("funnel/duplicates.csv", people_views.duplicates_csv, name="funnel-duplicates-csv"),
    path("funnel/tables/<str:name>.csv", views.table_csv, name="funnel-table"),
    path("funnel/refresh", views.refresh_figures, name="funnel-refresh"),
    path("api/traffic-dashboard/funnel", api.funnel, name="api-funnel"),
    path("api/traffic-dashboard/funnel/<str:stage_id>", api.stage, name="api-funnel-stage"),
    path("api/traffic-dashboard/signals", signals.signals, name="api-signals"),
    path("api/traffic-dashboard/people", people_views.people_api, name="api-funnel-people"),
    path(
        "api/traffic-dashboard/duplicates",
        people_views.duplicates_api,
        name="api-funnel-duplicates",
    ),
]
