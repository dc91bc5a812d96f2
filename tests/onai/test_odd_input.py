"""Odd parameters, cursors and headers: the response is never a server error.

The tests request every URL of the product, including URLs that are added later.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable

import pytest
from django.db import connections
from django.http import QueryDict
from django.test import Client

from funnel.people import listing
from onai.identity.session import cookies
from tests.conftest import LandingPages
from tests.support.addresses import ID, every_address
from tests.support.student_rows import Sales

SignIn = Callable[[str], Client]

# Every parameter that any URL reads; the other URLs ignore it.
NAMES = (
    *("period", "from", "to", "compare", "count", "by", "sort", "q", "source", "step", "lost"),
    *("after", "page", "status", "letter", "manager", "action", "again", "done", "next", "state"),
)
TEXTS = (
    *("\0", "a\0b", "\ud800", "\udfff" * 3, "9" * 5_000, "-" + "9" * 5_000, "1e400", "NaN"),
    *("\u202e\u2066abc\u200f", "\ufeff", "\U000e0001", "е\u0301" * 300, "%", "%00", "[", "{}"),
    *("0001-01-01", "9999-12-31", "-1", "0", "1.5", "\uff11", "²", "\r\nSet-Cookie: a=b"),
    *("' or 1=1 --", "\\", "$1", "%s", "{0}", "..", "//evil.example", "javascript:alert(1)"),
)


def _place(key: object, pk: object = ID) -> str:
    return urlsafe_b64encode(json.dumps([key, pk]).encode()).decode()


PLACES = (
    *(_place("\0"), _place("\ud800"), _place("a\0b"), _place(None), _place([]), _place(7)),
    *(_place("0001-01-01T00:00:00+00:00"), _place("0001-01-01T00:00:00+14:00")),
    *(_place("9999-12-31T23:59:59+00:00"), _place("9999-12-31T23:59:59-14:00")),
    *(_place("2026-11-01T00:00:00"), _place("2026-11-01"), _place("x"), _place("")),
    *(_place("2026-11-01T00:00:00+00:00", 5), _place("2026-11-01T00:00:00+00:00", "x")),
    *(_place("1899-12-31T00:00:00+00:00"), _place("2200-01-01T00:00:00+00:00")),
    *("AAAA", "%%%", "====", "Я", "[" * 300, urlsafe_b64encode(b"[" * 3_000).decode()),
    *(urlsafe_b64encode(b'{"a": 1}').decode(), urlsafe_b64encode(b"\xff\xfe").decode()),
)
LISTS = (
    "/funnel/people",
    "/api/traffic-dashboard/people",
    "/sales-manager",
    "/sales-manager/activity",
)
HEADERS = (
    *("http://[", "http://]", "//[", "[", "]", "::", "http://a:99999/", "http://a:b/", "\x7f"),
    *("\\", "%", "null", "é" * 50, "\t", ",", ";", "=", '"', "a=b; a=c", "1" * 5_000, "-1", "0"),
    *("bytes=0-", "bytes=-1", "bytes=9-0", "W/", '"', "*", "ru;q=x", "ru;q=" + "9" * 500),
    *("a" * 3_000, "Bearer", "Bearer ", "Bearer a.b", "Bearer a.b.c", "Bearer é.é.é", "Basic :"),
    "Bearer " + urlsafe_b64encode(b"[" * 4_000).decode() + ".e30.x",
    "Bearer " + urlsafe_b64encode(b'{"alg": "HS256", "kid": {"a": 1}}').decode() + ".e30.x",
    "Bearer " + urlsafe_b64encode(b'{"alg": ' + b"9" * 5_000 + b"}").decode() + ".e30.x",
)
READ = (
    *("Referer", "Host", "Origin", "Cookie", "Authorization", "Accept", "Accept-Language"),
    *("Accept-Encoding", "If-None-Match", "If-Modified-Since", "If-Match", "Range"),
    *("Content-Type", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Expect"),
    *("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "Forwarded"),
    *("X-Real-Ip", "X-Request-Id", "X-Csrftoken", "X-Http-Method-Override", "User-Agent"),
    *("Hx-Request", "Hx-Target", "Hx-Trigger", "Hx-Current-Url", "Hx-Boosted", "Hx-Prompt"),
    *("Hx-Trigger-Name", "Hx-History-Restore-Request", "Idempotency-Key", "Dnt", "Sec-Fetch-Site"),
    *("Svix-Id", "Svix-Timestamp", "Svix-Signature"),
)

FIRST = (
    *("Host", "Authorization", "Cookie", "session", "Content-Type", "Content-Length"),
    *("Transfer-Encoding", "Idempotency-Key"),
)


BESIDE = ("/healthz", "/readyz", "/static/x", "/nowhere")
ADDRESSES = (*every_address(), *BESIDE)


@pytest.fixture
def filled(landing: LandingPages, sales: Sales) -> str:
    """The id of a student. Every list has at least one row."""
    landing.write({"source": "TF4", "sms_clicked": True, "email": "a@onai.test"})
    return str(sales.add()["id"])


def _ask(client: Client, path: str, query: str) -> int:
    """The status of the response. A streamed response is read, since it may fail midway."""
    answer = client.get(f"{path}?{query}")
    if answer.streaming:
        b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    return answer.status_code


def _query(name: str, *values: str) -> str:
    said = QueryDict(mutable=True)
    said.setlist(name, [value.encode(errors="surrogatepass").decode("latin-1") for value in values])
    return said.urlencode()


@pytest.mark.parametrize("path", ADDRESSES)
def test_odd_parameters_never_crash(admin: Client, filled: str, path: str) -> None:
    path = path.replace(ID, filled)
    # As many requests as there are values: together they try each value in each parameter.
    for first in range(len(TEXTS)):
        turned = (*TEXTS[first:], *TEXTS[:first])
        said = "&".join(_query(*one) for one in zip(NAMES, turned, strict=False))
        assert _ask(admin, path, said) < 500, said
    # Alone, so that no other parameter causes the refusal, in parameters that take any text.
    for name in ("q", "source", "after", "page"):
        for value in TEXTS[:9]:
            assert _ask(admin, path, _query(name, value)) < 500, (name, value)
    assert _ask(admin, path, _query("source", *map(str, range(900)))) < 500
    assert _ask(admin, path, _query("source[]", "a") + "&after[a]=1&page[]=2") < 500


@pytest.mark.parametrize("path", LISTS)
def test_an_invalid_cursor_of_a_list_is_refused(admin: Client, filled: str, path: str) -> None:
    for place in PLACES:
        told = admin.get(path, {"after": place})
        assert told.status_code == 400, place[:60]
        text = str(told.json()["fields"]) if "/api/" in path else told.content.decode()
        assert ("Такой страницы нет: показана первая." in text) is True, place[:60]


def test_a_cursor_with_an_impossible_name_is_refused(admin: Client, filled: str) -> None:
    keys: tuple[object, ...] = ("\0", "a\0b", "\ud800", None, 7, [])
    for key in keys:
        asked = {"sort": "name", "after": _place(key)}
        assert admin.get("/sales-manager", asked).status_code == 400, key


def test_an_invalid_cursor_of_a_history_is_refused(admin: Client, filled: str) -> None:
    for place in PLACES:
        assert admin.get(f"/sales-manager/students/{filled}", {"after": place}).status_code == 400


@pytest.mark.parametrize("path", [path for path in ADDRESSES if path != "/readyz"])
def test_odd_headers_without_a_session_never_crash(client: Client, path: str) -> None:
    # Headers that alone can cause a refusal are tried one by one in the next test.
    names = [name for name in READ if name not in FIRST]
    for first in range(len(HEADERS)):
        turned = [HEADERS[(first + step) % len(HEADERS)] for step in range(len(names))]
        for method in ("GET", "POST"):
            headers = dict(zip(names, turned, strict=True))
            assert client.generic(method, path, headers=headers).status_code < 500, headers


@pytest.mark.parametrize("name", FIRST)
def test_odd_headers_with_a_session_never_crash(admin: Client, filled: str, name: str) -> None:
    paths = (f"/sales-manager/students/{filled}/data", "/api/tripwire-manager/create-student")
    for value in HEADERS:
        if name == "session":
            admin.cookies[cookies.access_cookie()] = value
        headers = {} if name == "session" else {name: value}
        for path in paths:
            assert admin.generic("POST", path, headers=headers).status_code < 500, (value, path)
        assert admin.get("/", headers=headers).status_code < 500, value


@pytest.mark.parametrize("path", ["/funnel", "/funnel/people", "/api/traffic-dashboard/people"])
def test_a_value_refused_by_the_database_is_not_reported_as_an_outage(
    admin: Client, filled: str, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def refused(*_: object, **__: object) -> None:
        with connections["landing"].cursor() as cursor:
            cursor.execute("select 1 / 0")

    monkeypatch.setattr("funnel.landing.statement._HASHED", "select 1 / 0")
    monkeypatch.setattr("funnel.people.listing._matching", lambda *_: listing._asked(refused))

    answer = admin.get(path)

    assert answer.status_code == 400
    assert "не отвечает" not in answer.content.decode()
