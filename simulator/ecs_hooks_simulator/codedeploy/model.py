"""A deployment group of CodeDeploy as it is configured: what is deployed to, how, with which hooks, and when to go back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.codedeploy.configuration import ComputePlatform, DeploymentConfig
from ecs_hooks_simulator.codedeploy.lifecycle import hooked_events
from ecs_hooks_simulator.core.errors import EcsError

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.protocols import HookTarget
    from ecs_hooks_simulator.core.strategy import Step

LONGEST_WAIT = 2880
"""Minutes: blue is kept for two days at most (CodeDeploy user guide)."""


class RollbackEvent(StrEnum):
    """`AutoRollbackEvent`: after what CodeDeploy rolls back by itself."""

    DEPLOYMENT_FAILURE = "DEPLOYMENT_FAILURE"
    DEPLOYMENT_STOP_ON_ALARM = "DEPLOYMENT_STOP_ON_ALARM"
    DEPLOYMENT_STOP_ON_REQUEST = "DEPLOYMENT_STOP_ON_REQUEST"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentGroup:
    """A deployment group, with the hooks that the AppSpec of its deployments names.

    Parameters
    ----------
    platform
        Where its applications run.
    application, name
        Of the CodeDeploy application and of the group.
    config
        The deployment configuration; the one that moves all traffic at once where None is given.
    hooks
        The function of each lifecycle event that has one.
    alarms
        CloudWatch alarms that stop a deployment.
    rollback_events
        After what it is rolled back.
    ready_wait_minutes
        How long a deployment waits for `ContinueDeployment` once the test traffic was tried, status Ready; None for not
        at all. It is stopped where nobody continues it. ECS only.
    termination_wait_minutes
        How long blue is kept after all traffic was moved, 0 to 2880. ECS only.
    test_listener
        Whether there is one. ECS only.

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
                    f"{event} takes no hook in a deployment to {self.platform}; there are {', '.join(events)}",
                )
        for event in self.rollback_events:
            if event not in RollbackEvent.__members__:
                raise EcsError("InvalidAutoRollbackConfigException", f"{event} is none of {', '.join(RollbackEvent)}")
        for minutes in (self.ready_wait_minutes or 0, self.termination_wait_minutes):
            if not 0 <= minutes <= LONGEST_WAIT:
                raise EcsError(
                    "InvalidBlueGreenDeploymentConfigurationException",
                    f"a wait is between 0 and {LONGEST_WAIT} minutes, not {minutes}",
                )

    @property
    def configuration(self) -> DeploymentConfig:
        """The deployment configuration."""
        return self.config or DeploymentConfig.parse("AllAtOnce", self.platform)

    @property
    def steps(self) -> list[Step]:
        """The shifts of production traffic that a deployment makes."""
        return self.configuration.steps

    @property
    def strategy(self) -> str:
        """What steers the traffic, by name."""
        return self.configuration.name

    @property
    def rolls_back(self) -> dict[str, Any]:
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
        waits = self.ready_wait_minutes
        ready = (
            {"actionOnTimeout": "CONTINUE_DEPLOYMENT", "waitTimeInMinutes": 0}
            if waits is None
            else {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": waits}
        )
        terminate = {"action": "TERMINATE", "terminationWaitTimeInMinutes": self.termination_wait_minutes}
        return {"deploymentReadyOption": ready, "terminateBlueInstancesOnDeploymentSuccess": terminate}
