"""Django's own part of `make lint`: its checks, and missing migrations.

It runs with made-up values, because the placeholders of `.env.example` do not start.
"""

import os
import subprocess
import sys

from onai.env import BASE_DIR

_MISSING_MIGRATIONS = ["makemigrations", "--check", "--dry-run"]
_COMMANDS = (
    ("onai.settings", ["check", "--deploy", "--fail-level", "WARNING"]),
    ("onai.settings", _MISSING_MIGRATIONS),
    ("onai.local.settings", _MISSING_MIGRATIONS),
)
DEPLOYMENT = {
    "SECRET_KEY": "made up for a check that signs nothing, 0123456789",
    "LANDING_DATABASE_URL": "postgres://reader@landing.onai.test/postgres?sslmode=require",
    "TRIPWIRE_DATABASE_URL": "postgres://desk@tripwire.onai.test/postgres?sslmode=require",
    "TRIPWIRE_SUPABASE_URL": "https://project.onai.test",
    "TRIPWIRE_SUPABASE_ANON_KEY": "sb_publishable_made_up",
    "TRIPWIRE_SUPABASE_SERVICE_ROLE_KEY": "sb_secret_made_up",
    "RESEND_API_KEY": "re_made_up",
    "RESEND_FROM_EMAIL": "onAI Academy <hello@onai.test>",
    "PLATFORM_LOGIN_URL": "https://platform.onai.test/login",
    "ALLOWED_HOSTS": "desk.onai.test",
}


def main() -> None:
    for settings, command in _COMMANDS:
        # Its databases do not exist, and comparing migrations needs none.
        quiet = [sys.executable, "-W", "ignore::RuntimeWarning", "manage.py", *command]
        environment = {**os.environ, **DEPLOYMENT, "DJANGO_SETTINGS_MODULE": settings}
        done = subprocess.run(quiet, cwd=BASE_DIR, env=environment, check=False)
        if done.returncode:
            sys.exit(done.returncode)


if __name__ == "__main__":
    main()
