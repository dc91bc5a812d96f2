"""Open creations and changes: list them, finish them, give one up."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from sales.models import RequestState, StudentRequest
from sales.provisioning import open_requests


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
            self.stdout.write(f"{open_requests.finish_open_requests()} brought to an end")
        left = StudentRequest.objects.filter(state=RequestState.OPEN).order_by("created_at")
        for one in left:
            since = timezone.localtime(one.created_at).strftime("%Y-%m-%d %H:%M")
            fate = "  being given up" if one.give_up_at else ""
            self.stdout.write(
                f"{one.pk}  since {since}  {one.attempts} attempts  {one.email}  {one.kind}{fate}"
            )
        self.stdout.write(f"{len(left)} open")

    def _give_up(self, request_id: UUID) -> None:
        at = open_requests.give_up(request_id)
        if at is None:
            raise CommandError(f"No open request has the id {request_id}.")
        if StudentRequest.objects.filter(pk=request_id, state=RequestState.OPEN).exists():
            moment = timezone.localtime(at).strftime("%H:%M")
            self.stdout.write(f"{request_id} will be given up at {moment}, by the worker")
        else:
            self.stdout.write(f"{request_id} is given up; look what its account is like")
