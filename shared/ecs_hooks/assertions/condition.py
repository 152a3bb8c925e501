"""Limits that values are held against."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, model_validator


class Condition(BaseModel):
    """A limit that a value is beyond."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    above: float | None = None
    """Holds for a greater value."""
    below: float | None = None
    """Holds for a smaller value."""

    @model_validator(mode="after")
    def _has_a_limit(self) -> Condition:
        if self.above is None and self.below is None:
            message = "give above, below or both"
            raise ValueError(message)
        return self

    def holds(self, value: float) -> bool:
        """Return whether a value is beyond the limit."""
        return (self.above is not None and value > self.above) or (self.below is not None and value < self.below)

    def limits(self, name: str) -> dict[str, float]:
        """Return the limits as evidence has them beside the value of this name."""
        limits = {f"{name}_limit": self.above, f"{name}_lower_limit": self.below}
        return {key: limit for key, limit in limits.items() if limit is not None}

    def __str__(self) -> str:
        """Return the limit as a reason has it."""
        limits = {"above": self.above, "below": self.below}
        return " or ".join(f"{name} {limit:g}" for name, limit in limits.items() if limit is not None)
