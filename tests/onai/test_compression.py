"""Pages and JSON travel compressed, over real HTTP, and their length tells no secret."""

import gzip
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest


def _fetch(site: str, path: str, accepted: str) -> tuple[str | None, bytes]:
    connection = HTTPConnection(urlsplit(site).netloc, timeout=30)
    try:
        connection.request("GET", path, headers={"Accept-Encoding": accepted})
        answer = connection.getresponse()
        assert "Accept-Encoding" in (answer.getheader("Vary") or "")
        return answer.getheader("Content-Encoding"), answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/login?next=/funnel", "/nowhere"])
def test_a_page_is_compressed_for_clients_that_accept_gzip(site: str, path: str) -> None:
    encoding, body = _fetch(site, path, "gzip, br")
    plain_encoding, plain = _fetch(site, path, "identity")

    assert (encoding, plain_encoding) == ("gzip", None)
    assert b"</html>" in gzip.decompress(body)
    assert b"</html>" in plain
    assert len(body) < len(plain)


def test_the_compressed_length_varies(site: str) -> None:
    """A guess that is reflected in a page cannot be tested by the page's length (BREACH)."""
    lengths = {len(_fetch(site, "/nowhere", "gzip")[1]) for _ in range(12)}

    assert len(lengths) > 3
