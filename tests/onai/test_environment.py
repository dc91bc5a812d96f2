"""A start with a bad environment says everything that is wrong, once, and no secret."""

from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

from onai.env import BASE_DIR, Environment, EnvironmentInvalid, read
from tests.settings import TEST_ENVIRONMENT, TEST_KEYS
from tests.support.processes import run_python

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
def test_three_missing_and_one_malformed_are_named_at_once(
    static_files: None, command: tuple[str, ...]
) -> None:
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
        ("COURSE_PRICE_KZT", "5000,2026-13-01:6000"),
        ("COURSE_PRICE_KZT", "5000,2026-02-01:6000,2026-01-01:7000"),
        ("COURSE_PRICE_KZT", "5000,6000"),
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


@pytest.mark.parametrize(
    ("name", "bad", "reason"),
    [
        ("SECRET_KEY", "letters8", "it can be guessed"),
        ("SECRET_KEY", "ab" * 40, "it can be guessed"),
        ("SECRET_KEY", "q7w!e2n=z+4v" * 5, "it can be guessed"),
        ("SECRET_KEY", "secret-word-secret-word-secret-word-sec", "it can be guessed"),
        ("SECRET_KEY", "django-insecure-5d8$kq(w7!e2n=z+4v9m^x&t3r", "development only"),
        ("SECRET_KEY", "“5d8$kq(w7!e2n=z+4v9m^x&t3r-1p6_ya”", "quotes"),
        ("SECRET_KEY", "replace-me-with-fifty-or-more-random-characters-0123", "placeholder"),
        ("SECRET_KEY", '"a0b1c2d3e4f5g6h7i8j9a0b1c2d3e4f5g6h7i8j9"', "quotes"),
        ("RESEND_API_KEY", "'re_12345678hush'", "quotes"),
        ("ALLOWED_HOSTS", '"desk.onai.test"', "quotes"),
        ("COURSE_PRICE_KZT", "5000 # price", "comment"),
        ("FUNNEL_CACHE_SECONDS", "300 #seconds", "comment"),
        ("TIME_ZONE", "# Asia/Almaty", "comment"),
        ("RESEND_FROM_EMAIL", "onAI hello@onai.test", "in < >"),
        ("RESEND_FROM_EMAIL", "onAI <hello>", "in < >"),
        ("RESEND_FROM_EMAIL", "onAI <hello@onai.test", "in < >"),
        ("RESEND_FROM_EMAIL", "one@onai.test, two@onai.test", "in < >"),
        ("RESEND_FROM_EMAIL", "onAI <hello@onai.test> <x@onai.test>", "in < >"),
        ("RESEND_API_KEY", "sk_12345678hush", "begin with re_"),
        ("RESEND_API_KEY", "re_replace_me", "placeholder"),
        ("ALLOWED_HOSTS", "*", "anybody"),
        ("ALLOWED_HOSTS", "desk.onai.test,*.onai.test", "anybody"),
        ("ALLOWED_HOSTS", "desk.onai.test;two.onai.test", "a bare name"),
        ("ALLOWED_HOSTS", "кабинет.onai.test", "a bare name"),
        ("ALLOWED_HOSTS", ".", "a bare name"),
        ("ALLOWED_HOSTS", "[::1]:8000", "a bare name"),
        ("RESEND_FROM_EMAIL", "onAI <hеllo@onai.test>", "in < >"),
        ("RESEND_FROM_EMAIL", "onAI, Academy <hello@onai.test>", "in < >"),
        ("RESEND_FROM_EMAIL", 'onAI "Academy <hello@onai.test>', "in < >"),
        ("TRIPWIRE_SUPABASE_JWT_SECRET", "letters8", "it can be guessed"),
        ("TRIPWIRE_SUPABASE_JWT_SECRET", "super-secret-" * 4, "it can be guessed"),
        ("RESEND_FROM_EMAIL", "onAI <mailto:hello@onai.test>", "in < >"),
        ("FUNNEL_CACHE_SECONDS", "9" * 30, "a number from 0"),
        ("COURSE_PRICE_KZT", "5000,2026-01-01:" + "9" * 20, "a number from 0"),
        ("TRIPWIRE_SUPABASE_URL", "https://project.onai.test/rest/v1/", "ours to add"),
        ("TRIPWIRE_SUPABASE_URL", "https://project.onai.test?apikey=hush", "bare address"),
        ("TRIPWIRE_SUPABASE_URL", "https://project.onai.test#auth", "bare address"),
        ("TRIPWIRE_SUPABASE_URL", "https://user:hush@project.onai.test", "bare address"),
        (
            "LANDING_DATABASE_URL",
            "postgres://u:hush@db.onai.test/d?sslmode=require&pgbouncer=true",
            "option behind ?",
        ),
        (
            "TRIPWIRE_DATABASE_URL",
            "postgres://u:[YOUR-PASSWORD]@db.onai.test/d?sslmode=require",
            "placeholder",
        ),
        ("TRIPWIRE_SUPABASE_URL", "http://project.onai.test", "https"),
        ("RESEND_API_URL", "http://10.0.0.5:8000", "https"),
        ("PLATFORM_LOGIN_URL", "http://platform.onai.test/login", "https"),
        ("PLATFORM_LOGIN_URL", "http://localhost.onai.test/login", "https"),
        ("LANDING_DATABASE_URL", "postgres://u:hush@db.onai.test:6543/d", "sslmode=require"),
        ("LANDING_DATABASE_URL", "postgres://u:hush@10.0.0.5/d?sslmode=disable", "sslmode=require"),
        ("TRIPWIRE_DATABASE_URL", "postgres://u@db.onai.test/d?sslmode=allow", "sslmode=require"),
        ("TRIPWIRE_DATABASE_URL", "postgres://u@db.onai.test/d?sslmode=prefer", "sslmode=require"),
        ("TRIPWIRE_DATABASE_URL", "postgres://u@/d?host=db.onai.test", "sslmode=require"),
        ("TRIPWIRE_SUPABASE_ANON_KEY", TEST_KEYS.service_role_key, "another kind of key"),
        ("TRIPWIRE_SUPABASE_SERVICE_ROLE_KEY", TEST_KEYS.anon_key, "another kind of key"),
        ("TRIPWIRE_SUPABASE_ANON_KEY", "sb_secret_hush", "another kind of key"),
        ("TRIPWIRE_SUPABASE_SERVICE_ROLE_KEY", "sb_publishable_hush", "another kind of key"),
        ("TRIPWIRE_SUPABASE_URL", "https://abcdefgh.supabase.co", "still the example"),
    ],
)
def test_a_value_that_only_looks_right_is_refused_with_the_reason(
    name: str, bad: str, reason: str
) -> None:
    with pytest.raises(EnvironmentInvalid) as refused:
        read(_environment(**{name: bad}))

    message = str(refused.value.code)
    assert message.count("\n") == 1
    assert f"{name} is malformed (" in message
    told_of_value = message.partition("malformed (")[2].partition("):")[0]
    assert reason in told_of_value
    assert bad == "*" or bad not in told_of_value
    assert "hush" not in message


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("SECRET_KEY", "#5d8$kq(w7!e2n=z+4v9m^x&t3r-1p6_y"),
        ("TRIPWIRE_SUPABASE_URL", "http://localhost:54321"),
        ("TRIPWIRE_SUPABASE_URL", "http://[::1]:54321"),
        ("RESEND_FROM_EMAIL", "hello@onai.test"),
        ("RESEND_FROM_EMAIL", '"onAI" <hello@onai.test>'),
        ("TRIPWIRE_SUPABASE_JWT_SECRET", "q7Rk2mXv9TzB4nLc8WpJ5sHd1FgY6aEu0iOx3rMt"),
        ("RESEND_FROM_EMAIL", '"onAI, Academy" <hello@onai.test>'),
        ("RESEND_FROM_EMAIL", "Академия onAI <hello@mail.onai.test>"),
        ("ALLOWED_HOSTS", ".onai.test, desk.onai.test,[::1]"),
        ("LANDING_DATABASE_URL", "postgres://u@127.0.0.1:5432/d"),
        ("LANDING_DATABASE_URL", "postgres://u@localhost/d?sslmode=disable"),
        ("LANDING_DATABASE_URL", "postgres://u@%2Fvar%2Frun/d"),
        ("LANDING_DATABASE_URL", "postgres://u@db.onai.test/d?sslmode=require&connect_timeout=5"),
        ("ALLOWED_HOSTS", "web_1,xn--80aacb4cd.onai.test,127.0.0.1,Desk.onai.test"),
        ("FUNNEL_CACHE_SECONDS", "86400"),
        ("LANDING_DATABASE_URL", "postgres://u:a%23b@db.onai.test/d?sslmode=verify-full"),
        ("TRIPWIRE_SUPABASE_ANON_KEY", "sb_publishable_x"),
        ("TRIPWIRE_SUPABASE_SERVICE_ROLE_KEY", "sb_secret_x"),
    ],
)
def test_good_values_are_accepted(name: str, good: str) -> None:
    read(_environment(**{name: good}))


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"PLATFORM_LOGIN_URL": "https://desk.onai.test/login"}, True),
        ({"PLATFORM_LOGIN_URL": "https://DESK.onai.test:443/"}, True),
        (
            {"PLATFORM_LOGIN_URL": "https://site.onai.test", "SITE_URL": "https://site.onai.test"},
            True,
        ),
        ({"PLATFORM_LOGIN_URL": "https://platform.onai.test/login"}, False),
        ({"PLATFORM_LOGIN_URL": "https://desk.onai.test:8443/login"}, False),
        (
            {
                "PLATFORM_LOGIN_URL": "https://onai.test",
                "ALLOWED_HOSTS": "desk.onai.test,.onai.test",
            },
            False,
        ),
    ],
)
def test_the_platform_is_another_site_than_this_one(changes: dict[str, str], refused: bool) -> None:
    given = _environment(**{"ALLOWED_HOSTS": "desk.onai.test", "SITE_URL": "", **changes})
    if not refused:
        read(given)
        return

    with pytest.raises(EnvironmentInvalid) as stopped:
        read(given)

    assert "PLATFORM_LOGIN_URL is malformed (it is this site)" in str(stopped.value.code)


