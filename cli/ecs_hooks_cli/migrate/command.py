"""The command `ecs-hooks migrate`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, TextIO

import click
from rich.console import Console

from ecs_hooks.codedeploy.event import STAGES
from ecs_hooks_cli.common.plans import read_plan
from ecs_hooks_cli.migrate.appspec import fields_for_instances, read_appspec
from ecs_hooks_cli.migrate.codedeploy_settings import DeploymentGroup, read_group, read_traffic_shift
from ecs_hooks_cli.migrate.document import DocumentError, parse_document
from ecs_hooks_cli.migrate.hooks import FunctionDefaults, HookSettings
from ecs_hooks_cli.migrate.update_service import Kind, Note, migration

_STYLES = {Kind.MOVES: "green", Kind.CHANGES: "yellow", Kind.TO_DO: "bold", Kind.LOST: "red"}
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+")
_DEFAULT_CONFIGURATION = "CodeDeployDefault.ECSAllAtOnce"


@click.command()
@click.argument("appspec", type=click.File(encoding="utf-8"))
@click.option("--role-arn", help="Role that ECS assumes to invoke the functions (InvokeRoleArn of the hooks' stack).")
@click.option("--account", help="Account of functions that the AppSpec lists by name.")
@click.option("--region", help="Region of these functions.")
@click.option("--function-arn-prefix", help="ARN of these functions up to the name; replaces --account and --region.")
@click.option(
    "--plan", "plans", multiple=True, metavar="[EVENT=]FILE", help="hookDetails of all hooks, or of one event."
)
@click.option(
    "--timeout", type=click.IntRange(1, 1_440), default=60, show_default=True, help="timeoutInMinutes of each hook."
)
@click.option(
    "--deployment-config",
    help="A predefined configuration of CodeDeploy, or a file with the output of `aws deploy get-deployment-config`. "
    f"Default: that of the deployment group, else {_DEFAULT_CONFIGURATION}.",
)
@click.option(
    "--deployment-group",
    type=click.File(encoding="utf-8"),
    help="File with the output of `aws deploy get-deployment-group`.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with `update` and `notes`.")
def migrate(  # noqa: PLR0913 - one parameter per option
    *,
    appspec: TextIO,
    role_arn: str | None,
    account: str | None,
    region: str | None,
    function_arn_prefix: str | None,
    plans: Sequence[str],
    timeout: int,
    deployment_config: str | None,
    deployment_group: TextIO | None,
    as_json: bool,
) -> None:
    """Convert the APPSPEC of an ECS service (YAML or JSON, - for standard input) for deployments without CodeDeploy.

    Standard output is the input of `aws ecs update-service --cli-input-json`, with the lifecycle hooks. Standard error
    lists what changes, what is left to do, and what ECS does not support. The command neither calls AWS nor changes
    anything.

    Exit status 1 if the AppSpec is not valid, or not for an ECS service.
    """
    details = _plans(plans, timeout)
    group = DeploymentGroup()
    source = appspec.name
    try:
        text = appspec.read()
        read = read_appspec(text)
        if deployment_group is not None:
            source = deployment_group.name
            group = read_group(deployment_group)
        _validate_role(role_arn, required=bool(read.hooks))
        source = "--deployment-config"
        configuration = deployment_config or group.deployment_config_name or _DEFAULT_CONFIGURATION
        shift = read_traffic_shift(configuration)
        source = appspec.name
        defaults = FunctionDefaults(region, account, function_arn_prefix)
        converted = migration(read, group, shift, HookSettings(role_arn or "", defaults, details, timeout))
        left_out = [
            Note(Kind.LOST, name, "is for deployments to instances; ECS has no counterpart")
            for name in fields_for_instances(parse_document(text))
        ]
        converted = converted._replace(notes=(*converted.notes, *left_out))
    except UnicodeDecodeError:
        _fail(source, "is not UTF-8 text")
    except DocumentError as error:
        _fail(source, str(error))
    if as_json:
        notes = [note._asdict() for note in converted.notes]
        click.echo(json.dumps({"update": converted.update, "notes": notes}, indent=2))
    else:
        _print_notes(converted.notes)
        click.echo(json.dumps(converted.update, indent=2))


def _plans(options: Sequence[str], timeout: int) -> dict[str, dict[str, Any]]:
    """Return the hookDetails by lifecycle event; a plan for one event takes precedence over a plan for all."""
    found: dict[str, dict[str, Any]] = {}
    for option in sorted(options, key=lambda each: each.partition("=")[0] in STAGES):
        event, _, file = option.partition("=")
        if event not in STAGES:
            event, file = "", option
        try:
            with Path(file).open(encoding="utf-8") as opened:
                details, plan = read_plan(opened)
        except OSError as error:
            raise click.UsageError(f"--plan {option}: {error.strerror}; the events are {', '.join(STAGES)}") from None
        if plan.policies.timeout_minutes >= timeout:
            raise click.UsageError(
                f"--timeout {timeout} must be more than the timeout_minutes of {file} "
                f"({plan.policies.timeout_minutes:g}); otherwise ECS times out before the hook decides"
            )
        found.update(dict.fromkeys([event] if event else STAGES, details))
    return found


def _validate_role(arn: str | None, *, required: bool) -> None:
    if required and arn is None:
        raise click.UsageError(
            "--role-arn is missing: ECS assumes that role to invoke the hooks; the hooks' stack has the output InvokeRoleArn"
        )
    if arn is not None and not _ROLE_ARN.fullmatch(arn):
        raise click.UsageError(
            f"--role-arn must be the ARN of a role, such as arn:aws:iam::123456789012:role/ecs-hooks-invoke, not {arn}"
        )


def _print_notes(notes: Sequence[Note]) -> None:
    console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
    for note in notes:
        console.print(f"{note.kind:<8}", style=_STYLES[note.kind], end="")
        console.print(f" {note.subject}: {note.text}", markup=False)


def _fail(source: str, problem: str) -> NoReturn:
    click.echo(f"{source}: {problem}", err=True)
    sys.exit(1)
