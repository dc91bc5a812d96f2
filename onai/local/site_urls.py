"""The addresses of the demo's web server."""

from django.urls import path

from onai import urls
from onai.local import design

urlpatterns = [path("design", design.show, name="design"), *urls.urlpatterns]

handler400 = urls.handler400
handler404 = urls.handler404
handler500 = urls.handler500
