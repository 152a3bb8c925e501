"""The time that one attempt may take, from the look-up of the name to the last byte."""

from __future__ import annotations

from typing import NamedTuple

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http.errors import ConnectTimeoutError, DeadlineError, HttpError, Phase, ResponseTimeoutError


class Budget(NamedTuple):
    """Two deadlines, the earlier of which counts.

    Parameters
    ----------
    seconds
        What the attempt was given: `timeout_seconds`.
    attempt
        When that is over.
    invocation
        When the whole invocation is over.
    """

    seconds: float
    attempt: Deadline
    invocation: Deadline

    @classmethod
    def start(cls, seconds: float, invocation: Deadline) -> Budget:
        """Return the budget of an attempt that begins now."""
        return cls(seconds, Deadline.after(seconds), invocation)

    @property
    def deadline(self) -> Deadline:
        """The earlier of the two."""
        return min(self.attempt, self.invocation)

    def timeout(self, phase: Phase) -> HttpError:
        """Return the error for a time-out in this phase."""
        if self.invocation <= self.attempt:
            return DeadlineError(f"{phase} when the time of this invocation was over")
        message = f"{phase} within {self.seconds:g} s (timeout_seconds)"
        if phase in {Phase.RESOLVE, Phase.CONNECT, Phase.TLS}:
            return ConnectTimeoutError(message)
        return ResponseTimeoutError(message, phase)
