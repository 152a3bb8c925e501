"""The seams of the simulator: what the deployment controller needs from its surroundings, and offers to them.

The controller calls `Traffic`, `Tasks` and `HookTarget` from threads of their own, never two of `Traffic` and `Tasks`
at once, and virtual time stands still until they return: they may take their time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.faults import Fault
    from ecs_hooks_simulator.core.model import Service, ServiceRevision
    from ecs_hooks_simulator.core.record import DeploymentStatus, HookDetail

ListenerKind = Literal["test", "production"]
"""The two listeners of a blue/green service."""


class AlarmChange(NamedTuple):
    """An alarm that has another state: which it had `before`, and CloudWatch's reason."""

    alarm: str
    before: str
    state: str
    reason: str


class Clock(Protocol):
    """A time of day, real or virtual."""

    def now(self) -> float:
        """Return the time in seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Return when that many seconds have passed on this clock."""


class Traffic(Protocol):
    """The load balancer as ECS sees it."""

    def shift(self, kind: ListenerKind, weights: Mapping[str, float]) -> None:
        """Forward the traffic of a listener by weight.

        Parameters
        ----------
        kind
            Which listener.
        weights
            Service revision ARN to per cent. A revision that is not named gets nothing. Where a revision answers is
            known from `Tasks.start`, which always comes first.
        """


class Tasks(Protocol):
    """The tasks of service revisions: local processes, or nothing at all."""

    def start(self, revision: ServiceRevision) -> None:
        """Start the tasks of a revision, in its target group (`revision.target_group`).

        Best returns when they answer, so that `healthy` needs to be asked once. Starting what already runs does nothing.

        Raises
        ------
        TasksFailedError
            If they never will start. The deployment rolls back.
        """

    def healthy(self, revision: ServiceRevision) -> bool:
        """Return whether all tasks are healthy; asked again and again in virtual time until it is so."""

    def inject(self, revision: ServiceRevision, fault: Fault) -> None:
        """Have a fault in the tasks of a revision that runs, until they are stopped."""

    def stop(self, revision: ServiceRevision) -> None:
        """Stop the tasks of a revision. Stopping what does not run does nothing."""


class Alarms(Protocol):
    """CloudWatch's alarms."""

    def evaluate(self) -> Sequence[AlarmChange]:
        """Look at the metrics, as CloudWatch does every minute, and return which alarms have another state."""

    def states(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return OK, ALARM or INSUFFICIENT_DATA by name; of alarms that do not exist nothing."""


class HookTarget(Protocol):
    """What ECS invokes for an `AWS_LAMBDA` hook."""

    @property
    def arn(self) -> str:
        """The ARN of the function, as it appears in ECS's messages."""

    def invoke(self, event: dict[str, Any]) -> Any:
        """Invoke the hook and return the JSON value that it answered.

        Raises
        ------
        HookInvocationError
            If the function raised, ran out of time or could not be invoked (`ecs_hooks_simulator.core.errors`).
        """


class ServiceDeployments(Protocol):
    """The service-deployment operations of the ECS API, in its request and response shapes (contract 5.1).

    Safe to call from any thread while a deployment runs. Times are seconds since the epoch, as in ECS's JSON protocol.
    Refusals are `EcsError`, whose `code` is the name of the API's exception.
    """

    def describe(self, arns: Sequence[str]) -> dict[str, Any]:
        """`DescribeServiceDeployments`: `{"serviceDeployments": [...], "failures": [...]}`."""

    def list(
        self,
        service: str,
        *,
        cluster: str | None = None,
        status: Sequence[str] = (),
        created_at: Mapping[str, float] | None = None,
        max_results: int | None = None,
        next_token: str | None = None,
    ) -> dict[str, Any]:
        """`ListServiceDeployments`: `{"serviceDeployments": [...]}` newest first, `nextToken` where there are more.

        `service` and `cluster` are names or ARNs; `created_at` has `before` and `after`.
        """

    def describe_revisions(self, arns: Sequence[str]) -> dict[str, Any]:
        """`DescribeServiceRevisions`: `{"serviceRevisions": [...], "failures": [...]}`."""

    def stop(self, arn: str, stop_type: str = "ROLLBACK") -> dict[str, Any]:
        """`StopServiceDeployment`: `{"serviceDeploymentArn": ...}`; the deployment goes on to roll back."""

    def continue_(self, arn: str, hook_id: str, action: str = "CONTINUE") -> dict[str, Any]:
        """`ContinueServiceDeployment`: `{"serviceDeploymentArn": ...}`; the paused hook ends with `action`."""


class Deployed(Protocol):
    """A deployment, of ECS or of CodeDeploy."""

    @property
    def arn(self) -> str:
        """The ARN or id, by which records of the timeline name it."""

    @property
    def service(self) -> Service:
        """What is deployed to."""

    @property
    def target(self) -> ServiceRevision:
        """The new revision: green."""

    @property
    def sources(self) -> Sequence[ServiceRevision]:
        """The revisions that were active before."""

    @property
    def strategy(self) -> str:
        """How traffic moves, in words."""

    @property
    def created_at(self) -> float:
        """When it was made, in seconds since the epoch."""

    @property
    def finished_at(self) -> float | None:
        """When it was over."""

    @property
    def status(self) -> str:
        """Its status, in the words of its controller."""

    @property
    def outcome(self) -> DeploymentStatus:
        """How it ended, in the words of ECS."""

    @property
    def status_reason(self) -> str | None:
        """Why."""

    @property
    def triggered(self) -> Sequence[str]:
        """The alarms that have ended it."""

    @property
    def hooks(self) -> Sequence[HookDetail]:
        """Its hooks with their time-outs, of ECS alone."""


class Controller(Protocol):
    """What AWS tells of: a service, its revisions and its deployments, whoever controls them."""

    @property
    def service(self) -> Service:
        """The service."""

    @property
    def active(self) -> Sequence[ServiceRevision]:
        """The active revisions; the first has the production traffic."""

    @property
    def revisions(self) -> Sequence[ServiceRevision]:
        """Every revision that there ever was, oldest first."""

    @property
    def running(self) -> Sequence[ServiceRevision]:
        """The revisions that have tasks."""

    @property
    def crashed(self) -> Mapping[str, float]:
        """When the tasks of a revision have crashed, by its ARN."""

    @property
    def history(self) -> Sequence[Deployed]:
        """All deployments, oldest first; the last may be running."""
