"""The facts that CodeDeploy's event lacks: the deployment, the running hook, and the hook's plan."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from ecs_hooks.aws.call import call_aws, call_aws_list, parsing
from ecs_hooks.aws.errors import FactDeniedError, invalid_response
from ecs_hooks.codedeploy.event import STAGES
from ecs_hooks.core.arn import FUNCTION, EcsArn
from ecs_hooks.core.event import ORIGIN_IN_FUNCTION
from ecs_hooks.core.json_text import JsonError, read_json
from ecs_hooks.plan.model import REFERENCE

DEPLOYMENT = "codedeploy:GetDeployment"
GROUP = "codedeploy:GetDeploymentGroup"
LIST_TARGETS = "codedeploy:ListDeploymentTargets"
TARGETS = "codedeploy:BatchGetDeploymentTargets"
PARAMETERS = "ssm:GetParameters"

PREFIX_VARIABLE = "ECS_HOOKS_PLAN_PARAMETERS"
"""Environment variable with the prefix of the SSM parameters that have plans, such as `/ecs-hooks`."""
PLAN_VARIABLE = "ECS_HOOKS_PLAN"
"""Environment variable with the plan as JSON, or with its source (`s3://...`, `ssm:/...`)."""

OVER = {"Succeeded", "Failed", "Stopped"}
"""Terminal statuses of a deployment."""

_ROLLBACK = "codeDeployRollback"


class Description(NamedTuple):
    """A deployment in CodeDeploy's API.

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
    def id(self) -> str:
        """ID of the deployment."""
        return str(self.deployment.get("deploymentId", ""))

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
        """Status, such as `InProgress`."""
        return str(self.deployment.get("status", ""))

    @property
    def is_over(self) -> bool:
        """Whether the status is terminal."""
        return self.status in OVER

    @property
    def is_rollback(self) -> bool:
        """Whether it is a rollback: CodeDeploy rolls back with a new deployment of the previous revision."""
        return self.deployment.get("creator") == _ROLLBACK

    @property
    def started_at(self) -> float:
        """Start of the deployment, in seconds since the epoch.

        Raises
        ------
        FactError
            If the response has no time.
        """
        began = self.deployment.get("startTime") or self.deployment.get("createTime")
        if began is None:
            raise invalid_response(DEPLOYMENT)
        return float(began.timestamp())

    @property
    def running_hook(self) -> str:
        """Name of the lifecycle event in progress, if it supports hooks; else empty."""
        running = [each["lifecycleEventName"] for each in self._events if each.get("status") == "InProgress"]
        return next((name for name in running if name in STAGES), "")

    def began(self, lifecycle_event: str) -> float | None:
        """Return the start of a lifecycle event, in seconds since the epoch; None if unknown."""
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

    def deployed(self, function_arn: str, region: str) -> EcsArn:
        """Return the ECS service or Lambda function; the account is that of the hook's function where CodeDeploy lacks it."""
        with suppress(ValueError):
            return EcsArn.parse(str(self.target.get("targetArn", "")), "service")
        _, partition, *_, account = [*function_arn.split(":")[:5], *[""] * 5][:5]
        if self.is_lambda:
            return EcsArn(partition, region, account, FUNCTION, "", self.service_name)
        return EcsArn(partition, region, account, "service", *self.cluster_and_service)

    @property
    def cluster_and_service(self) -> tuple[str, str]:
        """Names of cluster and ECS service: the target's id is `cluster:service`."""
        cluster, _, service = str(self.target.get("targetId", "")).partition(":")
        return cluster, service


def describe(deployment_id: str, region: str) -> Description:
    """Return a deployment and its target.

    Raises
    ------
    FactError
        If CodeDeploy does not answer, or the deployment does not exist.
    """
    with parsing(DEPLOYMENT):
        deployment = call_aws(DEPLOYMENT, region, deploymentId=deployment_id)["deploymentInfo"]
        platform = deployment["computePlatform"]
    member = {"ECS": "ecsTarget", "Lambda": "lambdaTarget"}.get(platform)
    if member is None:
        raise FactDeniedError(f"CodeDeploy's compute platform {platform} has no Lambda hooks; use ECS or Lambda")
    ids = call_aws_list(LIST_TARGETS, region, "targetIds", deploymentId=deployment_id)
    found = (
        call_aws_list(TARGETS, region, "deploymentTargets", deploymentId=deployment_id, targetIds=ids[:1])
        if ids
        else []
    )
    description = Description(deployment, found[0].get(member, {}) if found else {})
    _require_identity(description, deployment_id, region)
    return description


