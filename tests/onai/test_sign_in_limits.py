"""Each visitor is limited for themselves, and no stranger locks anybody else out."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client

from onai import shared_cache
from onai.identity import audit, views
from onai.identity import supabase as auth
from tests.conftest import Faults
from tests.support.desk import Desk
from tests.support.people import PASSWORD, Accounts
from tests.support.supabase_requests import Recorder, recording_supabase

OWNER = "admin@onai.test"
STRANGER, ELSEWHERE = "203.0.113.7", "198.51.100.9"


@pytest.fixture(autouse=True)
def unhurried(settings: Any) -> None:
    """Refusals without their pause, of which there are many here."""
    settings.SIGN_IN_REFUSAL_STEP = timedelta(microseconds=1)


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(datetime.now().astimezone(), tick=False) as clock:
        yield clock


def _try(
    address: str = STRANGER,
    *,
    email: str = OWNER,
    password: str = "wrong-password",
    browser: Client | None = None,
) -> Any:
    """An attempt from an address behind the load balancer."""
    typed = {"email": email, "password": password}
    return (browser or Client()).post("/login", typed, headers={"X-Forwarded-For": address})


def _succeeds(address: str = STRANGER, browser: Client | None = None) -> bool:
    return bool(_try(address, password=PASSWORD, browser=browser).status_code == 302)


def _until_refused(address: str = STRANGER, **typed: Any) -> int:
    """How many attempts are let through, one after another."""
    for number in range(100):
        if _try(address, **typed).status_code == 429:
            return number
    pytest.fail("a hundred attempts were let through")


def test_a_guessing_stranger_waits_and_sees_for_how_long(clock: Any) -> None:
    assert _until_refused() < 10

    answer = _try()

    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 15
    page = unescape(answer.content.decode())
    assert re.search(r"Слишком много попыток входа\. Попробуйте снова через \d+ секунд", page)
    assert f'value="{OWNER}"' in page


def test_the_delays_grow(clock: Any) -> None:
    _until_refused()
    waits = []
    for _ in range(8):
        waits.append(int(_try()["Retry-After"]))
        clock.shift(timedelta(seconds=waits[-1]))
        assert _try().status_code == 401
    assert waits == sorted(waits)
    assert waits[0] < 60
    assert waits[-1] == 900
    assert "через 15 минут" in unescape(_try().content.decode())


def test_thirty_wrong_passwords_lock_out_nobody_else(clock: Any) -> None:
    for _ in range(30):
        _try(STRANGER)

    assert _succeeds(ELSEWHERE)
    # Not even the right password is looked at where it is guessed.
    assert not _succeeds(STRANGER)


def test_many_strangers_cannot_lock_an_account(clock: Any) -> None:
    for number in range(60):
        _try(f"192.0.2.{number}")

    assert _succeeds(ELSEWHERE)
    # Each of them has fewer attempts than before, since it is attacked by many.
    assert _until_refused("192.0.2.200") < _until_refused("192.0.2.201", email="x@onai.test")


def test_a_visitor_who_tries_many_accounts_waits(clock: Any) -> None:
    tried = 0
    while _try(email=f"someone{tried}@onai.test").status_code == 401:
        tried += 1
        assert tried < 100
    assert tried > 10

    assert _try(email="another@onai.test").status_code == 429
    assert _try(ELSEWHERE, email="another@onai.test").status_code == 401


def test_a_known_browser_signs_in_during_an_attack_on_its_account(
    clock: Any,
) -> None:
    known = Client()
    assert _succeeds(STRANGER, known)
    known.post("/logout")
    for _ in range(30):
        _try(STRANGER)
    assert not _succeeds(STRANGER)

    assert _succeeds(STRANGER, known)


def test_the_cookie_of_a_known_browser_is_bound_to_its_account(
    clock: Any, accounts: Accounts
) -> None:
    other = accounts.create(role="sales")
    known = Client()
    assert _try(email=other["email"], password=PASSWORD, browser=known).status_code == 302
    known.post("/logout")
    for _ in range(10):
        _try()

    assert not _succeeds(browser=known)
    forged = Client()
    forged.cookies["__Host-onai_device"] = f"{audit.digest_of(OWNER)} forged"
    assert not _succeeds(browser=forged)


def test_guessing_in_a_known_browser_is_limited(clock: Any) -> None:
    known = Client()
    assert _succeeds(browser=known)
    known.post("/logout")
    statuses = [_try(browser=known).status_code for _ in range(20)]

    assert statuses[-1] == 429
    # And nobody else has to wait for it.
    assert _succeeds()


def test_a_successful_sign_in_resets_the_count(clock: Any) -> None:
    for _ in range(3):
        for _ in range(4):
            assert _try().status_code == 401
        assert _succeeds()


def test_attempts_are_forgotten_after_an_hour(clock: Any) -> None:
    for _ in range(30):
        _try()
    clock.shift(timedelta(hours=1, seconds=1))
    assert _succeeds()


def test_an_outage_does_not_count_as_a_guess(clock: Any, faults: Faults) -> None:
    faults.set("/auth/v1/token", status=503)
    for _ in range(30):
        assert _try(password=PASSWORD).status_code == 503
    faults.clear()
    assert _succeeds()


def test_addresses_of_one_ipv6_network_are_one_visitor(clock: Any) -> None:
    for number in range(30):
        _try(f"2001:db8:1:2::{number:x}")

    assert not _succeeds("2001:db8:1:2:ffff::1")
    assert _succeeds("2001:db8:1:3::1")


def test_guesses_from_an_address_do_not_stop_its_sessions(clock: Any) -> None:
    browser = Client()
    assert _succeeds(browser=browser)
    for _ in range(30):
        _try()
    del browser.cookies["__Host-onai_access"]

    page = browser.get("/funnel", headers={"X-Forwarded-For": STRANGER})

    assert page.status_code == 200


def test_signing_in_works_while_the_cache_is_down(settings: Any) -> None:
    settings.CACHES = {"default": shared_cache.configuration("redis://127.0.0.1:1/0")}

    for _ in range(10):
        assert _try().status_code == 401
    assert _succeeds()


# --- What Supabase is told ---------------------------------------------------------------------


@pytest.fixture
def supabase(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    return recording_supabase(monkeypatch)


@pytest.mark.parametrize(
    ("peer", "forwarded", "told"),
    [
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.3", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("192.168.1.1", "  203.0.113.7  ", "203.0.113.7"),
        ("::1", "2001:db8::5", "2001:db8::5"),
        ("::ffff:10.0.0.3", "::ffff:203.0.113.7", "203.0.113.7"),
        # A stranger who is a peer says nothing of others.
        ("203.0.113.8", "198.51.100.1", "203.0.113.8"),
        # What is no address is not passed on.
        *(("127.0.0.1", odd, "127.0.0.1") for odd in ("", "unknown", "203.0.113", "a\x01b", "é")),
        ("127.0.0.1", "203.0.113.7, ", "127.0.0.1"),
        # Some load balancers add the visitor's port.
        ("127.0.0.1", "203.0.113.7:1234", "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1:1, 203.0.113.7:1234", "203.0.113.7"),
        ("127.0.0.1", "[2001:db8::5]:443", "2001:db8::5"),
        ("127.0.0.1", "[2001:db8::5]", "2001:db8::5"),
        ("127.0.0.1", "203.0.113.7:x", "127.0.0.1"),
        ("127.0.0.1", "203.0.113:443", "127.0.0.1"),
        ("127.0.0.1", "fe80::1%eth0, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "x" * 10_000, "127.0.0.1"),
        ("", "203.0.113.7", "203.0.113.7"),
        ("", "", None),
    ],
)
def test_supabase_gets_the_visitors_address(
    supabase: Recorder, peer: str, forwarded: str, told: str | None
) -> None:
    headers = {"X-Forwarded-For": forwarded}
    typed = {"email": OWNER, "password": PASSWORD}
    browser = Client(REMOTE_ADDR=peer)

    assert browser.post("/login", typed, headers=headers).status_code == 302
    del browser.cookies["__Host-onai_access"]
    assert browser.get("/funnel", headers=headers).status_code == 200

    signed_in, renewed = supabase.to("/token")
    assert signed_in.headers.get("Sb-Forwarded-For") == told
    assert renewed.headers.get("Sb-Forwarded-For") == told


@pytest.mark.parametrize(
    "garbage", ["x", "a.b.c", "gAAAAABk", "é", "0" * 4_000, "undefined", "\\041"]
)
@pytest.mark.parametrize("path", ["/", "/funnel", "/nowhere", "/login", "/static/nothing.css"])
def test_a_cookie_that_we_did_not_issue_never_reaches_supabase(
    supabase: Recorder, garbage: str, path: str
) -> None:
    browser = Client()
    browser.cookies["__Host-onai_refresh"] = garbage

    assert browser.get(path).status_code < 500
    assert supabase.requests == []


def test_a_bare_refresh_token_in_the_cookie_is_no_session(
    supabase: Recorder, accounts: Accounts
) -> None:
    browser = Client()
    browser.cookies["__Host-onai_refresh"] = accounts.sign_in(OWNER)["refresh_token"]

    assert browser.get("/funnel").status_code == 302
    assert supabase.requests == []


# --- Alike in words and time -------------------------------------------------------------------


def test_refusals_take_a_whole_number_of_steps(
    settings: Any, accounts: Accounts, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SIGN_IN_REFUSAL_STEP = timedelta(seconds=7)
    blocked = accounts.create(role="sales", ban_duration="24h")
    without_tokens, without_times = accounts.create(role="sales"), accounts.create(role="sales")
    desk.connection.execute(
        "update auth.users set recovery_token = null where id = %s", [without_tokens["id"]]
    )
    desk.connection.execute(
        "update auth.identities set created_at = null where user_id = %s", [without_times["id"]]
    )
    now, waited = [0.0], []
    took = {"known": 0.3, "unknown": 0.016, "blocked": 0.01}

    class Clock:
        """Time as it passes for each of them at Supabase."""

        @staticmethod
        def monotonic() -> float:
            return now[0]

        @staticmethod
        def sleep(seconds: float) -> None:
            waited.append(seconds)
            now[0] += seconds

    monkeypatch.setattr(views, "time", Clock)
    sign_in = auth.sign_in

    def slow_sign_in(email: str, password: str, **more: Any) -> Any:
        kind = {OWNER: "known", blocked["email"]: "blocked"}.get(email, "unknown")
        now[0] += took[kind]
        return sign_in(email, password, **more)

    monkeypatch.setattr(auth, "sign_in", slow_sign_in)
    seen = set()
    made_by_sql = (without_tokens["email"], without_times["email"])
    for email in (OWNER, "nobody@onai.test", blocked["email"], *made_by_sql):
        for password in ("wrong-password", "wrong-password ", PASSWORD):
            if (email, password) == (OWNER, PASSWORD):
                continue
            began = now[0]
            answer = _try(email=email, password=password)
            told = re.search(r'role="alert">([^<]*)', answer.content.decode())
            assert told
            # A password that is tried twice takes twice as long for everybody.
            steps = 2 if password.endswith(" ") else 1
            assert now[0] - began == pytest.approx(7.0 * steps)
            seen.add((answer.status_code, told[1]))
    assert len(seen) == 1
    assert waited


@pytest.mark.parametrize(
    "around",
    [("", " "), (" ", ""), ("", "\n"), ("\t", "\r\n"), ("\u00a0", "\u200b"), ("\ufeff", "")],
)
def test_a_password_pasted_with_a_space_around_it_is_tried_without(
    client: Client, around: tuple[str, str]
) -> None:
    before, after = around
    typed = {"email": OWNER, "password": f"{before}{PASSWORD}{after}"}

    assert client.post("/login", typed).status_code == 302


def test_a_password_is_tried_as_typed_first(supabase: Recorder, accounts: Accounts) -> None:
    spaced = accounts.create(role="sales", password=f" {PASSWORD} ")

    assert _try(email=spaced["email"], password=f" {PASSWORD} ").status_code == 302
    assert len(supabase.to("/token")) == 1


@pytest.mark.parametrize(("password", "calls"), [("wrong", 1), ("wrong ", 2), ("   ", 1)])
def test_a_wrong_password_counts_once(
    supabase: Recorder, clock: Any, password: str, calls: int
) -> None:
    assert _try(password=password).status_code == 401
    assert len(supabase.to("/token")) == calls
    assert _until_refused(password=password) == _until_refused(ELSEWHERE) - 1


def test_a_spaced_password_is_not_tried_again_while_supabase_is_down(
    supabase: Recorder, faults: Faults
) -> None:
    faults.set("/auth/v1/token", status=503)

    assert _try(password="wrong ").status_code == 503
    assert len(supabase.to("/token")) == 1
