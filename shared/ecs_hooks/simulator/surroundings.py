"""Surroundings of a deployment that exist only in memory: for tests of hooks that need no running application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecs_hooks.simulator.model import ServiceRevision
    from ecs_hooks.simulator.protocols import ListenerKind


class MemoryTraffic:
    """A load balancer that remembers its weights and forwards nothing."""

    def __init__(self) -> None:
        self.weights: dict[ListenerKind, Mapping[str, float]] = {}

    def shift(self, kind: ListenerKind, weights: Mapping[str, float]) -> None:
        """Remember the weights of a listener."""
        self.weights[kind] = dict(weights)


class MemoryTasks:
    """Tasks that are healthy at once and run nothing."""

    def __init__(self) -> None:
        self.running: dict[str, ServiceRevision] = {}

    def start(self, revision: ServiceRevision) -> None:
        """Count the revision as running."""
        self.running[revision.arn] = revision

    def healthy(self, revision: ServiceRevision) -> bool:
        """Return whether it was started."""
        return revision.arn in self.running

    def stop(self, revision: ServiceRevision) -> None:
        """Count the revision as stopped."""
        self.running.pop(revision.arn, None)
