"""What CodeDeploy sends to a hook, and what an invocation makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ecs_hooks.core.event import CODEDEPLOY_KEY, STATE_KEY, EventError, Stage
from ecs_hooks.core.json_types import json_type

STAGES = {
    "BeforeInstall": Stage.PRE_SCALE_UP,
    "AfterInstall": Stage.POST_SCALE_UP,
    "AfterAllowTestTraffic": Stage.POST_TEST_TRAFFIC_SHIFT,
    "BeforeAllowTraffic": Stage.PRE_PRODUCTION_TRAFFIC_SHIFT,
    "AfterAllowTraffic": Stage.POST_PRODUCTION_TRAFFIC_SHIFT,
}
"""The stage that each lifecycle event with a hook corresponds to.

Source: AWS's guide for moving from CodeDeploy to ECS's own blue/green deployments; for BeforeAllowTraffic it names
PRODUCTION_TRAFFIC_SHIFT, which came before there was PRE_PRODUCTION_TRAFFIC_SHIFT.
"""

_DEPLOYMENT, _EXECUTION = "DeploymentId", CODEDEPLOY_KEY
_CARRIED_KEY = "ecsHooksExecution"
_MOST = 10**10


class Carried(NamedTuple):
    """What goes from one invocation of a hook execution to the next, besides the state of its checks.

    Parameters
    ----------
    began
        When the hook was first invoked, in seconds since the epoch; 0 in that invocation.
    number
        How many invocations there were before.
    deaths
        How many of them, the last ones, have ended without a word.
    errors
        How many times in a row the deployment could not be described.
    verdict
        `Succeeded` or `Failed`, where it is known and could not be reported; else empty.
    reason
        Why.
    """

    began: int = 0
    number: int = 0
    deaths: int = 0
    errors: int = 0
    verdict: str = ""
    reason: str = ""

    @classmethod
    def load(cls, stored: object) -> Carried:
        """Return what was stored; as in a first invocation where that can't be read."""
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
    """One invocation of a hook by CodeDeploy, or by the schedule that goes on with it.

    Source: CodeDeploy user guide, "AppSpec 'hooks' section", for deployments of ECS and of Lambda.

    Parameters
    ----------
    deployment_id
        `DeploymentId`, such as `d-ABCDEF123`.
    execution_id
        `LifecycleEventHookExecutionId`, with which the status is reported.
    state
        State of the checks, as the invocation before has left it; None in the first one.
    carried
        What else it has left.
    """

    deployment_id: str
    execution_id: str
    state: object = None
    carried: Carried = Carried()

    @classmethod
    def parse(cls, event: Mapping[Any, Any]) -> CodeDeployEvent:
        """Read an event.

        Raises
        ------
        EventError
            If a field is missing or no text.
        """
        for name in (_DEPLOYMENT, _EXECUTION):
            value = event.get(name)
            if not isinstance(value, str) or not value:
                problem = "is missing" if value is None or value == "" else f"must be a string, not {json_type(value)}"
                raise EventError(name, f"{problem}; is this an event of a CodeDeploy lifecycle hook?")
        return cls(event[_DEPLOYMENT], event[_EXECUTION], event.get(STATE_KEY), Carried.load(event.get(_CARRIED_KEY)))

    def to_dict(self) -> dict[str, Any]:
        """Return the event as the next invocation is to find it."""
        return {
            _DEPLOYMENT: self.deployment_id,
            _EXECUTION: self.execution_id,
            STATE_KEY: self.state,
            _CARRIED_KEY: self.carried._asdict(),
        }


class CodeDeployHookEvent(NamedTuple):
    """An event, and what is known of the hook that it belongs to; implements `ecs_hooks.core.event.HookEvent`.

    Parameters
    ----------
    received
        The event.
    lifecycle_event
        The hook, such as `AfterAllowTestTraffic`.
    stage
        The stage that it corresponds to.
    region
        Region of the deployment.
    application, deployment_group
        Their names.
    service_name
        Name of the ECS service, or of the Lambda function.
    hook_details
        What configures the hook.
    """

    received: CodeDeployEvent
    lifecycle_event: str
    stage: Stage | str
    region: str
    application: str
    deployment_group: str
    service_name: str
    hook_details: Any = None

    @property
    def stage_name(self) -> str:
        """The stage in the spelling of the hook modules."""
        return str(self.stage).lower()

    @property
    def green_percent(self) -> float | None:
        """The event does not tell."""
        return None

    @property
    def configuration(self) -> dict[str, Any] | None:
        """What configures the hook; None where that is no object."""
        return dict(self.hook_details) if isinstance(self.hook_details, Mapping) else None

    @property
    def state(self) -> object:
        """What this library left for this invocation; None at first."""
        return self.received.state

    @property
    def step(self) -> Sequence[Any]:
        """Deployment, execution and stage."""
        return [self.received.deployment_id, self.received.execution_id, str(self.stage)]

    @property
    def log_keys(self) -> Mapping[str, str]:
        """The keys that every line of the log bears."""
        return {
            "deployment": self.received.deployment_id,
            "application": self.application,
            "deployment_group": self.deployment_group,
            "service": self.service_name,
            "lifecycle_event": self.lifecycle_event,
            "stage": str(self.stage),
        }
