"""The stand-in's addresses, as Supabase names them."""

from django.urls import path, re_path

from onai.local.auth import views

urlpatterns = [
    path("token", views.token),
    path("signup", views.signup),
    path("user", views.user),
    path("logout", views.logout),
    path("admin/users", views.admin_users),
    path("admin/users/<str:user_id>", views.admin_user),
    path("settings", views.public_settings),
    path("health", views.health),
    path(".well-known/jwks.json", views.jwks),
    re_path("", views.nothing_here),
]
