"""From a letter's link to the new password.

A link is used up by opening it. A second tap on the button, a reload and the way back find the
session that the first one opened.
"""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.dispatch import Signal
from django.views.decorators.debug import sensitive_variables

from onai import encryption
from onai.db import postgres
from onai.identity import passwords
from onai.identity.models import PasswordReset, ResetState
from onai.identity.recovery import link_session
from onai.identity.recovery.link_session import LinkExpired
from onai.identity.recovery.requests import SESSION_LASTS, digest_of

# How long another tap with the same link, perhaps from another browser, is the same tap.
_SAME_TAP = timedelta(minutes=1)
_SESSION = "password link session"
# Sent with `account_id`, in the transaction that notes that somebody has set a password.
own_password_set = Signal()


@sensitive_variables("token", "opened")
def open_link(token: str, *, visitor: str, known: UUID | None) -> PasswordReset:
    """The request whose link this is, with its session open. Raises a `Problem`.

    `known`: the request whose link this browser has opened before.
    """
    with transaction.atomic(using="tripwire"):
        now = postgres.clock("tripwire")
        digest = digest_of(token)
        # A second tap waits here for the first.
        reset = PasswordReset.objects.select_for_update().filter(token_digest=digest).first()
        if reset is not None and reset.opened_at is not None:
            lasts = SESSION_LASTS if reset.pk == known else _SAME_TAP
            if now < reset.opened_at + lasts:
                return reset
            raise LinkExpired
        opened = link_session.open_session(token, visitor=visitor)
        # A link may be Supabase's own, which nobody asked for here.
        reset = reset or PasswordReset(visitor="", state=ResetState.SENT, token_digest=digest)
        reset.email, reset.account_id, reset.opened_at = opened.email, opened.account_id, now
        reset.sealed_session = encryption.seal(opened.access_token, purpose=_SESSION)
        reset.save()
    return reset


def opened(reset_id: UUID | None) -> PasswordReset:
    """The request whose session is open, or whose password is set. Raises `LinkExpired`."""
    reset = PasswordReset.objects.filter(pk=reset_id).first() if reset_id else None
    if reset is None or reset.opened_at is None:
        raise LinkExpired
    if postgres.clock("tripwire") >= reset.opened_at + SESSION_LASTS:
        raise LinkExpired
    return reset


@sensitive_variables("access_token")
def find_out_rules(reset: PasswordReset) -> None:
    """Learn the project's rules for passwords with the session of the link."""
    access_token = _access_token(reset)
    passwords.find_out_rules(access_token)


@sensitive_variables("access_token", "password")
def set_password(reset_id: UUID, password: str) -> PasswordReset:
    """Set the password and end every session of the account. Raises a `Problem`.

    Repeated, it does nothing.
    """
    with transaction.atomic(using="tripwire"):
        reset = PasswordReset.objects.select_for_update().filter(pk=reset_id).first()
        if reset is None or reset.account_id is None:
            raise LinkExpired
        if reset.changed_at is None:
            link_session.set_password(reset.account_id, _access_token(reset), password)
            reset.changed_at, reset.sealed_session = postgres.clock("tripwire"), ""
            reset.save()
            own_password_set.send(PasswordReset, account_id=reset.account_id)
    return reset


@sensitive_variables("access_token")
def _access_token(reset: PasswordReset) -> str:
    try:
        return encryption.unseal(
            reset.sealed_session, purpose=_SESSION, not_older_than=SESSION_LASTS
        )
    except encryption.Unsealable as error:
        raise LinkExpired from error
