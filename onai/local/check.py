"""The part of `make lint` that is Django's own: its checks, and migrations that were forgotten.

Runs with the values of `.env.example`, which shows that they are good for a start.
"""

import os
import subprocess
import sys

import environ

from onai.env import BASE_DIR

_MISSING_MIGRATIONS = ["makemigrations", "--check", "--dry-run"]
_COMMANDS = (
    ("onai.settings", ["check", "--deploy", "--fail-level", "WARNING"]),
    ("onai.settings", _MISSING_MIGRATIONS),
    ("onai.local.settings", _MISSING_MIGRATIONS),
)


def main() -> None:
    environ.Env.read_env(BASE_DIR / ".env.example", overwrite=True)
    for settings, command in _COMMANDS:
        # The databases of the example do not exist, and migrations need none to be compared.
        quiet = [sys.executable, "-W", "ignore::RuntimeWarning", "manage.py", *command]
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": settings}
        done = subprocess.run(quiet, cwd=BASE_DIR, env=environment, check=False)
        if done.returncode:
            sys.exit(done.returncode)


if __name__ == "__main__":
    main()
