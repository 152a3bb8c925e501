"""What CodeDeploy says of a deployment: what is deployed, and which of its hooks is running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ecs_hooks.aws.call import ask, ask_page, reading
from ecs_hooks.aws.errors import FactDeniedError, unreadable
from ecs_hooks.codedeploy.event import STAGES

DEPLOYMENT = "codedeploy:GetDeployment"
GROUP = "codedeploy:GetDeploymentGroup"
LIST_TARGETS = "codedeploy:ListDeploymentTargets"
TARGETS = "codedeploy:BatchGetDeploymentTargets"

OVER = {"Succeeded", "Failed", "Stopped"}
"""Statuses of a deployment that waits for nobody any more."""

_ROLLBACK = "codeDeployRollback"


class Description(NamedTuple):
    """A deployment, as CodeDeploy describes it.

    Parameters
    ----------
    deployment
        `deploymentInfo` of GetDeployment.
    target
        `ecsTarget` or `lambdaTarget` of BatchGetDeploymentTargets.
    """

    deployment: Mapping[str, Any]
    target: Mapping[str, Any]

    @property
    def is_lambda(self) -> bool:
        """Whether it deploys a Lambda function, not an ECS service."""
        return self.deployment.get("computePlatform") == "Lambda"

    @property
    def application(self) -> str:
        """Name of the application."""
        return str(self.deployment.get("applicationName", ""))

    @property
    def deployment_group(self) -> str:
        """Name of the deployment group."""
        return str(self.deployment.get("deploymentGroupName", ""))

    @property
    def status(self) -> str:
        """Such as `InProgress`."""
        return str(self.deployment.get("status", ""))

    @property
    def is_over(self) -> bool:
        """Whether it waits for nobody any more."""
        return self.status in OVER

    @property
    def is_rollback(self) -> bool:
        """Whether CodeDeploy has begun it to go back: it rolls back by deploying what was there before."""
        return self.deployment.get("creator") == _ROLLBACK

    @property
    def started_at(self) -> float:
        """When it began, in seconds since the epoch.

        Raises
        ------
        FactError
            If CodeDeploy does not say.
        """
        began = self.deployment.get("startTime") or self.deployment.get("createTime")
        if began is None:
            raise unreadable(DEPLOYMENT)
        return float(began.timestamp())

    @property
    def running_hook(self) -> str:
        """Name of the lifecycle event in progress that a hook belongs to; empty where none is."""
        running = [each["lifecycleEventName"] for each in self._events if each.get("status") == "InProgress"]
        return next((name for name in running if name in STAGES), "")

    def began(self, lifecycle_event: str) -> float | None:
        """Return when a lifecycle event began, in seconds since the epoch; None where CodeDeploy does not say."""
        found = [each for each in self._events if each.get("lifecycleEventName") == lifecycle_event]
        return found[0]["startTime"].timestamp() if found and "startTime" in found[0] else None

    @property
    def _events(self) -> Sequence[Mapping[str, Any]]:
        return [each for each in self.target.get("lifecycleEvents", []) if "lifecycleEventName" in each]

    @property
    def service_name(self) -> str:
        """Name of the ECS service or Lambda function."""
        if self.is_lambda:
            return str(self.target.get("lambdaFunctionInfo", {}).get("functionName", ""))
        return self.cluster_and_service[1]

    @property
    def cluster_and_service(self) -> tuple[str, str]:
        """Names of both, of an ECS service: its target is called `cluster:service`."""
        cluster, _, service = str(self.target.get("targetId", "")).partition(":")
        return cluster, service


def describe(deployment_id: str, region: str) -> Description:
    """Ask CodeDeploy for a deployment and its target.

    Raises
    ------
    FactError
        If CodeDeploy does not answer, or does not know it.
    """
    with reading(DEPLOYMENT):
        deployment = ask_page(DEPLOYMENT, region, deploymentId=deployment_id)["deploymentInfo"]
        platform = deployment["computePlatform"]
    member = {"ECS": "ecsTarget", "Lambda": "lambdaTarget"}.get(platform)
    if member is None:
        raise FactDeniedError(f"deployments to {platform} have no hooks in Lambda; ecs-hooks is for ECS and Lambda")
    ids = ask(LIST_TARGETS, region, "targetIds", deploymentId=deployment_id)
    found = ask(TARGETS, region, "deploymentTargets", deploymentId=deployment_id, targetIds=ids[:1]) if ids else []
    return Description(deployment, found[0].get(member, {}) if found else {})


def describe_group(application: str, deployment_group: str, region: str) -> Mapping[str, Any]:
    """Ask CodeDeploy for a deployment group.

    Raises
    ------
    FactError
        If CodeDeploy does not answer, or does not know it.
    """
    with reading(GROUP):
        page = ask_page(GROUP, region, applicationName=application, deploymentGroupName=deployment_group)
        info: Mapping[str, Any] = page["deploymentGroupInfo"]
    return info
