"""The strategies of a deployment, and the steps in which they move the production traffic, with ECS's own validation.

Source of every rule: botocore's service model of `LinearConfiguration` and `CanaryConfiguration`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from ecs_hooks_simulator.core.errors import InvalidParameterError

DAY_MINUTES = 1440


class Strategy(StrEnum):
    """How traffic moves from blue to green."""

    BLUE_GREEN = "BLUE_GREEN"
    """All at once."""
    LINEAR = "LINEAR"
    """In equal steps."""
    CANARY = "CANARY"
    """A small part, then the rest."""


class Step(NamedTuple):
    """One shift of production traffic.

    Parameters
    ----------
    percent
        Green's share afterwards.
    bake_minutes
        How long ECS waits before the next step.
    """

    percent: float
    bake_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearConfiguration:
    """`linearConfiguration`: every step moves as much, and is baked, but for the last.

    Raises
    ------
    InvalidParameterError
        If ECS would refuse it: `stepPercent` is 3.0 to 100.0 in tenths, `stepBakeTimeInMinutes` 0 to 1440.
    """

    step_percent: float = 10.0
    step_bake_time_minutes: int = 6

    def __post_init__(self) -> None:
        """Refuse what ECS refuses."""
        _check_percent("stepPercent", self.step_percent, 3.0)
        check_minutes("stepBakeTimeInMinutes", self.step_bake_time_minutes)

    @property
    def steps(self) -> list[Step]:
        """The steps; the last one goes to 100 per cent, however far that still is."""
        tenths = round(self.step_percent * 10)
        shares = [share / 10 for share in range(tenths, 1000, tenths)]
        return [*(Step(share, self.step_bake_time_minutes) for share in shares), Step(100, 0)]

    def to_dict(self) -> dict[str, Any]:
        """Return the shape of the API."""
        return {"stepPercent": self.step_percent, "stepBakeTimeInMinutes": self.step_bake_time_minutes}


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryConfiguration:
    """`canaryConfiguration`: the canary's share is baked, then the rest follows.

    Raises
    ------
    InvalidParameterError
        If ECS would refuse it: `canaryPercent` is 0.1 to 100.0 in tenths, `canaryBakeTimeInMinutes` 0 to 1440.
    """

    canary_percent: float = 5.0
    canary_bake_time_minutes: int = 10

    def __post_init__(self) -> None:
        """Refuse what ECS refuses."""
        _check_percent("canaryPercent", self.canary_percent, 0.1)
        check_minutes("canaryBakeTimeInMinutes", self.canary_bake_time_minutes)

    @property
    def steps(self) -> list[Step]:
        """The two steps."""
        return [Step(self.canary_percent, self.canary_bake_time_minutes), Step(100, 0)]

    def to_dict(self) -> dict[str, Any]:
        """Return the shape of the API."""
        return {"canaryPercent": self.canary_percent, "canaryBakeTimeInMinutes": self.canary_bake_time_minutes}


def _check_percent(name: str, value: float, least: float) -> None:
    if not least <= value <= 100 or abs(value * 10 - round(value * 10)) > 1e-9:  # noqa: PLR2004 - per cent
        raise InvalidParameterError(f"{name} must be between {least} and 100.0, in multiples of 0.1")


def check_minutes(name: str, value: int) -> None:
    """Refuse minutes that ECS refuses: more than a day, or fewer than none."""
    if not 0 <= value <= DAY_MINUTES:
        raise InvalidParameterError(f"{name} must be between 0 and {DAY_MINUTES}")
