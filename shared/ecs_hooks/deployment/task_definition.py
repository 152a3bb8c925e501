"""Removed by the renames of the merge: only for imports of other areas."""

from ecs_hooks.deployment.tasks import TASK_DEFINITION as ACTION
from ecs_hooks.deployment.tasks import container_definitions, named_port

__all__ = ["ACTION", "container_definitions", "named_port"]
