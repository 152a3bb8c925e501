"""The health of targets at Elastic Load Balancing."""

from __future__ import annotations

from typing import NamedTuple

from ecs_hooks.aws.call import ask, reading
from ecs_hooks.core.arn import region_of
from ecs_hooks.deployment.revision import ACTION as SERVICE_REVISIONS

ACTION = "elasticloadbalancing:DescribeTargetHealth"


class Target(NamedTuple):
    """A target of a target group.

    Parameters
    ----------
    id
        IP address or instance id.
    state
        `healthy`, `unhealthy`, `initial`, `draining`, `unused` or `unavailable`.
    why
        Why it is not healthy, such as `Target.ResponseCodeMismatch`; the state where nothing says it.
    """

    id: str
    state: str
    why: str


def target_health(group: str) -> list[Target]:
    """Ask for the health of all targets of a target group.

    Parameters
    ----------
    group
        ARN of the target group.

    Raises
    ------
    FactError
        If Elastic Load Balancing does not answer.
    """
    with reading(SERVICE_REVISIONS):
        region = region_of(group)
    described = ask(ACTION, region, "TargetHealthDescriptions", TargetGroupArn=group)
    with reading(ACTION):
        return [
            Target(
                each["Target"]["Id"],
                each["TargetHealth"]["State"],
                each["TargetHealth"].get("Reason") or each["TargetHealth"]["State"],
            )
            for each in described
        ]
