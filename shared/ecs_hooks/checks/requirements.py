"""Interim: the class is in `ecs_hooks.checks.base`."""

from ecs_hooks.checks.base import Requirements

__all__ = ["Requirements"]
