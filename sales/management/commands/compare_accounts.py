"""Whether every student has an account, and every account that is not staff's a student."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sales import supabase_users, unreadable_accounts
from sales.adoption.access import account_findings


class Command(BaseCommand):
    help = "Compare the accounts at Supabase Auth with the students here. Changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        for hidden in account_findings():
            raise CommandError(
                "\n".join(["accounts are hidden from this role", str(hidden.sentence), *hidden.sql])
            )
        without_student = supabase_users.accounts_without_student()
        for account in without_student:
            self.stdout.write(f"account without a student: {account.user_id}  {account.email}")
        other_email = supabase_users.students_under_another_email()
        for student, account_email in other_email:
            self.stdout.write(f"another e-mail at Supabase: {student} there {account_email!r}")
        shared = supabase_users.students_sharing_an_account()
        for account_id, emails in shared:
            self.stdout.write(f"several students of one account: {account_id}  {', '.join(emails)}")
        unreadable = unreadable_accounts.find_unreadable()
        for one in unreadable:
            self.stdout.write(f"Supabase cannot read: {one.id}  {one.email}  lacks {one}")
            for statement in one.mending:
                self.stdout.write(f"    {statement};")
        found = len(without_student) + len(other_email) + len(shared) + len(unreadable)
        self.stdout.write(
            f"{found} to look at (an admin adopts an account in the form of a new student)"
            if found
            else "accounts and students agree"
        )
