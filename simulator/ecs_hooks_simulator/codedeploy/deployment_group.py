"""Deployment groups and deployment configurations of CodeDeploy.

Source: CodeDeploy user guide, "Working with deployment configurations", and botocore's model of `TrafficRoutingConfig`.

Example
-------
>>> canary = DeploymentConfig.parse("CodeDeployDefault.ECSCanary10Percent5Minutes", ComputePlatform.ECS)
>>> canary.steps
[Step(percent=10, bake_minutes=5), Step(percent=100, bake_minutes=0)]
>>> DeploymentConfig.parse("Linear50PercentEvery2Minutes", ComputePlatform.LAMBDA).name
'Linear50PercentEvery2Minutes'
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.codedeploy.lifecycle import ComputePlatform, hooked_events
from ecs_hooks_simulator.core.errors import EcsError
from ecs_hooks_simulator.core.model import Step

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.hook_targets import HookTarget

PREFIX = "CodeDeployDefault."
"""The beginning of the names of predefined configurations."""
LONGEST_WAIT = 2880
"""Minutes: blue is kept for two days at most (CodeDeploy user guide)."""


class Routing(StrEnum):
    """`type` of a traffic routing configuration."""

    ALL_AT_ONCE = "AllAtOnce"
    CANARY = "TimeBasedCanary"
    LINEAR = "TimeBasedLinear"


class RollbackEvent(StrEnum):
    """`AutoRollbackEvent`: the reason of an automatic rollback."""

    DEPLOYMENT_FAILURE = "DEPLOYMENT_FAILURE"
    DEPLOYMENT_STOP_ON_ALARM = "DEPLOYMENT_STOP_ON_ALARM"
    DEPLOYMENT_STOP_ON_REQUEST = "DEPLOYMENT_STOP_ON_REQUEST"


_SHORT = {Routing.CANARY: "Canary", Routing.LINEAR: "Linear"}
_NAME = re.compile(r"AllAtOnce|Canary(\d+)Percent(\d+)Minutes?|Linear(\d+)PercentEvery(\d+)Minutes?")
_PREDEFINED = {
    ComputePlatform.ECS: (
        "AllAtOnce",
        "Canary10Percent5Minutes",
        "Canary10Percent15Minutes",
        "Linear10PercentEvery1Minutes",
        "Linear10PercentEvery3Minutes",
    ),
    ComputePlatform.LAMBDA: (
        "AllAtOnce",
        "Canary10Percent5Minutes",
        "Canary10Percent10Minutes",
        "Canary10Percent15Minutes",
        "Canary10Percent30Minutes",
        "Linear10PercentEvery1Minute",
        "Linear10PercentEvery2Minutes",
        "Linear10PercentEvery3Minutes",
        "Linear10PercentEvery10Minutes",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentConfig:
    """A deployment configuration: how production traffic is shifted to the new version.

    Parameters
    ----------
    name
        `deploymentConfigName`.
    routing
        `type` of the traffic routing.
    percentage
        `canaryPercentage` or `linearPercentage`, 1 to 99.
    minutes
        `canaryInterval` or `linearInterval`, 1 to 2880.

    Raises
    ------
    EcsError
        If CodeDeploy would refuse it.
    """

    name: str
    routing: Routing = Routing.ALL_AT_ONCE
    percentage: int = 100
    minutes: int = 0

    def __post_init__(self) -> None:
        """Refuse what CodeDeploy refuses."""
        # The limits of the console; the API reference has none.
        fits = 1 <= self.percentage <= 99 and 1 <= self.minutes <= LONGEST_WAIT  # noqa: PLR2004 - per cent
        if self.routing is not Routing.ALL_AT_ONCE and not fits:
            raise EcsError(
                "InvalidTrafficRoutingConfigurationException",
                f"{self.name}: out of range; use a percentage from 1 to 99 and an interval from 1 to 2880 minutes",
            )

    @classmethod
    def parse(cls, text: str, platform: ComputePlatform) -> DeploymentConfig:
        """Return the configuration with a name.

        Parameters
        ----------
        text
            A predefined one, with or without `CodeDeployDefault.ECS` or `CodeDeployDefault.Lambda`; or a custom one in one
            of the forms `Canary25Percent3Minutes` and `Linear20PercentEvery2Minutes`.
        platform
            The compute platform.

        Raises
        ------
        EcsError
            If there is no such configuration.
        """
        plain = text.removeprefix(PREFIX).removeprefix(str(platform))
        predefined = [PREFIX + platform + each for each in _PREDEFINED[platform]]
        form = _NAME.fullmatch(plain)
        full = PREFIX + platform + plain
        if form is None or (text.startswith(PREFIX) and full not in predefined):
            raise EcsError(
                "DeploymentConfigDoesNotExistException",
                f"{text} is not a deployment configuration for {platform}; use {', '.join(predefined)}, "
                "or for a custom one a name such as Canary25Percent3Minutes",
            )
        name = full if full in predefined else plain
        match form.groups():
            case (str(percentage), str(minutes), _, _):
                return cls(name=name, routing=Routing.CANARY, percentage=int(percentage), minutes=int(minutes))
            case (_, _, str(percentage), str(minutes)):
                return cls(name=name, routing=Routing.LINEAR, percentage=int(percentage), minutes=int(minutes))
            case _:
                return cls(name=name)

    @classmethod
    def predefined(cls, platform: ComputePlatform) -> list[DeploymentConfig]:
        """Return CodeDeploy's predefined configurations."""
        return [cls.parse(PREFIX + platform + each, platform) for each in _PREDEFINED[platform]]

    @property
    def steps(self) -> list[Step]:
        """The shifts of production traffic; the first is immediate."""
        if self.routing is Routing.ALL_AT_ONCE:
            return [Step(100, 0)]
        shares = (self.percentage,) if self.routing is Routing.CANARY else range(self.percentage, 100, self.percentage)
        return [*(Step(share, self.minutes) for share in shares), Step(100, 0)]

    @property
    def words(self) -> str:
        """The configuration in words."""
        how = {
            Routing.ALL_AT_ONCE: "all at once",
            Routing.CANARY: f"{self.percentage} % for {self.minutes} minutes, then all",
            Routing.LINEAR: f"{self.percentage} % more every {self.minutes} minutes",
        }
        return f"{self.name}: {how[self.routing]}"

    def to_dict(self) -> dict[str, Any]:
        """Return `trafficRoutingConfig` in the API's shape."""
        if self.routing is Routing.ALL_AT_ONCE:
            return {"type": str(self.routing)}
        kind = _SHORT[self.routing].lower()
        shape = {f"{kind}Percentage": self.percentage, f"{kind}Interval": self.minutes}
        return {"type": str(self.routing), f"timeBased{_SHORT[self.routing]}": shape}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentGroup:
    """A deployment group, with the hooks in the AppSpec of its deployments.

    Parameters
    ----------
    platform
        The compute platform.
    application, name
        Names of the CodeDeploy application and of the group.
    config
        The deployment configuration; `AllAtOnce` for None.
    hooks
        Functions by lifecycle event.
    alarms
        Names of the CloudWatch alarms that stop a deployment.
    rollback_events
        Reasons of an automatic rollback.
    ready_wait_minutes
        How long a deployment waits for `ContinueDeployment` before it shifts production traffic, with the status Ready;
        it is stopped after that. None for no wait. ECS only.
    termination_wait_minutes
        How long blue is kept after the last shift, 0 to 2880. ECS only.
    test_listener
        Whether the load balancer has a test listener. ECS only.

    Raises
    ------
    EcsError
        If CodeDeploy would refuse it.
    """

    platform: ComputePlatform = ComputePlatform.ECS
    application: str = "my-application"
    name: str = "my-deployment-group"
    config: DeploymentConfig | None = None
    hooks: Mapping[str, HookTarget] = field(default_factory=dict)
    alarms: Sequence[str] = ()
    rollback_events: Sequence[str] = (RollbackEvent.DEPLOYMENT_FAILURE, RollbackEvent.DEPLOYMENT_STOP_ON_ALARM)
    ready_wait_minutes: int | None = None
    termination_wait_minutes: int = 0
    test_listener: bool = True

    def __post_init__(self) -> None:
        """Refuse what CodeDeploy refuses."""
        events = hooked_events(self.platform)
        for event in self.hooks:
            if event not in events:
                raise EcsError(
                    "InvalidRevisionException",
                    f"hooks.{event}: not supported in a deployment to {self.platform}; use {', '.join(events)}",
                )
        for event in self.rollback_events:
            if event not in RollbackEvent.__members__:
                raise EcsError(
                    "InvalidAutoRollbackConfigException",
                    f"rollback_events: {event} is not one of the allowed values ({', '.join(RollbackEvent)})",
                )
        for minutes in (self.ready_wait_minutes or 0, self.termination_wait_minutes):
            if not 0 <= minutes <= LONGEST_WAIT:
                raise EcsError(
                    "InvalidBlueGreenDeploymentConfigurationException",
                    f"a wait of {minutes} minutes is out of range; use 0 to {LONGEST_WAIT}",
                )

    @property
    def configuration(self) -> DeploymentConfig:
        """The deployment configuration."""
        return self.config or DeploymentConfig.parse("AllAtOnce", self.platform)

    @property
    def steps(self) -> list[Step]:
        """The shifts of production traffic."""
        return self.configuration.steps

    @property
    def strategy(self) -> str:
        """The name of the deployment configuration."""
        return self.configuration.name

    @property
    def auto_rollback(self) -> dict[str, Any]:
        """`autoRollbackConfiguration` in the API's shape."""
        return {"enabled": bool(self.rollback_events), "events": [str(event) for event in self.rollback_events]}

    @property
    def alarm_configuration(self) -> dict[str, Any]:
        """`alarmConfiguration` in the API's shape."""
        named = [{"name": name} for name in self.alarms]
        return {"enabled": bool(named), "ignorePollAlarmFailure": False, "alarms": named}

    @property
    def blue_green(self) -> dict[str, Any]:
        """`blueGreenDeploymentConfiguration` in the API's shape."""
        wait = self.ready_wait_minutes
        action = "CONTINUE_DEPLOYMENT" if wait is None else "STOP_DEPLOYMENT"
        terminate = {"action": "TERMINATE", "terminationWaitTimeInMinutes": self.termination_wait_minutes}
        return {
            "deploymentReadyOption": {"actionOnTimeout": action, "waitTimeInMinutes": wait or 0},
            "terminateBlueInstancesOnDeploymentSuccess": terminate,
        }
