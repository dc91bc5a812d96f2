"""The person behind a request, as a verified access token describes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from django.http import HttpRequest

from onai.errors import Problem


class Role(StrEnum):
    """The business role. It is not the token's `role` claim, which names the database role."""

    ADMIN = "admin"
    SALES = "sales"
    STUDENT = "student"


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in person. `role` is None for an account that has no role here."""

    user_id: UUID
    email: str
    full_name: str
    role: Role | None

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> Self:
        """Read a verified token's claims. Raises ValueError when `sub` is not a UUID."""
        user_metadata = _mapping(claims.get("user_metadata"))
        return cls(
            user_id=UUID(str(claims["sub"])),
            email=str(claims.get("email") or ""),
            full_name=str(user_metadata.get("full_name") or ""),
            role=account_role(user_metadata, _mapping(claims.get("app_metadata"))),
        )

    @property
    def name(self) -> str:
        """What to call the person: their full name, or their e-mail where they have none."""
        return self.full_name or self.email


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def account_role(user_metadata: Mapping[str, Any], app_metadata: Mapping[str, Any]) -> Role | None:
    """The business role of an account, from its two metadata."""
    # Users can rewrite their own user_metadata (PUT /user) but never app_metadata, so where the
    # latter names a role, even an unknown one, it decides alone.
    named = app_metadata.get("role")
    if named is None:
        named = user_metadata.get("role")
    return role_named(named)


def role_named(value: object) -> Role | None:
    """The role that a piece of metadata names, whatever a user has put there."""
    return Role(value) if isinstance(value, str) and value in set(Role) else None


class VisitorRequest(HttpRequest):
    """A request as `IdentityMiddleware` leaves it."""

    identity: Identity | None
    access_token: str | None
    # Why nobody could be identified, when that is not the visitor's doing.
    identity_problem: Problem | None


class IdentifiedRequest(HttpRequest):
    """A request that has passed `role_required`."""

    identity: Identity
    access_token: str
