"""What keeps responses from being compared."""

from __future__ import annotations

from ecs_hooks.core.outcome import ExplainedError


class IncomparableError(ExplainedError):
    """There is too much to compare, or not what the plan takes for granted; the message says what to do."""
