"""Whether the service has traffic for the checks that judge its metrics, and how long they must watch."""

from __future__ import annotations

from collections.abc import Iterator

from ecs_hooks_cli.common.advice import advice, judges_traffic, shares, usual_of_last_week
from ecs_hooks_cli.doctor.attached_hook import PlannedHook
from ecs_hooks_cli.doctor.finding import Finding, Subject

SUBJECT = Subject("traffic")


def examine(hook: PlannedHook) -> Iterator[Finding]:
    """Find the traffic of the last week, where a check depends on it."""
    examined = hook.attached.examined
    checks = judges_traffic(check for plan in hook.plans.values() for check in plan.checks)
    usual = usual_of_last_week(examined.arn.region, examined.service.load_balancing) if checks else None
    if usual is None:
        return
    if not usual.requests:
        yield SUBJECT.warning(
            f"most hours of the last week had no requests: {', '.join(checks)} may have nothing to judge",
            "use checks that send requests (http, scenario, load), or set missing_data of the check",
        )
        return
    yield SUBJECT.ok(f"{usual}; how long a comparison must watch:")
    for line in advice(usual, shares(examined.service.configuration)):
        yield SUBJECT.ok(line)
