"""The effect of a service revision's faults on the requests that the load balancer forwards to it.

Shares are exact, not only probable: of 100 requests with `errors=20%`, exactly 20 get status 500, evenly spread.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from typing import NamedTuple

from ecs_hooks.core import clock
from ecs_hooks_simulator.core.faults import Fault, FaultKind

HEALTH_CHECK_TIMEOUT = 5.0
"""Seconds; an Application Load Balancer's default."""
_POLL = 0.1
"""Seconds between two checks whether a waiting client is still connected."""


class Unhealthy(NamedTuple):
    """Why a target is unhealthy: `Reason` and `Description` of the API."""

    reason: str
    description: str

    def to_dict(self) -> dict[str, str]:
        """Return the shape of the API."""
        return {"Reason": self.reason, "Description": self.description}


class FaultEffect(NamedTuple):
    """The effect of faults on one request.

    Parameters
    ----------
    fails
        Whether it gets status 500 in place of the application's response.
    hangs
        Whether it gets no response.
    delay, stretch
        Added to the response time: seconds, and a multiple of the application's own time.
    """

    fails: bool = False
    hangs: bool = False
    delay: float = 0.0
    stretch: float = 0.0

    def extra_seconds(self, seconds: float) -> float:
        """Return the seconds that are added to an application's own response time."""
        return self.delay + self.stretch * seconds


class FaultInjector:
    """The faults of one revision; each listener has its own sequence, so a hook's requests do not affect users."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._credit: dict[str, float] = {}

    def add(self, fault: Fault) -> None:
        """Add a fault to the present ones."""
        self._faults.append(fault)

    def next(self, listener: str) -> FaultEffect:
        """Return the effect on the next request of a listener."""
        # Each request adds the share to a credit; whenever that makes a whole request, it fails.
        credit = self._credit.get(listener, 0.0) + self._most(FaultKind.ERRORS, "percent")
        fails = credit >= 100 - 1e-9
        self._credit[listener] = credit - 100 if fails else credit
        return FaultEffect(
            fails=fails,
            hangs=self._has(FaultKind.HANG),
            delay=self._most(FaultKind.LATENCY, "seconds"),
            stretch=self._most(FaultKind.LATENCY, "percent") / 100,
        )

    @property
    def unhealthy(self) -> Unhealthy | None:
        """The result of a load balancer's health check with default settings; None if healthy.

        Errors of some requests only do not count: whether they hit the health check's own requests would be chance.
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
        """Return the largest value among the faults of a kind: a second fault does not weaken the first."""
        return max((getattr(fault, field) or 0.0 for fault in self._faults if fault.kind is kind), default=0.0)


class ClientGoneError(Exception):
    """The client closed the connection before the response."""


class ResponseTime:
    """The response time of one request: the target's own time, and what faults add.

    A hook measures in real time, so it waits in real time. For users in virtual time a delay is only counted, so that an
    hour of slow responses takes no time.

    Parameters
    ----------
    client
        The client's connection.
    closing
        Ends every wait.
    longest
        Seconds after which the load balancer times out.
    virtual
        Whether the client is a user in virtual time.
    """

    def __init__(self, client: socket.socket, closing: threading.Event, *, longest: float, virtual: bool) -> None:
        self._client = client
        self._closing = closing
        self._longest = longest
        self._virtual = virtual
        self._began = time.perf_counter()
        self._counted = 0.0

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.perf_counter() - self._began + self._counted

    @property
    def now(self) -> float:
        """The simulation's time in seconds since the epoch, after the counted delay."""
        return clock.now() + self._counted

    def wait(self, seconds: float) -> None:
        """Delay the response.

        Raises
        ------
        TimeoutError
            If the load balancer times out first.
        ClientGoneError
            If the client closes the connection first.
        """
        left = max(self._longest - self.seconds, 0.0)
        if self._virtual:
            self._counted += min(seconds, left)
        else:
            self._wait(min(seconds, left))
        if seconds >= left:
            raise TimeoutError

    def _wait(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0 and not self._closing.wait(min(left, _POLL)):
            readable, _, _ = select.select([self._client], [], [], 0)
            if readable and not self._client.recv(1, socket.MSG_PEEK):
                raise ClientGoneError
