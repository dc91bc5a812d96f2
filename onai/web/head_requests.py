"""Answers to HEAD: the headers of GET, without the body."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase


class HeadMiddleware:
    """Removes the body, which the server would otherwise drop with a complaint each time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.method == "HEAD":
            if response.streaming:
                cast(StreamingHttpResponse, response).streaming_content = ()
            else:
                plain = cast(HttpResponse, response)
                plain.headers.setdefault("Content-Length", str(len(plain.content)))
                plain.content = b""
        return response
