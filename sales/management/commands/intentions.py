"""Creations and changes that have not come to an end: list them, finish them, give one up."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from sales.models import Change, Intention, IntentionState
from sales.provisioning import changes, creation, intentions


class Command(BaseCommand):
    help = "List creations and changes that are not finished; the worker finishes them by itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--finish", action="store_true", help="finish or undo them now")
        parser.add_argument(
            "--give-up",
            type=UUID,
            metavar="ID",
            help="undo a creation, with its account, or end a change of over 10 minutes ago",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["give_up"]:
            self._give_up(options["give_up"])
        if options["finish"]:
            closed = creation.finish_open_intentions() + changes.finish_open_changes()
            self.stdout.write(f"{closed} brought to an end")
        left = Intention.objects.filter(state=IntentionState.OPEN).order_by("created_at")
        for one in left:
            since = timezone.localtime(one.created_at).strftime("%Y-%m-%d %H:%M")
            fate = "  being given up" if one.give_up_at else ""
            self.stdout.write(
                f"{one.pk}  since {since}  {one.attempts} attempts  {one.email}{fate}"
            )
        changing = Change.objects.filter(state=IntentionState.OPEN).order_by("created_at")
        for change in changing:
            since = timezone.localtime(change.created_at).strftime("%Y-%m-%d %H:%M")
            self.stdout.write(
                f"{change.pk}  since {since}  {change.attempts} attempts  {change.email}"
                f"  {change.kind}"
            )
        self.stdout.write(f"{len(left) + len(changing)} open")

    def _give_up(self, intention_id: UUID) -> None:
        if changes.give_up(intention_id):
            self.stdout.write(f"{intention_id} is given up; look what its account is like")
            return
        at = intentions.give_up(intention_id)
        if at is None:
            raise CommandError(f"No open intention has the id {intention_id}.")
        moment = timezone.localtime(at).strftime("%H:%M")
        self.stdout.write(f"{intention_id} will be given up at {moment}, by the worker")
