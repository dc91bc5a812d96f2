"""Every address of the stand-ins."""

from django.urls import include, path

from onai.local import learning_platform
from onai.local.auth import project

urlpatterns = [
    path("project", project.control),
    path("auth/v1/", include("onai.local.auth.urls")),
    path("platform/login", learning_platform.login),
    path("", include("onai.local.mail.urls")),
]
