"""The part of `make lint` that is Django's own: its checks, and migrations that were forgotten.

Runs with the values of `.env.example`, which shows that they are good for a start.
"""

import os
import subprocess
import sys
import warnings

import environ

from onai.env import BASE_DIR

_SETTINGS = ("onai.settings", "onai.local.settings")


def main() -> None:
    environ.Env.read_env(BASE_DIR / ".env.example", overwrite=True)
    for settings in _SETTINGS:
        for command in (
            ["check", "--deploy", "--fail-level", "WARNING"],
            ["makemigrations", "--check", "--dry-run", "--verbosity", "1"],
        ):
            if settings == "onai.local.settings" and command[0] == "check":
                continue  # The stand-ins are never deployed.
            # The databases of the example do not exist, and migrations need none to be compared.
            quiet = [sys.executable, "-W", "ignore::RuntimeWarning", "manage.py", *command]
            environment = {**os.environ, "DJANGO_SETTINGS_MODULE": settings}
            subprocess.run(quiet, cwd=BASE_DIR, env=environment, check=True)


if __name__ == "__main__":
    warnings.simplefilter("error")
    try:
        main()
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)
