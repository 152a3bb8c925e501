"""The command."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Collection
from typing import Protocol

import click
from rich.console import Console

from ecs_hooks_cli.common.service import STAGES, described, reporting, service_options
from ecs_hooks_cli.doctor.examination import Part, examine
from ecs_hooks_cli.doctor.finding import Finding, Level

_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.ERROR: "bold red", Level.UNKNOWN: "magenta"}


class _View(Protocol):
    def part(self, part: Part) -> None:
        """Begin to show what belongs together."""

    def finding(self, part: Part, finding: Finding) -> None:
        """Show a finding."""

    def end(self, counts: Counter[Level]) -> None:
        """Show how many there were of each level."""


@click.command()
@service_options
@click.option("--stage", "stages", type=STAGES, multiple=True, help="Only hooks at this stage; can be repeated.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@reporting
def doctor(*, service: str, region: str | None, stages: Collection[str], as_json: bool) -> None:
    """Examine the Lambda hooks of a service before a deployment does, and say how to mend what is wrong.

    Can ECS invoke the function? Is the plan valid, and does the function's role allow what its checks ask? Where will
    green answer, and does the function's network lead there? AWS is only read, with your own credentials; what they do
    not allow is reported as unknown, never as ok.

    Exit status 1 if there is an error, 0 if not.
    """
    view: _View = _JsonLines() if as_json else _Lines()
    counts: Counter[Level] = Counter()
    for part in examine(described(service, region), stages):
        view.part(part)
        for finding in part.findings:
            counts[finding.level] += 1
            view.finding(part, finding)
    view.end(counts)
    sys.exit(1 if counts[Level.ERROR] else 0)


class _Lines:
    """Readable lines."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)

    def part(self, part: Part) -> None:
        """Show what the findings are about."""
        self._console.print(part.name, style="bold", markup=False)

    def finding(self, _: Part, finding: Finding) -> None:
        """Show a finding, and its fix below."""
        self._console.print(f"  {finding.level:<8}", style=_STYLES[finding.level], end="")
        self._console.print(f" {finding.subject}: {finding.text}", markup=False)
        if finding.fix:
            self._console.print(f"           fix: {finding.fix}", style="dim", markup=False)

    def end(self, counts: Counter[Level]) -> None:
        """Show the numbers."""
        self._console.print(", ".join(f"{counts[level]} {level}" for level in Level))


class _JsonLines:
    """One JSON object a line, for programs."""

    def part(self, part: Part) -> None:
        """Every finding says what it is about."""

    def finding(self, part: Part, finding: Finding) -> None:
        """Write a finding."""
        about = {"hook": part.hook or None, "stages": list(part.stages)}
        click.echo(json.dumps({"kind": "finding", **about, **finding._asdict()}))

    def end(self, counts: Counter[Level]) -> None:
        """Write the numbers."""
        click.echo(json.dumps({"kind": "summary", **{level: counts[level] for level in Level}}))
