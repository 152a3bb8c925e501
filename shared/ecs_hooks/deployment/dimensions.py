"""Removed by the renames of the merge: only for imports of other areas."""

from ecs_hooks.deployment.placeholders import NoBlueError, filled, placeholder_actions, placeholders

__all__ = ["NoBlueError", "filled", "placeholder_actions", "placeholders"]
