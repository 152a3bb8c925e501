"""Everything that happens in a simulation: typed records, passed to listeners at once.

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
    """One event of a simulation: its time (seconds since the epoch, on the simulation's clock), and the deployment's ARN."""

    kind: ClassVar[str]
    time: float
    deployment: str

    def to_dict(self) -> dict[str, Any]:
        """Return the record and its `kind` as a JSON object."""
        return {"kind": self.kind} | {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged(Record):
    """The deployment has a new status; `event` is EventBridge's, for the statuses that have one."""

    kind: ClassVar[str] = "status-changed"
    status: str
    reason: str | None = None
    event: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEntered(Record):
    """A lifecycle stage begins; a rollback enters the traffic shifts a second time."""

    kind: ClassVar[str] = "stage-entered"
    stage: str
    rollback: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksChanged(Record):
    """Tasks of a revision were started, became healthy, were stopped, or could not start (`failed`)."""

    kind: ClassVar[str] = "tasks-changed"
    revision: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficShifted(Record):
    """A listener, `test` or `production`, has new weights: per cent by service revision ARN."""

    kind: ClassVar[str] = "traffic-shifted"
    listener: str
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultInjected(Record):
    """A fault of a revision begins, at a stage and at a share of the production traffic.

    Parameters
    ----------
    fault
        The fault without its beginning, such as `errors=20%`.
    planned
        The fault in the form that `Fault.parse` reads.
    """

    kind: ClassVar[str] = "fault-injected"
    fault: str
    planned: str
    revision: str
    stage: str
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmStateChanged(Record):
    """A CloudWatch alarm has a new state, with its reason."""

    kind: ClassVar[str] = "alarm-state-changed"
    alarm: str
    before: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HookInvoked(Record):
    """A function is invoked with an event; `attempt` counts from 1 at each stage."""

    kind: ClassVar[str] = "hook-invoked"
    hook_id: str
    target: str
    stage: str
    attempt: int
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HookAnswered(Record):
    """A function has returned or raised.

    Parameters
    ----------
    status
        SUCCEEDED, FAILED or IN_PROGRESS; None where the response was invalid, and `error` says why.
    call_back_delay
        Seconds until the next invocation, with IN_PROGRESS.
    reason
        The `reason` of the response.
    response
        The whole response; None where the function raised.
    error
        Why ECS could not use the response.
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
    """A hook has a new state; `event` is EventBridge's `ECS Hook State Change`."""

    kind: ClassVar[str] = "hook-state-changed"
    hook_id: str
    hook_type: str
    target: str | None
    stage: str
    state: str
    event: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HookReported(Record):
    """A hook has reported its status to CodeDeploy: Succeeded or Failed; TimedOut if it has reported none in time."""

    kind: ClassVar[str] = "hook-reported"
    hook_id: str
    target: str
    stage: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentCreated(Record):
    """CodeDeploy has created a deployment; the events of its hooks do not contain these facts.

    Parameters
    ----------
    green, blue
        ARN of the new task set or function version, and of the present one; empty where there is none yet.
    configuration
        The deployment configuration in words.
    rolls_back
        Id of the deployment that it rolls back; empty for other deployments.
    """

    kind: ClassVar[str] = "deployment-created"
    green: str
    blue: str
    configuration: str
    rolls_back: str = ""


Listener = Callable[[Any], object]
R = TypeVar("R", bound=Record)


class Timeline:
    """The records of all deployments of a controller, in order.

    Attributes
    ----------
    records : list[Record]
        All records so far.
    """

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every new record, in the controller's thread; return a function that ends this.

        A listener may call the ECS operations (`DeploymentController.deployments`). It must not deploy or sleep.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def emit(self, record: Record) -> None:
        """Add a record and pass it to the listeners."""
        self.records.append(record)
        for listener in tuple(self._listeners):
            listener(record)

    def of(self, kind: type[R]) -> list[R]:
        """Return the records of one type."""
        return [record for record in self.records if isinstance(record, kind)]
