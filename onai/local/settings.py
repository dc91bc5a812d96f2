"""Settings of the stand-ins and of the preparation of their data: the product's, with more rights.

The product itself never runs with them.
"""

import os
from pathlib import Path

from onai.db import postgres
from onai.local import roles
from onai.settings import *  # noqa: F403
from onai.settings import BASE_DIR, DATABASE_OF_APP, DATABASES, ENVIRONMENT, INSTALLED_APPS

LOCAL_DIR = Path(os.environ.get("ONAI_LOCAL_DIR", BASE_DIR / ".local"))
# The product's address, to which the stand-in of Resend sends its webhooks.
LOCAL_SITE = os.environ.get("ONAI_LOCAL_SITE", "")
LOCAL_RATE_LIMIT = int(os.environ.get("ONAI_LOCAL_RATE_LIMIT", "150"))
LOCAL_BCRYPT_ROUNDS = int(os.environ.get("ONAI_LOCAL_BCRYPT_ROUNDS", "10"))

INSTALLED_APPS = [*INSTALLED_APPS, "onai.local", "onai.local.auth", "onai.local.mail"]
ROOT_URLCONF = "onai.local.urls"
MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware", "onai.local.faults.FaultMiddleware"]

# The stand-ins refuse large bodies themselves, as the real servers do.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 30

# The mailbox looks like the product, also without collected static files.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
STATIC_ROOT = None
STORAGES = {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# Here Landing is ours to fill, Tripwire ours to migrate, and the stand-ins keep their tables in
# schemas of their own.
LANDING_TABLES_ARE_OURS = True
DATABASES["landing"] = postgres.database(ENVIRONMENT.landing_database_url)
DATABASES["landing"]["USER"] = roles.SUPERUSER
DATABASES["tripwire"]["USER"] = roles.OWNER
for _schema, _role in (("auth", roles.AUTH_ADMIN), ("mailbox", roles.SUPERUSER)):
    DATABASES[_schema] = postgres.database(ENVIRONMENT.tripwire_database_url)
    DATABASES[_schema]["USER"] = _role
    DATABASES[_schema]["OPTIONS"]["options"] = f"-c search_path={_schema}"
DATABASE_OF_APP = {**DATABASE_OF_APP, "local_auth": "auth", "local_mail": "mailbox"}
