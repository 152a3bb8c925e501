"""A service as it is configured: hooks, strategy, revisions, with ECS's own validation.

Source of every rule: ECS API reference and botocore's service model of `DeploymentLifecycleHook`,
`DeploymentLifecycleHookTimeoutConfiguration` and `DeploymentConfiguration`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ecs_hooks.core.event import Stage
from ecs_hooks_simulator.core.errors import InvalidParameterError
from ecs_hooks_simulator.core.strategy import (
    DAY_MINUTES,
    CanaryConfiguration,
    LinearConfiguration,
    Step,
    Strategy,
    check_minutes,
)

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.protocols import HookTarget

PAUSE_MINUTES = 20_160
MAX_HOOKS_PER_TYPE = 10
"""A service has at most 10 PAUSE and 10 Lambda hooks (developer guide, "Pause hooks")."""


class TargetType(StrEnum):
    """What a lifecycle hook does."""

    AWS_LAMBDA = "AWS_LAMBDA"
    PAUSE = "PAUSE"


class TimeoutAction(StrEnum):
    """What ECS does with a hook that is not done in time, and what a person may do with a paused one."""

    ROLLBACK = "ROLLBACK"
    CONTINUE = "CONTINUE"


class TargetGroup(StrEnum):
    """The two target groups of a service, an unordered pair: deployments alternate between them."""

    PRIMARY = "targetGroupArn"
    ALTERNATE = "alternateTargetGroupArn"

    @property
    def other(self) -> TargetGroup:
        """The other one of the two."""
        return TargetGroup.ALTERNATE if self is TargetGroup.PRIMARY else TargetGroup.PRIMARY

    def of(self, load_balancer: Mapping[str, Any]) -> str:
        """Return its ARN at a load balancer of the service (an entry of `loadBalancers`); empty where it has none."""
        return str({**load_balancer, **load_balancer.get("advancedConfiguration", {})}.get(self) or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentAlarms:
    """`alarms` of a deployment configuration.

    Parameters
    ----------
    alarm_names
        CloudWatch alarms that end a deployment.
    enable
        Whether they do.
    rollback
        Whether it is rolled back then.
    """

    alarm_names: Sequence[str]
    enable: bool = True
    rollback: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the shape of the API."""
        return {"alarmNames": list(self.alarm_names), "enable": self.enable, "rollback": self.rollback}


