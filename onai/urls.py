"""Every address of the product. None ends in a slash."""

from django.urls import include, path, re_path

from onai import errors
from onai.identity import staff_views
from onai.identity import views as identity
from onai.ops import status

urlpatterns = [
    path("", identity.home, name="home"),
    path("login", identity.login, name="login"),
    path("logout", identity.logout, name="logout"),
    path("status", status.status, name="status"),
    path("status/staff", staff_views.decide, name="staff-decision"),
    path("", include("funnel.urls")),
    path("", include("sales.urls")),
    # Named, so that what is unknown is told in our own words in development too.
    re_path("", errors.not_found, name="not-found"),
]

handler400 = "onai.errors.bad_request"
handler404 = "onai.errors.not_found"
handler500 = "onai.errors.server_error"
