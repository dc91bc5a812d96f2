"""The stand-ins' web server: Supabase Auth under /auth/v1, Resend at /emails, the /mailbox."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "onai.local.settings"
application = get_wsgi_application()
