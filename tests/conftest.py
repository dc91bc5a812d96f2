"""A real PostgreSQL and the stand-ins, started once for the run; a clean state for each test."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from typing import Any
from uuid import UUID

import hypothesis
import psycopg
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.test import Client
from django.utils import translation
from fasteners import InterProcessLock
from playwright.sync_api import Browser, Page, sync_playwright
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from onai import mail
from onai.db import bounded, circuit, deadline, optional_tables
from onai.identity import supabase
from onai.identity.session import tokens
from onai.identity.staff import register, standing
from onai.local import postgres
from onai.local.make import catalogues
from onai.ops import examination
from tests.settings import (
    BASE_DIR,
    LANDING_URL,
    SERVICES,
    SERVICES_PORT,
    TEST_DIR,
    TEST_ENVIRONMENT,
    TEST_KEYS,
    TRIPWIRE_URL,
)
from tests.support import forked_processes, plain_http
from tests.support.browser import ARGUMENTS, chromium
from tests.support.desk import GOOD, Desk
from tests.support.interruptions import Ask, api_requests_of
from tests.support.optional_tables import IN_LANDING, taken_away
from tests.support.people import PASSWORD, PEOPLE, Accounts
from tests.support.processes import on_own_connections, wait_for
from tests.support.server import Site, collect_static, warm_web_server, web_server
from tests.support.student_rows import Sales

# The time to make or try an example says nothing of the product.
hypothesis.settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy machine")


@pytest.fixture(scope="session", autouse=True)
def services(django_db_blocker: Any) -> Iterator[None]:
    """The server and the stand-ins, reached over their sockets as in the demo."""
    catalogues.compile_catalogues()
    cluster = postgres.start(TEST_DIR / "postgres", disposable=True)
    local = {**TEST_ENVIRONMENT, "DJANGO_SETTINGS_MODULE": "onai.local.settings"}
    prepare = [sys.executable, "manage.py", "prepare_local", "--empty"]
    subprocess.run(prepare, cwd=BASE_DIR, env=local, check=True, stdout=subprocess.DEVNULL)
    command = [sys.executable, "-m", "gunicorn", "--log-level", "error", "--threads", "32"]
    server = subprocess.Popen(
        [*command, "--bind", f"127.0.0.1:{SERVICES_PORT}", "onai.local.wsgi"],
        cwd=BASE_DIR,
        env={**local, "WEB_CONCURRENCY": "1"},
    )
    try:
        wait_for(f"{SERVICES}/mailbox.json")
        accounts = Accounts(SERVICES, TEST_KEYS)
        for person in PEOPLE:
            accounts.create(person.email, role=person.role, full_name=person.full_name)
        with django_db_blocker.unblock():
            yield
    finally:
        supabase.connections().close()
        mail.connections().close()
        connections.close_all()
        forked_processes.stop()
        server.terminate()
        server.wait(40)
        cluster.stop()


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """The databases belong to the run already; nothing to create beside them."""


@pytest.fixture(autouse=True)
def clean_slate(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    for one in circuit._circuits.values():
        one.answered()
    for finding in examination._findings.values():
        finding.part = None
    # A request leaves its language behind.
    translation.activate(settings.LANGUAGE_CODE)
    monkeypatch.setattr(examination, "KEPT_SECONDS", 0)
    # A busy machine is not an outage: only tests of time limits set short ones.
    for module, name in (
        (deadline, "REQUEST_SECONDS"),
        (bounded, "STATEMENT_SECONDS"),
        (bounded, "GRACE_SECONDS"),
        (examination, "PATIENCE_SECONDS"),
        (examination, "_DATABASE_SECONDS"),
    ):
        monkeypatch.setattr(module, name, 60.0)
    tokens._published_keys.cache_clear()
    standing._remembered.clear()
    optional_tables.forget()


@pytest.fixture
def accounts() -> Accounts:
    return Accounts(SERVICES, TEST_KEYS)


@pytest.fixture
def as_person(client: Client) -> Callable[[str], Client]:
    """Sign a person of `tests.support.people` in through the form, as a browser does."""

    def sign_in(email: str) -> Client:
        answer = client.post("/login", {"email": email, "password": PASSWORD})
        assert answer.status_code == 302, answer.content.decode()
        return client

    return sign_in


@pytest.fixture
def admin(as_person: Callable[[str], Client]) -> Client:
    return as_person("admin@onai.test")


@pytest.fixture
def bearer(accounts: Accounts) -> Callable[[str], dict[str, str]]:
    """The header with which a program of this person calls the API."""

    def header(email: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {accounts.sign_in(email)['access_token']}"}

    return header


class Faults:
    """Tells the stand-ins how the next requests fail."""

    def set(self, path: str, **how: Any) -> None:
        plain_http.post(f"{SERVICES}/faults", json={"path": path, **how}).raise_for_status()

    def met(self) -> int:
        """The number of requests that met a fault."""
        return int(plain_http.get(f"{SERVICES}/faults").json()["met"])

    def clear(self) -> None:
        """End all faults, and wait until delayed requests are done."""
        plain_http.delete(f"{SERVICES}/faults", timeout=30).raise_for_status()


@pytest.fixture
def faults() -> Iterator[Faults]:
    faults = Faults()
    yield faults
    faults.clear()


class Project:
    """The settings of the Supabase project's owner."""

    def set(self, **changes: Any) -> None:
        plain_http.request("PUT", f"{SERVICES}/project", json=changes).raise_for_status()

    def reset(self) -> None:
        """Restore the defaults, rate limits included."""
        plain_http.delete(f"{SERVICES}/project").raise_for_status()


