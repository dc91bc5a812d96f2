"""What a browser asks of the site beside its pages: manifest, icons, no network, robots."""

import json
import re
import struct
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

PUBLIC = [
    ("/manifest.webmanifest", "application/manifest+json"),
    ("/robots.txt", "text/plain; charset=utf-8"),
    ("/offline", "text/html; charset=utf-8"),
    ("/service-worker.js", "text/javascript; charset=utf-8"),
]


@pytest.mark.parametrize(("path", "kind"), PUBLIC)
def test_a_stranger_gets_it_and_may_keep_it(client: Client, path: str, kind: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer["Content-Type"]) == (200, kind)
    assert "public" in answer["Cache-Control"]


def _size_of(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


def _file(url: str) -> bytes:
    found = finders.find(url.removeprefix("/static/"))
    assert found, url
    return Path(str(found)).read_bytes()


def test_the_manifest_names_icons_that_are_there_in_their_size(client: Client) -> None:
    told = json.loads(client.get("/manifest.webmanifest").content)

    assert (told["start_url"], told["display"]) == ("/", "standalone")
    assert {icon["sizes"] for icon in told["icons"]} == {"192x192", "512x512"}
    assert [icon.get("purpose") for icon in told["icons"]] == [None, None, "maskable"]
    for icon in told["icons"]:
        width, height = _size_of(_file(icon["src"]))
        assert icon["sizes"] == f"{width}x{height}"


def test_the_favicon_is_an_icon_file(client: Client) -> None:
    answer = client.get("/favicon.ico")

    assert answer.status_code == 302
    icon = _file(answer["Location"])
    assert icon[:6] == struct.pack("<HHH", 0, 1, 1)
    assert _size_of(icon[22:]) == (32, 32)


def test_no_robot_is_invited(client: Client) -> None:
    assert client.get("/robots.txt").content.decode().splitlines() == [
        "User-agent: *",
        "Disallow: /",
    ]


def test_the_offline_page_says_what_is_wrong(client: Client) -> None:
    assert "Нет интернета" in client.get("/offline").content.decode()


def test_every_page_tells_a_phone_its_icon_colour_and_manifest(client: Client) -> None:
    page = client.get("/login").content.decode()

    assert re.search(r'<link\s+rel="manifest"\s+href="/manifest.webmanifest"', page)
    assert 'rel="apple-touch-icon"' in page
    assert 'name="theme-color"' in page
    assert 'name="description"' in page
