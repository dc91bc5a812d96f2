"""Who works at the desk in these tests."""

import pytest
from django.test import Client

from tests.conftest import Faults
from tests.support.desk import Desk
from tests.support.student_changes import ADMIN, MANAGER, SignIn, create_one, signed_in


@pytest.fixture
def manager(as_person: SignIn, desk: Desk) -> Client:
    """A manager who is signed in."""
    return as_person(MANAGER)


@pytest.fixture
def boss() -> Client:
    """An admin, in a browser of their own."""
    return signed_in(ADMIN)


@pytest.fixture
def one_student(manager: Client, faults: Faults, request: pytest.FixtureRequest) -> None:
    """The manager has created a student; the parameter is how Resend refused their letter."""
    refusal: int | None = getattr(request, "param", None)
    if refusal:
        faults.set("/emails", status=refusal, body='{"name": "validation_error"}')
    create_one(manager)
    if refusal:
        faults.clear()
