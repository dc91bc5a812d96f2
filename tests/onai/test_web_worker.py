"""The web server's process: the load balancer is answered whatever everybody else waits for."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support import plain_http
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import wait_until
from tests.support.people import Accounts
from tests.support.server import Site, warm_web_server

# Whoever is not answered by then never will be.
PATIENCE = 30


@pytest.fixture
def site(static_files: None) -> Iterator[Site]:
    with warm_web_server() as site:
        yield site


@pytest.fixture
def connect(site: Site) -> Iterator[Callable[[bytes], socket.socket]]:
    """Opens a connection, and says something on it."""
    place = urlsplit(site.address)
    with ExitStack() as opened:

        def connect(said: bytes = b"") -> socket.socket:
            connection = socket.create_connection((place.hostname, place.port), timeout=PATIENCE)
            opened.enter_context(connection)
            connection.sendall(said)
            return connection

        yield connect


# Their threads wait for a body, or for the end of a head, that does not come.
STALLED = [
    b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50\r\n"
    b"Cookie: csrftoken=" + b"a" * 32 + b"\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n",
]


@pytest.mark.parametrize("stalled", STALLED, ids=["a form", "a probe"])
def test_two_hundred_hanging_clients_do_not_delay_a_probe(
    site: Site, connect: Callable[..., socket.socket], stalled: bytes
) -> None:
    for _ in range(200):
        connect(stalled)

    for path in ("/healthz", "/readyz"):
        assert plain_http.get(site.address + path, timeout=PATIENCE).status_code == 200


def test_a_silent_connection_holds_no_thread(
    site: Site, connect: Callable[..., socket.socket]
) -> None:
    for _ in range(200):
        connect()

    assert plain_http.get(f"{site.address}/login", timeout=PATIENCE).status_code == 200


def test_a_connection_outlives_the_load_balancers_idle_time(site: Site) -> None:
    from importlib.util import module_from_spec, spec_from_file_location

    from tests.settings import BASE_DIR

    spec = spec_from_file_location("configuration", BASE_DIR / "gunicorn.conf.py")
    assert spec
    assert spec.loader
    configuration: Any = module_from_spec(spec)
    spec.loader.exec_module(configuration)
    assert configuration.keepalive >= 75
    with httpx.Client(verify=False) as client:
        first, second = (client.get(f"{site.address}{path}") for path in ("/healthz", "/login"))
        streams = [answer.extensions["network_stream"] for answer in (first, second)]
        addresses = [stream.get_extra_info("client_addr") for stream in streams]

    assert addresses[0] == addresses[1]


def test_a_stopping_process_finishes_its_requests_and_refuses_new_ones(
    site: Site, connect: Callable[..., socket.socket]
) -> None:
    begun = connect(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    connect()  # and one that never says anything
    assert plain_http.get(f"{site.address}/readyz").status_code == 200

    site.process.terminate()

    def refuses() -> bool:
        try:
            plain_http.get(f"{site.address}/healthz", timeout=PATIENCE)
        except httpx.TransportError:
            return True
        return False

    wait_until(refuses)
    begun.sendall(b"\r\n")
    with begun.makefile("rb") as whole:
        answer = whole.read()

    assert answer.startswith(b"HTTP/1.1 503")
    assert b'"stopping"' in answer
    assert b"Connection: close" in answer
    assert site.process.wait(20) == 0


def test_a_client_that_left_the_queue_is_not_served(
    site: Site, connect: Callable[..., socket.socket], desk: Desk, accounts: Accounts
) -> None:
    token = accounts.sign_in("ayaulym@onai.test")["access_token"]
    body = json.dumps(GOOD).encode()
    creation = (
        b"POST /api/tripwire-manager/create-student HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/json\r\nAuthorization: Bearer %s\r\n"
        b"Content-Length: %d\r\n\r\n%s"
    ) % (token.encode(), len(body), body)
    hanging = [connect(STALLED[0]) for _ in range(8)]
    connect(creation).close()

    for connection in hanging:
        connection.close()
    # They are served in the order they came.
    for _ in range(8):
        assert plain_http.get(f"{site.address}/login", timeout=PATIENCE).status_code == 200

    desk.assert_no_student()
    assert b" 201 " in connect(creation).recv(65_536)
