"""Whether Tripwire's tables fit what the site writes, and which ways lead past it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sales import adoption
from sales.adoption import HEADINGS, Finding, Severity


class Command(BaseCommand):
    help = (
        "Look at Tripwire's tables: what of them the site cannot work with, what migrate will"
        " adapt, and who gets past the site to them. Ends with status 1 where something blocks or"
        " is to be adapted, 2 where a door is open, 0 otherwise."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--close",
            action="store_true",
            help="take from the data API's roles the rights that open a door, and say which",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        findings = adoption.check()
        if options["close"]:
            self._close(findings)
            findings = adoption.check()
        for finding in findings:
            self._tell(finding)
        found = {finding.severity for finding in findings}
        if found & {Severity.BLOCKS, Severity.ADAPTS}:
            raise CommandError("the database does not fit the site yet", returncode=1)
        if Severity.DANGER in found:
            raise CommandError("there are ways past the site to its tables", returncode=2)
        self.stdout.write("the database fits the site, and nothing of it is open")

    def _close(self, findings: list[Finding]) -> None:
        closed = list(adoption.close(findings))
        for statement, refusal in closed:
            self.stdout.write(
                f"not done: {statement}; -- {refusal}" if refusal else f"done: {statement};"
            )
        if not closed:
            self.stdout.write("nothing to close")

    def _tell(self, finding: Finding) -> None:
        self.stdout.write(f"{HEADINGS[finding.severity]} [{finding.code}]: {finding.sentence}")
        for statement in finding.sql:
            self.stdout.write(f"    {' '.join(statement.split())};")
