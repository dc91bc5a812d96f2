"""The product's own settings, with a PostgreSQL and stand-ins of this test run."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from onai.local.auth.keys import Keys
from onai.local.environment import local_environment
from onai.local.postgres import url
from tests.support.ports import free_port


def _folder() -> Path:
    """A folder for this process of this run alone, unless one is given, which is kept."""
    if given := os.environ.get("ONAI_TEST_DIR"):
        return Path(given, os.environ.get("PYTEST_XDIST_WORKER", ""))
    fresh = Path(tempfile.mkdtemp(prefix="onai-test-"))
    atexit.register(shutil.rmtree, fresh, ignore_errors=True)
    return fresh


TEST_DIR = _folder()
SERVICES_PORT = free_port()
SERVICES = f"http://127.0.0.1:{SERVICES_PORT}"
TEST_KEYS = Keys.load(TEST_DIR)
TEST_ENVIRONMENT = {
    **local_environment(
        TEST_DIR, TEST_KEYS, socket_dir=str(TEST_DIR / "postgres"), port=SERVICES_PORT - 1
    ),
    "DEBUG": "false",
    # No site of the tests runs where the demo's would.
    "ONAI_LOCAL_SITE": "",
    "PLATFORM_LOGIN_URL": "https://platform.onai.test/login",
    "ONAI_LOCAL_BCRYPT_ROUNDS": "4",
    "ONAI_LOCAL_RATE_LIMIT": "0",
}
os.environ.update(TEST_ENVIRONMENT)
# Tests act for other software, and prepare data, as the superuser; the product never is one.
LANDING_URL, TRIPWIRE_URL = (
    url(str(TEST_DIR / "postgres"), database) for database in ("landing", "tripwire")
)
# Processes that the tests start run with the product's own settings.
TEST_ENVIRONMENT["DJANGO_SETTINGS_MODULE"] = "onai.settings"

from onai.settings import *  # noqa: E402, F403

# Needs no collectstatic. The production start is tested with the real storage.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
STATIC_ROOT = None
STORAGES = {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
