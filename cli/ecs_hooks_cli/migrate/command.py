"""The command."""

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
from ecs_hooks_cli.migrate.note import Kind, Note

_STYLES = {Kind.MOVES: "green", Kind.CHANGES: "yellow", Kind.TO_DO: "bold", Kind.LOST: "red"}
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+")
_DEFAULT = "CodeDeployDefault.ECSAllAtOnce"


@click.command()
@click.argument("appspec", type=click.File(encoding="utf-8"))
@click.option("--role-arn", help="Role with which ECS invokes the functions (InvokeRoleArn of the hooks' stack).")
@click.option("--account", help="Account of functions that the AppSpec gives by name.")
@click.option("--region", help="Region of these functions.")
@click.option("--function-arn-prefix", help="What stands before their names, in place of --account and --region.")
@click.option(
    "--plan", "plans", multiple=True, metavar="[EVENT=]FILE", help="hookDetails of all hooks, or of one event."
)
@click.option(
    "--timeout", type=click.IntRange(1, 1_440), default=60, show_default=True, help="timeoutInMinutes of each hook."
)
@click.option(
    "--deployment-config",
    help="Name of CodeDeploy's own, or a file of `aws deploy get-deployment-config`. Default: the group's.",
)
@click.option(
    "--deployment-group", type=click.File(encoding="utf-8"), help="File of `aws deploy get-deployment-group`."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with `update` and `notes`.")
def migrate(  # noqa: PLR0913 - one parameter an option
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
    """Print what takes the place of the APPSPEC of an ECS service (YAML or JSON, - for standard input) without CodeDeploy.

    Standard output has the input of `aws ecs update-service --cli-input-json`, with the lifecycle hooks, standard error what
    changes, what is left to do and what ECS has nothing like. Nothing is asked of AWS, and nothing is changed.

    Exit status 1 where the AppSpec has mistakes, or is none for an ECS service.
    """
    # YAML takes a while to load, and few other commands need it.
    from ecs_hooks_cli.migrate.appspec import read_appspec  # noqa: PLC0415
    from ecs_hooks_cli.migrate.functions import Where  # noqa: PLC0415
    from ecs_hooks_cli.migrate.group import Group, read_group  # noqa: PLC0415
    from ecs_hooks_cli.migrate.hooks import Attachment  # noqa: PLC0415
    from ecs_hooks_cli.migrate.place import DocumentError  # noqa: PLC0415
    from ecs_hooks_cli.migrate.service import migration  # noqa: PLC0415
    from ecs_hooks_cli.migrate.shifting import ShiftingError, shifting  # noqa: PLC0415

    details = _plans(plans, timeout)
    reading = appspec
    try:
        read = read_appspec(appspec.read())
        if deployment_group is not None:
            reading = deployment_group
        group = Group() if deployment_group is None else read_group(deployment_group)
        reading = appspec
        _need_role(role_arn, needed=bool(read.hooks))
        shift = shifting(deployment_config or group.deployment_config_name or _DEFAULT)
        where = Where(region, account, function_arn_prefix)
        made = migration(read, group, shift, Attachment(role_arn or "", where, details, timeout))
    except UnicodeDecodeError:
        _end(reading.name, "is no text in UTF-8")
    except DocumentError as error:
        _end(reading.name, str(error))
    except ShiftingError as error:
        _end("--deployment-config", str(error))
    if as_json:
        click.echo(json.dumps({"update": made.update, "notes": [note._asdict() for note in made.notes]}, indent=2))
        return
    _tell(made.notes)
    click.echo(json.dumps(made.update, indent=2))


def _plans(named: Sequence[str], timeout: int) -> dict[str, dict[str, Any]]:
    """Return the hookDetails of each lifecycle event; a plan of one event counts before that of all."""
    found: dict[str, dict[str, Any]] = {}
    for each in sorted(named, key=lambda each: each.partition("=")[0] in STAGES):
        event, _, file = each.partition("=")
        if event not in STAGES:
            event, file = "", each
        try:
            with Path(file).open(encoding="utf-8") as opened:
                details, plan = read_plan(opened)
        except OSError as error:
            raise click.UsageError(f"--plan {each}: {error.strerror}; the events are {', '.join(STAGES)}") from None
        if plan.policies.timeout_minutes >= timeout:
            raise click.UsageError(
                f"--timeout {timeout} must be more than the timeout_minutes of {file} "
                f"({plan.policies.timeout_minutes:g}): ECS would decide before the hook does"
            )
        found.update(dict.fromkeys([event] if event else STAGES, details))
    return found


def _need_role(arn: str | None, *, needed: bool) -> None:
    if needed and arn is None:
        raise click.UsageError(
            "give --role-arn: ECS invokes each hook with it. The stack of the hooks has one, its output InvokeRoleArn"
        )
    if arn is not None and not _ROLE.fullmatch(arn):
        raise click.UsageError(
            "--role-arn must be the ARN of a role, such as arn:aws:iam::123456789012:role/ecs-hooks-invoke"
        )


def _tell(notes: Sequence[Note]) -> None:
    console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
    for note in notes:
        console.print(f"{note.kind:<8}", style=_STYLES[note.kind], end="")
        console.print(f" {note.subject}: {note.text}", markup=False)


def _end(name: str, problem: str) -> NoReturn:
    click.echo(f"{name}: {problem}", err=True)
    sys.exit(1)
