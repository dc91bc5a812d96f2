"""Takes the pictures of the main pages for the README, of a demo that it starts for itself.

Usage: python -m onai.local.make.screenshots, with a free `DEMO_PORT`. It needs Chromium.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from onai.env import BASE_DIR
from onai.local.demo_data.accounts import PASSWORD
from onai.local.make.browser import ARGUMENTS, chromium

_FOLDER = BASE_DIR / "docs" / "screenshots"
_DESK, _PHONE = ViewportSize(width=1280, height=960), ViewportSize(width=360, height=740)
_OWNER, _MANAGER = "admin@onai.test", "ayaulym@onai.test"


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as somebody sees it. On a phone two pixels of the screen make one of the page."""

    name: str
    path: str
    who: str
    scheme: Literal["light", "dark"] = "light"
    on_phone: bool = False


PICTURES = (
    Picture("overview", "/funnel", _OWNER),
    Picture("trend", "/funnel/trend?metric=leads", _OWNER),
    Picture("results", "/sales-manager/results", _OWNER),
    Picture("overview-phone", "/funnel", _OWNER, on_phone=True),
    Picture("cabinet-phone", "/sales-manager", _MANAGER, scheme="dark", on_phone=True),
)


def main() -> None:
    _FOLDER.mkdir(exist_ok=True)
    port = os.environ.get("DEMO_PORT", "8000")
    with _demo(port), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for picture in PICTURES:
            _take(browser, picture, f"http://127.0.0.1:{port}")
        browser.close()


def _take(browser: Browser, picture: Picture, site: str) -> None:
    context = browser.new_context(
        viewport=_PHONE if picture.on_phone else _DESK,
        device_scale_factor=2 if picture.on_phone else 1,
        color_scheme=picture.scheme,
        base_url=site,
    )
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("Почта").fill(picture.who)
    page.get_by_label("Пароль").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Войти").wait_for(state="detached")
    page.goto(picture.path)
    page.screenshot(path=_FOLDER / f"{picture.name}.png")
    context.close()


@contextmanager
def _demo(port: str) -> Iterator[None]:
    """A demo with data of its own, which are forgotten afterwards."""
    folder = tempfile.mkdtemp(prefix="onai-screenshots-")
    demo = subprocess.Popen(
        [sys.executable, "-m", "onai.local.demo"],
        env={**os.environ, "DEMO_PORT": port, "ONAI_LOCAL_DIR": folder},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if not any(line.startswith("Ready.") for line in demo.stdout or ()):
            sys.exit("The demo did not start; why is above.")
        yield
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