@pytest.mark.parametrize("bad", ["https://desk.onai.test/login", "http://desk.onai.test", "desk"])
def test_the_address_of_the_site_is_its_origin(bad: str) -> None:
    with pytest.raises(EnvironmentInvalid, match="SITE_URL is malformed"):
        read(_environment(SITE_URL=bad))


def test_the_same_key_twice_is_refused() -> None:
    both = ("TRIPWIRE_SUPABASE_ANON_KEY", "TRIPWIRE_SUPABASE_SERVICE_ROLE_KEY")

    with pytest.raises(EnvironmentInvalid) as refused:
        read(_environment(**dict.fromkeys(both, "hush-hush")))

    assert f"{both[0]} and {both[1]} are malformed (they are one key)" in str(refused.value.code)
    assert "hush" not in str(refused.value.code)


def _example() -> dict[str, str]:
    lines = (BASE_DIR / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_placeholder_stops_the_start_and_is_named() -> None:
    with pytest.raises(EnvironmentInvalid) as refused:
        read(_example())

    told = str(refused.value.code)
    assert [name for name in _example() if f"  {name} is malformed (it is still" not in told] == []


def test_the_example_starts_once_each_placeholder_is_replaced() -> None:
    read({**_example(), **{name: TEST_ENVIRONMENT[name] for name in _example()}})


@pytest.mark.parametrize("entrance", ["onai.wsgi", "onai.wsgi:application"])
def test_the_web_server_does_not_start_without_static_files(tmp_path: Path, entrance: str) -> None:
    script = (
        "import pathlib, runpy, sys, onai.env as e; e._MANIFEST = pathlib.Path({!r});"
        " sys.argv = ['gunicorn', '--bind', '127.0.0.1:0', {!r}];"
        " runpy.run_module('gunicorn', run_name='__main__')"
    ).format(str(tmp_path / "staticfiles.json"), entrance)

    started = run_python("-c", script, environment=_environment(RESEND_API_KEY=""))

    assert started.returncode != 0
    assert "onAI cannot start, 1 environment variable and the static files to mend" in (
        started.stderr
    )
    assert "RESEND_API_KEY is missing" in started.stderr
    assert "manage.py collectstatic" in started.stderr
    assert "Traceback" not in started.stderr


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


@pytest.mark.parametrize(
    "written",
    [
        "\ufeffRESEND_API_KEY=re_12345678x\r\nDEBUG=true\r\n",
        "export RESEND_API_KEY='re_12345678x'\nexport DEBUG=\"true\"\n",
        "# a comment\n\nRESEND_API_KEY=re_12345678x\nDEBUG=true",
    ],
)
def test_dotenv_is_read_in_every_common_encoding_of_editors(tmp_path: Path, written: str) -> None:
    (tmp_path / ".env").write_text(written, newline="")
    script = "import pathlib, onai.env as e; e.BASE_DIR = pathlib.Path(%r); v = e.load();"
    script += "print(v.resend_api_key, v.debug)"
    environment = _environment(RESEND_API_KEY="", DEBUG="")
    del environment["RESEND_API_KEY"], environment["DEBUG"]

    started = run_python("-c", script % str(tmp_path), environment=environment)

    assert started.stdout.split() == ["re_12345678x", "True"], started.stderr


@pytest.mark.parametrize(
    ("told", "prices"),
    [
        ("7500", ((None, 7_500),)),
        ("5000,2026-01-01:6000", ((None, 5_000), (date(2026, 1, 1), 6_000))),
        (
            " 2025-06-01:4500 , 2026-01-01: 6000",
            ((date(2025, 6, 1), 4_500), (date(2026, 1, 1), 6_000)),
        ),
    ],
)
def test_the_price_is_a_number_or_a_list_of_prices_by_first_day(
    told: str, prices: tuple[tuple[date | None, int], ...]
) -> None:
    assert read(_environment(COURSE_PRICE_KZT=told)).course_price_kzt == prices
