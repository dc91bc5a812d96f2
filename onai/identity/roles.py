"""The person behind a request, and which role of theirs counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from onai.web.problems import Problem


class Role(StrEnum):
    """The business role. It is not the token's `role` claim, which names the database role."""

    ADMIN = "admin"
    SALES = "sales"
    STUDENT = "student"


STAFF = (Role.ADMIN, Role.SALES)
# Each of these has all rights of the next.
_RANK = {None: 0, Role.STUDENT: 1, Role.SALES: 2, Role.ADMIN: 3}


@dataclass(frozen=True, slots=True)
class Identity:
    """A person with an account: the one behind a request, or one that somebody asks about.

    `role` is None for an account that has no role here.
    """

    user_id: UUID
    email: str
    full_name: str
    role: Role | None

    @property
    def name(self) -> str:
        """What to call the person: their full name, or their e-mail where they have none."""
        return self.full_name or self.email

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN


@dataclass(frozen=True, slots=True)
class Metadata:
    """What an account's two metadata say of its role, in words that may be no role.

    Users can rewrite their own `user_metadata` (PUT /user), but never `app_metadata`.
    """

    claimed: str = ""
    pinned: str = ""

    @classmethod
    def read(cls, user_metadata: object, app_metadata: object) -> "Metadata":
        """Read both, whatever they hold."""
        return cls(claimed=_role_word(user_metadata), pinned=_role_word(app_metadata))


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the register of staff says of an account: see `models.StaffMember`."""

    role: str = ""
    beside: str = ""
    revoked: bool = False


NOT_CONFIRMED = Confirmation()


def staff_role(metadata: Metadata, confirmation: Confirmation = NOT_CONFIRMED) -> Role | None:
    """The staff role an account has been given, or None.

    Nobody gets more than `app_metadata` or the register gives, nor more than they claim themselves.
    A word in `app_metadata` that is not a staff role overrides the register, unless it was there at
    the confirmation.
    """
    if confirmation.revoked:
        return None
    confirmed = role_named(confirmation.role)
    pinned = role_named(metadata.pinned)
    demoted = metadata.pinned and pinned not in STAFF and metadata.pinned != confirmation.beside
    given = _higher(pinned, None if demoted else confirmed)
    if given not in STAFF:
        return None
    claimed = role_named(metadata.claimed)
    counts = given if claimed is None else _lower(claimed, given)
    return counts if counts in STAFF else None


def role_of(
    metadata: Metadata,
    confirmation: Confirmation = NOT_CONFIRMED,
    *,
    is_student: bool = False,
    is_ordinary: bool = True,
) -> Role | None:
    """The role that counts.

    `is_student`: the account has a student's row, so it is never staff. `is_ordinary`: it is not
    anonymous, and its database role is `authenticated`; others are never staff either.
    """
    staff = staff_role(metadata, confirmation) if is_ordinary and not is_student else None
    if staff is not None:
        return staff
    says_student = metadata.pinned == Role.STUDENT or (
        metadata.claimed == Role.STUDENT and metadata.pinned in ("", *STAFF)
    )
    return Role.STUDENT if is_student or says_student else None


def unsupported_claim(metadata: Metadata, confirmation: Confirmation) -> Role | None:
    """The staff role an account claims, where that is more than it has been given."""
    claimed = role_named(metadata.claimed)
    if claimed not in STAFF or not is_more(claimed, staff_role(metadata, confirmation)):
        return None
    return claimed


def is_more(one: Role | None, other: Role | None) -> bool:
    """Whether one role has more rights than the other."""
    return _RANK[one] > _RANK[other]


def role_named(value: object) -> Role | None:
    """The role that a piece of metadata names, whatever a user has put there."""
    return Role(value) if isinstance(value, str) and value in set(Role) else None


def _higher(one: Role | None, other: Role | None) -> Role | None:
    return one if is_more(one, other) else other


def _lower(one: Role | None, other: Role | None) -> Role | None:
    return other if is_more(one, other) else one


def _role_word(metadata: object) -> str:
    named: Any = metadata.get("role") if isinstance(metadata, Mapping) else None
    return named if isinstance(named, str) else "" if named is None else "?"


class VisitorRequest(HttpRequest):
    """A request as `IdentityMiddleware` leaves it."""

    identity: Identity | None
    access_token: str | None
    # Why nobody could be identified, where that is not the visitor's fault.
    identity_problem: Problem | None


class IdentifiedRequest(HttpRequest):
    """A request that has passed `role_required`."""

    identity: Identity
    access_token: str
    # For a page whose form keeps its text: what was typed before signing in, and why this person
    # may not send the form.
    typed: dict[str, str]
    refusal: Problem | None
