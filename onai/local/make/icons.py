"""Draws the icons of browsers and home screens from static/icon.svg.

Run by hand after the drawing has changed: `python -m onai.local.make.icons`. It needs Chromium.
"""

import struct
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from onai.local.make.browser import ARGUMENTS, chromium

_STATIC = Path(__file__).resolve().parents[3] / "static"
_GROUND = "#0c0f0e"
# A phone cuts a maskable icon to its own shape, at most down to the middle four fifths.
_MARGIN = 0.1


def make() -> None:
    """Write every icon anew."""
    drawing = (_STATIC / "icon.svg").read_text()
    folder = _STATIC / "icons"
    folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for size in (192, 512):
            (folder / f"{size}.png").write_bytes(_picture(browser, drawing, size))
        for name, size in (("touch-180", 180), ("maskable-512", 512)):
            whole = _picture(browser, drawing, size, ground=_GROUND, margin=_MARGIN)
            (folder / f"{name}.png").write_bytes(whole)
        (folder / "favicon.ico").write_bytes(_as_ico(_picture(browser, drawing, 32), 32))
        browser.close()


def _picture(
    browser: Browser, drawing: str, size: int, *, ground: str = "transparent", margin: float = 0
) -> bytes:
    """The drawing as a square PNG of `size` pixels, with a share of it left free on each side."""
    page = browser.new_page(viewport={"width": size, "height": size})
    inner = round(size * (1 - 2 * margin))
    page.set_content(
        f'<body style="margin:{(size - inner) // 2}px; background:{ground}">'
        f'<div style="width:{inner}px; height:{inner}px">{drawing}</div>'
    )
    picture = page.screenshot(omit_background=True)
    page.close()
    return picture


def _as_ico(picture: bytes, size: int) -> bytes:
    """An ICO file of one PNG: a head, one entry, and the picture."""
    head = struct.pack("<HHH", 0, 1, 1)
    entry = struct.pack("<BBBBHHII", size, size, 0, 0, 1, 32, len(picture), 6 + 16)
    return head + entry + picture


if __name__ == "__main__":
    make()
