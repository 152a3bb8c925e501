"""What configures a hook under CodeDeploy, whose event carries no configuration."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ecs_hooks.aws.call import ask
from ecs_hooks.plan.model import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ecs_hooks.codedeploy.description import Description

PARAMETERS = "ssm:GetParameters"

PREFIX_VARIABLE = "ECS_HOOKS_PLAN_PARAMETERS"
"""Environment variable with what the names of the parameters that hold plans begin with, such as `/ecs-hooks`."""

PLAN_VARIABLE = "ECS_HOOKS_PLAN"
"""Environment variable with the plan itself as JSON, or with where it is kept (`s3://...`, `ssm:/...`)."""


def names_of(prefix: str, description: Description, lifecycle_event: str) -> list[str]:
    """Return the names of the parameters that can hold the plan of a hook: its own, and that of all hooks of the group."""
    group = f"{prefix.rstrip('/')}/{description.application}/{description.deployment_group}"
    return [f"{group}/{lifecycle_event}", group]


def configuration(
    description: Description, lifecycle_event: str, region: str, environment: Mapping[str, str] = os.environ
) -> Any:
    """Return what ECS would have as `hookDetails`.

    The parameter of the hook comes first, then that of its deployment group, then the environment of the function. An
    empty object has the default checks of the stage run.

    Parameters
    ----------
    description
        The deployment.
    lifecycle_event
        The hook, such as `AfterAllowTestTraffic`.
    region
        Region of the deployment.
    environment
        The environment of the function.

    Raises
    ------
    FactError
        If Systems Manager does not answer: which plan holds is not known then.
    """
    prefix = environment.get(PREFIX_VARIABLE, "").strip()
    if prefix:
        names = names_of(prefix, description, lifecycle_event)
        there = {each.get("Name") for each in ask(PARAMETERS, region, "Parameters", Names=names, WithDecryption=False)}
        for name in names:
            if name in there:
                return {REFERENCE: f"ssm:{name}"}
    text = environment.get(PLAN_VARIABLE, "").strip()
    if not text:
        return {}
    if text.startswith(("s3:", "ssm:")):
        return {REFERENCE: text}
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
