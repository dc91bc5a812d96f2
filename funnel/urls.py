"""The addresses of the funnel: its page and its API."""

from django.urls import path

from funnel.web import people_views, views

urlpatterns = [
    path("funnel", views.page, name="funnel"),
    path("funnel/tables/<str:name>.csv", views.table_csv, name="funnel-table"),
    path("funnel/refresh", views.refresh_figures, name="funnel-refresh"),
    path("funnel/people", people_views.people_page, name="funnel-people"),
    path("funnel/people.csv", people_views.people_csv, name="funnel-people-csv"),
    path("funnel/duplicates", people_views.duplicates_page, name="funnel-duplicates"),
    path("funnel/duplicates.csv", people_views.duplicates_csv, name="funnel-duplicates-csv"),
    path("api/traffic-dashboard/funnel", views.api_funnel, name="api-funnel"),
    path("api/traffic-dashboard/funnel/<str:stage_id>", views.api_stage, name="api-funnel-stage"),
    path("api/traffic-dashboard/people", people_views.people_api, name="api-funnel-people"),
    path(
        "api/traffic-dashboard/duplicates",
        people_views.duplicates_api,
        name="api-funnel-duplicates",
    ),
]
