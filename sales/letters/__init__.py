"""Letters to students: written with an act, sent by the outbox, tracked until delivery."""

from sales.letters.addresses import is_suppressed
from sales.letters.contents import (
    PASSWORD_KEPT,
    forget_passwords,
    forget_replaced_password,
    keep_chosen_language,
    kept_password,
    language_of,
    language_of_account,
)
from sales.letters.former_address import notify_former_addresses
from sales.letters.outbox import (
    DELIVERY_JOB,
    attempt,
    attempt_at_once,
    deliver,
    remind,
    remind_of_overdue,
    send_again,
    send_now,
    write,
    write_again,
    write_to_new_address,
)

__all__ = [
    "DELIVERY_JOB",
    "PASSWORD_KEPT",
    "attempt",
    "attempt_at_once",
    "deliver",
    "forget_passwords",
    "forget_replaced_password",
    "is_suppressed",
    "keep_chosen_language",
    "kept_password",
    "language_of",
    "language_of_account",
    "notify_former_addresses",
    "remind",
    "remind_of_overdue",
    "send_again",
    "send_now",
    "write",
    "write_again",
    "write_to_new_address",
]
