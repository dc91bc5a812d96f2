"""A manager's acts on a line of the queue: claim, release, close, reopen, report a purchase.

Each act is one transaction with its entry in the activity log. Of several claims at once one
succeeds, and the others raise `ClaimedByAnother`.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onai.contacts import phones
from onai.db import postgres
from onai.identity.roles import Identity
from onai.web.problems import Problem
from sales import activity
from sales.activity import LineAct
from sales.handoff import buyers, matching
from sales.handoff.contacts import email_key
from sales.handoff.queue import NoSuchLine
from sales.models import ActionType, Buyer, BuyerContact, ClosingReason, ContactKind

CLAIM = timedelta(minutes=30)


class ClaimedByAnother(Problem):
    status = 409
    code = "claimed_by_another"
    message = _("Этой строкой уже занимается другой менеджер.")
    advice = _("Возьмите следующую или подождите, пока эта освободится.")

    def __init__(self, buyer: Buyer) -> None:
        until = timezone.localtime(buyer.claimed_until) if buyer.claimed_until else None
        super().__init__(
            _("Этой строкой занимается %(name)s до %(until)s.")
            % {"name": buyer.claimed_name, "until": f"{until:%H:%M}" if until else ""}
        )


class LineClosed(Problem):
    status = 409
    code = "line_closed"
    message = _("Эта строка уже закрыта.")
    advice = _("Обновите очередь.")


@dataclass(frozen=True, slots=True)
class Report:
    """A purchase that a manager reports. `phone` is a key; either `phone` or `email` may be
    empty.
    """

    name: str
    phone: str
    email: str


def claim(buyer_id: UUID, asker: Identity) -> None:
    """Take a line for half an hour. Raises `ClaimedByAnother` or `LineClosed`."""
    with transaction.atomic(using="tripwire"):
        free = Q(claimed_until=None) | Q(claimed_until__lte=Now()) | Q(claimed_by=asker.user_id)
        taken = Buyer.objects.filter(free, pk=buyer_id, waiting_since__isnull=False).update(
            claimed_by=asker.user_id, claimed_name=asker.name, claimed_until=Now() + CLAIM
        )
        buyer = _buyer(buyer_id)
        if not taken and buyer.waiting_since is None:
            raise LineClosed
        if not taken:
            raise ClaimedByAnother(buyer)
        _log(LineAct.CLAIM, buyer, asker)


def release(buyer_id: UUID, asker: Identity) -> None:
    """Release a claimed line: a manager their own, an admin any. Raises `ClaimedByAnother`."""
    with transaction.atomic(using="tripwire"):
        buyer = _buyer(buyer_id, locked=True)
        if not asker.is_admin and buyer.claimed_by not in (None, asker.user_id):
            raise ClaimedByAnother(buyer)
        if buyer.claimed_until is None:
            return
        _unclaim(buyer)
        _log(LineAct.RELEASE, buyer, asker)


def close(buyer_id: UUID, asker: Identity, *, reason: ClosingReason, note: str) -> None:
    """Close an open line without an access. Raises `LineClosed`, or `ClaimedByAnother` for the line
    that another manager works on.
    """
    with transaction.atomic(using="tripwire"):
        buyer = _buyer(buyer_id, locked=True)
        if buyer.waiting_since is None:
            raise LineClosed
        claimed = Buyer.objects.filter(pk=buyer_id, claimed_until__gt=Now())
        if not asker.is_admin and claimed.exclude(claimed_by=asker.user_id).exists():
            raise ClaimedByAnother(buyer)
        _unclaim(buyer)
        Buyer.objects.filter(pk=buyer_id).update(
            waiting_since=None,
            closed_at=Now(),
            closed_by=asker.user_id,
            closed_name=asker.name,
            closed_reason=reason,
            closed_note=note,
        )
        told = ": ".join(filter(None, (str(reason.label), note)))
        _log(LineAct.CLOSE, buyer, asker, after=told)


def reopen(buyer_id: UUID, asker: Identity) -> None:
    """Reopen a line that was closed by hand. Raises `LineClosed` for one that an access closed."""
    with transaction.atomic(using="tripwire"):
        buyer = _buyer(buyer_id, locked=True)
        if buyer.closed_reason == ClosingReason.ACCESS:
            raise LineClosed
        if matching.reopen(buyer_id):
            _log(LineAct.REOPEN, buyer, asker)


def report(what: Report, asker: Identity) -> UUID:
    """Add a purchase by hand; returns the id of the buyer, who may be known already."""
    now = postgres.clock("tripwire")
    with transaction.atomic(using="tripwire"):
        contact = BuyerContact(
            id=uuid4(),
            kind=ContactKind.BY_HAND,
            name=what.name,
            phone=what.phone,
            email=what.email,
            phone_key=phones.key(what.phone),
            email_key=email_key(what.email),
            created_at=now,
            by_hand_at=now,
        )
        contact.save(force_insert=True)
        buyers.regroup([contact.pk])
        buyer = Buyer.objects.get(contacts=contact)
        _log(LineAct.REPORT, buyer, asker)
        matching.match_buyers([buyer])
    return buyer.pk


def _buyer(buyer_id: UUID, *, locked: bool = False) -> Buyer:
    found = Buyer.objects.select_for_update() if locked else Buyer.objects.all()
    buyer = found.filter(pk=buyer_id).first()
    if buyer is None:
        raise NoSuchLine
    return buyer


def _unclaim(buyer: Buyer) -> None:
    Buyer.objects.filter(pk=buyer.pk).update(claimed_by=None, claimed_name="", claimed_until=None)


def _log(act: LineAct, buyer: Buyer, asker: Identity, **details: Any) -> None:
    activity.log(
        ActionType.STATUS_CHANGED,
        by=asker.user_id,
        account_id=None,
        email=buyer.email,
        full_name=buyer.name or phones.spelled(buyer.phone),
        change=act,
        buyer_id=str(buyer.pk),
        **details,
    )
