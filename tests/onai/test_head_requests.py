"""What the server is handed in answer to HEAD."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.http import HttpRequest, StreamingHttpResponse
from django.test import RequestFactory

from onai.web.head_requests import HeadMiddleware
from onai.wsgi import application


def _served(method: str, path: str) -> tuple[str, dict[str, str], bytes]:
    """As gunicorn asks the product: its status, headers and body."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "wsgi.input": BytesIO(),
        "HTTP_HOST": "127.0.0.1",
    }
    setup_testing_defaults(environ)
    told: list[Any] = []
    body = b"".join(application(environ, lambda *start: told.extend(start[:2])))
    return told[0], dict(told[1]), body


@pytest.mark.parametrize("path", ["/login", "/healthz", "/nowhere", "/api/nowhere"])
def test_a_head_request_has_the_headers_of_get(path: str) -> None:
    status, headers, body = _served("GET", path)
    head_status, head_headers, nothing = _served("HEAD", path)

    assert body
    assert nothing == b""
    assert head_status == status
    assert head_headers["Content-Type"] == headers["Content-Type"]
    assert head_headers["Content-Length"] == str(len(body))


def test_a_head_request_streams_no_file(rf: RequestFactory) -> None:
    def rows() -> Iterator[bytes]:
        raise AssertionError
        yield b""

    def answer(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(rows())

    assert b"".join(HeadMiddleware(answer)(rf.head("/"))) == b""
