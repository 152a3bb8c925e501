"""Whether the service deploys in a way that has hooks at all."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ecs_hooks.core.event import Stage
from ecs_hooks_cli.common.service import Service
from ecs_hooks_cli.doctor.finding import Finding, error, ok, warning

_SUBJECT = "service"


def examine(service: Service, stages: Collection[str]) -> Iterator[Finding]:
    """Look at controller and strategy, and at whether there are hooks at some stages, or at any."""
    controller = (service.described.get("deploymentController") or {}).get("type") or "ECS"
    strategy = str(service.configuration.get("strategy") or "ROLLING")
    if controller != "ECS":
        yield error(
            _SUBJECT,
            f"its deployments are made by {controller}, and only ECS itself invokes lifecycle hooks",
            "set the service's deployment controller to ECS",
        )
    elif strategy == "ROLLING":
        yield warning(
            _SUBJECT,
            "its strategy is ROLLING: at which stages ECS invokes hooks then is not documented, and there is no test traffic",
            "set the strategy to BLUE_GREEN, LINEAR or CANARY",
        )
    else:
        yield ok(_SUBJECT, f"strategy {strategy}")
    at = {stage for hook in service.hooks for stage in hook.get("lifecycleStages") or []}
    if not (at & set(stages) if stages else service.hooks):
        what = f"no lifecycle hook at {', '.join(stages)}" if stages else "no lifecycle hooks"
        wanted = next(iter(stages), Stage.POST_TEST_TRAFFIC_SHIFT)
        yield warning(_SUBJECT, f"it has {what}", f"ecs-hooks attach {service.cluster}/{service.name} --stage {wanted}")
