"""The environment variables for one machine: the names of production, local addresses."""

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from onai.env import Environment
from onai.local import roles
from onai.local.auth.keys import Keys
from onai.local.postgres import url


def local_environment(folder: Path, keys: Keys, *, socket_dir: str, port: int) -> Mapping[str, str]:
    """The environment of a process of the product that uses the stand-ins on `port + 1`."""
    services = f"http://127.0.0.1:{port + 1}"
    return {
        **os.environ,
        # Without the machine's own configuration, for example a shared cache.
        **{variable.name.upper(): "" for variable in fields(Environment)},
        "SECRET_KEY": keys.django_secret,
        "LANDING_DATABASE_URL": url(socket_dir, "landing", roles.LANDING_READER),
        "TRIPWIRE_DATABASE_URL": url(socket_dir, "tripwire", roles.RUN_TIME),
        "TRIPWIRE_SUPABASE_URL": services,
        "TRIPWIRE_SUPABASE_ANON_KEY": keys.anon_key,
        "TRIPWIRE_SUPABASE_SERVICE_ROLE_KEY": keys.service_role_key,
        "TRIPWIRE_SUPABASE_JWT_SECRET": "" if keys.signing else keys.jwt_secret,
        "RESEND_API_KEY": keys.resend_key,
        "RESEND_API_URL": services,
        "RESEND_WEBHOOK_SECRET": keys.resend_webhook_secret,
        "RESEND_FROM_EMAIL": "onAI Academy <hello@onai.test>",
        "PLATFORM_LOGIN_URL": f"{services}/platform/login",
        "SITE_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "DEBUG": "true",
        "ONAI_LOCAL_DIR": str(folder),
        "ONAI_LOCAL_SITE": f"http://127.0.0.1:{port}",
        "PYTHONUNBUFFERED": "1",
        # The stand-ins are on this machine; a proxy is of no use on the way to them.
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
