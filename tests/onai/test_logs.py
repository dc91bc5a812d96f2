"""What leaves the product when something crashes."""

from typing import Any

import pytest
import sentry_sdk
from django.test import RequestFactory
from sentry_sdk.envelope import Envelope
from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware
from sentry_sdk.transport import Transport

from onai.db.bounded import ClientLeft
from onai.ops.logs import report_exceptions_to


class _Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.events.append(envelope.get_event())


@pytest.mark.filterwarnings("ignore:The send_default_pii option")
def test_an_exception_report_holds_no_search_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options: dict[str, Any] = {}
    monkeypatch.setattr(sentry_sdk, "init", lambda **given: options.update(given))
    report_exceptions_to("https://key@sentry.onai.test/1")
    transport = _Kept()
    client = sentry_sdk.Client(**options, transport=transport, default_integrations=False)
    referer = "https://desk.onai.test/funnel/people?q=tayna"
    request = RequestFactory().get("/funnel/people.csv?q=tayna", headers={"referer": referer})

    def crash(error: Exception) -> None:
        def application(environ: object, start_response: object) -> Any:
            raise error

        with pytest.raises(type(error)):
            SentryWsgiMiddleware(application)(request.environ, lambda *_: None)

    with sentry_sdk.new_scope() as scope:
        scope.set_client(client)
        crash(RuntimeError("broken"))
        crash(ClientLeft("which is nobody's fault"))

    (event,) = transport.events
    # It holds the lines of this very test.
    assert event.pop("exception")["values"][0]["value"] == "broken"
    assert event["request"]["url"].endswith("/funnel/people.csv")
    assert "tayna" not in str(event)
