"""What may come in, over real HTTP: a body that is too large is refused before it is read."""

import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from tests.support import plain_http
from tests.support.server import web_server

FORMS = "application/x-www-form-urlencoded"
PATHS = (
    *("/login", "/logout", "/funnel/refresh", "/sales-manager/students/new", "/nowhere"),
    *("/api/tripwire-manager/create-student", "/api/nowhere"),
)


@pytest.fixture(scope="module")
def site(static_files: None) -> Iterator[str]:
    with web_server() as site:
        yield site.address


def _ask(site: str, head: str, body: bytes = b"") -> str:
    """The status line and headers that come back for a request of which only this is sent."""
    where = urlsplit(site)
    with closing(socket.create_connection((str(where.hostname), where.port or 80), 20)) as sent:
        sent.sendall(head.replace("\n", "\r\n").encode() + b"\r\n" + body)
        answer = b""
        while b"\r\n\r\n" not in answer and (more := sent.recv(65_536)):
            answer += more
    return answer.decode(errors="replace")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "kind", [FORMS, "multipart/form-data; boundary=BB", "application/json", "image/png"]
)
def test_a_body_above_64_kb_is_refused_before_it_is_sent(site: str, path: str, kind: str) -> None:
    for length in (64 * 1024 + 1, 200_000_000, 10**30):
        head = f"POST {path} HTTP/1.1\nHost: localhost\nContent-Type: {kind}\n"

        # Whoever read the body would wait for it.
        answer = _ask(site, f"{head}Content-Length: {length}\n")

        assert answer.startswith("HTTP/1.1 413 "), answer


def test_the_reason_is_a_page_or_json(site: str) -> None:
    too_large = b"a" * (64 * 1024 + 1)

    page = plain_http.post(f"{site}/login", content=too_large)
    api = plain_http.post(f"{site}/api/tripwire-manager/create-student", content=too_large)

    assert (page.status_code, api.status_code) == (413, 413)
    assert "файлы сайт не принимает" in page.text
    assert api.json()["code"] == "body_too_large"


def test_a_form_of_64_kb_is_accepted(site: str) -> None:
    whole = b"email=" + b"a" * (64 * 1024 - 6)

    answer = plain_http.post(f"{site}/login", content=whole, headers={"Content-Type": FORMS})

    assert answer.status_code == 403  # read, and refused for its missing CSRF token


@pytest.mark.parametrize("path", PATHS)
def test_a_body_without_a_length_is_refused(site: str, path: str) -> None:
    head = f"POST {path} HTTP/1.1\nHost: localhost\nContent-Type: {FORMS}\n"

    answer = _ask(site, f"{head}Transfer-Encoding: chunked\n", b"5\r\nemail\r\n")

    assert answer.startswith("HTTP/1.1 411 "), answer


@pytest.mark.parametrize("debug", ["true", "false"])
def test_too_many_parameters_are_a_bad_request_in_the_demo_too(
    static_files: None, debug: str
) -> None:
    many = "&".join(f"a{number}=" for number in range(1_001))
    with web_server(DEBUG=debug) as site:
        for path in ("/login", "/nowhere", "/api/traffic-dashboard/funnel"):
            answer = plain_http.get(f"{site.address}{path}?{many}", timeout=5)
            assert answer.status_code == 400, path
            assert "Traceback" not in answer.text
        for kind in (FORMS, FORMS + "; charset=latin-1"):
            sent = {"Content-Type": kind}
            answer = plain_http.post(f"{site.address}/login", content=many, headers=sent)
            assert answer.status_code == 400
        unknown = plain_http.get(f"{site.address}/login", headers={"Host": "evil.example"})
        assert unknown.status_code == 400
        assert "ALLOWED_HOSTS" not in unknown.text


def test_an_upload_is_refused(site: str) -> None:
    page = plain_http.get(f"{site}/login")
    token = page.cookies["__Host-csrftoken"]

    answer = plain_http.post(
        f"{site}/login",
        data={"csrfmiddlewaretoken": token, "email": "x"},
        files={"password": ("file.txt", b"a" * 30_000)},
        headers={"Cookie": f"__Host-csrftoken={token}"},
    )

    assert answer.status_code == 400
    assert "Укажите пароль." in answer.text
