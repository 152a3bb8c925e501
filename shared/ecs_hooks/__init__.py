"""Lifecycle hooks for Amazon ECS deployments: check the new revision, and say why it may go on or not."""

from ecs_hooks.core.gc_freeze import gc_freeze
from ecs_hooks.core.version import __version__

with gc_freeze():
    from ecs_hooks.core.event import LifecycleEvent, Stage
    from ecs_hooks.core.outcome import Outcome, Status
    from ecs_hooks.core.response import HookResponse, HookStatus
    from ecs_hooks.engine.hook import Hook
    from ecs_hooks.handler import LifecycleHandler, lifecycle_hook, stage_hook
    from ecs_hooks.plan.model import Plan, PlanError

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
