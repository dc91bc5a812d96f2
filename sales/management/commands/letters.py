"""Unsent welcome letters: list them, send them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sales import letters
from sales.models import LetterState, WelcomeLetter


class Command(BaseCommand):
    help = "List the unsent welcome letters; the worker sends those that are pending by itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--send", action="store_true", help="try them now, those that have failed too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["send"]:
            for letter in self._unsent():
                letters.send_now(letter)
        unsent = self._unsent()
        for one in unsent:
            self.stdout.write(
                f"{one.pk}  {one.state}  {one.attempts} attempts  {one.recipient}  {one.problem}"
            )
        self.stdout.write(f"{len(unsent)} unsent")

    def _unsent(self) -> list[WelcomeLetter]:
        unsent = WelcomeLetter.objects.exclude(state=LetterState.SENT)
        return list(unsent.order_by("created_at"))
