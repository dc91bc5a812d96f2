"""Places in a long list: the key of a row, as text that an address can carry."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

Key = datetime | str
NO_SUCH_PLACE = _("Такой страницы нет: показана первая.")
# No row is older (a list may put those without a date there), and none is as young.
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def place_of(key: Key, pk: UUID) -> str:
    """Where a row stands: by its key in the order of the list, and its id among equals."""
    text = key.isoformat() if isinstance(key, datetime) else key
    return urlsafe_b64encode(json.dumps([text, str(pk)]).encode()).decode()


def place_at(text: str, *, moments: bool) -> tuple[Key, UUID] | None:
    """The key and the id that `text` says, or None where it is nonsense.

    What comes back can be asked of the database: no moment out of the calendar's reach, and no text
    that PostgreSQL cannot hold.
    """
    try:
        key, pk = json.loads(urlsafe_b64decode(text.encode()))
        return (_moment(key) if moments else _text(key)), UUID(pk)
    # Brackets in brackets, deeply enough, are a recursion too deep.
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone is none")
    if not _FIRST <= moment < _LAST:
        raise ValueError("no row is of that time")
    return moment


def _text(key: object) -> str:
    if not isinstance(key, str) or "\0" in key:
        raise ValueError("no text that a row can have")
    key.encode()  # a lone half of a character is a ValueError
    return key
