"""Texts of responses that a plan does not compare."""

from __future__ import annotations

from ecs_hooks.assertions.patterns import Pattern
from ecs_hooks.core.plan_model import PlanModel


class IgnoredText(PlanModel):
    """Texts that are not compared."""

    matches: Pattern
    """A regular expression (RE2). Its matches are not compared, in texts of bodies and in headers."""
