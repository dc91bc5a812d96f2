"""Requests that are still open: the worker finishes them, an admin can give one up."""

import logging
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, OperationalError, transaction

from onai import encryption
from onai.db import postgres
from onai.identity.accounts import OutcomeUnclear
from onai.web.problems import Problem
from sales import activity, supabase_users
from sales.models import ActionType, RequestState, StudentRequest
from sales.provisioning import (
    account_references,
    change_student,
    create_student,
    problems,
    student_rows,
    work_lease,
)
from sales.provisioning.account_errors import NOTHING_UNDER_WAY_AFTER
from sales.provisioning.student_requests import close, log_event, log_fields

logger = logging.getLogger(__name__)

_UNCLEAR_IN_A_ROW = 3


def finish_open_requests(*, limit: int = 200) -> int:
    """Finish or undo requests that nobody is working on; returns how many were closed."""
    closed = unclear = 0
    for request_id in list(work_lease.expired().values_list("pk", flat=True)[:limit]):
        try:
            closed += finish(request_id)
            unclear = 0
        except OutcomeUnclear as outcome:
            # An error of Supabase's own about one request says nothing of the next.
            unclear = 0 if outcome.error else unclear + 1
        except OperationalError:
            raise
        except DatabaseError as error:
            # Without its text, which holds the row. The others do not wait for this one.
            fields = {"request_id": str(request_id), "error": type(error).__name__}
            logger.error("work_cannot_be_finished", extra=fields)
        if unclear == _UNCLEAR_IN_A_ROW:
            break  # Supabase is down, so the others would only wait, too.
    return closed


def finish(request_id: UUID) -> bool:
    """Finish or undo one request; False if somebody else works on it or has closed it.

    Raises `OutcomeUnclear` when Supabase cannot answer; then it stays open.
    """
    request = work_lease.take(request_id)
    if request is None:
        return False
    steps = create_student if request.is_creation else change_student
    try:
        steps.carry_through(request)
    except Problem as problem:
        ended = log_event(request, "undone" if request.is_creation else "refused")
        logger.warning(ended, extra={**log_fields(request), "reason": problem.code})
    except OutcomeUnclear:
        logger.warning(log_event(request, "still_open"), extra=log_fields(request))
        raise
    except encryption.Unsealable:
        # Only the former SECRET_KEY can open it; an operator has to add it again.
        logger.error(log_event(request, "cannot_be_unsealed"), extra=log_fields(request))
        return False
    else:
        logger.warning(log_event(request, "finished"), extra=log_fields(request))
    return True


def may_be_ended_at(request: StudentRequest) -> datetime:
    """When an admin may end it from its page: not while its first call may be running."""
    return request.created_at + NOTHING_UNDER_WAY_AFTER


def end(request: StudentRequest, *, by: UUID) -> None:
    """Give a request up for an admin. One that was closed meanwhile stays as it is. Raises
    `TooNewToEnd`.
    """
    if may_be_ended_at(request) > postgres.clock("tripwire"):
        raise problems.TooNewToEnd
    give_up(request.pk, by=by)


def give_up(request_id: UUID, *, by: UUID | None = None) -> datetime | None:
    """End an open request that nobody can finish; returns when, None where there is none to end.

    A change ends now, if it is older than ten minutes: its effect at Supabase stays, and somebody
    has to look. The worker undoes a creation, with the account it may have opened, once no call to
    Supabase can be running. The log names the admin who did it from the page.
    """
    now = postgres.clock("tripwire")
    with transaction.atomic(using="tripwire"):
        request = (
            StudentRequest.objects.select_for_update()
            .filter(pk=request_id, state=RequestState.OPEN)
            .first()
        )
        if request is None or (not request.is_creation and may_be_ended_at(request) > now):
            return None
        if request.give_up_at is not None:
            return request.give_up_at
        if request.is_creation:
            now += NOTHING_UNDER_WAY_AFTER
            StudentRequest.objects.filter(pk=request.pk).update(give_up_at=now, leased_until=now)
        else:
            close(request, problems.GivenUp(request.kind))
        if by is not None:
            _log_the_end(request, by)
    fields = {**log_fields(request), "by": str(by or "")}
    logger.warning(log_event(request, "given_up"), extra=fields)
    return now


def _log_the_end(request: StudentRequest, by: UUID) -> None:
    is_gone = supabase_users.account_with(request.account_id) is None
    try:
        with transaction.atomic(using="tripwire"):
            activity.log(
                ActionType.STATUS_CHANGED,
                by=by,
                account_id=request.account_id,
                email=request.email,
                full_name=request.full_name,
                is_gone=is_gone and account_references.log_needs_accounts(),
                change=activity.GIVEN_UP,
                before=request.kind,
            )
    except DatabaseError as error:
        if not student_rows.is_forbidden(error):
            raise
        # This may be the reason why it could not be finished.
