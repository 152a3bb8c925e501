"""Converts the hooks of an AppSpec to lifecycle hooks of ECS."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ecs_hooks.codedeploy.event import STAGES
from ecs_hooks.core.event import Stage
from ecs_hooks_cli.common.service import Hook
from ecs_hooks_cli.migrate.appspec import AppSpecHook
from ecs_hooks_cli.migrate.document import Value

_ARN = re.compile(r"arn:(aws[a-z-]*):lambda:([a-z0-9-]+):(\d{12}):function:([A-Za-z0-9_-]+)(:[A-Za-z0-9_$-]+)?")
_PARTIAL_ARN = re.compile(r"(\d{12}):function:(.+)")
_NAME = re.compile(r"[A-Za-z0-9_-]+(:[A-Za-z0-9_$-]+)?")
_NAME_IN_STACK = re.compile(r"CodeDeployHook_(?P<stack>[A-Za-z0-9-]+)_(?P<stage>[A-Za-z]+)")


class FunctionDefaults(NamedTuple):
    """What completes the name of a function to its ARN: region and account, or a prefix in place of both."""

    region: str | None = None
    account: str | None = None
    prefix: str | None = None


class HookSettings(NamedTuple):
    """Settings of the lifecycle hooks that an AppSpec does not have.

    Parameters
    ----------
    role_arn
        The role that ECS assumes to invoke the functions.
    defaults
        What completes names of functions to ARNs.
    plans
        `hookDetails` by lifecycle event of CodeDeploy.
    timeout_minutes
        `timeoutInMinutes` of each hook.
    """

    role_arn: str
    defaults: FunctionDefaults
    plans: Mapping[str, dict[str, Any]]
    timeout_minutes: int


def lifecycle_hooks(hooks: Sequence[AppSpecHook], settings: HookSettings) -> list[Hook]:
    """Return the value of `deploymentConfiguration.lifecycleHooks`.

    Raises
    ------
    DocumentError
        If the ARN of a function is unknown.
    """
    return [
        {
            "targetType": "AWS_LAMBDA",
            "hookTargetArn": function_arn(hook.function, hook.value, settings.defaults),
            "roleArn": settings.role_arn,
            "lifecycleStages": [str(STAGES[hook.event])],
            **({"hookDetails": settings.plans[hook.event]} if hook.event in settings.plans else {}),
            "timeoutConfiguration": {"timeoutInMinutes": settings.timeout_minutes, "action": "ROLLBACK"},
        }
        for hook in hooks
    ]


def function_arn(function: str, value: Value, defaults: FunctionDefaults) -> str:
    """Return the ARN of a function.

    Parameters
    ----------
    function
        Its ARN, `ACCOUNT:function:NAME` or name, each with or without a version or alias.
    value
        Its place in the AppSpec, for errors.
    defaults
        What completes a name to an ARN.

    Raises
    ------
    DocumentError
        If `function` is not valid, or the defaults do not suffice.
    """
    if _ARN.fullmatch(function):
        return function
    account, name = defaults.account, function
    partial = _PARTIAL_ARN.fullmatch(function)
    if partial:
        account, name = partial.groups()
    if not _NAME.fullmatch(name):
        value.fail("is neither the name nor the ARN of a Lambda function")
    if defaults.prefix is not None and not partial:
        found = f"{defaults.prefix.removesuffix(':')}:{name}"
    elif account and (region := defaults.region):
        found = f"arn:{partition_of(region)}:lambda:{region}:{account}:function:{name}"
    else:
        missing = "--region" if account else "--account and --region, or --function-arn-prefix"
        value.fail(f"is the name of a function, but ECS requires its ARN; set {missing}")
    if not _ARN.fullmatch(found):
        value.fail(f"{found} is not the ARN of a function; correct --account, --region or --function-arn-prefix")
    return found


def partition_of(region: str) -> str:
    """Return the partition of a region; of one that botocore does not know, `aws-eusc` by its prefix, else `aws`."""
    from botocore.exceptions import UnknownRegionError  # noqa: PLC0415 - slow to load
    from botocore.session import Session  # noqa: PLC0415

    try:
        return str(Session().get_partition_for_region(region))
    except UnknownRegionError:
        return "aws-eusc" if region.startswith("eusc-") else "aws"


class Place(NamedTuple):
    """Where a function or a service is; unknown parts are empty."""

    region: str = ""
    account: str = ""

    @classmethod
    def of_function(cls, arn: str) -> Place:
        """Return the region and the account in the ARN of a function."""
        matched = _ARN.fullmatch(arn)
        return cls(matched[2], matched[3]) if matched else cls()


def place_of_service(settings: HookSettings, arns: Sequence[str]) -> Place:
    """Return where the service is: as the options say, else in the account of the role, else with its first function."""
    options, first = settings.defaults, Place.of_function(arns[0]) if arns else Place()
    prefix = Place(*[*(options.prefix or "").split(":")[3:5], "", ""][:2])
    role = settings.role_arn.split(":")
    account = options.account or prefix.account or (role[4] if len(role) > 4 else "") or first.account  # noqa: PLR2004
    return Place(options.region or prefix.region or first.region, account)


def stage_of_stack_function(arn: str) -> Stage | None:
    """Return the stage of a function of the hooks' stack, from its name; None for other functions."""
    matched = _ARN.fullmatch(arn)
    named = _NAME_IN_STACK.fullmatch(matched[4]) if matched else None
    stages = {stage.title().replace("_", ""): stage for stage in Stage}
    return stages.get(named["stage"]) if named else None
