"""What a deployment of CodeDeploy acts on, and why it can't go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecs_hooks_simulator.codedeploy.model import RollbackEvent
from ecs_hooks_simulator.codedeploy.record import DeploymentStatus

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.hooks import Hooks
    from ecs_hooks_simulator.codedeploy.undocumented import CodeDeployBehaviour
    from ecs_hooks_simulator.core.clock import SimulationClock
    from ecs_hooks_simulator.core.protocols import Alarms, Tasks, Traffic
    from ecs_hooks_simulator.core.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a deployment acts on and reports to; `alarms` may be None where there are none.

    `running` has the ARNs of the revisions that have tasks, `crashed` when those of a revision crashed.
    """

    traffic: Traffic
    tasks: Tasks
    alarms: Alarms | None
    clock: SimulationClock
    behaviour: CodeDeployBehaviour
    timeline: Timeline
    hooks: Hooks
    running: set[str]
    crashed: dict[str, float]


class DeploymentEndedError(Exception):
    """A deployment can't go on.

    Parameters
    ----------
    code, message
        Its `errorInformation`.
    status
        Failed or Stopped.
    because
        What it is in the terms of an automatic rollback.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: DeploymentStatus = DeploymentStatus.FAILED,
        because: RollbackEvent = RollbackEvent.DEPLOYMENT_FAILURE,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.because = because


def hooks_failed() -> DeploymentEndedError:
    """Return why a deployment ends one of whose hooks has failed; the words are not documented."""
    message = "One or more of the lifecycle event validation functions failed."
    return DeploymentEndedError("HOOK_EXECUTION_FAILURE", message)


def alarmed(names: Sequence[str]) -> DeploymentEndedError:
    """Return why a deployment ends that an alarm has stopped (CodeDeploy user guide, "Monitoring deployments")."""
    message = (
        "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the "
        f"affected deployments have been stopped. Activated alarms: {', '.join(names)}"
    )
    because = RollbackEvent.DEPLOYMENT_STOP_ON_ALARM
    return DeploymentEndedError("ALARM_ACTIVE", message, status=DeploymentStatus.STOPPED, because=because)


def stopped() -> DeploymentEndedError:
    """Return why a deployment ends that somebody has stopped."""
    because = RollbackEvent.DEPLOYMENT_STOP_ON_REQUEST
    message = "The deployment has been stopped by a StopDeployment request."
    return DeploymentEndedError("MANUAL_STOP", message, status=DeploymentStatus.STOPPED, because=because)


def not_continued() -> DeploymentEndedError:
    """Return why a deployment ends whose traffic nobody has shifted in time (`STOP_DEPLOYMENT`)."""
    because = RollbackEvent.DEPLOYMENT_STOP_ON_REQUEST
    message = "The deployment was stopped since nobody continued it within its wait time."
    return DeploymentEndedError("TIMEOUT", message, status=DeploymentStatus.STOPPED, because=because)
