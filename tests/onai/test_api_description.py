"""`/api/openapi.json` describes every address of the API, and what they answer is as described."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from onai.env import BASE_DIR
from onai.local.demo_data.leads import demo_leads
from onai.web.api.document import markdown
from tests.conftest import LandingPages
from tests.support.desk import GOOD, Desk

Bearer = Callable[[str], dict[str, str]]
DESCRIPTION = "/api/openapi.json"
FUNNEL = "/api/traffic-dashboard/funnel"
STAGE = "/api/traffic-dashboard/funnel/{stage_id}"
PEOPLE = "/api/traffic-dashboard/people"
DUPLICATES = "/api/traffic-dashboard/duplicates"
CREATE = "/api/tripwire-manager/create-student"


def _addresses(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _addresses(pattern.url_patterns)
        else:
            yield f"/{pattern.pattern}".replace("<str:", "{").replace(">", "}")


@pytest.fixture
def described(admin: Client) -> dict[str, Any]:
    description: dict[str, Any] = admin.get(DESCRIPTION).json()
    return description


def _is_as_described(described: dict[str, Any], path: str, answer: Any) -> None:
    """The answer has the shape of its status, and no key that is not described."""
    ((_method, operation),) = described["paths"][path].items()
    response = operation["responses"][str(answer.status_code)]
    body = answer.json()
    if not body["success"]:
        assert f"`{body['code']}`" in response["description"]
    schemas = described["components"]["schemas"]
    strict = {
        name: {**schema, "additionalProperties": False} if "properties" in schema else schema
        for name, schema in schemas.items()
    }
    shape = response["content"]["application/json"]["schema"]
    Draft202012Validator({**shape, "components": {"schemas": strict}}).validate(body)


def test_every_address_of_the_api_is_described(described: dict[str, Any]) -> None:
    addresses = set(_addresses(get_resolver().url_patterns))

    assert set(described["paths"]) == {
        one for one in addresses if one.startswith("/api/") and one != DESCRIPTION
    }


def test_the_description_is_valid_openapi(described: dict[str, Any]) -> None:
    validate(described)


def test_only_staff_read_the_description(client: Client, bearer: Bearer) -> None:
    people = ("admin@onai.test", "ayaulym@onai.test", "student@onai.test")
    statuses = [client.get(DESCRIPTION, headers=bearer(one)).status_code for one in people]

    assert statuses == [200, 200, 403]
    assert client.get(DESCRIPTION).status_code == 401


def test_docs_api_is_generated_from_the_description(described: dict[str, Any]) -> None:
    # Otherwise: python -m onai.local.make.api_docs
    assert (BASE_DIR / "docs/api.md").read_text() == markdown(described)


@pytest.mark.parametrize(
    ("path", "address"),
    [
        (FUNNEL, FUNNEL),
        (FUNNEL, f"{FUNNEL}?count=cohort&by=month&period=this-month"),
        (FUNNEL, f"{FUNNEL}?source=nobody"),
        (FUNNEL, f"{FUNNEL}?by=hour"),
        (STAGE, f"{FUNNEL}/payment"),
        (STAGE, f"{FUNNEL}/nothing"),
        (PEOPLE, f"{PEOPLE}?step=tested"),
        (PEOPLE, f"{PEOPLE}?after=x"),
        (DUPLICATES, f"{DUPLICATES}?period=all"),
        (DUPLICATES, f"{DUPLICATES}?page=0"),
    ],
)
def test_the_funnels_answers_match_the_description(
    admin: Client, landing: LandingPages, described: dict[str, Any], path: str, address: str
) -> None:
    now = datetime.now(UTC)
    twice = {"sms_clicked": True, "phone": "+7 700 000 00 01", "created_at": now}
    landing.write(*demo_leads(now), twice, twice)

    _is_as_described(described, path, admin.get(address))


@pytest.mark.parametrize(
    "change",
    [{}, {"email": "gmial"}, {"email": "aru@gmial.com"}, {"email": 1}, {"adopt": True}],
)
def test_the_answers_of_a_creation_match_the_description(
    client: Client,
    bearer: Bearer,
    desk: Desk,
    described: dict[str, Any],
    change: dict[str, Any],
) -> None:
    answer = client.post(
        CREATE,
        {**GOOD, **change},
        content_type="application/json",
        headers=bearer("ayaulym@onai.test"),
    )

    _is_as_described(described, CREATE, answer)
