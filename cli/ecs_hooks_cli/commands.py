"""The commands."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import click

from ecs_hooks import __version__
from ecs_hooks.plan.schema import schema_text
from ecs_hooks_cli.attach import attach, detach, hooks
from ecs_hooks_cli.check import check
from ecs_hooks_cli.common.plans import read_plan
from ecs_hooks_cli.doctor.command import doctor
from ecs_hooks_cli.migrate.command import migrate
from ecs_hooks_cli.openapi.command import import_openapi
from ecs_hooks_cli.play.demo import demo
from ecs_hooks_cli.play.simulate import simulate


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ecs-hooks")
def ecs_hooks() -> None:
    """Lifecycle hooks for Amazon ECS deployments."""


@ecs_hooks.command()
@click.argument("plan", type=click.File(encoding="utf-8"))
def validate(plan: TextIO) -> None:
    """Check a PLAN (a file with the JSON of hookDetails, - for standard input).

    Exit status 0 if it is valid, 1 if not; every mistake is a line that begins with the field.
    """
    _, parsed = read_plan(plan)
    count = f"{len(parsed.checks)} checks" if parsed.explicit else "the default checks of its stage"
    if parsed.policies.plan is not None:
        count = f"its checks are in {parsed.policies.plan}, which is not examined"
    click.echo(f"{plan.name}: valid, {count}, mode {parsed.policies.mode}")


@ecs_hooks.command()
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file instead.")
def schema(output: Path | None) -> None:
    """Print the JSON Schema of a plan, for editors and for checks of infrastructure code."""
    text = schema_text()
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


ecs_hooks.add_command(attach)
ecs_hooks.add_command(check)
ecs_hooks.add_command(detach)
ecs_hooks.add_command(doctor)
ecs_hooks.add_command(hooks)
ecs_hooks.add_command(import_openapi)
ecs_hooks.add_command(migrate)
ecs_hooks.add_command(simulate)
ecs_hooks.add_command(demo)
