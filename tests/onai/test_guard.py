"""Who may go where: every address, every role, by browser and by program."""

from collections.abc import Callable

import pytest
from django.test import Client

from tests.conftest import Faults, LandingPages

SignIn = Callable[[str], Client]
Bearer = Callable[[str], dict[str, str]]

PEOPLE = {
    "admin": "admin@onai.test",
    "sales": "ayaulym@onai.test",
    "student": "student@onai.test",
}
PAGES = {
    "/funnel": {"admin"},
    "/funnel/sources": {"admin"},
    "/funnel/trend": {"admin"},
    "/funnel/ads": {"admin"},
    "/funnel/speed": {"admin"},
    "/funnel/people": {"admin"},
    "/funnel/people.csv": {"admin"},
    "/funnel/duplicates": {"admin"},
    "/funnel/duplicates.csv": {"admin"},
    "/sales-manager": {"admin", "sales"},
    "/sales-manager/results": {"admin", "sales"},
    "/welcome": {"student"},
    "/status": {"admin"},
}
API = {
    "/api/traffic-dashboard/funnel": {"admin"},
    "/api/traffic-dashboard/funnel/payment": {"admin"},
    "/api/traffic-dashboard/people": {"admin"},
    "/api/traffic-dashboard/duplicates": {"admin"},
}
EVERYTHING = {**PAGES, **API}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_redirects_a_stranger_to_sign_in_and_back(client: Client, path: str) -> None:
    answer = client.get(f"{path}?a=1&b=2")

    assert answer.status_code == 302
    where = path.replace("/", "%2F")
    assert answer["Location"] == f"/login?next={where}%3Fa%3D1%26b%3D2"


def test_a_head_request_is_redirected_like_get(client: Client) -> None:
    assert client.head("/funnel?a=1")["Location"] == client.get("/funnel?a=1")["Location"]


@pytest.mark.parametrize("path", ["/funnel", "/sales-manager", "/status"])
def test_a_fragment_request_is_not_redirected(client: Client, path: str) -> None:
    answer = client.get(path, headers={"HX-Request": "true", "HX-Target": "live"})

    assert answer.status_code == 401
    assert "Вы вышли из системы" in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", API)
def test_the_api_answers_a_stranger_in_json(client: Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json() == {
        "success": False,
        "error": "Нужно войти.",
        "code": "sign_in_required",
    }


@pytest.mark.parametrize("role", PEOPLE)
def test_each_role_sees_its_own_pages_and_no_others(as_person: SignIn, role: str) -> None:
    browser = as_person(PEOPLE[role])

    for path, allowed in EVERYTHING.items():
        answer = browser.get(path)
        assert answer.status_code == (200 if role in allowed else 403), path
        if role not in allowed and path in API:
            assert answer.json()["code"] == "wrong_role"
        elif role not in allowed:
            assert "нет доступа" in answer.content.decode()


@pytest.mark.parametrize("role", PEOPLE)
def test_a_program_is_identified_by_its_token(client: Client, bearer: Bearer, role: str) -> None:
    header = bearer(PEOPLE[role])

    for path, allowed in API.items():
        answer = client.get(path, headers=header)
        assert answer.status_code == (200 if role in allowed else 403), path


def test_a_bad_token_is_refused_in_spite_of_a_good_session(admin: Client) -> None:
    answer = admin.get(
        "/api/traffic-dashboard/funnel", headers={"Authorization": "Bearer not.a.token"}
    )

    assert answer.status_code == 401


def test_a_program_needs_no_csrf_token_and_a_browser_does(
    bearer: Bearer, as_person: SignIn
) -> None:
    strict = Client(enforce_csrf_checks=True)
    path = "/api/traffic-dashboard/funnel"

    # Both may only read; the difference is who is stopped before that is found out.
    by_program = strict.post(path, headers=bearer(PEOPLE["admin"]))
    strict.cookies = as_person(PEOPLE["admin"]).cookies
    by_browser = strict.post(path)

    assert (by_program.status_code, by_program.json()["code"]) == (405, "method_not_allowed")
    assert (by_browser.status_code, by_browser.json()["code"]) == (403, "csrf_failed")


def test_a_program_without_a_session_gets_an_error_in_json() -> None:
    answer = Client(enforce_csrf_checks=True).post("/api/traffic-dashboard/funnel")

    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required")


@pytest.mark.parametrize("path", ["/funnel", "/sales-manager", "/api/traffic-dashboard/funnel"])
def test_private_answers_are_never_stored_on_the_way(admin: Client, path: str) -> None:
    assert "no-store" in admin.get(path)["Cache-Control"]


def test_an_identity_that_cannot_be_verified_is_answered_with_503(
    client: Client, bearer: Bearer, faults: Faults
) -> None:
    header = bearer(PEOPLE["admin"])
    faults.set("/auth/v1/.well-known", status=500)

    answer = client.get("/api/traffic-dashboard/funnel", headers=header)

    assert answer.status_code == 503
    assert answer.json()["code"] == "auth_unavailable"


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/funnel/", 404), ("/login/", 404), ("/api/x", 404)]
)
def test_an_unknown_address_is_answered_as_a_page_or_as_json(
    client: Client, path: str, status: int
) -> None:
    answer = client.get(path)

    assert answer.status_code == status
    if path.startswith("/api/"):
        assert answer.json()["code"] == "not_found"
    else:
        assert "Такой страницы нет." in answer.content.decode()


def test_an_unknown_host_is_refused(client: Client) -> None:
    assert client.get("/login", headers={"host": "evil.example"}).status_code == 400


def test_a_crash_is_answered_without_its_details(
    admin: Client, landing: LandingPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("a secret inside")

    monkeypatch.setattr("funnel.web.views.answers", crash)
    admin.raise_request_exception = False

    page, api = admin.get("/funnel"), admin.get("/api/traffic-dashboard/funnel")

    assert page.status_code == api.status_code == 500
    assert "Что-то сломалось" in page.content.decode()
    assert "a secret inside" not in page.content.decode()
    assert api.json()["code"] == "internal_error"
