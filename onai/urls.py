"""Every address of the product. None ends in a slash."""

from django.urls import include, path, re_path

from onai.identity import views as identity
from onai.identity.recovery import views as recovery
from onai.identity.staff import register_views
from onai.ops import api_description, status
from onai.web import problems
from onai.web.look import home_screen, language, theme

urlpatterns = [
    path("", identity.home, name="home"),
    path("login", identity.login, name="login"),
    path("logout", identity.logout, name="logout"),
    path("theme", theme.choose, name="theme"),
    path("language", language.choose, name="language"),
    path("manifest.webmanifest", home_screen.manifest, name="manifest"),
    path("favicon.ico", home_screen.favicon, name="favicon"),
    path("robots.txt", home_screen.robots, name="robots"),
    path("offline", home_screen.offline, name="offline"),
    path("service-worker.js", home_screen.service_worker, name="service-worker"),
    path("password/forgot", recovery.forgot, name="forgot-password"),
    path("password/new", recovery.own, name="own-password"),
    path("status", status.status, name="status"),
    path("status/staff", register_views.decide, name="staff-decision"),
    path("api/openapi.json", api_description.openapi_json, name="api-description"),
    path("", include("funnel.urls")),
    path("", include("sales.urls")),
    # Named, so that an unknown address gets our own page in development too.
    re_path("", problems.not_found, name="not-found"),
]

handler400 = "onai.web.problems.bad_request"
handler404 = "onai.web.problems.not_found"
handler500 = "onai.web.problems.server_error"
