"""Lifecycle hooks for Amazon ECS deployments: check the new revision, and say why it may go on or not."""

from ecs_hooks.core.version import __version__
from ecs_hooks.loading import all_of_it_stays

with all_of_it_stays():
    from ecs_hooks.event import LifecycleEvent, Stage
    from ecs_hooks.handler import LifecycleHandler, lifecycle_hook, stage_hook
    from ecs_hooks.hook import Hook
    from ecs_hooks.outcome import Outcome, Status
    from ecs_hooks.plan import Plan, PlanError
    from ecs_hooks.response import HookResponse, HookStatus

__all__ = [
    "Hook",
    "HookResponse",
    "HookStatus",
    "LifecycleEvent",
    "LifecycleHandler",
    "Outcome",
    "Plan",
    "PlanError",
    "Stage",
    "Status",
    "__version__",
    "lifecycle_hook",
    "stage_hook",
]
