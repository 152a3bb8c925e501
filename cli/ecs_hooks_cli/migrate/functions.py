"""The ARNs of functions that an AppSpec names, and what their names tell of them."""

from __future__ import annotations

import re
from typing import NamedTuple

from ecs_hooks.core.event import Stage
from ecs_hooks_cli.migrate.place import Place

_ARN = re.compile(r"arn:(aws[a-z-]*):lambda:([a-z0-9-]+):(\d{12}):function:([A-Za-z0-9_-]+)(:[A-Za-z0-9_$-]+)?")
_PARTIAL = re.compile(r"(\d{12}):function:(.+)")
_NAME = re.compile(r"[A-Za-z0-9_-]+(:[A-Za-z0-9_$-]+)?")
_OF_STACK = re.compile(r"CodeDeployHook_(?P<stack>[A-Za-z0-9-]+)_(?P<stage>[A-Za-z]+)")
_PARTITIONS = {"cn": "aws-cn", "us-gov": "aws-us-gov"}


class Where(NamedTuple):
    """Where functions are that are given by their names alone.

    Parameters
    ----------
    region, account
        Such as `us-west-2` and `123456789012`; None where nobody said.
    prefix
        What stands before the name, such as `arn:aws:lambda:us-west-2:123456789012:function:`, in place of both.
    """

    region: str | None = None
    account: str | None = None
    prefix: str | None = None


def arn_of(function: str, place: Place, where: Where) -> str:
    """Return the ARN of a function.

    Parameters
    ----------
    function
        Its name or ARN, with or without a version or alias, or `ACCOUNT:function:NAME`.
    place
        Where it is named.
    where
        Where it is, if it does not say so itself.

    Raises
    ------
    DocumentError
        If it is none of these, or more has to be known.
    """
    if _ARN.fullmatch(function):
        return function
    account, name = where.account, function
    partial = _PARTIAL.fullmatch(function)
    if partial:
        account, name = partial.groups()
    if not _NAME.fullmatch(name):
        place.refuse("is neither the name nor the ARN of a Lambda function")
    if where.prefix is not None and not partial:
        found = f"{where.prefix.removesuffix(':')}:{name}"
    elif account and where.region:
        found = f"arn:{_partition(where.region)}:lambda:{where.region}:{account}:function:{name}"
    else:
        missing = "--region" if account else "--account and --region, or --function-arn-prefix"
        place.refuse(f"ECS needs the ARN of the function, and this is its name; give {missing}")
    if not _ARN.fullmatch(found):
        place.refuse(f"{found} is no ARN of a function; see --account, --region and --function-arn-prefix")
    return found


def stage_of(arn: str) -> Stage | None:
    """Return the stage for which a function of the hooks' stack is; None where it is not known as one of them."""
    matched = _ARN.fullmatch(arn)
    named = _OF_STACK.fullmatch(matched[4]) if matched else None
    stages = {stage.title().replace("_", ""): stage for stage in Stage}
    return stages.get(named["stage"]) if named else None


def _partition(region: str) -> str:
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(f"{prefix}-")), "aws")
