"""Supabase Auth's tables with their real column names, in the schema `auth`."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Least, Lower


def _short_text(**options: Any) -> "models.CharField[Any, Any]":
    return models.CharField(max_length=255, **options)


class User(models.Model):
    """An account."""

    instance_id = models.UUIDField(null=True, default=UUID(int=0))
    id = models.UUIDField(primary_key=True, default=uuid4)
    aud = _short_text(null=True, default="authenticated")
    role = _short_text(null=True, default="authenticated")
    email = _short_text(null=True)
    encrypted_password = _short_text(null=True)
    email_confirmed_at = models.DateTimeField(null=True)
    invited_at = models.DateTimeField(null=True)
    confirmation_token = _short_text(null=True, default="")
    confirmation_sent_at = models.DateTimeField(null=True)
    recovery_token = _short_text(null=True, default="")
    recovery_sent_at = models.DateTimeField(null=True)
    email_change_token_new = _short_text(null=True, default="")
    email_change = _short_text(null=True, default="")
    email_change_sent_at = models.DateTimeField(null=True)
    last_sign_in_at = models.DateTimeField(null=True)
    raw_app_meta_data = models.JSONField(null=True, default=dict)
    raw_user_meta_data = models.JSONField(null=True, default=dict)
    is_super_admin = models.BooleanField(null=True)
    created_at = models.DateTimeField(null=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, auto_now=True)
    phone = models.TextField(null=True, unique=True)
    phone_confirmed_at = models.DateTimeField(null=True)
    phone_change = models.TextField(null=True, default="", db_default="")
    phone_change_token = _short_text(null=True, default="", db_default="")
    phone_change_sent_at = models.DateTimeField(null=True)
    confirmed_at = models.GeneratedField(
        expression=Least("email_confirmed_at", "phone_confirmed_at"),
        output_field=models.DateTimeField(null=True),
        db_persist=True,
    )
    email_change_token_current = _short_text(null=True, default="", db_default="")
    email_change_confirm_status = models.SmallIntegerField(null=True, default=0, db_default=0)
    banned_until = models.DateTimeField(null=True)
    reauthentication_token = _short_text(null=True, default="", db_default="")
    reauthentication_sent_at = models.DateTimeField(null=True)
    is_sso_user = models.BooleanField(default=False, db_default=False)
    deleted_at = models.DateTimeField(null=True)
    is_anonymous = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "users"
        constraints = (
            models.UniqueConstraint(
                fields=["email"], condition=Q(is_sso_user=False), name="users_email_partial_key"
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)


class Identity(models.Model):
    """A way to sign in to an account; here always by e-mail."""

    provider_id = models.TextField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    identity_data = models.JSONField()
    provider = models.TextField()
    last_sign_in_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(null=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, auto_now=True)
    email = models.GeneratedField(
        expression=Lower(KeyTextTransform("email", F("identity_data"))),
        output_field=models.TextField(null=True),
        db_persist=True,
    )
    id = models.UUIDField(primary_key=True, default=uuid4, db_default=RandomUUID())

    class Meta:
        db_table = "identities"
        constraints = (
            models.UniqueConstraint(
                fields=["provider_id", "provider"], name="identities_provider_id_provider_unique"
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)


class Session(models.Model):
    """One signed-in browser or program."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    created_at = models.DateTimeField(null=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, auto_now=True)
    factor_id = models.UUIDField(null=True)
    aal = models.TextField(null=True, default="aal1")
    not_after = models.DateTimeField(null=True)
    refreshed_at = models.DateTimeField(null=True)
    user_agent = models.TextField(null=True)
    ip = models.GenericIPAddressField(null=True)
    tag = models.TextField(null=True)

    class Meta:
        db_table = "sessions"

    def __str__(self) -> str:
        return str(self.pk)


class RefreshToken(models.Model):
    """A refresh token. Its use revokes it and creates its child."""

    instance_id = models.UUIDField(null=True, default=UUID(int=0))
    token = _short_text(null=True, unique=True)
    user_id = _short_text(null=True)
    revoked = models.BooleanField(null=True, default=False)
    created_at = models.DateTimeField(null=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, auto_now=True)
    parent = _short_text(null=True)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, null=True)

    class Meta:
        db_table = "refresh_tokens"

    def __str__(self) -> str:
        return str(self.pk)


class AmrClaim(models.Model):
    """A method by which a session was authenticated, and when it was last used."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="methods")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    authentication_method = models.TextField()

    class Meta:
        db_table = "mfa_amr_claims"
        ordering = ("-updated_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["session", "authentication_method"],
                name="mfa_amr_claims_session_id_authentication_method_pkey",
            ),
        )

    def __str__(self) -> str:
        return self.authentication_method


class Factor(models.Model):
    """A second factor; here always an authenticator app."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="factors")
    friendly_name = models.TextField(null=True)
    factor_type = models.TextField(default="totp")
    status = models.TextField(default="unverified")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    secret = models.TextField(null=True)
    phone = models.TextField(null=True)
    last_challenged_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "mfa_factors"
        ordering = ("created_at",)

    def __str__(self) -> str:
        return str(self.pk)


class Challenge(models.Model):
    """A request for a factor's code, from one IP address."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    factor = models.ForeignKey(Factor, on_delete=models.CASCADE, related_name="challenges")
    created_at = models.DateTimeField(auto_now_add=True)
    verified_at = models.DateTimeField(null=True)
    ip_address = models.GenericIPAddressField()

    class Meta:
        db_table = "mfa_challenges"

    def __str__(self) -> str:
        return str(self.pk)
