"""The health of targets at Elastic Load Balancing."""

from __future__ import annotations

from typing import NamedTuple

from ecs_hooks.deployment.asking import ask, reading

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
    region = group.split(":")[3]
    described = ask(ACTION, region, "TargetHealthDescriptions", TargetGroupArn=group)
    with reading(ACTION):
        return [
            Target(
                str(each["Target"]["Id"]),
                str(each["TargetHealth"]["State"]),
                str(each["TargetHealth"].get("Reason") or each["TargetHealth"]["State"]),
            )
            for each in described
        ]
