"""The stand-in's addresses, as Supabase names them."""

from django.urls import path, re_path

from onai.local.auth import views

urlpatterns = [
    path("token", views.token),
    path("signup", views.signup),
    path("otp", views.otp),
    path("magiclink", views.otp),
    path("recover", views.recover),
    path("verify", views.verify),
    path("user", views.user),
    path("factors", views.own_factors),
    path("factors/<str:factor_id>", views.own_factor),
    path("factors/<str:factor_id>/challenge", views.challenge_factor),
    path("factors/<str:factor_id>/verify", views.verify_factor),
    path("logout", views.logout),
    path("admin/users", views.admin_users),
    path("admin/users/<str:user_id>", views.admin_user),
    path("admin/users/<str:user_id>/factors", views.admin_factors),
    path("admin/users/<str:user_id>/factors/<str:factor_id>", views.admin_factor),
    path("admin/generate_link", views.generate_link),
    path("settings", views.public_settings),
    path("health", views.health),
    path(".well-known/jwks.json", views.jwks),
    re_path("", views.nothing_here),
]
