"""How far the students of each source have come, and what nobody can know."""

import re
from typing import Any

import pytest
from django.test import Client

from tests.conftest import LandingPages
from tests.support.buyers import Buyers, ago
from tests.support.desk import Desk, Row
from tests.support.optional_tables import taken_away
from tests.support.outages import accounts_hidden, tripwire_outage
from tests.support.student_changes import MANAGER, SignIn
from tests.support.student_rows import Sales, text_on

PAGE = "/funnel/money/learning"
PLATFORM = ("tripwire_progress", "tripwire_user_profile", "certificates")


@pytest.fixture
def learners(landing: LandingPages, desk: Desk, sales: Sales) -> Buyers:
    """Of TF4 one with a certificate, one with a module and one who began; one of nobody known."""
    world = Buyers(landing, desk)
    students: dict[str, Row] = {}
    for number, name in enumerate(("certified", "module", "begun", "stranger")):
        email = f"{name}@onai.test"
        if name != "stranger":
            world.clicked(name, f"8700000002{number}", email=email, source="TF4")
        signed_in = None if name == "stranger" else ago(minutes=1)
        students[name] = sales.add(email, created_at=ago(minutes=5), last_sign_in_at=signed_in)
    world.join()
    _lesson(desk, students["module"], 16, done=True)
    _lesson(desk, students["module"], 17, done=False)
    _lesson(desk, students["begun"], 16, done=False)
    desk.connection.execute(
        "insert into tripwire_user_profile (user_id, modules_completed) values (%s, 3)",
        [students["certified"]["user_id"]],
    )
    desk.connection.execute(
        "insert into certificates (user_id, certificate_number) values (%s, '1')",
        [students["certified"]["user_id"]],
    )
    return world


def _lesson(desk: Desk, student: Row, module: int, *, done: bool) -> None:
    desk.connection.execute(
        "insert into tripwire_progress (tripwire_user_id, module_id, lesson_id, is_completed)"
        " values (%s, %s, %s, %s)",
        [student["user_id"], module, 50 + module, done],
    )


def _text(client: Client, path: str = PAGE) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text_on(client.get(path))))


def test_each_source_has_its_steps(admin: Client, learners: Buyers) -> None:
    text = _text(admin, f"{PAGE}?period=7-days")

    assert "Открыто доступов: 4, вошли 3, прошли модуль 2, получили сертификат 1." in text
    assert "Команда TF4 3 3 100 % 2 67 % 1 33 %" in text
    assert "Заявка не найдена 1 0 0 % 0 0 % 0 0 %" in text
    only = _text(admin, f"{PAGE}?period=7-days&source=TF4")
    assert "Открыто доступов: 3," in only
    assert "Заявка не найдена" not in only


def test_without_the_platforms_tables_only_sign_ins_are_told(
    admin: Client, learners: Buyers
) -> None:
    with taken_away(*PLATFORM):
        text = _text(admin)

    assert "Открыто доступов: 4, вошли 3. " in text
    assert "Команда TF4 3 3 100 % — —" in text
    assert "Таблицы учебной платформы сайту не видны" in text
    assert "Сертификаты платформы сайту не видны." in text


def test_hidden_accounts_are_told(admin: Client, learners: Buyers) -> None:
    admin.get(PAGE)
    with accounts_hidden():
        text = _text(admin)

    assert "у кого запись не видна, вход неизвестен" in text


def test_without_accesses_and_without_tripwire_the_page_says_so(
    admin: Client, landing: LandingPages, desk: Desk, fresh_connection: None
) -> None:
    assert "За эти дни доступов не открывали." in _text(admin)
    with tripwire_outage():
        text = _text(admin)

    assert "База студентов (Tripwire) не отвечает, поэтому учёбы сейчас не видно." in text


@pytest.mark.parametrize("page", [PAGE, "/funnel/money/times"])
def test_only_admins_see_times_and_learning(
    as_person: SignIn, desk: Desk, page: str, admin: Any
) -> None:
    assert admin.get(page).status_code == 200
    assert as_person(MANAGER).get(page).status_code == 403
