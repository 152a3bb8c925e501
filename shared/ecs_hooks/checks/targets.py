"""The targets check: green's targets are healthy at the load balancer."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field

from ecs_hooks.checks.base import Check, Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.core.event import Stage
from ecs_hooks.core.formatting import counted, listed
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.deployment.endpoint import BEFORE_TEST_TRAFFIC, require_running
from ecs_hooks.deployment.listener import TARGET_HEALTH, RegisteredTarget, target_group_names, target_health
from ecs_hooks.deployment.revision import DESCRIBE_REVISIONS, LoadBalancing

_WORST_FIRST = [Status.FAIL, Status.WAIT, Status.PASS, Status.SKIP]
_NOT_BAD = {"healthy", "initial", "draining"}

_MAX_GROUPS = 5
"""Number of target groups in a reason."""


class TargetsCheck(Check):
    """Counts the targets of green's target group by health.

    The check waits for targets in the state `initial`, and ignores those in the state `draining`.
    """

    type: Literal["targets"] = "targets"
    min_healthy: Annotated[int, Field(ge=0, le=10_000)] = 1
    """Minimum number of healthy targets."""
    max_unhealthy: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Maximum number of unhealthy targets."""

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        return super().requirements()._replace(running=True, actions=frozenset({TARGET_HEALTH, DESCRIBE_REVISIONS}))

    def run(self, context: CheckContext) -> Outcome:
        """Read the health of the targets, and evaluate it."""
        require_running(context.stage)
        green = context.deployment.green
        groups = green.load_balancing
        if not groups:
            return Outcome.skip("green has no target group").leaving_out(green.unread)
        if not all(each.target_group for each in groups):
            return Outcome.error(f"{DESCRIBE_REVISIONS}: no target group of green is resolved yet")
        outcomes = [
            self._evaluate(each.target_group, target_health(each.target_group), used=_is_used(each, context.stage))
            for each in groups
        ]
        worst = min(outcomes, key=lambda outcome: _WORST_FIRST.index(outcome.status))
        reasons = [each.reason for each in outcomes if each.status is worst.status]
        unused = [
            f"{target_group_names([group.target_group])} (no traffic yet)"
            for group, outcome in zip(groups, outcomes, strict=True)
            if outcome.status is Status.SKIP and worst.status is not Status.SKIP
        ]
        return worst._replace(reason=listed(reasons, _MAX_GROUPS)).leaving_out([*unused, *green.unread])

    def _evaluate(self, group: str, targets: list[RegisteredTarget], *, used: bool) -> Outcome:
        name = group.split("/")[1] if "/" in group else group
        counts = Counter(target.state for target in targets if target.state != "draining")
        healthy, initial = counts["healthy"], counts["initial"]
        bad = counts.total() - healthy - initial
        evidence = {
            **{f"{state}_targets": count for state, count in counts.items()},
            "healthy_targets": healthy,
            "healthy_targets_lower_limit": self.min_healthy,
            "bad_targets": bad,
            "bad_targets_limit": self.max_unhealthy,
        }
        if not used and set(counts) == {"unused"}:
            return Outcome.skip(f"target group {name} has no traffic yet, so its targets are unused")
        if bad > self.max_unhealthy:
            reasons = Counter(target.why for target in targets if target.state not in _NOT_BAD)
            why = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common(3))
            return Outcome.failed(f"target group {name} has {counted(bad, 'unhealthy target')}: {why}", evidence)
        summary = f"target group {name} has {counted(healthy, 'healthy target')}"
        if healthy >= self.min_healthy and not initial:
            return Outcome.passed(summary, evidence)
        return Outcome.wait(f"{summary} and {initial} initial, expected {self.min_healthy} or more", evidence)


def _is_used(load_balancing: LoadBalancing, stage: str) -> bool:
    """Return whether a listener forwards to green's target group at this stage."""
    if stage == Stage.POST_PRODUCTION_TRAFFIC_SHIFT:
        return True
    return bool(load_balancing.test) and stage not in BEFORE_TEST_TRAFFIC
