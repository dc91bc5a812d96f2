"""What an address may say once and says twice, differently, is told and not guessed."""

from html import unescape
from typing import Any

import pytest
from django.test import Client

from tests.conftest import LandingPages
from tests.support.desk import Desk
from tests.support.lead_rows import text_of

FUNNEL = ("/funnel", "/funnel/tables/sources.csv", "/api/traffic-dashboard/funnel")
STAGE = "/api/traffic-dashboard/funnel/payment"
PEOPLE = ("/funnel/people", "/funnel/people.csv", "/api/traffic-dashboard/people")
DUPLICATES = ("/funnel/duplicates", "/funnel/duplicates.csv", "/api/traffic-dashboard/duplicates")
EVERYWHERE = (
    ("period", "today", "yesterday"),
    ("from", "2026-10-01", "2026-10-02"),
    ("to", "2026-10-30", "2026-10-31"),
)


@pytest.mark.parametrize("path", [*FUNNEL, STAGE, *PEOPLE, *DUPLICATES])
def test_unknown_parameters_are_ignored(admin: Client, landing: LandingPages, path: str) -> None:
    added = {"utm_source": ["telegram", "mail"], "fbclid": "x", "foo": "1"}

    assert admin.get(path, added).status_code == 200


@pytest.mark.parametrize(
    ("paths", "parameters"),
    [
        (
            (*FUNNEL, STAGE),
            (
                ("count", "reported", "cohort"),
                ("compare", "previous", "last-year"),
                ("by", "day", "month"),
                ("sort", "leads", "name"),
                ("q", "муха", ""),
            ),
        ),
        (
            PEOPLE,
            (
                ("step", "proftest", "payment"),
                ("lost", "", "1"),
                ("q", "дана", "ким"),
                ("after", "AAAA", "BBBB"),
            ),
        ),
        (DUPLICATES, (("page", "1", "2"),)),
    ],
)
def test_a_contradictory_parameter_of_the_funnel_is_an_error_of_its_field(
    admin: Client, landing: LandingPages, paths: tuple[str, ...], parameters: tuple[Any, ...]
) -> None:
    for path in paths:
        for name, one, other in (*EVERYWHERE, *parameters):
            since = {"from": "2026-10-01"} if name == "to" else {}
            told = admin.get(path, {**since, name: [one, other]})
            assert told.status_code == 400, (path, name)
            if path.startswith("/api/"):
                assert told.json()["code"] == "invalid_input"
                assert list(told.json()["fields"]) == [name], path
            elif name != "after":
                assert f"«{name}» указано несколько раз и по-разному" in text_of(told), path
            again = {**since, name: [one, one]} if name != "after" else {}
            assert admin.get(path, again).status_code == 200, (path, name)


def test_a_contradictory_parameter_of_the_cabinet_is_reported(admin: Client, desk: Desk) -> None:
    cabinet = "/sales-manager"
    for path, name, values in (
        (f"{cabinet}/results", "period", ["today", "yesterday"]),
        (cabinet, "sort", ["name", "newest"]),
        (f"{cabinet}/students.csv", "status", ["active", "blocked"]),
        (f"{cabinet}/activity", "action", ["user_created", "user_deleted"]),
    ):
        told = admin.get(path, {name: values})
        assert told.status_code == 400, path
        assert f"«{name}» указано несколько раз и по-разному" in text_of(told), path


def test_a_refused_file_says_why(admin: Client, landing: LandingPages) -> None:
    page = unescape(admin.get("/funnel/people.csv", {"step": "<b>"}).content.decode())

    assert "<code>step</code>: Такого шага нет. Выберите из списка." in page


def test_a_source_may_be_repeated(admin: Client, landing: LandingPages) -> None:
    for path in (*FUNNEL, *PEOPLE, *DUPLICATES):
        assert admin.get(path, {"source": ["TF4", "", "TF4"]}).status_code == 200, path
