"""Limits for a number, such as a metric's value."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, model_validator


class Condition(BaseModel):
    """Limits: the condition holds for a number beyond one of them."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    above: float | None = None
    """Holds for a greater number."""
    below: float | None = None
    """Holds for a smaller number."""

    @model_validator(mode="after")
    def _has_a_limit(self) -> Condition:
        if self.above is None and self.below is None:
            raise ValueError("requires above, below or both")
        return self

    def holds(self, value: float) -> bool:
        """Return whether a number is beyond a limit."""
        return (self.above is not None and value > self.above) or (self.below is not None and value < self.below)

    def limits(self, name: str) -> dict[str, float]:
        """Return the limits as evidence, beside the number of this name."""
        limits = {f"{name}_limit": self.above, f"{name}_lower_limit": self.below}
        return {key: limit for key, limit in limits.items() if limit is not None}

    def __str__(self) -> str:
        """Return the limits as reasons show them, such as `above 5 or below 1`."""
        limits = {"above": self.above, "below": self.below}
        return " or ".join(f"{name} {limit:g}" for name, limit in limits.items() if limit is not None)
