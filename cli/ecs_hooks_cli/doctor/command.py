"""The command `ecs-hooks doctor`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Collection

import click
from rich.console import Console

from ecs_hooks_cli.common.service import STAGES, describe_service, exit_on_aws_error, service_options
from ecs_hooks_cli.doctor.examination import Section, examine
from ecs_hooks_cli.doctor.finding import Finding, Level

_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.ERROR: "bold red", Level.UNKNOWN: "magenta"}


@click.command()
@service_options
@click.option("--stage", "stages", type=STAGES, multiple=True, help="Only hooks at this stage; can be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@exit_on_aws_error
def doctor(*, service: str, region: str | None, stages: Collection[str], as_json: bool) -> None:
    """Examine the Lambda hooks of a service before a deployment, and print a fix for every problem.

    Can ECS invoke the function? Is the plan valid? Does the function's role allow the AWS calls of its checks? Which
    address will green have, and does the function's network reach it? The command only reads from AWS, with your own
    credentials; a fact that it cannot determine is reported as unknown, never as ok.

    Exit status 1 if there is an error, otherwise 0.
    """
    report = _JsonLines() if as_json else _Lines()
    counts: Counter[Level] = Counter()
    for section in examine(describe_service(service, region), stages):
        report.section(section)
        for finding in section.findings:
            counts[finding.level] += 1
            report.finding(section, finding)
    report.summary(counts)
    sys.exit(1 if counts[Level.ERROR] else 0)


class _Lines:
    """Prints lines for people."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)

    def section(self, section: Section) -> None:
        self._console.print(section.name, style="bold", markup=False)

    def finding(self, _: Section, finding: Finding) -> None:
        self._console.print(f"  {finding.level:<8}", style=_STYLES[finding.level], end="")
        self._console.print(f" {finding.subject}: {finding.text}", markup=False)
        if finding.fix:
            self._console.print(f"           fix: {finding.fix}", style="dim", markup=False)

    def summary(self, counts: Counter[Level]) -> None:
        self._console.print(", ".join(f"{counts[level]} {level}" for level in Level))


class _JsonLines(_Lines):
    """Prints one JSON object per line, for programs."""

    def section(self, section: Section) -> None:
        """Print nothing: every finding has the fields of its section."""

    def finding(self, section: Section, finding: Finding) -> None:
        fields = {"hook": section.hook or None, "stages": list(section.stages)}
        click.echo(json.dumps({"kind": "finding", **fields, **finding._asdict()}))

    def summary(self, counts: Counter[Level]) -> None:
        click.echo(json.dumps({"kind": "summary", **{level: counts[level] for level in Level}}))
