"""What the creation of a student makes of our own rows, in one transaction."""

import logging

import psycopg
from django.db import DatabaseError

from onai.prices import price_on
from sales import activity
from sales.models import ActionType, Intention, Student
from sales.provisioning import platform_tables

logger = logging.getLogger(__name__)

# Classes of SQLSTATE: bad data, integrity, missing rights or columns, a policy, a trigger's word.
_FORBIDDEN = ("22", "23", "42", "44", "P0")


def enrol(intention: Intention) -> Student:
    """The student's row, its log entry, and the rows that the platform needs.

    Raises Django's `DatabaseError`, of which the two questions below can be asked.
    """
    student = Student(
        user_id=intention.account_id,
        email=intention.email,
        full_name=intention.full_name,
        granted_by=intention.granted_by,
        manager_name=intention.manager_name,
        price=price_on(),
    )
    student.save(force_insert=True)
    activity.log(
        ActionType.USER_CREATED,
        by=intention.asked_by,
        account_id=intention.account_id,
        email=intention.email,
        full_name=intention.full_name,
        granted_by=str(intention.granted_by),
        manager_name=intention.manager_name,
        adopted=intention.adopts,
    )
    platform_tables.enrol(
        intention.account_id, email=intention.email, full_name=intention.full_name
    )
    student.refresh_from_db()
    return student


def lacks_account(error: DatabaseError) -> bool:
    """Whether the student was not inserted because there is no such account (any more)."""
    cause = error.__cause__
    return (
        isinstance(cause, psycopg.errors.ForeignKeyViolation)
        and cause.diag.table_name == Student._meta.db_table
        and "(user_id)" in (cause.diag.message_detail or "")
    )


def is_forbidden(error: DatabaseError) -> bool:
    """Whether the tables will never have it: a constraint, a trigger, a grant. It is logged."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error) or not (cause.sqlstate or "").startswith(_FORBIDDEN):
        return False
    # Without its text, which holds the row.
    about = {
        "error": type(cause).__name__,
        "table": cause.diag.table_name or "",
        "column": cause.diag.column_name or "",
        "constraint": cause.diag.constraint_name or "",
    }
    logger.error("rows_forbidden", extra=about)
    return True
