"""The deployment that brought blue: when blue was as new as green is now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_hooks.aws.call import ask_one, pages, reading
from ecs_hooks.aws.errors import FactDeniedError

if TYPE_CHECKING:
    from ecs_hooks.core.arn import EcsArn

ACTION = "ecs:ListServiceDeployments"
_DESCRIBE = "ecs:DescribeServiceDeployments"
_PAGES = 10


def bake_began(service: EcsArn, revision: str) -> float:
    """Return when a revision began to serve alone, in seconds since the epoch.

    That is the beginning of the bake time of the deployment that brought it: all of the production traffic was on it by
    then. It is counted back from the end of that deployment, so it is late by as long as ECS took to clean up.

    Parameters
    ----------
    service
        An ARN that names region, cluster and service.
    revision
        ARN of the service revision.

    Raises
    ------
    FactError
        If AWS does not answer; `FactDeniedError` where it knows of no successful deployment of the revision.

    Notes
    -----
    `targetServiceRevisionArn` and `finishedAt` of ListServiceDeployments, `deploymentConfiguration.bakeTimeInMinutes` of
    DescribeServiceDeployments.
    """
    unknown = FactDeniedError(
        f"{ACTION}: ECS knows of no successful deployment of blue, so there is nothing to compare with"
    )
    listed = pages(
        ACTION,
        service.region,
        "nextToken",
        unknown,
        most=_PAGES,
        cluster=service.cluster,
        service=service.service,
        status=["SUCCESSFUL"],
        maxResults=100,
    )
    with reading(ACTION):
        found = next(
            (
                each
                for answer in listed
                for each in answer["serviceDeployments"]
                if each["targetServiceRevisionArn"] == revision
            ),
            None,
        )
        if found is None:
            raise unknown
        arn, finished = found["serviceDeploymentArn"], found["finishedAt"].timestamp()
    described = ask_one(
        _DESCRIBE, service.region, "serviceDeployments", "service deployment", serviceDeploymentArns=[arn]
    )
    with reading(_DESCRIBE):
        minutes = described["deploymentConfiguration"].get("bakeTimeInMinutes") or 0
        return float(finished - minutes * 60)
