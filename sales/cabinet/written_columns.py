"""Columns of `tripwire_users` that usually nothing writes, and what they are called where something
has (`sales.cabinet.availability`).
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sales.cabinet.availability import Availability

_TITLES = {
    "first_login_at": _("Первый вход (записала платформа)"),
    "last_active_at": _("Последняя активность (записала платформа)"),
    "email_opened": _("Письмо открыто (записала платформа)"),
    "modules_completed": _("Пройдено модулей (записала платформа)"),
}


def written_columns(known: Availability) -> dict[str, Promise]:
    """The columns that something has written, with their titles."""
    return {name: title for name, title in _TITLES.items() if name in known.written}
