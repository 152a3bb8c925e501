"""The interfaces of the simulator: what a deployment controller requires, and what it offers.

A controller calls `Traffic` and `Tasks` from threads of their own, never two calls at once. Virtual time stands still
until they return, so they may be slow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from ecs_hooks_simulator.core.faults import Fault
from ecs_hooks_simulator.core.model import Service
from ecs_hooks_simulator.core.service_deployment import DeploymentStatus, HookDetail, ServiceRevision

ListenerKind = Literal["test", "production"]
"""The two listeners of a blue/green service."""


class AlarmChange(NamedTuple):
    """A change of an alarm's state, with CloudWatch's reason."""

    alarm: str
    before: str
    state: str
    reason: str


class Traffic(Protocol):
    """The load balancer as ECS sees it."""

    def shift(self, kind: ListenerKind, weights: Mapping[str, float]) -> None:
        """Forward the traffic of a listener by weight: per cent by service revision ARN.

        Revisions without a weight get nothing. The addresses are those of `Tasks.start`, whose call is always earlier.
        """


class Tasks(Protocol):
    """The tasks of service revisions, such as local processes."""

    def start(self, revision: ServiceRevision) -> None:
        """Start the tasks of a revision; no effect if they run already.

        An implementation that returns only when the tasks respond needs a single call of `healthy`.

        Raises
        ------
        TasksFailedError
            If they cannot start. The deployment rolls back.
        """

    def healthy(self, revision: ServiceRevision) -> bool:
        """Return whether all tasks are healthy; polled in virtual time until they are."""

    def inject(self, revision: ServiceRevision, fault: Fault) -> None:
        """Inject a fault into the running tasks of a revision, until they are stopped."""

    def stop(self, revision: ServiceRevision) -> None:
        """Stop the tasks of a revision; no effect if none run."""


class Alarms(Protocol):
    """CloudWatch's alarms."""

    def evaluate(self) -> Sequence[AlarmChange]:
        """Evaluate the metrics, as CloudWatch does every minute, and return the changes of state."""

    def states(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return OK, ALARM or INSUFFICIENT_DATA by name, without alarms that do not exist."""


class ServiceDeployments(Protocol):
    """The service-deployment operations of the ECS API, in its request and response shapes (contract 5.1).

    Safe to call from any thread while a deployment runs. Times are seconds since the epoch, as in ECS's JSON protocol.
    Errors are `EcsError`, whose `code` is the name of the API's exception.
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
        """`ListServiceDeployments`: `{"serviceDeployments": [...]}` newest first, with `nextToken` if there are more.

        `service` and `cluster` are names or ARNs; `created_at` has `before` and `after`.
        """

    def describe_revisions(self, arns: Sequence[str]) -> dict[str, Any]:
        """`DescribeServiceRevisions`: `{"serviceRevisions": [...], "failures": [...]}`."""

    def stop(self, arn: str, stop_type: str = "ROLLBACK") -> dict[str, Any]:
        """`StopServiceDeployment`: `{"serviceDeploymentArn": ...}`; the deployment rolls back."""

    def continue_(self, arn: str, hook_id: str, action: str = "CONTINUE") -> dict[str, Any]:
        """`ContinueServiceDeployment`: `{"serviceDeploymentArn": ...}`; the paused hook ends with `action`."""


class Deployed(Protocol):
    """A deployment, by ECS or by CodeDeploy; times are seconds since the epoch."""

    @property
    def arn(self) -> str:
        """The ARN or id, which is the `deployment` of the timeline's records."""

    @property
    def service(self) -> Service:
        """The service."""

    @property
    def target(self) -> ServiceRevision:
        """The new revision: green."""

    @property
    def sources(self) -> Sequence[ServiceRevision]:
        """The revisions that were active before."""

    @property
    def strategy(self) -> str:
        """The deployment strategy in words."""

    @property
    def created_at(self) -> float:
        """When it was created."""

    @property
    def finished_at(self) -> float | None:
        """When it ended."""

    @property
    def status(self) -> str:
        """Its status, in the terms of its controller."""

    @property
    def outcome(self) -> DeploymentStatus:
        """Its final status, in the terms of ECS."""

    @property
    def status_reason(self) -> str | None:
        """The reason of its status."""

    @property
    def triggered(self) -> Sequence[str]:
        """The alarms that ended it."""

    @property
    def hooks(self) -> Sequence[HookDetail]:
        """Its hooks with their timeouts; only with ECS."""


class Controller(Protocol):
    """A service, its revisions and its deployments: what the simulated AWS endpoint describes."""

    @property
    def service(self) -> Service:
        """The service."""

    @property
    def active(self) -> Sequence[ServiceRevision]:
        """The active revisions; the first has the production traffic."""

    @property
    def revisions(self) -> Sequence[ServiceRevision]:
        """All revisions so far, oldest first."""

    @property
    def running(self) -> Sequence[ServiceRevision]:
        """The revisions that have tasks."""

    @property
    def crashed(self) -> Mapping[str, float]:
        """When the tasks of a revision crashed, by its ARN."""

    @property
    def history(self) -> Sequence[Deployed]:
        """All deployments, oldest first; the last may be running."""
