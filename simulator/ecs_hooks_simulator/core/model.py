"""A service as it is configured: strategy, hooks and alarms, with ECS's own validation.

Source of every rule: ECS API reference and botocore's service model of `DeploymentLifecycleHook`,
`DeploymentLifecycleHookTimeoutConfiguration`, `DeploymentConfiguration`, `LinearConfiguration` and `CanaryConfiguration`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from ecs_hooks.core.event import Stage
from ecs_hooks_simulator.core.errors import InvalidParameterError
from ecs_hooks_simulator.core.hook_targets import HookTarget

DAY_MINUTES = 1440
PAUSE_MINUTES = 20_160
MAX_HOOKS_PER_TYPE = 10
"""A service has at most 10 PAUSE and 10 Lambda hooks (developer guide, "Pause hooks")."""


class Strategy(StrEnum):
    """How traffic moves from blue to green."""

    BLUE_GREEN = "BLUE_GREEN"
    """All at once."""
    LINEAR = "LINEAR"
    """In equal steps."""
    CANARY = "CANARY"
    """A small part, then the rest."""


class Step(NamedTuple):
    """One shift of production traffic: green's share afterwards, and the wait before the next step."""

    percent: float
    bake_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearConfiguration:
    """`linearConfiguration`: equal steps, each baked except for the last.

    Raises
    ------
    InvalidParameterError
        If ECS would refuse it: `stepPercent` is 3.0 to 100.0 in tenths, `stepBakeTimeInMinutes` 0 to 1440.
    """

    step_percent: float = 10.0
    step_bake_time_minutes: int = 6

    def __post_init__(self) -> None:
        """Refuse what ECS refuses."""
        _check_percent("stepPercent", self.step_percent, 3.0)
        _check_minutes("stepBakeTimeInMinutes", self.step_bake_time_minutes)

    @property
    def steps(self) -> list[Step]:
        """The steps; the last one goes to 100 per cent, whatever its size."""
        tenths = round(self.step_percent * 10)
        shares = [share / 10 for share in range(tenths, 1000, tenths)]
        return [*(Step(share, self.step_bake_time_minutes) for share in shares), Step(100, 0)]

    def to_dict(self) -> dict[str, Any]:
        """Return the shape of the API."""
        return {"stepPercent": self.step_percent, "stepBakeTimeInMinutes": self.step_bake_time_minutes}


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryConfiguration:
    """`canaryConfiguration`: a canary, which is baked, then the rest.

    Raises
    ------
    InvalidParameterError
        If ECS would refuse it: `canaryPercent` is 0.1 to 100.0 in tenths, `canaryBakeTimeInMinutes` 0 to 1440.
    """

    canary_percent: float = 5.0
    canary_bake_time_minutes: int = 10

    def __post_init__(self) -> None:
        """Refuse what ECS refuses."""
        _check_percent("canaryPercent", self.canary_percent, 0.1)
        _check_minutes("canaryBakeTimeInMinutes", self.canary_bake_time_minutes)

    @property
    def steps(self) -> list[Step]:
        """The two steps."""
        return [Step(self.canary_percent, self.canary_bake_time_minutes), Step(100, 0)]

    def to_dict(self) -> dict[str, Any]:
        """Return the shape of the API."""
        return {"canaryPercent": self.canary_percent, "canaryBakeTimeInMinutes": self.canary_bake_time_minutes}


class TargetType(StrEnum):
    """Types of lifecycle hooks."""

    AWS_LAMBDA = "AWS_LAMBDA"
    PAUSE = "PAUSE"


class TimeoutAction(StrEnum):
    """What ECS does with a hook that times out, and what `ContinueServiceDeployment` does with a paused one."""

    ROLLBACK = "ROLLBACK"
    CONTINUE = "CONTINUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentAlarms:
    """`alarms` of a deployment configuration.

    Parameters
    ----------
    alarm_names
        CloudWatch alarms that end a deployment.
    enable
        Whether ECS watches them.
    rollback
        Whether ECS then rolls the deployment back.
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
        What ECS invokes; None for PAUSE.
    lifecycle_stages
        The stages of the hook. `SCALE_UP`, `BAKE_TIME` and `CLEAN_UP` accept no hook, the two traffic shifts no PAUSE.
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
            # A copy through JSON: ECS has a document of its own, which later changes of the original do not reach.
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
    service, cluster, region, account, partition
        The parts of its ARNs.
    strategy
        The deployment strategy.
    linear, canary
        The steps of the strategies LINEAR and CANARY; ECS's defaults where None.
    bake_time_minutes
        How long ECS keeps blue after the production shift, 0 to 1440.
    lifecycle_hooks
        At most 10 of each type.
    alarms
        The CloudWatch alarms that ECS watches during a deployment.
    load_balancers
        `loadBalancers` in the API's shape: `targetGroupArn`, `containerName`, `containerPort` and
        `advancedConfiguration` with `alternateTargetGroupArn`, `productionListenerRule`, `testListenerRule`.
    desired_count
        Number of tasks of each revision, for the answers of the API.
    circuit_breaker
        Whether the deployment circuit breaker is on; only then does ECS send SERVICE_DEPLOYMENT_FAILED to EventBridge.
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
    circuit_breaker: bool = False

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
        _check_minutes("bakeTimeInMinutes", self.bake_time_minutes)
        for kind in TargetType:
            if sum(hook.target_type == kind for hook in self.lifecycle_hooks) > MAX_HOOKS_PER_TYPE:
                raise InvalidParameterError(f"A service can have at most {MAX_HOOKS_PER_TYPE} {kind} lifecycle hooks")

    @property
    def arn(self) -> str:
        """ARN of the service."""
        return self._arn("service", self.service)

    @property
    def container(self) -> str:
        """Name of the container that the load balancer forwards to."""
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
        return self._stepped.steps if self._stepped else [Step(100, 0)]

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


def _check_percent(name: str, value: float, least: float) -> None:
    if not least <= value <= 100 or abs(value * 10 - round(value * 10)) > 1e-9:  # noqa: PLR2004 - per cent
        raise InvalidParameterError(f"{name} must be between {least} and 100.0, in multiples of 0.1")


def _check_minutes(name: str, value: int) -> None:
    if not 0 <= value <= DAY_MINUTES:
        raise InvalidParameterError(f"{name} must be between 0 and {DAY_MINUTES}")
