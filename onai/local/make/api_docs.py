"""Writes `docs/api.md` from the description of the API: `python -m onai.local.make.api_docs`."""

import os

import django

from onai.env import BASE_DIR
from onai.local.make.check import DEPLOYMENT


def main() -> None:
    os.environ |= DEPLOYMENT | {"DJANGO_SETTINGS_MODULE": "onai.settings"}
    django.setup()
    from onai.web.api.document import markdown
    from onai.web.api.openapi import description

    (BASE_DIR / "docs/api.md").write_text(markdown(description("session")))


if __name__ == "__main__":
    main()
