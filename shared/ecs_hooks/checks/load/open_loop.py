"""An open loop: requests are sent at times fixed in advance, whatever the responses to earlier requests.

A closed loop, which sends the next request after the last response, sends no requests to a server while it stalls, and
so leaves out those that would have been slow (coordinated omission). Here each request is due at its own time, and its
latency counts from that time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Generic, NamedTuple, TypeVar

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.own_limits import OwnLimitError

T = TypeVar("T")

_LEAD = 0.02
"""Seconds before the first request, for its worker thread to start."""

_INTERVAL = 0.01
"""Seconds between two looks at the requests in flight."""

_GRACE = 0.5
"""Seconds after the timeout of the last requests, for them to end."""


class WorkerError(OwnLimitError):
    """The process can start no more threads."""


class Sample(NamedTuple, Generic[T]):
    """The result of one request, and its times in seconds since the load began."""

    due: float
    begun: float
    """When a worker began to send it."""
    ended: float
    """When it ended or timed out."""
    queued: bool
    """Whether it waited because all workers were busy."""
    result: T | None
    """None if it was not sent, or did not end in time."""

    @property
    def latency(self) -> float:
        """Seconds from the time at which it was due to its end."""
        return self.ended - self.due


class Load(NamedTuple, Generic[T]):
    """The results of all requests, in the order in which they were due."""

    samples: Sequence[Sample[T]]
    own_shares: Sequence[float]
    """By hundredth of a second since the load began, the share of the requests in flight that waited for this process,
    and not for the server."""

    def own_delays(self) -> list[float]:
        """Return how many seconds of the latency of each request are the delay of this process.

        It is the time until a free worker began to send the request, and the share of the rest in which requests waited
        for this process; while all workers are busy, the same share counts for queued requests.
        """
        sums = [0.0, *accumulate(share * _INTERVAL for share in self.own_shares)]
        shares = [*self.own_shares, 0.0]

        def until(seconds: float) -> float:
            number = min(int(seconds / _INTERVAL), len(self.own_shares))
            return sums[number] + shares[number] * (seconds - number * _INTERVAL)

        return [
            until(each.ended)
            - until(each.due if each.queued else each.begun)
            + (not each.queued) * (each.begun - each.due)
            for each in self.samples
        ]


class OpenLoop(Generic[T]):
    """Sends requests from as many threads as necessary, up to a limit.

    One worker waits until the next request is due. When it starts to send it, another worker takes its place: a free
    one, or a new one. Requests are queued only if the limit is reached.

    Parameters
    ----------
    send
        Sends the request of a number, which counts from 0, before the deadline, and returns its result. An exception
        ends the load.
    rate
        Requests per second.
    count
        Number of requests.
    timeout
        Seconds since a request was due after which it times out.
    max_in_flight
        Maximum number of concurrent requests.
    waiting
        Returns how many of the requests in flight wait for the server; the others wait for this process.
    """

    def __init__(
        self,
        send: Callable[[int, Deadline], T],
        *,
        rate: float,
        count: int,
        timeout: float,
        max_in_flight: int,
        waiting: Callable[[], int],
    ) -> None:
        self._send = send
        self._waiting_for_server = waiting
        self._rate = rate
        self._count = count
        self._timeout = timeout
        self._max_workers = max_in_flight
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._began = 0.0
        self._next = 0
        self._workers = 0
        self._running = 0
        self._idle = 0
        self._samples: list[Sample[T] | None] = [None] * count

    def run(self) -> Load[T]:
        """Send all requests; return when the last one has ended or timed out.

        Raises
        ------
        WorkerError
            If the process can start no more threads.
        """
        self._began = time.monotonic() + _LEAD
        last = self._began + (self._count - 1) / self._rate
        self._workers = self._running = 1
        self._start_worker()
        shares = self._measure_own_shares(last + self._timeout + _GRACE)
        self._over.set()
        if self._error is not None:
            raise self._error
        end = time.monotonic() - self._began
        return Load([sample or self._timed_out(number, end) for number, sample in enumerate(self._samples)], shares)

    def _measure_own_shares(self, until: float) -> list[float]:
        """Wait for the end, and measure meanwhile which share of the requests in flight waits for this process."""
        shares: list[float] = []
        while not self._over.wait(max(0.0, self._began + len(shares) * _INTERVAL - time.monotonic())):
            now = time.monotonic()
            if now > until:
                break
            # If this thread runs late, the other threads could not run either: that is time of this process.
            missed = int((now - self._began) / _INTERVAL) - len(shares)
            shares += [1.0] * missed
            shares.append(self._own_share())
        return shares

    def _own_share(self) -> float:
        in_flight = self._running - self._idle
        return max(0.0, 1 - self._waiting_for_server() / in_flight) if in_flight > 0 else 0.0

    def _start_worker(self) -> None:
        try:
            threading.Thread(target=self._work, name="ecs-hooks-load", daemon=True).start()
        except RuntimeError as error:
            raise WorkerError(
                f"the process can start no more threads than the {self._workers} of the load; lower max_in_flight"
            ) from error

    def _work(self) -> None:
        try:
            while (turn := self._claim()) is not None:
                number, due, queued = turn
                if self._over.wait(max(0.0, due - time.monotonic())):
                    break
                begun = time.monotonic()
                self._replace_idle_worker()
                deadline = Deadline(due + self._timeout)
                result = None if deadline.expired else self._send(number, deadline)
                since = (due - self._began, begun - self._began, time.monotonic() - self._began)
                self._samples[number] = Sample(*since, queued, result)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._error = error
            self._over.set()
        with self._lock:
            self._running -= 1
            if self._running == 0:
                self._over.set()

    def _claim(self) -> tuple[int, float, bool] | None:
        """Take the next request; return its number, when it is due, and whether it was queued."""
        with self._lock:
            if self._next == self._count:
                return None
            number, self._next = self._next, self._next + 1
            self._idle += 1
            due = self._began + number / self._rate
            # A free worker would have taken the request earlier.
            return number, due, self._workers == self._max_workers and time.monotonic() > due

    def _replace_idle_worker(self) -> None:
        """Have another worker wait for the next request, while this one sends its own."""
        with self._lock:
            self._idle -= 1
            if self._idle or self._next == self._count or self._workers == self._max_workers:
                return
            self._workers += 1
            self._running += 1
        self._start_worker()

    def _timed_out(self, number: int, end: float) -> Sample[T]:
        """Return the sample of a request that did not end even after its timeout."""
        due = number / self._rate
        return Sample(due, max(due, end), max(end, due + self._timeout), queued=True, result=None)
