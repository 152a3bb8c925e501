"""The drift check: listeners forward as ECS configured them."""

from __future__ import annotations

from typing import Literal

from ecs_hooks.checks.base import Check, Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.core.event import Stage
from ecs_hooks.core.formatting import counted
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.deployment.endpoint import BEFORE_TEST_TRAFFIC
from ecs_hooks.deployment.listener import foreign_target_group, route_error
from ecs_hooks.deployment.revision import DESCRIBE_REVISIONS


class DriftCheck(Check):
    """Compares the target groups of the service's listeners with those that this stage requires.

    The test listener forwards to green alone once the test traffic is shifted. The production listener forwards to green
    alone after the last step, and before that to blue and green only. If infrastructure as code resets a rule, ECS does not
    notice, and the next step would send traffic to a target group without tasks (containers-roadmap #2853).
    """

    type: Literal["drift"] = "drift"

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        required = super().requirements()
        return required._replace(actions=frozenset({DESCRIBE_REVISIONS}), service_actions=lambda shared: shared.routes)

    def run(self, context: CheckContext) -> Outcome:
        """Read the listeners, and compare their target groups."""
        deployment = context.deployment
        problems: list[str] = []
        for each in deployment.green.load_balancing:
            if each.test and context.stage not in BEFORE_TEST_TRAFFIC:
                problems.append(route_error(deployment.route(each.test), each, each.test))
            if each.production:
                route = deployment.route(each.production)
                if context.stage == Stage.POST_PRODUCTION_TRAFFIC_SHIFT:
                    problems.append(route_error(route._replace(obstacle=""), each, each.production))
                else:
                    problems.append(foreign_target_group(route, each, each.production))
        if any(problems):
            return Outcome.failed("; ".join(filter(None, problems)))
        unread = deployment.green.unread
        if not problems:
            return Outcome.skip("the service has no listener that ECS manages").leaving_out(unread)
        return Outcome.passed(f"{counted(len(problems), 'listener')} as ECS configured").leaving_out(unread)
