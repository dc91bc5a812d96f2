"""The rules for creating and changing a student, checked before a request is recorded.

It reads our own tables and Supabase's, and raises a `Problem` where the act is not allowed.
"""

from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Lower

from onai.identity.roles import STAFF, Identity
from onai.web.problems import Problem
from sales import supabase_users
from sales.models import RequestKind, RequestState, Student, StudentRequest
from sales.provisioning import problems
from sales.supabase_users import AddressHolder

# --- A creation --------------------------------------------------------------------------------


def refuse_what_exists(email: str, asker: Identity) -> None:
    """Raise the refusal of an address that is a student's, or is in an open request."""
    student = _students_with(email).first()
    if student is not None:
        raise problems.email_taken(student, asker)
    under_way = _request_for(email)
    if under_way is not None and not under_way.is_creation:
        raise problems.EmailTaken
    if under_way is not None:
        known = under_way.asked_by == asker.user_id or asker.is_admin
        raise problems.InProgress(link=problems.link_to(under_way) if known else None)


def account_to_adopt(email: str, asker: Identity) -> UUID:
    """The account with this address, which has no student yet. For admins."""
    if not asker.is_admin:
        raise problems.OnlyAdminsAdopt
    holder = supabase_users.holder_of(email)
    if holder is None:
        raise problems.NothingToAdopt
    problem = problem_of_holder(holder)
    if isinstance(problem, problems.AccountExists):
        return holder.account.user_id
    student = Student.objects.filter(user_id=holder.account.user_id).first()
    raise problem if student is None else problems.email_taken(student, asker)


def problem_of_holder(holder: AddressHolder | None) -> Problem:
    """Why no account can be opened for an address, and what can be done about it.

    `AccountExists` for an account that an admin may adopt; None where we cannot see the holder.
    """
    if holder is None:
        return problems.AccountUnseen()
    account = holder.account
    if account.role in STAFF:
        return problems.StaffAccount()
    if Student.objects.filter(user_id=account.user_id).exists():
        return problems.EmailTaken()
    if holder.by_identity:
        return problems.AddressElsewhere()
    if holder.is_deleted:
        return problems.AccountHalfDeleted()
    return problems.AccountExists()


# --- A change ----------------------------------------------------------------------------------


def account_of(student: Student, kind: RequestKind) -> Identity:
    """The student's account, unless it is also a staff member's or another student's."""
    account = supabase_users.account_with(student.user_id)
    if account is None:
        raise problems.StudentGone(kind)
    if account.role in STAFF:
        raise problems.StaffAccount(kind)
    if Student.objects.filter(user_id=student.user_id).exclude(pk=student.pk).exists():
        raise problems.SharedAccount
    return account


def refuse_address(email: str, student: Student) -> None:
    """Raise the refusal of an address that a student cannot be given."""
    if _students_with(email).exclude(pk=student.pk).exists() or _request_for(email) is not None:
        raise problems.EmailTaken(RequestKind.CORRECTION)
    refuse_held(email, student.user_id)


def refuse_held(email: str, account_id: UUID) -> None:
    """Raise the refusal of an address that another account holds at Supabase."""
    holder = supabase_users.holder_of(email, besides=account_id)
    if holder is not None:
        refusal = problems.AddressElsewhere if holder.by_identity else problems.EmailTaken
        raise refusal(RequestKind.CORRECTION)


def conflict_of(student_id: UUID, email: str | None) -> Problem:
    """The open request that blocks a change: one of its student, or one of its address."""
    under_way = StudentRequest.objects.filter(
        student_id=student_id, state=RequestState.OPEN
    ).first()
    if under_way is None and email and _request_for(email) is not None:
        return problems.EmailTaken(RequestKind.CORRECTION)
    return problems.ChangeInProgress(link=problems.link_to(under_way))


def _students_with(email: str) -> "QuerySet[Student]":
    # Case does not matter in an address, and the predecessor kept what was typed.
    return Student.objects.annotate(lower_email=Lower("email")).filter(lower_email=email)


def _request_for(email: str) -> StudentRequest | None:
    """The open request that gives an address to somebody."""
    return StudentRequest.objects.filter(new_email=email, state=RequestState.OPEN).first()
