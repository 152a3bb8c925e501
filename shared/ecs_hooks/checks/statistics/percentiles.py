"""Interim: the function is in `ecs_hooks.checks.statistics`."""

from ecs_hooks.checks.statistics import nearest_rank

__all__ = ["nearest_rank"]
