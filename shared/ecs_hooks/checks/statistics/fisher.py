"""Interim: the function is in `ecs_hooks.checks.statistics`."""

from ecs_hooks.checks.statistics import fisher_exact as more_often

__all__ = ["more_often"]
