"""Texts of responses that a plan does not compare."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ecs_hooks.assertions.patterns import Pattern


class IgnoredText(BaseModel):
    """Texts that are not compared."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    matches: Pattern
    """A regular expression (RE2). Its matches are not compared, in texts of bodies and in headers."""
