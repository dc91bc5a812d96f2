"""The activity log: who did what to whom."""

import re
from datetime import datetime
from typing import Any
from uuid import uuid4

from tests.support.desk import GOOD, Desk
from tests.support.student_changes import (
    ADMIN,
    MANAGER,
    NEW_EMAIL,
    SignIn,
    act_and_follow,
    manager_of_one,
    signed_in,
)
from tests.support.student_rows import ALMATY, CABINET, Sales, text_on


def _acts(answer: Any) -> list[tuple[str, str]]:
    found = re.findall(
        r'<span class="act">([^<]*)</span>.*?<bdi>([^<]*)</bdi>', text_on(answer), re.DOTALL
    )
    return [(act, who) for act, who in found]


def test_the_log_names_actor_act_and_student(sales: Sales, as_person: SignIn, desk: Desk) -> None:
    student = sales.add(full_name="Ару Сапарова")
    log = (
        "insert into sales_activity_log (manager_id, action_type, target_user_id, details,"
        " created_at) values (%s, %s, %s, %s, %s)"
    )
    for minute, (name, action, target, details) in enumerate(
        [
            ("ayaulym", "user_created", student["user_id"], "{}"),
            ("botagoz", "user_deleted", uuid4(), '{"full_name": "Кого Нет"}'),
            ("ayaulym", "email_sent", student["user_id"], "[]"),
            ("admin", "email_sent", student["user_id"], '{"email": "aru@onai.test"}'),
            ("admin", "user_deleted", uuid4(), '{"email": "gone@onai.test"}'),
            ("admin", "status_changed", student["user_id"], '{"before": "trial", "after": 7}'),
        ]
    ):
        moment = datetime(2026, 11, 10, 12, minute, tzinfo=ALMATY)
        desk.connection.execute(log, [sales.ids[name], action, target, details, moment])

    mine = _acts(as_person("ayaulym@onai.test").get(f"{CABINET}/activity"))
    crafted = as_person("ayaulym@onai.test").get(
        f"{CABINET}/activity", {"manager": str(sales.ids["botagoz"])}
    )
    all_acts = as_person("admin@onai.test").get(f"{CABINET}/activity")
    deleted = as_person("admin@onai.test").get(f"{CABINET}/activity", {"action": "user_deleted"})
    card = as_person("ayaulym@onai.test").get(f"{CABINET}/students/{student['id']}")

    assert mine == [("Письмо отправлено", "Ару Сапарова"), ("Доступ открыт", "Ару Сапарова")]
    assert _acts(crafted) == mine
    assert [act for act, _ in _acts(all_acts)] == [
        "Статус или данные изменены",
        "Доступ удалён",
        "Письмо отправлено",
        "Письмо отправлено",
        "Доступ удалён",
        "Доступ открыт",
    ]
    assert _acts(deleted) == [("Доступ удалён", "gone@onai.test"), ("Доступ удалён", "Кого Нет")]
    told = text_on(card)
    # What the predecessor wrote is told as it stands.
    assert "<bdi>trial → 7</bdi>" in told
    assert "<bdi>→ aru@onai.test</bdi>" in told


def test_the_pages_cover_the_log(sales: Sales, as_person: SignIn, desk: Desk) -> None:
    desk.connection.execute(
        "insert into sales_activity_log (manager_id, action_type, created_at)"
        " select %s, 'email_sent', timestamptz '2026-11-10' from generate_series(1, 120)",
        [sales.ids["ayaulym"]],
    )
    manager = as_person("ayaulym@onai.test")
    address, seen = f"{CABINET}/activity?action=email_sent", 0
    for _ in range(3):
        answer = manager.get(address)
        seen += len(re.findall('<span class="act">', text_on(answer)))
        following = re.search(r'href="(\?[^"]*after=[^"]*)"', text_on(answer))
        if following:
            assert "action=email_sent" in following[1]
            address = f"{CABINET}/activity{following[1]}"

    assert seen == 120
    assert following is None


def test_a_former_managers_log_keeps_the_old_name(
    as_person: SignIn, desk: Desk, sales: Sales
) -> None:
    manager_of_one(as_person)
    admin = signed_in(ADMIN)
    act_and_follow(admin, desk, "manager", manager_id=str(sales.ids["botagoz"]))
    act_and_follow(admin, desk, "data", email=NEW_EMAIL, full_name="Новая Фамилия")
    nameless = sales.add(full_name="Чужая Тайна", granted_by=sales.ids["botagoz"])
    desk.connection.execute(
        "insert into sales_activity_log (manager_id, action_type, target_user_id)"
        " values (%s, 'user_created', %s)",
        [sales.ids["ayaulym"], nameless["user_id"]],
    )

    former = signed_in(MANAGER).get(f"{CABINET}/activity")
    everything = admin.get(f"{CABINET}/activity")

    assert _acts(former) == [
        ("Доступ открыт", "студент другого менеджера"),
        ("Письмо отправлено", GOOD["full_name"]),
        ("Доступ открыт", GOOD["full_name"]),
    ]
    told = text_on(former)
    assert NEW_EMAIL not in told
    assert "/sales-manager/students/" not in told.partition("<main")[2].replace("/new", "")
    assert ("Доступ открыт", "Новая Фамилия") in _acts(everything)
