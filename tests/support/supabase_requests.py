"""Records the requests that the product sends to Supabase Auth."""

from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from onai.identity import supabase


@dataclass(slots=True)
class Recorder:
    """The requests that were sent, oldest first."""

    requests: list[httpx.Request] = field(default_factory=list)

    def to(self, path: str) -> list[httpx.Request]:
        return [one for one in self.requests if one.url.path.endswith(path)]


def recording_supabase(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Record each request before it is sent."""
    recorder = Recorder()
    send = httpx.Client.send

    def note_and_send(client: httpx.Client, request: httpx.Request, **options: Any) -> Any:
        if client is supabase.connections():
            recorder.requests.append(request)
        return send(client, request, **options)

    monkeypatch.setattr(httpx.Client, "send", note_and_send)
    return recorder
