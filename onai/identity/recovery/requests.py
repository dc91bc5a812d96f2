"""Requests for a new password: how many there may be, and the letter that answers one.

Whoever asks is told the same, in the same steps, for every address. The worker asks Supabase
whether there is an account, and sends the letter. A row decides what is left to do; a job only
reminds, and what a killed worker leaves is taken up within half a minute.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException

from onai import encryption, mail
from onai.db import postgres
from onai.identity import accounts, audit
from onai.identity.models import PasswordReset, ResetState
from onai.web.look.language import PARAMETER
from onai.web.problems import Problem

logger = logging.getLogger(__name__)

# How an app tells the language of an account, empty where it does not know the account.
LANGUAGES: list[Callable[[UUID], str]] = []
SEND_JOB = "identity.send_password_reset"
LETTERS_AN_HOUR = 3
REQUESTS_OF_A_VISITOR_AN_HOUR = 30
# A link to a letter that is late is of no use: one asks again.
_GIVEN_UP_AFTER = timedelta(minutes=30)
# Longer than an attempt takes, which asks Supabase and Resend once each.
_LEASE = timedelta(seconds=30)
# A session of a link, from its opening to the new password.
SESSION_LASTS = timedelta(minutes=15)
_ROWS_KEPT = timedelta(days=1)
_HOUR = timedelta(hours=1)
_MENDED_AT_ONCE = 50
_LINK = "password link"
_VISITOR = "visitor of a password reset"


class TooManyRequests(Problem):
    status = 429
    code = "too_many_attempts"
    message = gettext_lazy("Слишком много запросов с этого адреса в сети. Попробуйте через час.")
    retry_after_seconds = 3_600


def ask(email: str, *, visitor: str, language: str = "") -> None:
    """Record that somebody wants a new password for this address. Raises `TooManyRequests`.

    `visitor`: their IP address. `language`: the one they have chosen, empty where they have not.
    """
    digest = encryption.fingerprint(audit.network_of(visitor), purpose=_VISITOR)
    with transaction.atomic(using="tripwire"):
        # Two requests at once must not both be the last that is allowed.
        lock = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"
        postgres.rows("tripwire", lock, [f"password reset {email}"])
        recent = PasswordReset.objects.filter(asked_at__gt=Now() - _HOUR)
        if recent.filter(visitor=digest).count() >= REQUESTS_OF_A_VISITOR_AN_HOUR:
            raise TooManyRequests
        letters = recent.filter(email=email).exclude(state=ResetState.LIMITED).count()
        is_limited = letters >= LETTERS_AN_HOUR
        reset = PasswordReset.objects.create(
            email=email,
            language=language,
            visitor=digest,
            state=ResetState.LIMITED if is_limited else ResetState.WAITING,
        )
        if not is_limited:
            _remind(reset.pk)


def _remind(reset_id: UUID) -> None:
    try:
        app.configure_task(SEND_JOB).defer(reset_id=str(reset_id))
    except ConnectorException as error:
        raise OperationalError from error


def deliver(reset_id: UUID) -> None:
    """Make an attempt at a letter, unless it is done or somebody else is at it."""
    waiting = PasswordReset.objects.filter(pk=reset_id, state=ResetState.WAITING)
    if not waiting.filter(leased_until__lte=Now()).update(leased_until=Now() + _LEASE):
        return
    reset = waiting.get()
    if postgres.clock("tripwire") >= reset.asked_at + _GIVEN_UP_AFTER:
        _close(reset, ResetState.FAILED, reset.problem)
        return
    try:
        letter = _letter(reset)
        if letter is None:
            _close(reset, ResetState.NO_ACCOUNT)
            return
        mail.send(letter, idempotency_key=f"password/{reset.idempotency_key}")
    except mail.AlreadyTaken:
        _close(reset, ResetState.SENT)
    except mail.LetterRefused as refused:
        _close(reset, ResetState.FAILED, refused.reason)
    except (accounts.AccountRefused, accounts.OutcomeUnclear, mail.NotSentYet) as delay:
        waiting.update(leased_until=Now(), problem=str(delay))
        logger.warning(
            "password_letter_postponed", extra={"reset_id": str(reset.pk), "reason": str(delay)}
        )
    else:
        _close(reset, ResetState.SENT)


def _close(reset: PasswordReset, state: ResetState, problem: str = "") -> None:
    PasswordReset.objects.filter(pk=reset.pk, state=ResetState.WAITING).update(
        state=state, problem=problem, sealed_token=""
    )
    event = logging.ERROR if state == ResetState.FAILED else logging.INFO
    about = {"reset_id": str(reset.pk), "state": str(state), "reason": problem}
    logger.log(event, "password_letter_closed", extra=about)


@sensitive_variables("link", "token")
def _letter(reset: PasswordReset) -> mail.Letter | None:
    """The letter, the same at each attempt; None where nobody has the address."""
    if reset.sealed_token:
        token = encryption.unseal(reset.sealed_token, purpose=_LINK)
        return _rendered(reset.recipient, token, _language(reset))
    link = accounts.password_link(reset.email)
    if link is None:
        return None
    reset.account_id = link.account_id
    if link.is_banned:
        return _rendered(link.email, "", _language(reset))
    # Kept before the letter is sent: a second link would kill the one on its way.
    reset.recipient = link.email
    reset.sealed_token = encryption.seal(link.token, purpose=_LINK)
    reset.token_digest = digest_of(link.token)
    reset.save(update_fields=["recipient", "account_id", "sealed_token", "token_digest"])
    return _rendered(link.email, link.token, _language(reset))


def _language(reset: PasswordReset) -> str:
    """The language that was chosen where the letter was asked for, else that of the account."""
    known = (tell(reset.account_id) for tell in LANGUAGES if reset.account_id)
    return reset.language or next(filter(None, known), settings.LANGUAGE_CODE)


@sensitive_variables("token", "values")
def _rendered(recipient: str, token: str, language: str) -> mail.Letter:
    """The letter with the link; without a token it says that the access is closed."""
    values = {
        "language": language,
        "link": own_address("own-password", language, token=token) if token else "",
        "login": recipient,
        "forgot_url": own_address("forgot-password", language),
    }
    with translation.override(language):
        return mail.Letter(
            to=recipient,
            subject=_("Новый пароль onAI Academy") if token else _("Вход в onAI Academy закрыт"),
            html=render_to_string("identity/password_letter.html", values),
            text=render_to_string("identity/password_letter.txt", values),
        )


def own_address(name: str, language: str, **query: str) -> str:
    """A page of ours for a letter in this language, which then opens in it."""
    if language != settings.LANGUAGE_CODE:
        query[PARAMETER] = language
    address = f"{settings.SITE_URL}{reverse(name)}"
    return f"{address}?{urlencode(query)}" if query else address


def digest_of(token: str) -> str:
    """Finds a token's request, and tells nothing of the token."""
    return encryption.fingerprint(token, purpose=_LINK)


def mend() -> None:
    """Send what is waiting, end link sessions that were not used, forget requests of yesterday."""
    everything = PasswordReset.objects.all()
    everything.filter(opened_at__lt=Now() - SESSION_LASTS).exclude(sealed_session="").update(
        sealed_session=""
    )
    everything.filter(asked_at__lt=Now() - _ROWS_KEPT).delete()
    waiting = everything.filter(state=ResetState.WAITING, leased_until__lte=Now())
    for reset_id in list(
        waiting.order_by("asked_at").values_list("pk", flat=True)[:_MENDED_AT_ONCE]
    ):
        deliver(reset_id)
