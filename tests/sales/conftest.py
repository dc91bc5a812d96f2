"""Who works at the desk in these tests."""

import pytest
from django.test import Client

from tests.support.desk import Desk
from tests.support.student_changes import MANAGER, SignIn


@pytest.fixture
def manager(as_person: SignIn, desk: Desk) -> Client:
    """A manager who is signed in."""
    return as_person(MANAGER)
