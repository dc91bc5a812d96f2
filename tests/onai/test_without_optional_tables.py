"""Every address answers where none of the optional tables is there, or may be read.

Addresses that are added later are asked, too.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from tests.conftest import LandingPages
from tests.support.addresses import ID, every_address
from tests.support.desk import GOOD, Desk
from tests.support.optional_tables import closed, taken_away
from tests.support.student_rows import Sales

TABLES = {"missing": taken_away, "closed": closed}


@pytest.fixture(params=TABLES)
def student(request: Any, landing: LandingPages, sales: Sales) -> Iterator[str]:
    """The id of a student there is; no optional table can be read."""
    landing.write(
        {"source": "TF4", "sms_clicked": True, "created_at": datetime.now(UTC)},
        {"source": "proftest_muha", "email_sent": True, "metadata": {"paymentMethod": "kaspi"}},
    )
    made = sales.add(created_at=datetime.now(UTC))
    with TABLES[request.param]():
        yield str(made["id"])


def _status(client: Client, path: str) -> int:
    answer = client.get(path)
    if answer.streaming:
        b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    return answer.status_code


@pytest.mark.parametrize("path", every_address())
def test_every_address_answers_without_the_optional_tables(
    admin: Client, student: str, path: str
) -> None:
    assert _status(admin, path.replace(ID, student)) < 500


@pytest.mark.usefixtures("student")
def test_access_is_opened_without_the_optional_tables(admin: Client, desk: Desk) -> None:
    assert admin.post("/sales-manager/students/new", GOOD).status_code == 302
    desk.assert_whole_student()
