"""Lifecycle hooks for Amazon ECS deployments: check the new revision, and say why it may go on or not."""

# ruff: noqa: E402 - the imports below are what the garbage collector is kept away from
import gc

# A cold start makes thousands of classes and functions that all stay; to look for garbage among them again and again
# takes a twentieth of it.
_collecting = gc.isenabled()
gc.disable()

from ecs_hooks.event import LifecycleEvent, Stage
from ecs_hooks.handler import LifecycleHandler, lifecycle_hook, stage_hook
from ecs_hooks.hook import Hook
from ecs_hooks.outcome import Outcome, Status
from ecs_hooks.plan import Plan, PlanError
from ecs_hooks.response import HookResponse, HookStatus

if _collecting:  # pragma: no branch - it is off only where the user turned it off
    gc.enable()

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
    "lifecycle_hook",
    "stage_hook",
]

__version__ = "0.1.0"
