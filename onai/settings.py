"""The settings of every process of the product. All outside values come from `onai.env`."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from onai import env, shared_cache
from onai.db import postgres
from onai.ops import logs

BASE_DIR = env.BASE_DIR
ENVIRONMENT = env.load()

DEBUG = ENVIRONMENT.debug
SECRET_KEY = ENVIRONMENT.secret_key
SECRET_KEY_FALLBACKS = ENVIRONMENT.secret_key_fallbacks or []
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
SITE_URL = ENVIRONMENT.site_url or f"https://{ALLOWED_HOSTS[0].removeprefix('.')}"
ROOT_URLCONF = "onai.urls"
WSGI_APPLICATION = "onai.wsgi.application"

INSTALLED_APPS = [
    "onai",
    "onai.identity",
    "funnel",
    "sales",
    "cachalot",
    "csp",
    "django_htmx",
    "procrastinate.contrib.django",
    "django.contrib.staticfiles",
    "django.forms",  # The templates of its widgets, for the renderer of ours.
]
FORM_RENDERER = "onai.web.form_renderer.FormRenderer"

# Whatever stands higher sees a request earlier and its answer later. A comment says what must hold
# for the line below it, and tests/onai/test_middleware_order.py checks that.
MIDDLEWARE = [
    # Above everything that answers.
    "onai.web.response_headers.ResponseHeadersMiddleware",
    # Above everything that writes a body.
    "onai.web.head_requests.HeadMiddleware",
    "django.middleware.security.SecurityMiddleware",
    # Above the deadline and the limits: a probe has a time of its own, and comes by any host name.
    "onai.ops.health.ProbeMiddleware",
    # Above everything that asks a database or another service.
    "onai.db.deadline.DeadlineMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Below WhiteNoise, whose files are compressed when they are collected. Random bytes in each
    # answer keep its length from telling a secret (docs/adr/0021-compressed-pages.md).
    "django.middleware.gzip.GZipMiddleware",
    # Above the limits, so that the pages that refuse have these headers, too.
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Above everything that writes a sentence, the pages that refuse among them. It reads one
    # cookie; the host, the query and the body are not parsed yet.
    "onai.web.look.language.LanguageMiddleware",
    # Above everything that reads the host, the query or the body.
    "onai.web.request_limits.RequestLimitsMiddleware",
    "django.middleware.common.CommonMiddleware",
    # Above the CSRF check, which it switches off for programs: they send no cookies.
    "onai.identity.middleware.IdentityMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    # Below the identity: its pages show who is signed in, and a session renewed meanwhile is kept.
    "onai.web.problems.ProblemMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request"],
            "builtins": ["onai.templatetags.form_marks"],
        },
    }
]

# --- Databases ---------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": {},
    "landing": postgres.database(ENVIRONMENT.landing_database_url, read_only=True),
    "tripwire": postgres.database(ENVIRONMENT.tripwire_database_url),
}
# An app that is not named here has no database, because `default` is empty.
DATABASE_OF_APP = {
    "funnel": "landing",
    "identity": "tripwire",
    "sales": "tripwire",
    "procrastinate": "tripwire",
}
DATABASE_ROUTERS = ["onai.db.routers.AppRouter"]
# Only the demo and the tests own the schema of Landing; elsewhere its tables are another team's.
LANDING_TABLES_ARE_OURS = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Cache -------------------------------------------------------------------------------------

_IN_THIS_PROCESS = "django.core.cache.backends.locmem.LocMemCache"
CACHES: dict[str, dict[str, Any]] = {
    # With Django's 300 entries, many addresses at once would push out the counters of sign-in.
    "default": {"BACKEND": _IN_THIS_PROCESS, "OPTIONS": {"MAX_ENTRIES": 5_000}}
}
if ENVIRONMENT.cache_url:
    CACHES = {
        # Without it the site is slower, not down; /status reports it.
        "default": shared_cache.configuration(ENVIRONMENT.cache_url),
        "statements": {"BACKEND": _IN_THIS_PROCESS, "LOCATION": "statements"},
    }
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
FUNNEL_CACHE_SECONDS = ENVIRONMENT.funnel_cache_seconds
# Others write to Landing, so no invalidation can be seen and age is the only limit. Tripwire is
# never cached: a manager must see what they just did.
CACHALOT_DATABASES = {"landing"}
CACHALOT_ADDITIONAL_SUPPORTED_DATABASES = {"onai.db.postgresql"}
CACHALOT_TIMEOUT = FUNNEL_CACHE_SECONDS
# It stores pickles and notes every write to Tripwire, so it never uses the network.
CACHALOT_CACHE = "statements" if ENVIRONMENT.cache_url else "default"
CACHALOT_QUERY_KEYGEN = "funnel.landing.refresh.query_key"

# --- Jobs --------------------------------------------------------------------------------------

PROCRASTINATE_DATABASE_ALIAS = "tripwire"
# Jobs mostly wait for Resend and Supabase; a hanging one must not delay the others.
PROCRASTINATE_WORKER_DEFAULTS = {"concurrency": 4}

# --- Identity ----------------------------------------------------------------------------------

SUPABASE_AUTH_URL = f"{ENVIRONMENT.tripwire_supabase_url}/auth/v1"
SUPABASE_ANON_KEY = ENVIRONMENT.tripwire_supabase_anon_key
SUPABASE_SERVICE_ROLE_KEY = ENVIRONMENT.tripwire_supabase_service_role_key
SUPABASE_JWT_SECRET = ENVIRONMENT.tripwire_supabase_jwt_secret
SUPABASE_CONNECT_TIMEOUT = timedelta(seconds=3)
SUPABASE_READ_TIMEOUT = timedelta(seconds=6)
# A sign-in is refused after a whole number of these steps. Each is longer than Supabase takes to
# compare passwords.
SIGN_IN_REFUSAL_STEP = timedelta(milliseconds=500)
# The name of each role's first page.
HOME_OF_ROLE = {"admin": "funnel", "sales": "sales-manager", "student": "welcome"}

# --- The business ------------------------------------------------------------------------------

COURSE_PRICE_KZT = ENVIRONMENT.course_price_kzt
QUEUE_SIGNALS = ENVIRONMENT.queue_signals
PLATFORM_LOGIN_URL = ENVIRONMENT.platform_login_url
RESEND_API_KEY = ENVIRONMENT.resend_api_key
RESEND_API_URL = ENVIRONMENT.resend_api_url
RESEND_FROM_EMAIL = ENVIRONMENT.resend_from_email
# Without it nobody is told what became of a letter.
RESEND_WEBHOOK_SECRET = ENVIRONMENT.resend_webhook_secret or ""
RESEND_CONNECT_TIMEOUT = timedelta(seconds=2)
RESEND_READ_TIMEOUT = timedelta(seconds=5)

# --- Language and time -------------------------------------------------------------------------

# Russian is the language of the house, and of the sentences in the code. In `locale/` stand the
# others, and the plurals of Russian.
LANGUAGE_CODE = "ru"
LANGUAGES = [("kk", "Қазақша"), ("ru", "Русский"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
# How dates and numbers are written.
FORMAT_MODULE_PATH = "onai.web.look.formats"
USE_THOUSAND_SEPARATOR = True
USE_TZ = True
TIME_ZONE = ENVIRONMENT.time_zone

# --- Static files ------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT: Path | None = env.STATIC_ROOT
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Security ----------------------------------------------------------------------------------

APPEND_SLASH = False
CSRF_COOKIE_SECURE = not DEBUG
# Only this host can set a cookie with this prefix, over HTTPS, which development does not have.
CSRF_COOKIE_NAME = "csrftoken" if DEBUG else "__Host-csrftoken"
CSRF_FAILURE_VIEW = "onai.web.problems.csrf_failure"
# TLS ends at the load balancer: the browser's Origin says https and this process sees http.
CSRF_TRUSTED_ORIGINS = [
    f"https://{'*' if host.startswith('.') else ''}{host}" for host in ALLOWED_HOSTS if host != "*"
]
SECURE_HSTS_SECONDS = 0 if DEBUG else int(timedelta(days=365).total_seconds())
X_FRAME_OPTIONS = "DENY"
# No form needs more, and no form accepts a file.
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
FILE_UPLOAD_HANDLERS: list[str] = []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "manifest-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # The domain's other hosts are not ours to bind to HTTPS,
    "security.W021",  # nor to put on the browsers' preload list.
    "security.W008",  # The load balancer redirects to HTTPS; probes reach us over HTTP.
]

# --- Logs --------------------------------------------------------------------------------------

LOGGING = logs.CONFIGURATION
logs.report_exceptions_to(ENVIRONMENT.sentry_dsn)
