"""The targets check: green's targets are healthy at the load balancer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from ecs_hooks.checks.base import Check, CheckContext
from ecs_hooks.deployment.endpoint import require_running
from ecs_hooks.deployment.revision import ACTION as REVISIONS
from ecs_hooks.deployment.targets import ACTION, Target, target_health
from ecs_hooks.outcome import Outcome, Status

if TYPE_CHECKING:
    from ecs_hooks.deployment.actions import SharedActions

_WORST_FIRST = [Status.FAIL, Status.WAIT, Status.PASS, Status.SKIP]
_GOING = {"draining"}
_COMING = {"initial"}


class TargetsCheck(Check):
    """Counts the targets of green's target group by health.

    Targets that are still being registered are waited for. Targets that drain do not count.
    """

    type: Literal["targets"] = "targets"
    min_healthy: Annotated[int, Field(ge=0, le=10_000)] = 1
    """Healthy targets that there must be."""
    max_unhealthy: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Unhealthy targets that there may be."""

    @property
    def needs_running(self) -> bool:
        """Always."""
        return True

    def actions(self, shared: SharedActions) -> frozenset[str]:
        """Return those for target health, and for green's target groups."""
        return frozenset({ACTION, REVISIONS} if shared.green_runs else ())

    def run(self, context: CheckContext) -> Outcome:
        """Ask, and count."""
        require_running(context.stage)
        groups = [each.target_group for each in context.deployment.green.load_balancing if each.target_group]
        if not groups:
            return Outcome.skip("green has no target group")
        outcomes = [self._judge(group, target_health(group)) for group in groups]
        # The worst of them decides; with one target group, which is most services, there is just that one.
        return min(outcomes, key=lambda outcome: _WORST_FIRST.index(outcome.status))

    def _judge(self, group: str, targets: list[Target]) -> Outcome:
        name = group.split("/")[1] if "/" in group else group
        counts = Counter(target.state for target in targets if target.state not in _GOING)
        evidence = {f"{state}_targets": count for state, count in counts.items()}
        healthy, coming = counts["healthy"], sum(counts[state] for state in _COMING)
        if counts["unused"] and counts["unused"] == sum(counts.values()):
            return Outcome.skip(f"target group {name} gets no traffic yet, so its targets are not checked")
        bad = sum(counts.values()) - healthy - coming
        if bad > self.max_unhealthy:
            reasons = Counter(target.why for target in targets if target.state not in {"healthy", *_COMING, *_GOING})
            why = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common(3))
            return Outcome.failed(f"target group {name} has {_targets(bad, 'unhealthy')}: {why}", evidence)
        told = f"target group {name} has {_targets(healthy, 'healthy')}"
        if healthy >= self.min_healthy and not coming:
            return Outcome.passed(told, evidence)
        return Outcome.wait(f"{told} and {coming} initial, expected {self.min_healthy} or more", evidence)


def _targets(count: int, kind: str) -> str:
    return f"{count} {kind} target{'' if count == 1 else 's'}"
