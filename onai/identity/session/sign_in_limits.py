"""Limits attempts at signing in by account and by visitor, with growing delays.

A stranger must not lock anybody else out. So a refusal counts for the pair of account and visitor,
and for the visitor. When many visitors try one account, each of them waits sooner, and nobody who
has not failed on it waits. A browser in which the account was signed in before is counted
separately.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.utils.translation import ngettext

from onai.identity import audit
from onai.identity.supabase import TooManyAttempts

# After this many failed attempts in an hour the next has to wait.
_FREE_FOR_PAIR = 5
_FREE_FOR_PAIR_UNDER_ATTACK = 1
_FREE_FOR_VISITOR = 20
_FREE_FOR_DEVICE = 10
# This many refusals of one account in an hour are an attack.
_ATTACK = 20
_FIRST_WAIT_SECONDS = 15
_LONGEST_WAIT_SECONDS = 900
_COUNTED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Counter:
    """The attempts of one kind, kept in the cache under `name`."""

    name: str
    free: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that was allowed. It counts as refused until it succeeds."""

    counters: Sequence[_Counter]
    account: str

    def succeeded(self) -> None:
        """Forget all failures on this account from here; for the visitor only this attempt."""
        for counter in self.counters:
            if counter.name.startswith("visitor"):
                _add(counter.name, -1)
            else:
                cache.delete_many([_count_key(counter.name), _slot_key(counter.name)])

    def was_no_guess(self) -> None:
        """Supabase could not answer, so nothing was guessed and nothing counts."""
        for counter in self.counters:
            _add(counter.name, -1)

    def refused(self) -> None:
        """Count this attempt, for the account's own count of refusals too."""
        _add(_account_counter(self.account), 1)


def begin(email: str, visitor: str, device: str) -> Attempt:
    """Allow an attempt, or raise `TooManyAttempts` with the time to wait. `device` is the value of
    `device_of` from this browser's last sign-in.
    """
    account = audit.digest_of(email)
    counters = _counters(account, audit.network_of(visitor), device)
    wait = max((_remaining(counter.name) for counter in counters), default=0)
    if wait > 0:
        raise _too_many(wait)
    for counter in counters:
        count = _add(counter.name, 1)
        if count > counter.free and not _take_slot(counter.name, _wait(count - counter.free)):
            raise _too_many(_remaining(counter.name) or _FIRST_WAIT_SECONDS)
    return Attempt(counters, account)


def device_of(email: str) -> str:
    """A name for a browser in which this account has signed in."""
    return f"{audit.digest_of(email)} {secrets.token_urlsafe(12)}"


def _counters(account: str, visitor: str, device: str) -> Sequence[_Counter]:
    if device.partition(" ")[0] == account:
        return [_Counter(f"device {device}", _FREE_FOR_DEVICE)]
    attacked = _number(cache.get(_count_key(_account_counter(account)))) >= _ATTACK
    free = _FREE_FOR_PAIR_UNDER_ATTACK if attacked else _FREE_FOR_PAIR
    return [
        _Counter(f"pair {account} {visitor}", free),
        _Counter(f"visitor {visitor}", _FREE_FOR_VISITOR),
    ]


def _wait(excess: int) -> int:
    doublings = min(excess - 1, 10)
    return min(_FIRST_WAIT_SECONDS << doublings, _LONGEST_WAIT_SECONDS)


def _too_many(seconds: int) -> TooManyAttempts:
    minutes = -(-seconds // 60)
    sentence = (
        ngettext(
            "Слишком много попыток входа. Попробуйте снова через %(count)s секунду.",
            "Слишком много попыток входа. Попробуйте снова через %(count)s секунд.",
            seconds,
        )
        if seconds < 60
        else ngettext(
            "Слишком много попыток входа. Попробуйте снова через %(count)s минуту.",
            "Слишком много попыток входа. Попробуйте снова через %(count)s минут.",
            minutes,
        )
    )
    told = TooManyAttempts(sentence % {"count": seconds if seconds < 60 else minutes})
    told.retry_after_seconds = seconds
    return told


# --- In the cache -------------------------------------------------------------------------------


def _account_counter(account: str) -> str:
    return f"account {account}"


def _count_key(name: str) -> str:
    return f"sign-in:count:{name.replace(' ', ':')}"


def _slot_key(name: str) -> str:
    return f"sign-in:wait:{name.replace(' ', ':')}"


def _add(name: str, change: int) -> int:
    """The count after the change; 0 while the cache is down, when nothing can be limited."""
    key = _count_key(name)
    cache.add(key, 0, _COUNTED.total_seconds())
    try:
        return _number(cache.incr(key, change))
    except ValueError:  # It expired at this moment.
        return max(change, 0)


def _number(found: object) -> int:
    return found if isinstance(found, int) else 0


def _remaining(name: str) -> int:
    """Seconds until the next attempt, by this process's clock."""
    until = _number(cache.get(_slot_key(name)))
    return max(0, until - int(time.time()))


def _take_slot(name: str, wait: int) -> bool:
    """Take the only attempt of this span; False where another request has it."""
    return bool(cache.add(_slot_key(name), int(time.time()) + wait, wait))
