"""Places in a long list: the key of a row, as text that an address can carry."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from uuid import UUID

Key = datetime | str


def place_of(key: Key, pk: UUID) -> str:
    """Where a row stands: by its key in the order of the list, and its id among equals."""
    text = key.isoformat() if isinstance(key, datetime) else key
    return urlsafe_b64encode(json.dumps([text, str(pk)]).encode()).decode()


def place_at(text: str, *, moments: bool) -> tuple[Key, UUID] | None:
    """The key and the id that `text` says, or None where it is nonsense."""
    try:
        key, pk = json.loads(urlsafe_b64decode(text.encode()))
        return (_moment(key) if moments else str(key)), UUID(pk)
    # Brackets in brackets, deeply enough, are a recursion too deep.
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone is none")
    return moment
