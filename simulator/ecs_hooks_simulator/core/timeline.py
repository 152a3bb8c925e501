"""What happened, when: typed records, given to listeners as they happen.

Example
-------
>>> timeline = Timeline()
>>> unsubscribe = timeline.subscribe(lambda record: print(record.kind, record.stage))
>>> timeline.emit(StageEntered(time=0.0, deployment="arn", stage="PRE_SCALE_UP"))
stage-entered PRE_SCALE_UP
>>> timeline.records[0].to_dict()["stage"]
'PRE_SCALE_UP'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Something that happened.

    Parameters
    ----------
    time
        Seconds since the epoch, on the simulation's clock.
    deployment
        ARN of the service deployment.
    """

    kind: ClassVar[str]
    time: float
    deployment: str

    def to_dict(self) -> dict[str, Any]:
        """Return the record as a JSON object, with its `kind`."""
        return {"kind": self.kind} | {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged(Record):
    """The deployment has another status. `event` is EventBridge's, for the three statuses that have one."""

    kind: ClassVar[str] = "status-changed"
    status: str
    reason: str | None = None
    event: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEntered(Record):
    """A lifecycle stage begins; in a rollback the traffic shifts come again."""

    kind: ClassVar[str] = "stage-entered"
    stage: str
    rollback: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksChanged(Record):
    """Tasks of a revision were started, found healthy, stopped, or will never start (`failed`)."""

    kind: ClassVar[str] = "tasks-changed"
    revision: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficShifted(Record):
    """The traffic of a listener, `test` or `production`, has new weights: per cent by service revision."""

    kind: ClassVar[str] = "traffic-shifted"
    listener: str
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultInjected(Record):
    """A fault of a revision begins.

    Parameters
    ----------
    fault
        What goes wrong, such as `errors=20%`.
    planned
        The fault with when it was to begin, as `ecs_hooks_simulator.core.faults.Fault.parse` reads it.
    revision
        Whose tasks.
    stage
        The lifecycle stage at which it begins.
    percent
        The revision's share of the production traffic by then.
    """

    kind: ClassVar[str] = "fault-injected"
    fault: str
    planned: str
    revision: str
    stage: str
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmStateChanged(Record):
    """A CloudWatch alarm has another state, and why."""

    kind: ClassVar[str] = "alarm-state-changed"
    alarm: str
    before: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HookInvoked(Record):
    """A function is invoked with an event, the `attempt`th time at this stage (from 1)."""

    kind: ClassVar[str] = "hook-invoked"
    hook_id: str
    target: str
    stage: str
    attempt: int
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HookAnswered(Record):
    """A function has answered.

    Parameters
    ----------
    status
        SUCCEEDED, FAILED or IN_PROGRESS; None where it was no valid answer, and `error` says why.
    call_back_delay
        Seconds until it is invoked again, with IN_PROGRESS.
    reason
        The `reason` in its answer.
    response
        All it answered; None where it raised.
    error
        Why ECS could not use it.
    """

    kind: ClassVar[str] = "hook-answered"
    hook_id: str
    target: str
    stage: str
    attempt: int
    status: str | None
    call_back_delay: float | None = None
    reason: str = ""
    response: Any = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookStateChanged(Record):
    """A hook has another state. `event` is EventBridge's `ECS Hook State Change`."""

    kind: ClassVar[str] = "hook-state-changed"
    hook_id: str
    hook_type: str
    target: str | None
    stage: str
    state: str
    event: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HookReported(Record):
    """CodeDeploy was told a status of a hook, Succeeded or Failed; or it has waited for one in vain, TimedOut."""

    kind: ClassVar[str] = "hook-reported"
    hook_id: str
    target: str
    stage: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentCreated(Record):
    """A deployment of CodeDeploy is there; what its hooks are sent does not tell what is deployed.

    Parameters
    ----------
    green, blue
        ARN of the new task set or function version, and of the one that serves; empty where there is none yet.
    configuration
        How traffic moves, in words.
    rolls_back
        Id of the deployment that it rolls back; empty where it is none of these.
    """

    kind: ClassVar[str] = "deployment-created"
    green: str
    blue: str
    configuration: str
    rolls_back: str = ""


Listener = Callable[[Any], object]
R = TypeVar("R", bound=Record)


class Timeline:
    """The records of all deployments of a controller, in order."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every record from now on, in the thread of the controller.

        It may call the ECS operations (`DeploymentController.deployments`), but not deploy and not sleep.

        Returns
        -------
        A function that ends it.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def emit(self, record: Record) -> None:
        """Add a record and tell the listeners."""
        self.records.append(record)
        for listener in tuple(self._listeners):
            listener(record)

    def of(self, kind: type[R]) -> list[R]:
        """Return the records of one type."""
        return [record for record in self.records if isinstance(record, kind)]
