"""Traffic, tasks and alarms that exist only in memory, for hooks that need no running application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecs_hooks_simulator.core.faults import Fault
from ecs_hooks_simulator.core.protocols import AlarmChange, ListenerKind
from ecs_hooks_simulator.core.service_deployment import ServiceRevision


class MemoryTraffic:
    """A load balancer that only stores its weights."""

    def __init__(self) -> None:
        self.weights: dict[ListenerKind, Mapping[str, float]] = {}

    def shift(self, kind: ListenerKind, weights: Mapping[str, float]) -> None:
        """Store the weights of a listener."""
        self.weights[kind] = dict(weights)


class MemoryTasks:
    """Tasks that run nothing and are healthy at once."""

    def __init__(self) -> None:
        self.running: dict[str, ServiceRevision] = {}
        self.faults: list[tuple[str, Fault]] = []

    def start(self, revision: ServiceRevision) -> None:
        """Count the revision as running."""
        self.running[revision.arn] = revision

    def healthy(self, revision: ServiceRevision) -> bool:
        """Return whether the revision was started."""
        return revision.arn in self.running

    def inject(self, revision: ServiceRevision, fault: Fault) -> None:
        """Store the fault."""
        self.faults.append((revision.arn, fault))

    def stop(self, revision: ServiceRevision) -> None:
        """Count the revision as stopped."""
        self.running.pop(revision.arn, None)


class MemoryAlarms:
    """Alarms whose states are set by the test: `alarms.current["api"] = "ALARM"`."""

    def __init__(self, **states: str) -> None:
        self.current = states

    def evaluate(self) -> Sequence[AlarmChange]:
        """Change nothing."""
        return ()

    def states(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the states of the alarms that exist."""
        return {name: self.current[name] for name in names if name in self.current}
