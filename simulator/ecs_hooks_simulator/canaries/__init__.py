"""Seeded canary deployments: how often a plan rolls back equal revisions, and how often it misses a slower one."""

from __future__ import annotations

from ecs_hooks_simulator.canaries.canaries import Canaries, Played
from ecs_hooks_simulator.canaries.performance import Performance

__all__ = ["Canaries", "Performance", "Played"]
