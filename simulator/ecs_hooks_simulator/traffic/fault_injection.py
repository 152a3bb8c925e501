"""What the faults of a service revision do to the requests that the load balancer forwards to it.

Shares are exact, not only likely: of 100 requests at `errors=20%`, exactly 20 are answered 500, evenly spread.
"""

from __future__ import annotations

from typing import NamedTuple

from ecs_hooks_simulator.core.faults import Fault, FaultKind

HEALTH_CHECK_TIMEOUT = 5.0
"""Seconds; an Application Load Balancer's default."""


class Unhealthy(NamedTuple):
    """Why a target is unhealthy: `Reason` and `Description` of the API."""

    reason: str
    description: str

    def to_dict(self) -> dict[str, str]:
        """Return the shape of the API."""
        return {"Reason": self.reason, "Description": self.description}


class Disturbance(NamedTuple):
    """What happens to one request.

    Parameters
    ----------
    fails
        Whether it is answered 500 in the application's place.
    hangs
        Whether it is never answered.
    delay, stretch
        Seconds that the answer comes later, and by which part of its own time.
    """

    fails: bool = False
    hangs: bool = False
    delay: float = 0.0
    stretch: float = 0.0

    def later(self, seconds: float) -> float:
        """Return by how much an answer is late that took so many seconds by itself."""
        return self.delay + self.stretch * seconds


class Disturbances:
    """The faults of one revision, for each listener of its own: a hook's requests do not change what users get."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._credit: dict[str, float] = {}

    def add(self, fault: Fault) -> None:
        """Begin with one more fault."""
        self._faults.append(fault)

    def next(self, listener: str) -> Disturbance:
        """Return what happens to the next request that comes from a listener."""
        # Each request adds the share to a credit; whenever that makes a whole request, it fails.
        credit = self._credit.get(listener, 0.0) + self._most(FaultKind.ERRORS, "percent")
        fails = credit >= 100 - 1e-9
        self._credit[listener] = credit - 100 if fails else credit
        return Disturbance(
            fails=fails,
            hangs=self._has(FaultKind.HANG),
            delay=self._most(FaultKind.LATENCY, "seconds"),
            stretch=self._most(FaultKind.LATENCY, "percent") / 100,
        )

    @property
    def unhealthy(self) -> Unhealthy | None:
        """What a load balancer's health check with its default settings would find; None where it would find nothing.

        Errors that only some requests get do not count: which of the health check's own requests fail would be luck.
        """
        if self._has(FaultKind.CRASH):
            return Unhealthy("Target.FailedHealthChecks", "Health checks failed")
        if self._has(FaultKind.HANG) or self._most(FaultKind.LATENCY, "seconds") >= HEALTH_CHECK_TIMEOUT:
            return Unhealthy("Target.Timeout", "Request timed out")
        if self._most(FaultKind.ERRORS, "percent") >= 100:  # noqa: PLR2004 - per cent
            return Unhealthy("Target.ResponseCodeMismatch", "Health checks failed with these codes: [500]")
        return None

    def _has(self, kind: FaultKind) -> bool:
        return any(fault.kind is kind for fault in self._faults)

    def _most(self, kind: FaultKind, field: str) -> float:
        """Return the largest value that faults of a kind have: the later one does not make the earlier one less."""
        return max((getattr(fault, field) or 0.0 for fault in self._faults if fault.kind is kind), default=0.0)
