"""The event of a CodeDeploy hook, and the data that its invocations hand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ecs_hooks.core.arn import EcsArn
from ecs_hooks.core.event import CODEDEPLOY_KEY, STATE_KEY, EventError, Stage
from ecs_hooks.core.formatting import json_type

STAGES = {
    "BeforeInstall": Stage.PRE_SCALE_UP,
    "AfterInstall": Stage.POST_SCALE_UP,
    "AfterAllowTestTraffic": Stage.POST_TEST_TRAFFIC_SHIFT,
    "BeforeAllowTraffic": Stage.PRE_PRODUCTION_TRAFFIC_SHIFT,
    "AfterAllowTraffic": Stage.POST_PRODUCTION_TRAFFIC_SHIFT,
}
"""The ECS lifecycle stage that each lifecycle event with hooks corresponds to.

Source: AWS's guide for the migration from CodeDeploy to ECS blue/green deployments. For BeforeAllowTraffic the guide has
PRODUCTION_TRAFFIC_SHIFT; it is older than PRE_PRODUCTION_TRAFFIC_SHIFT.
"""

_DEPLOYMENT, _EXECUTION = "DeploymentId", CODEDEPLOY_KEY
_CARRIED_KEY = "ecsHooksExecution"
_MOST = 10**10


class Carried(NamedTuple):
    """The data from one invocation of a hook execution to the next, besides the state of its checks.

    Parameters
    ----------
    began
        Time of the first invocation, in seconds since the epoch; 0 in that invocation.
    number
        Number of earlier invocations.
    deaths
        Number of invocations in a row that crashed.
    errors
        Number of times in a row that the deployment could not be read.
    verdict
        `Succeeded` or `Failed` if it could not be reported yet; else empty.
    reason
        The reason of the verdict.
    """

    began: int = 0
    number: int = 0
    deaths: int = 0
    errors: int = 0
    verdict: str = ""
    reason: str = ""

    @classmethod
    def load(cls, stored: object) -> Carried:
        """Return the stored data; the data of a first invocation if it is invalid."""
        if not isinstance(stored, Mapping):
            return cls()
        began, number, deaths, errors = (_count(stored.get(name)) for name in ("began", "number", "deaths", "errors"))
        verdict, reason = stored.get("verdict"), stored.get("reason")
        carried = cls(began, number, deaths, errors)
        known = verdict in ("Succeeded", "Failed") and isinstance(reason, str)
        return carried._replace(verdict=str(verdict), reason=str(reason)) if known else carried


def _count(value: object) -> int:
    return value if type(value) is int and 0 <= value < _MOST else 0


class CodeDeployEvent(NamedTuple):
    """One invocation of a hook, by CodeDeploy or by a schedule.

    Source: CodeDeploy user guide, "AppSpec 'hooks' section", for deployments of ECS and of Lambda.

    Parameters
    ----------
    deployment_id
        `DeploymentId`, such as `d-ABCDEF123`.
    execution_id
        `LifecycleEventHookExecutionId`, for the report of the status.
    state
        State of the checks from the previous invocation; None in the first one.
    carried
        The other data from the previous invocation.
    """

    deployment_id: str
    execution_id: str
    state: object = None
    carried: Carried = Carried()

    @classmethod
    def parse(cls, event: Mapping[Any, Any]) -> CodeDeployEvent:
        """Return the event from its JSON object.

        Raises
        ------
        EventError
            If a field is missing or not a string.
        """
        for name in (_DEPLOYMENT, _EXECUTION):
            value = event.get(name)
            if not isinstance(value, str) or not value:
                problem = "is required" if value is None or value == "" else f"must be a string, not {json_type(value)}"
                raise EventError(name, f"{problem}; expected an event of a CodeDeploy lifecycle hook")
        return cls(event[_DEPLOYMENT], event[_EXECUTION], event.get(STATE_KEY), Carried.load(event.get(_CARRIED_KEY)))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the event for the next invocation."""
        return {
            _DEPLOYMENT: self.deployment_id,
            _EXECUTION: self.execution_id,
            STATE_KEY: self.state,
            _CARRIED_KEY: self.carried._asdict(),
        }


class CodeDeployHookEvent(NamedTuple):
    """An event with its hook; implements `ecs_hooks.core.event.HookEvent`.

    Parameters
    ----------
    lifecycle_event, stage
        The hook, such as `AfterAllowTestTraffic`, and the corresponding ECS lifecycle stage.
    deployed
        The ECS service or the Lambda function.
    hook_details, plan_origin
        The plan of the hook, and where it was found; without a plan, where it was not.
    """

    received: CodeDeployEvent
    lifecycle_event: str
    stage: Stage | str
    region: str
    application: str
    deployment_group: str
    deployed: EcsArn
    hook_details: Any = None
    plan_origin: str = ""

    @property
    def stage_name(self) -> str:
        """The stage in the spelling of the hook modules."""
        return str(self.stage).lower()

    @property
    def service_name(self) -> str:
        """Name of the ECS service or the Lambda function."""
        return self.deployed.service

    @property
    def green_percent(self) -> float | None:
        """None: the event does not have it."""
        return None

    @property
    def configuration(self) -> dict[str, Any] | None:
        """The plan of the hook; None if it is not a JSON object."""
        return dict(self.hook_details) if isinstance(self.hook_details, Mapping) else None

    @property
    def state(self) -> object:
        """The state from the previous invocation; None in the first one."""
        return self.received.state

    @property
    def step(self) -> Sequence[Any]:
        """Deployment, execution and stage."""
        return [self.received.deployment_id, self.received.execution_id, str(self.stage)]

    @property
    def log_keys(self) -> Mapping[str, str]:
        """The keys of every log line."""
        return {
            "deployment": self.received.deployment_id,
            "application": self.application,
            "deployment_group": self.deployment_group,
            "service": self.service_name,
            "lifecycle_event": self.lifecycle_event,
            "stage": str(self.stage),
        }
