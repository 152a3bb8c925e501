"""`ecs-hooks hooks`, `attach` and `detach`: the lifecycle hooks of a service."""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TextIO

import click

from ecs_hooks.aws.call import call_aws, call_aws_list
from ecs_hooks.core.event import Stage
from ecs_hooks.core.formatting import counted
from ecs_hooks.core.redaction import MASK
from ecs_hooks_cli.common.credentials import Labels, without_credentials
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

MAX_LAMBDA_HOOK_MINUTES = 1_440
"""ECS's maximum of `timeoutInMinutes` for a Lambda hook."""
_FUNCTION = re.compile(
    r"(?:arn:[a-z0-9-]+:lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>[A-Za-z0-9_$-]+))?"
)
"""The ARN of a function, a partial ARN (`ACCOUNT:function:NAME`) or a name, each with or without a version or alias."""


def _change_options(command: C) -> C:
    command = click.option("--yes", is_flag=True, help="Change without confirmation.")(command)
    return click.option("--dry-run", is_flag=True, help="Show the change without making it.")(command)


_stack_option = click.option(
    "--stack", default="ecs-hooks", show_default=True, help="CloudFormation stack of the hooks."
)


@click.command()
@service_options
@exit_on_aws_error
def hooks(*, service: str, region: str | None) -> None:
    """List the lifecycle hooks of a service, as ECS returns them, with credentials in hookDetails masked."""
    found = describe_service(service, region)
    click.echo(_text(found.hooks) if found.hooks else f"{service} has no lifecycle hooks")


@click.command()
@service_options
@click.option("--stage", "stages", type=STAGES, multiple=True, required=True, help="Stage to attach; can be repeated.")
@_stack_option
@click.option("--plan", type=click.File(encoding="utf-8"), help="File with the hookDetails. Default: none.")
@click.option(
    "--timeout",
    type=click.IntRange(1, MAX_LAMBDA_HOOK_MINUTES),
    default=60,
    show_default=True,
    help="timeoutInMinutes of the hook.",
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

    A hook of the same function at the same stage is updated, also if its ARN has a version or an alias, which it keeps, or
    if it has further stages. All other hooks stay as they are.
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
            "hookTargetArn": _output(outputs, _output_of(stage), stack),
            "roleArn": _output(outputs, "InvokeRoleArn", stack),
            "lifecycleStages": [stage],
            **({} if details is None else {"hookDetails": details}),
            "timeoutConfiguration": {"timeoutInMinutes": timeout, "action": "ROLLBACK"},
        }
        wanted = _attached(wanted, new, stage, _functions(outputs))
    _change(found, wanted, dry_run=dry_run, yes=yes)