@pytest.fixture
def project() -> Iterator[Project]:
    project = Project()
    yield project
    project.reset()


@pytest.fixture
def fresh_connection() -> Iterator[None]:
    """The test's own connection to Tripwire, which the test may cut as well."""
    yield
    connections["tripwire"].close()


class LandingPages:
    """The software that writes leads, on a connection of its own."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection

    def write(self, *leads: dict[str, Any]) -> None:
        """Insert leads; other columns get the table's defaults."""
        for lead in leads:
            row = {"name": "Кто-то", "phone": "+7 700 000-00-00", **lead}
            values = {
                name: Jsonb(value) if isinstance(value, dict) else value
                for name, value in row.items()
            }
            columns = ", ".join(values)
            places = ", ".join(f"%({name})s" for name in values)
            self.connection.execute(
                f"insert into landing_leads ({columns}) values ({places})",
                values,
            )

    def write_many(self, created_at: datetime, leads: list[dict[str, Any]]) -> None:
        with self.connection.cursor() as cursor:
            names = ("email", "phone", "source", "email_sent", "sms_clicked", "created_at")
            statement = f"copy landing_leads (name, {', '.join(names)}) from stdin"
            with cursor.copy(statement) as copy:
                for lead in leads:
                    row = {"phone": "87000000000", "created_at": created_at, **lead}
                    copy.write_row(["Кто-то", *(row.get(name) for name in names)])


@pytest.fixture
def landing() -> Iterator[LandingPages]:
    """An empty Landing, and the writer of its leads."""
    everything = f"truncate landing_leads, {', '.join(IN_LANDING)}"
    with psycopg.connect(LANDING_URL, autocommit=True) as connection:
        connection.execute(everything)
        yield LandingPages(connection)
        connection.execute(everything)


@pytest.fixture
def sold() -> Iterator[Callable[[], None]]:
    """Writes one more purchase, on a connection that an outage has not cut."""

    def sell() -> None:
        with psycopg.connect(LANDING_URL, autocommit=True) as connection:
            LandingPages(connection).write({"source": "TF4", "sms_clicked": True})

    with psycopg.connect(LANDING_URL, autocommit=True) as connection:
        connection.execute("truncate landing_leads")
    yield sell
    with psycopg.connect(LANDING_URL, autocommit=True) as connection:
        connection.execute("truncate landing_leads")


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A Tripwire that holds only the accounts of `tests.support.people`."""
    with closing(psycopg.connect(TRIPWIRE_URL, autocommit=True, row_factory=dict_row)) as opened:
        desk = Desk(opened)
        desk.empty()
        yield desk
        desk.empty()


@pytest.fixture
def without_optional_tables(landing: LandingPages, desk: Desk) -> Iterator[None]:
    """None of the tables is there that other software may have made or not."""
    with taken_away():
        yield


@pytest.fixture
def colleague(accounts: Accounts, desk: Desk) -> dict[str, Any]:
    """Another manager's account."""
    return accounts.create("botagoz@onai.test", role="sales", full_name="Ботагоз Тест")


@pytest.fixture
def sales(desk: Desk, accounts: Accounts, colleague: dict[str, Any]) -> Sales:
    """Writes students to Tripwire as other software does, for any of the staff."""
    ids = {
        name: UUID(accounts.sign_in(f"{name}@onai.test")["user"]["id"])
        for name in ("ayaulym", "admin")
    }
    on_own_connections(register.refresh)
    return Sales(desk, {**ids, "botagoz": UUID(colleague["id"])})


@pytest.fixture(scope="module")
def api_site() -> Iterator[Site]:
    with warm_web_server() as site:
        yield site


@pytest.fixture
def ask(api_site: Site, accounts: Accounts, desk: Desk) -> Ask:
    """Creates a student by the API of a server that is a process of its own."""
    return api_requests_of(api_site, accounts)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium()
    if program is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1, and there is no Chromium on this machine")
        pytest.skip("no Chromium on this machine (looked for chromium and google-chrome)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def static_files(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> None:
    """Collected once for the run, whose processes share them, and not below a running server."""
    own = tmp_path_factory.getbasetemp()
    of_the_run = own if worker_id == "master" else own.parent
    collected = of_the_run / "static_files_are_collected"
    with InterProcessLock(of_the_run / "collecting_static_files"):
        if not collected.exists():
            collect_static()
            collected.touch()


@pytest.fixture(scope="module")
def site(static_files: None) -> Iterator[str]:
    # Fresh figures each time, because a test cannot clear the cache of these processes.
    with web_server(FUNNEL_CACHE_SECONDS="0") as site:
        yield site.address


@pytest.fixture
def open_page(browser: Browser, site: str) -> Iterator[Any]:
    contexts = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(base_url=site, **options)
        contexts.append(context)
        context.set_default_timeout(30_000)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def create(as_person: Callable[[str], Client], desk: Desk) -> Callable[..., None]:
    """Create a student by the form."""
    manager = as_person("ayaulym@onai.test")

    def create(**changes: str) -> None:
        assert manager.post("/sales-manager/students/new", {**GOOD, **changes}).status_code == 302

    return create
