"""The drift check: listeners lead where ECS has led them."""

from __future__ import annotations

from typing import Literal

from ecs_hooks.checks.base import Check
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.requirements import Requirements
from ecs_hooks.core.event import Stage
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.deployment.drift import misdirected, strangers
from ecs_hooks.deployment.endpoint import BEFORE_TEST_TRAFFIC
from ecs_hooks.deployment.revision import ACTION as REVISIONS


class DriftCheck(Check):
    """Asks Elastic Load Balancing whether listeners lead where they have to at this stage.

    The test listener leads to green alone once the test traffic has been shifted; the production listener leads to green
    alone after the last step, and to nobody but blue and green before. Infrastructure as code that sets a rule back does
    not show in ECS, and the next step would send traffic to a target group without tasks (containers-roadmap #2853).
    """

    type: Literal["drift"] = "drift"

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        required = super().requirements()
        return required._replace(actions=frozenset({REVISIONS}), service_actions=lambda shared: shared.routes)

    def run(self, context: CheckContext) -> Outcome:
        """Ask, and compare."""
        deployment = context.deployment
        problems: list[str] = []
        seen = 0
        for each in deployment.green.load_balancing:
            if each.test and context.stage not in BEFORE_TEST_TRAFFIC:
                seen += 1
                problems.append(misdirected(deployment.route(each.test), each, each.test))
            if each.production:
                seen += 1
                route = deployment.route(each.production)
                if context.stage == Stage.POST_PRODUCTION_TRAFFIC_SHIFT:
                    problems.append(misdirected(route._replace(obstacle=""), each, each.production))
                else:
                    problems.append(strangers(route, each, each.production))
        found = [problem for problem in problems if problem]
        if found:
            return Outcome.failed("; ".join(found))
        if not seen:
            return Outcome.skip("the service has no listener that ECS shifts")
        return Outcome.passed(f"{seen} {'listeners lead' if seen > 1 else 'listener leads'} where ECS led them")
