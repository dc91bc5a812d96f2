"""A start with a bad environment says everything that is wrong, once, and no secret."""

from dataclasses import fields
from pathlib import Path

import pytest

from onai.env import BASE_DIR, Environment
from tests.processes import run_python
from tests.settings import TEST_ENVIRONMENT

VARIABLES = [field.name.upper() for field in fields(Environment)]


def _environment(**changes: str) -> dict[str, str]:
    good = {name: TEST_ENVIRONMENT[name] for name in VARIABLES if name in TEST_ENVIRONMENT}
    return {**good, **changes}


@pytest.mark.parametrize(
    "command",
    [
        ("manage.py", "check"),
        ("-m", "gunicorn", "--bind", "127.0.0.1:0", "onai.wsgi"),
        ("manage.py", "procrastinate", "worker"),
    ],
    ids=["manage.py", "gunicorn", "worker"],
)
def test_three_missing_and_one_malformed_are_named_at_once(command: tuple[str, ...]) -> None:
    environment = _environment(
        SECRET_KEY="",
        RESEND_API_KEY="",
        ALLOWED_HOSTS="",
        TRIPWIRE_DATABASE_URL="mysql://u:hush@h/d",
    )

    started = run_python(*command, environment=environment)

    assert started.returncode != 0
    said = started.stdout + started.stderr
    assert said.count("onAI cannot start, 4 environment variables to mend") == 1
    for name in ("SECRET_KEY", "RESEND_API_KEY", "ALLOWED_HOSTS"):
        assert said.count(f"{name} is missing") == 1
    assert said.count("TRIPWIRE_DATABASE_URL is malformed") == 1
    assert "hush" not in said
    assert "Traceback" not in said
    assert environment["TRIPWIRE_SUPABASE_SERVICE_ROLE_KEY"] not in said


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("LANDING_DATABASE_URL", "postgres://host:port/landing"),
        ("LANDING_DATABASE_URL", "postgres://host"),
        ("TRIPWIRE_SUPABASE_URL", "project-x.supabase.co"),
        ("TRIPWIRE_SUPABASE_URL", "https://project-x.supabase.co/auth/v1"),
        ("TRIPWIRE_SUPABASE_ANON_KEY", "ключ"),
        ("SENTRY_DSN", "https://sentry.onai.test/1"),
        ("ALLOWED_HOSTS", "one.onai.test two.onai.test"),
        ("RESEND_FROM_EMAIL", "Nobody in particular"),
        ("ALLOWED_HOSTS", "https://desk.example.com"),
        ("COURSE_PRICE_KZT", "5 000"),
        ("FUNNEL_CACHE_SECONDS", "-1"),
        ("DEBUG", "ture"),
        ("TIME_ZONE", "Asia/Almata"),
        ("CACHE_URL", "memcached://cache"),
        ("CACHE_URL", "redis://cache:port/0"),
        ("ALLOWED_HOSTS", "desk.onai.test:8000"),
    ],
)
def test_a_malformed_value_is_named_and_not_shown(name: str, bad: str) -> None:
    started = run_python("-c", "import onai.settings", environment=_environment(**{name: bad}))

    assert started.returncode == 1
    assert f"{name} is malformed" in started.stderr
    assert bad not in started.stderr


def test_a_good_environment_starts() -> None:
    started = run_python("manage.py", "check", environment=_environment())

    assert started.returncode == 0, started.stderr


def test_options_of_a_database_url_are_kept() -> None:
    url = "postgres://reader:p%2Fw%40rd@db.onai.test:6543/postgres?sslmode=require"
    script = "from onai.settings import DATABASES as d; l = d['landing']; print(l['OPTIONS']"
    script += "['sslmode'], l['PASSWORD'], l['HOST'], l['PORT'], l['NAME'])"

    started = run_python("-c", script, environment=_environment(LANDING_DATABASE_URL=url))

    assert started.stdout.split() == ["require", "p/w@rd", "db.onai.test", "6543", "postgres"]


def test_a_line_of_dotenv_that_cannot_be_read_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TRIPWIRE_SUPABASE_SERVICE_ROLE_KEY: eyJhush\n")
    script = "import pathlib, onai.env as e; e.BASE_DIR = pathlib.Path(%r); e.load()"

    started = run_python("-c", script % str(tmp_path))

    assert "TRIPWIRE_SUPABASE_SERVICE_ROLE_KEY is missing" in started.stderr
    assert "eyJhush" not in started.stdout + started.stderr


@pytest.mark.parametrize("document", ["README.md", ".env.example"])
def test_every_variable_is_documented(document: str) -> None:
    text = (BASE_DIR / document).read_text()

    assert [name for name in VARIABLES if name not in text] == []
