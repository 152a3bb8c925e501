"""`ecs-hooks hooks`, `attach` and `detach`: the lifecycle hooks of a service."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

import click

from ecs_hooks.aws.call import call_aws, call_aws_list
from ecs_hooks.core.formatting import counted
from ecs_hooks_cli.common.plans import read_plan
from ecs_hooks_cli.common.service import (
    STAGES,
    C,
    Hook,
    Service,
    describe_service,
    exit_on_aws_error,
    is_pause,
    service_options,
)


def _change_options(command: C) -> C:
    command = click.option("--yes", is_flag=True, help="Change without confirmation.")(command)
    return click.option("--dry-run", is_flag=True, help="Show the change without making it.")(command)


@click.command()
@service_options
@exit_on_aws_error
def hooks(*, service: str, region: str | None) -> None:
    """List the lifecycle hooks of a service, as ECS returns them."""
    found = describe_service(service, region)
    click.echo(_text(found.hooks) if found.hooks else f"{service} has no lifecycle hooks")


@click.command()
@service_options
@click.option("--stage", "stages", type=STAGES, multiple=True, required=True, help="Stage to attach; can be repeated.")
@click.option("--stack", default="ecs-hooks", show_default=True, help="CloudFormation stack of the hooks.")
@click.option("--plan", type=click.File(encoding="utf-8"), help="File with the hookDetails. Default: none.")
@click.option(
    "--timeout", type=click.IntRange(1, 20_160), default=60, show_default=True, help="timeoutInMinutes of the hook."
)
@_change_options
@exit_on_aws_error
def attach(  # noqa: PLR0913 - one parameter an option
    *,
    service: str,
    region: str | None,
    stages: Sequence[str],
    stack: str,
    plan: TextIO | None,
    timeout: int,
    dry_run: bool,
    yes: bool,
) -> None:
    """Attach the functions of the hooks' stack to a service, one per stage.

    Existing hooks stay as they are; only a hook with the same function and the same stage is replaced.
    """
    details = None
    if plan is not None:
        details, parsed = read_plan(plan)
        if parsed.policies.timeout_minutes >= timeout:
            raise click.UsageError(
                f"--timeout {timeout} must be more than the plan's timeout_minutes "
                f"({parsed.policies.timeout_minutes:g}): ECS would decide before the hook does"
            )
    found = describe_service(service, region)
    outputs = _outputs(stack, found.region)
    wanted = found.hooks
    for stage in stages:
        new: Hook = {
            "targetType": "AWS_LAMBDA",
            "hookTargetArn": _output(outputs, f"{stage.title().replace('_', '')}Arn", stack),
            "roleArn": _output(outputs, "InvokeRoleArn", stack),
            "lifecycleStages": [stage],
            **({} if details is None else {"hookDetails": details}),
            "timeoutConfiguration": {"timeoutInMinutes": timeout, "action": "ROLLBACK"},
        }
        same = {name: new[name] for name in ("hookTargetArn", "lifecycleStages")}
        wanted = [*(each for each in wanted if not same.items() <= each.items()), new]
    _change(found, wanted, dry_run=dry_run, yes=yes)


@click.command()
@service_options
@click.option("--stage", "stages", type=STAGES, multiple=True, help="Stage to detach from; can be repeated.")
@click.option("--all", "everything", is_flag=True, help="Detach every Lambda hook.")
@_change_options
@exit_on_aws_error
def detach(
    *, service: str, region: str | None, stages: Sequence[str], everything: bool, dry_run: bool, yes: bool
) -> None:
    """Detach the Lambda hooks of some stages, or all, from a service. PAUSE hooks stay."""
    if bool(stages) == everything:
        raise click.UsageError("give one of --stage and --all")
    found = describe_service(service, region)
    wanted: list[Hook] = []
    for each in found.hooks:
        left = [stage for stage in each["lifecycleStages"] if is_pause(each) or not (everything or stage in stages)]
        if left:
            wanted.append({**each, "lifecycleStages": left})
    _change(found, wanted, dry_run=dry_run, yes=yes)


def _outputs(stack: str, region: str) -> dict[str, str]:
    (found,) = call_aws_list("cloudformation:DescribeStacks", region, "Stacks", StackName=stack)
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs") or []}


def _output(outputs: Mapping[str, str], name: str, stack: str) -> str:
    if name not in outputs:
        sys.exit(f"ecs-hooks: the stack {stack} has no output {name}; name the hooks' stack with --stack")
    return outputs[name]


def _change(service: Service, wanted: list[Hook], *, dry_run: bool, yes: bool) -> None:
    """Show the change, have it confirmed, and update the service."""
    before, after = _text(service.hooks).splitlines(), _text(wanted).splitlines()
    if before == after:
        click.echo("nothing to change")
        return
    for line in difflib.unified_diff(before, after, "now", "then", lineterm="", n=100):
        click.secho(line, fg={"+": "green", "-": "red"}.get(line[0]))
    if any(is_pause(hook) and "timeoutConfiguration" not in hook for hook in wanted):
        sys.exit(
            "ecs-hooks: ECS does not return the timeoutConfiguration of an existing PAUSE hook, and an update without it "
            "would change the hook; make this change with the AWS CLI, with the PAUSE hook's timeoutConfiguration"
        )
    if dry_run:
        click.echo("nothing was changed (--dry-run)")
        return
    if not yes:
        click.confirm(f"Change the hooks of {service.cluster}/{service.name}?", abort=True)
    # The whole configuration is sent: AWS does not document whether ECS keeps omitted fields.
    call_aws(
        "ecs:UpdateService",
        service.region,
        cluster=service.cluster,
        service=service.name,
        deploymentConfiguration={**service.configuration, "lifecycleHooks": wanted},
    )
    click.echo(f"{service.cluster}/{service.name} has {counted(len(wanted), 'lifecycle hook')} now")


def _text(hooks: Sequence[Hook]) -> str:
    return json.dumps(list(hooks), indent=2, sort_keys=True)
