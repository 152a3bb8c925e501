"""Interim: the function is in `ecs_hooks.checks.statistics`."""

from ecs_hooks.checks.statistics import mann_whitney_u as mann_whitney

__all__ = ["mann_whitney"]