_NOT_FOR_PAUSE = frozenset({Stage.TEST_TRAFFIC_SHIFT, Stage.PRODUCTION_TRAFFIC_SHIFT})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LifecycleHook:
    """One entry of a service's `lifecycleHooks`.

    Parameters
    ----------
    target
        What is invoked; None for PAUSE.
    lifecycle_stages
        Where. `SCALE_UP`, `BAKE_TIME` and `CLEAN_UP` accept no hook; PAUSE is not for the two traffic shifts.
    hook_details
        Any JSON; None where none is configured.
    target_type
        `AWS_LAMBDA` or `PAUSE`.
    timeout_in_minutes, timeout_action
        `timeoutConfiguration`: 1 to 1440 minutes for Lambda, to 20160 for PAUSE; 1440 and ROLLBACK by default.
    role
        ARN of the role with which ECS invokes the function.

    Raises
    ------
    InvalidParameterError
        If ECS would refuse it.
    """

    target: HookTarget | None = None
    lifecycle_stages: Sequence[str] = ()
    hook_details: Any = None
    target_type: str = TargetType.AWS_LAMBDA
    timeout_in_minutes: int = DAY_MINUTES
    timeout_action: str = TimeoutAction.ROLLBACK
    role: str = ""

    def __post_init__(self) -> None:
        """Refuse what ECS refuses."""
        if self.target_type not in TargetType.__members__:
            raise InvalidParameterError("Invalid targetType. Valid values are: AWS_LAMBDA, PAUSE")
        pause = self.target_type == TargetType.PAUSE
        if self.timeout_action not in TimeoutAction.__members__:
            raise InvalidParameterError("Invalid timeout action. Valid values are: ROLLBACK, CONTINUE")
        if not self.lifecycle_stages:
            raise InvalidParameterError("lifecycleStages must not be empty")
        for stage in self.lifecycle_stages:
            if stage not in Stage.__members__:
                raise InvalidParameterError(f"Invalid lifecycle stage {stage}. Valid values are: {', '.join(Stage)}")
            if pause and stage in _NOT_FOR_PAUSE:
                raise InvalidParameterError("Invalid lifecycle stage provided for Pause Hook")
        longest = PAUSE_MINUTES if pause else DAY_MINUTES
        if type(self.timeout_in_minutes) is not int or not 1 <= self.timeout_in_minutes <= longest:
            raise InvalidParameterError(
                f"timeoutInMinutes must be between 1 and {longest} for {self.target_type} hooks"
            )
        if not pause and self.target is None:
            raise InvalidParameterError("hookTargetArn is required for AWS_LAMBDA hooks")
        stages = tuple(dict.fromkeys(Stage(stage) for stage in self.lifecycle_stages))
        object.__setattr__(self, "lifecycle_stages", stages)
        object.__setattr__(self, "target_type", TargetType(self.target_type))
        object.__setattr__(self, "timeout_action", TimeoutAction(self.timeout_action))
        if self.hook_details is not None:
            # A copy through JSON: a document for ECS, and out of reach of whoever gave it.
            object.__setattr__(self, "hook_details", json.loads(json.dumps(self.hook_details)))

    @classmethod
    def pause(
        cls, *lifecycle_stages: str, timeout_in_minutes: int = DAY_MINUTES, timeout_action: str = TimeoutAction.ROLLBACK
    ) -> LifecycleHook:
        """Return a PAUSE hook."""
        return cls(
            lifecycle_stages=lifecycle_stages,
            target_type=TargetType.PAUSE,
            timeout_in_minutes=timeout_in_minutes,
            timeout_action=timeout_action,
        )

    @property
    def is_pause(self) -> bool:
        """Whether the hook waits for `ContinueServiceDeployment` instead of invoking a function."""
        return self.target_type == TargetType.PAUSE

    @property
    def target_arn(self) -> str | None:
        """ARN of the function; None for PAUSE, which ignores it."""
        return None if self.is_pause or self.target is None else self.target.arn

    def to_dict(self) -> dict[str, Any]:
        """Return the hook in the shape of the API, with the defaults that DescribeServices echoes."""
        shape: dict[str, Any] = {
            "targetType": str(self.target_type),
            "lifecycleStages": [str(stage) for stage in self.lifecycle_stages],
            "timeoutConfiguration": {"timeoutInMinutes": self.timeout_in_minutes, "action": str(self.timeout_action)},
        }
        if not self.is_pause:
            shape["hookTargetArn"] = self.target_arn
            shape["roleArn"] = self.role
            if self.hook_details is not None:
                shape["hookDetails"] = self.hook_details
        return shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """An ECS service.

    Parameters
    ----------
    cluster, service, region, account, partition
        What its ARNs are made of.
    strategy
        The deployment strategy.
    linear, canary
        The steps of the strategies LINEAR and CANARY; ECS's defaults where None.
    bake_time_minutes
        How long blue is kept after the production shift, 0 to 1440.
    lifecycle_hooks
        At most 10 of each type.
    alarms
        The CloudWatch alarms that ECS watches during a deployment.
    load_balancers
        `loadBalancers` in the API's shape: `targetGroupArn`, `containerName`, `containerPort` and
        `advancedConfiguration` with `alternateTargetGroupArn`, `productionListenerRule`, `testListenerRule`.
    desired_count
        How many tasks each revision has, for the answers of the API.
    network_load_balancer
        Whether traffic shifts take the 10 minutes longer that a Network Load Balancer needs.

    Raises
    ------
    InvalidParameterError
        If ECS would refuse it.
    """

    service: str
    cluster: str = "my-cluster"
    region: str = "us-west-2"
    account: str = "123456789012"
    partition: str = "aws"
    strategy: Strategy = Strategy.BLUE_GREEN
    linear: LinearConfiguration | None = None
    canary: CanaryConfiguration | None = None
    bake_time_minutes: int = 15
    lifecycle_hooks: Sequence[LifecycleHook] = ()
    alarms: DeploymentAlarms | None = None
    load_balancers: Sequence[Mapping[str, Any]] = ()
    desired_count: int = 1
    network_load_balancer: bool = False

    def __post_init__(self) -> None:
        """Refuse what ECS refuses."""
        object.__setattr__(self, "lifecycle_hooks", tuple(self.lifecycle_hooks))
        if self.strategy not in Strategy.__members__:
            raise InvalidParameterError(f"Invalid deployment strategy. Valid values are: {', '.join(Strategy)}")
        for configured, strategy in ((self.linear, Strategy.LINEAR), (self.canary, Strategy.CANARY)):
            if configured is not None and self.strategy != strategy:
                raise InvalidParameterError(
                    f"{strategy.capitalize()} configuration can only be present with {strategy} deployment strategy"
                )
        check_minutes("bakeTimeInMinutes", self.bake_time_minutes)
        for kind in TargetType:
            if _count(self.lifecycle_hooks, kind) > MAX_HOOKS_PER_TYPE:
                raise InvalidParameterError(f"A service can have at most {MAX_HOOKS_PER_TYPE} {kind} lifecycle hooks")

    @property
    def arn(self) -> str:
        """ARN of the service."""
        return self._arn("service", self.service)

    @property
    def container(self) -> str:
        """Name of the container that serves."""
        return next(
            (str(each["containerName"]) for each in self.load_balancers if "containerName" in each), self.service
        )

    @property
    def cluster_arn(self) -> str:
        """ARN of the cluster."""
        return f"arn:{self.partition}:ecs:{self.region}:{self.account}:cluster/{self.cluster}"

    def deployment_arn(self, identifier: str) -> str:
        """Return the ARN of a service deployment of this service."""
        return self._arn("service-deployment", f"{self.service}/{identifier}")

    def revision_arn(self, identifier: str) -> str:
        """Return the ARN of a service revision of this service."""
        return self._arn("service-revision", f"{self.service}/{identifier}")

    def hooks_at(self, stage: str) -> list[LifecycleHook]:
        """Return the hooks of a stage, in the order of the configuration."""
        return [hook for hook in self.lifecycle_hooks if stage in hook.lifecycle_stages]

    @property
    def steps(self) -> list[Step]:
        """The shifts of production traffic that a deployment makes."""
        return [Step(100, 0)] if self._stepped is None else self._stepped.steps

    @property
    def words(self) -> str:
        """The deployment strategy in words."""
        first = self.steps[0]
        every = f"{first.bake_minutes} minutes"
        shifts = {
            Strategy.LINEAR: f"{first.percent:g} % more every {every}",
            Strategy.CANARY: f"{first.percent:g} % for {every}, then all",
        }
        return f"{self.strategy}: {shifts.get(self.strategy, 'all at once')}"

    @property
    def _stepped(self) -> LinearConfiguration | CanaryConfiguration | None:
        match self.strategy:
            case Strategy.LINEAR:
                return self.linear or LinearConfiguration()
            case Strategy.CANARY:
                return self.canary or CanaryConfiguration()
            case _:
                return None

    def deployment_configuration(self) -> dict[str, Any]:
        """Return `deploymentConfiguration` in the API's shape."""
        stepped = self._stepped
        return {
            "strategy": str(self.strategy),
            **({f"{self.strategy.lower()}Configuration": stepped.to_dict()} if stepped else {}),
            "bakeTimeInMinutes": self.bake_time_minutes,
            "lifecycleHooks": [hook.to_dict() for hook in self.lifecycle_hooks],
            **({"alarms": self.alarms.to_dict()} if self.alarms else {}),
        }

    def _arn(self, kind: str, path: str) -> str:
        return f"arn:{self.partition}:ecs:{self.region}:{self.account}:{kind}/{self.cluster}/{path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRevision:
    """One version of a service: what runs, and in which of the two target groups.

    Made by the deployment controller (`DeploymentController.deploy`), which chooses `id` and `target_group`.

    Parameters
    ----------
    arn, id
        Its ARN and the number at the end of it. Its tasks have `startedBy` = `ecs-svc/<id>`.
    image
        Container image.
    task_definition
        ARN of the task definition.
    target_group
        Which of the service's target groups its tasks are registered in.
    created_at
        When it was made.
    settings
        Whatever `Tasks` needs to know about it, such as the command to run; not looked at by the controller.
    """

    arn: str
    id: str
    image: str
    task_definition: str
    target_group: TargetGroup
    created_at: float
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def image_digest(self) -> str:
        """The digest of the image: made up, the same for the same image."""
        return f"sha256:{hashlib.sha256(self.image.encode()).hexdigest()}"

    @property
    def started_by(self) -> str:
        """The `startedBy` of this revision's tasks."""
        return f"ecs-svc/{self.id}"


def _count(hooks: Iterable[LifecycleHook], kind: TargetType) -> int:
    return sum(hook.target_type == kind for hook in hooks)
