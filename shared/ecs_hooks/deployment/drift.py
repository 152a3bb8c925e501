"""Removed by the renames of the merge: only for imports of other areas."""

from ecs_hooks.deployment.listener import misdirected, strangers

__all__ = ["misdirected", "strangers"]
