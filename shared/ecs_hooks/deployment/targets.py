"""Removed by the renames of the merge: only for imports of other areas."""

from ecs_hooks.deployment.listener import TARGET_HEALTH as ACTION
from ecs_hooks.deployment.listener import Target, target_health

__all__ = ["ACTION", "Target", "target_health"]