@click.command()
@service_options
@click.option("--stage", "stages", type=STAGES, multiple=True, help="Stage to detach from; can be repeated.")
@_stack_option
@click.option(
    "--all", "everything", is_flag=True, help="Detach every Lambda hook, also those that are not of the stack."
)
@_change_options
@exit_on_aws_error
def detach(
    *,
    service: str,
    region: str | None,
    stages: Sequence[str],
    stack: str,
    everything: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Detach the hooks of the hooks' stack from some stages of a service, or all of its Lambda hooks. PAUSE hooks stay."""
    if bool(stages) == everything:
        raise click.UsageError("give one of --stage and --all")
    found = describe_service(service, region)
    functions = () if everything else _functions(_outputs(stack, found.region))
    wanted: list[Hook] = []
    for each in found.hooks:
        here = [stage for stage in each["lifecycleStages"] if everything or stage in stages]
        if is_pause(each) or not here:
            wanted.append(each)
        elif everything or _is_one_of(each, functions):
            wanted += _without(each, here)
        else:
            wanted.append(each)
            click.echo(f"{each['hookTargetArn']} stays at {', '.join(here)}: it is not a function of the stack {stack}")
    _change(found, wanted, dry_run=dry_run, yes=yes)


class _Function(NamedTuple):
    """A Lambda function as `hookTargetArn` names it; what a name or a partial ARN does not have is empty."""

    region: str
    account: str
    name: str
    qualifier: str

    @classmethod
    def parse(cls, text: str) -> _Function | None:
        """Return the parsed ARN or name; None if it is neither."""
        found = _FUNCTION.fullmatch(text)
        return cls(*found.groups(default="")) if found else None

    def is_same(self, other: _Function) -> bool:
        """Return whether both are one function, whatever their versions or aliases."""
        return self.name == other.name and all(
            mine == theirs or not (mine and theirs)
            for mine, theirs in ((self.region, other.region), (self.account, other.account))
        )


def _functions(outputs: Mapping[str, str]) -> list[str]:
    """Return the ARNs of the functions of the stack."""
    return [outputs[name] for name in map(_output_of, Stage) if name in outputs]


def _is_one_of(hook: Hook, functions: Sequence[str]) -> bool:
    """Return whether a hook invokes one of these functions."""
    own = None if is_pause(hook) else _Function.parse(str(hook["hookTargetArn"]))
    return own is not None and any(own.is_same(other) for other in map(_Function.parse, functions) if other)


def _without(hook: Hook, stages: Sequence[str]) -> Iterator[Hook]:
    """Yield the hook without these stages; nothing, if it has no other."""
    left = [stage for stage in hook["lifecycleStages"] if stage not in stages]
    if left:
        yield {**hook, "lifecycleStages": left}


def _attached(hooks: Sequence[Hook], new: Hook, stage: str, functions: Sequence[str]) -> list[Hook]:
    """Return the hooks with the new one, in place of all hooks of the stack at its stage."""
    at_stage = [each for each in hooks if stage in each["lifecycleStages"] and _is_one_of(each, functions)]
    same = [each for each in at_stage if _is_one_of(each, [new["hookTargetArn"]])]
    # The hook that has only this stage comes first: the update does not concern other stages then.
    updated = min(same, key=lambda each: len(each["lifecycleStages"]), default=None)
    found: list[Hook] = []
    for each in hooks:
        if each is updated:
            kept = {name: each[name] for name in ("hookTargetArn", "lifecycleStages")}
            found.append({**new, **kept})
            others = [other for other in each["lifecycleStages"] if other != stage]
            if others:
                click.echo(
                    f"{each['hookTargetArn']} is one hook for {stage} and {', '.join(others)}: the change is for all"
                )
        elif any(each is other for other in at_stage):
            found += _without(each, [stage])
        else:
            found.append(each)
    return found if updated is not None else [*found, new]


def _output_of(stage: str) -> str:
    """Return the name of the stack's output with the ARN of the function of a stage."""
    return f"{stage.title().replace('_', '')}Arn"


def _outputs(stack: str, region: str) -> dict[str, str]:
    (found,) = call_aws_list("cloudformation:DescribeStacks", region, "Stacks", StackName=stack)
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs") or []}


def _output(outputs: Mapping[str, str], name: str, stack: str) -> str:
    if name not in outputs:
        sys.exit(f"ecs-hooks: the stack {stack} has no output {name}; name the hooks' stack with --stack")
    return outputs[name]


def _change(service: Service, wanted: list[Hook], *, dry_run: bool, yes: bool) -> None:
    """Show the change, have it confirmed, and update the service."""
    if _same(service.hooks, wanted):
        click.echo("nothing to change")
        return
    labels = Labels()
    before, after = _text(service.hooks, labels).splitlines(), _text(wanted, labels).splitlines()
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


def _same(hooks: Sequence[Hook], others: Sequence[Hook]) -> bool:
    return json.dumps(list(hooks), sort_keys=True) == json.dumps(list(others), sort_keys=True)


def _text(hooks: Sequence[Hook], label: Callable[[str], str] = lambda _: MASK) -> str:
    """Return hooks for the terminal: without what looks like a credential."""
    return json.dumps(without_credentials(list(hooks), label), indent=2, sort_keys=True)
