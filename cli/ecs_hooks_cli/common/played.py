"""A deployment that was played, and its result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ecs_hooks_simulator.core.protocols import Deployed
from ecs_hooks_simulator.traffic.load_balancer import Forwarded


class Played(NamedTuple):
    """A deployment that was played, how it should have ended, and what its load balancer forwarded meanwhile."""

    name: str
    deployment: Deployed
    expected: str
    requests: Sequence[Forwarded] = ()

    @property
    def as_expected(self) -> bool:
        """Whether it ended so."""
        return str(self.deployment.outcome) == self.expected

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "kind": "summary",
            "name": self.name,
            "deployment": self.deployment.arn,
            "status": str(self.deployment.status),
            "outcome": str(self.deployment.outcome),
            "statusReason": self.deployment.status_reason,
            "expected": self.expected,
            "asExpected": self.as_expected,
        }