def _require_identity(description: Description, deployment_id: str, region: str) -> None:
    """Raise `FactDeniedError` if CodeDeploy's responses are about another deployment, or about several services."""
    for action, described in ((DEPLOYMENT, description.deployment), (TARGETS, description.target)):
        found = described.get("deploymentId", deployment_id)
        if found != deployment_id:
            raise FactDeniedError(f"{action}: deploymentId is {found}, but event.DeploymentId is {deployment_id}")
    target_id = str(description.target.get("targetId", ""))
    try:
        arn = EcsArn.parse(str(description.target.get("targetArn", "")), "service")
    except ValueError:
        return  # that of a Lambda function, or none yet
    expected = arn._replace(region=region)
    if target_id:
        cluster, service = description.cluster_and_service
        expected = expected._replace(cluster=cluster, service=service)
    part = arn.difference(expected)
    if part:
        raise FactDeniedError(
            f"{TARGETS}: targetArn is of {part} {getattr(arn, part)!r}, but "
            f"{'CodeDeploy' if part == 'region' else 'targetId'} is of {part} {getattr(expected, part)!r}"
        )


def describe_group(application: str, deployment_group: str, region: str) -> Mapping[str, Any]:
    """Return a deployment group.

    Raises
    ------
    FactError
        If CodeDeploy does not answer, or the group does not exist.
    """
    with parsing(GROUP):
        page = call_aws(GROUP, region, applicationName=application, deploymentGroupName=deployment_group)
        info: Mapping[str, Any] = page["deploymentGroupInfo"]
    return info


def parameter_names(prefix: str, description: Description, lifecycle_event: str) -> list[str]:
    """Return the names of the SSM parameters for a hook's plan: the hook's own, then the deployment group's."""
    group = f"{prefix.rstrip('/')}/{description.application}/{description.deployment_group}"
    return [f"{group}/{lifecycle_event}", group]


def configuration(
    description: Description, lifecycle_event: str, region: str, environment: Mapping[str, str] = os.environ
) -> Any:
    """Return the plan of a hook, as ECS would send it in `hookDetails`.

    The hook's own parameter comes first, then that of its deployment group, then the function's environment. Without any
    of them the plan is empty: the default checks of the stage.

    Raises
    ------
    FactError
        If Systems Manager does not answer: the plan is not known then.
    """
    prefix = environment.get(PREFIX_VARIABLE, "").strip()
    if prefix:
        names = parameter_names(prefix, description, lifecycle_event)
        there = {
            each.get("Name")
            for each in call_aws_list(PARAMETERS, region, "Parameters", Names=names, WithDecryption=False)
        }
        for name in names:
            if name in there:
                return {REFERENCE: f"ssm:{name}"}
    text = environment.get(PLAN_VARIABLE, "").strip()
    if not text:
        return {}
    if text.startswith(("s3:", "ssm:")):
        return {REFERENCE: text}
    try:
        return read_json(text, strict=True)
    except JsonError:
        return text


def plan_origin(description: Description, lifecycle_event: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return where `configuration` found a plan that is not in a parameter; without one, the places without a plan."""
    prefix = environment.get(PREFIX_VARIABLE, "").strip()
    names = parameter_names(prefix, description, lifecycle_event) if prefix else []
    missing = [f"parameter {name} does not exist" for name in names]
    if environment.get(PLAN_VARIABLE, "").strip():
        return ", since ".join(filter(None, [ORIGIN_IN_FUNCTION, " and ".join(missing)]))
    return f"no plan was found: {', '.join([*missing, f'{PLAN_VARIABLE} is not set'])}"
