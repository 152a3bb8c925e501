"""The command `ecs-hooks` and its subcommands. A subcommand's module is imported when it runs, not for `--help`."""

from __future__ import annotations

from importlib import import_module
from typing import Any, TextIO

import click

_SUBCOMMANDS = {
    "attach": ("ecs_hooks_cli.attach:attach", "Attach the functions of the hooks' stack to a service, one per stage."),
    "check": ("ecs_hooks_cli.check:check", "Run the checks of a PLAN now, from this machine, and show the answer."),
    "demo": ("ecs_hooks_cli.play.demo:demo", "Play two deployments: a good green passes, a broken one is rolled back."),
    "detach": (
        "ecs_hooks_cli.attach:detach",
        "Detach the hooks of the hooks' stack from some stages of a service, or all of its Lambda hooks.",
    ),
    "doctor": (
        "ecs_hooks_cli.doctor.command:doctor",
        "Examine the Lambda hooks of a service before a deployment, and print a fix for every problem.",
    ),
    "hooks": (
        "ecs_hooks_cli.attach:hooks",
        "List the lifecycle hooks of a service, as ECS returns them, with credentials in hookDetails masked.",
    ),
    "import": (
        "ecs_hooks_cli.openapi.command:import_openapi",
        "Make smoke checks from the OpenAPI 3.0 or 3.1 DOCUMENT of a service.",
    ),
    "migrate": (
        "ecs_hooks_cli.migrate.command:migrate",
        "Convert the APPSPEC of an ECS service (YAML or JSON, - for standard input) for deployments without CodeDeploy.",
    ),
    "simulate": (
        "ecs_hooks_cli.play.simulate:simulate",
        "Play a deployment with your hooks, on this machine and in virtual time.",
    ),
}
"""Where each subcommand is, and the first sentence of its help (a test compares them)."""


class LazyCommand(click.Command):
    """A subcommand in another module, imported when the subcommand runs: `ecs-hooks --help` imports none.

    `place` is module and function, such as `ecs_hooks_cli.attach:attach`; `summary` is the first sentence of its help.
    """

    def __init__(self, name: str, place: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self.module, _, self._function = place.partition(":")

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Return the context of the real command, which click then invokes."""
        return self.load().make_context(*arguments, **options)

    def load(self) -> click.Command:
        """Return the real command; a package of an extra that is not installed is a ClickException."""
        try:
            command: click.Command = getattr(import_module(self.module), self._function)
        except ModuleNotFoundError as error:
            extras = "cli,simulator" if ".play." in self.module else "cli"
            raise click.ClickException(
                f"{error.name} is not installed; run: pip install 'ecs-hooks[{extras}]'"
            ) from error
        return command


@click.group(
    commands={name: LazyCommand(name, *each) for name, each in _SUBCOMMANDS.items()},
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="ecs-hooks", prog_name="ecs-hooks")
def ecs_hooks() -> None:
    """Lifecycle hooks for Amazon ECS deployments."""


@ecs_hooks.command()
@click.argument("plan", type=click.File(encoding="utf-8"))
def validate(plan: TextIO) -> None:
    """Validate a PLAN (a file with the JSON of hookDetails, - for standard input).

    Exit status 0 if it is valid, 1 if not; each error is a line that begins with the field.
    """
    from ecs_hooks.core.formatting import counted  # noqa: PLC0415 - loads the library
    from ecs_hooks_cli.common.plans import read_plan  # noqa: PLC0415 - loads all checks

    _, parsed = read_plan(plan)
    count = counted(len(parsed.checks), "check") if parsed.explicit else "the default checks of its stage"
    if parsed.policies.plan is not None:
        count = f"its checks are in {parsed.policies.plan}, which is not validated"
    click.echo(f"{plan.name}: valid, {count}, mode {parsed.policies.mode}")


@ecs_hooks.command()
@click.option("--output", "-o", type=click.File("w", encoding="utf-8"), default="-", help="Write to this file instead.")
def schema(output: TextIO) -> None:
    """Print the JSON Schema of a plan, for editors and for checks of infrastructure code."""
    from ecs_hooks.plan.schema import schema_text  # noqa: PLC0415 - loads all checks

    output.write(schema_text())
