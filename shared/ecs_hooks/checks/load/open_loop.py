"""An open loop: requests are sent at times fixed in advance, whatever has become of those before.

A loop that sends the next request when the last one is answered asks a server that stalls nothing while it stalls, and so
leaves out the very requests that would have been slow (coordinated omission). Here each request is due at its own time,
and what it takes counts from then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Generic, NamedTuple, TypeVar

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import ExplainedError, Outcome

T = TypeVar("T")

_LEAD = 0.02
"""Seconds before the first request, for its worker to get ready."""

_PULSE = 0.01
"""Seconds between two looks at the requests that are under way."""

_GRACE = 0.5
"""Seconds that the last requests get for ending, after they have run out of time."""


class WorkerError(ExplainedError):
    """The process can have no more threads."""

    @property
    def outcome(self) -> Outcome:
        """`ERROR`: the application could not be asked."""
        return Outcome.error(str(self))


class Sample(NamedTuple, Generic[T]):
    """What became of one request.

    Parameters
    ----------
    due
        When it was due, in seconds since the load began.
    begun
        When a worker began to send it.
    ended
        When it was over, or given up.
    held_up
        Whether it had to wait since all workers were busy.
    result
        What came of sending it; None where that was not done in time.
    """

    due: float
    begun: float
    ended: float
    held_up: bool
    result: T | None

    @property
    def latency(self) -> float:
        """Seconds from the moment at which it was due to its end."""
        return self.ended - self.due


class Load(NamedTuple, Generic[T]):
    """What became of all requests.

    Parameters
    ----------
    samples
        Of each request, in the order in which they were due.
    shares
        Which share of the requests under way waited for this process, and not for the server: in each hundredth of a
        second, since the load began.
    """

    samples: Sequence[Sample[T]]
    shares: Sequence[float]

    def own_delays(self) -> list[float]:
        """Return how many seconds of the latency of each request are those of the generator itself.

        What is sent too late although a worker is free is. Of the rest it is the share that waited for this process at the
        time; where all workers are busy, that is also what those have to wait for that are not sent yet.
        """
        sums = [0.0, *accumulate(share * _PULSE for share in self.shares)]
        shares = [*self.shares, 0.0]

        def until(seconds: float) -> float:
            number = min(int(seconds / _PULSE), len(self.shares))
            return sums[number] + shares[number] * (seconds - number * _PULSE)

        return [
            until(each.ended)
            - until(each.due if each.held_up else each.begun)
            + (not each.held_up) * (each.begun - each.due)
            for each in self.samples
        ]


class OpenLoop(Generic[T]):
    """Sends requests from as many threads as it takes, up to a limit.

    One worker waits for the next request to be due. When it sets off, another one takes its place: one that has become
    free, or a new one. Only where there may be no more of them, requests wait.

    Parameters
    ----------
    send
        Sends the request of a number, which counts from 0, and returns what came of it, before the deadline. What it raises
        ends the load.
    rate
        Requests a second.
    count
        How many.
    patience
        Seconds, since a request was due, after which it is given up.
    max_in_flight
        How many there may be at the same time.
    waiting
        Returns how many of those under way wait for the server right now; the others wait for this process.
    """

    def __init__(
        self,
        send: Callable[[int, Deadline], T],
        *,
        rate: float,
        count: int,
        patience: float,
        max_in_flight: int,
        waiting: Callable[[], int],
    ) -> None:
        self._send = send
        self._waiting_for_server = waiting
        self._rate = rate
        self._count = count
        self._patience = patience
        self._max = max_in_flight
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._trouble: BaseException | None = None
        self._began = 0.0
        self._next = 0
        self._workers = 0
        self._at_work = 0
        self._waiting = 0
        self._samples: list[Sample[T] | None] = [None] * count

    def run(self) -> Load[T]:
        """Send all of them, and return what became of them: it is over when the last one has ended or run out of time.

        Raises
        ------
        WorkerError
            If there are not as many threads as it takes.
        """
        self._began = time.monotonic() + _LEAD
        last = self._began + (self._count - 1) / self._rate
        self._workers = self._at_work = 1
        self._start_worker()
        shares = self._look_on(last + self._patience + _GRACE)
        self._over.set()
        if self._trouble is not None:
            raise self._trouble
        end = time.monotonic() - self._began
        return Load([sample or self._lost(number, end) for number, sample in enumerate(self._samples)], shares)

    def _look_on(self, until: float) -> list[float]:
        """Wait for the end, and look meanwhile for whom the requests under way wait.

        What comes too late to look has not let anybody else run either, so that counts as time of this process.
        """
        shares: list[float] = []
        while not self._over.wait(max(0.0, self._began + len(shares) * _PULSE - time.monotonic())):
            now = time.monotonic()
            if now > until:
                break
            missed = int((now - self._began) / _PULSE) - len(shares)
            shares += [1.0] * missed
            shares.append(self._own_share())
        return shares

    def _own_share(self) -> float:
        under_way = self._at_work - self._waiting
        return max(0.0, 1 - self._waiting_for_server() / under_way) if under_way > 0 else 0.0

    def _start_worker(self) -> None:
        try:
            threading.Thread(target=self._work, name="ecs-hooks-load", daemon=True).start()
        except RuntimeError as error:
            raise WorkerError(
                f"the process can have no more threads than the {self._workers} that the load has; lower max_in_flight"
            ) from error

    def _work(self) -> None:
        try:
            while (turn := self._claim()) is not None:
                number, due, held_up = turn
                if self._over.wait(max(0.0, due - time.monotonic())):
                    break
                begun = time.monotonic()
                self._set_off()
                deadline = Deadline(due + self._patience)
                result = None if deadline.expired else self._send(number, deadline)
                since = (due - self._began, begun - self._began, time.monotonic() - self._began)
                self._samples[number] = Sample(*since, held_up, result)
        except BaseException as error:  # noqa: BLE001 - the one who waits shall know
            self._trouble = error
            self._over.set()
        with self._lock:
            self._at_work -= 1
            if self._at_work == 0:
                self._over.set()

    def _claim(self) -> tuple[int, float, bool] | None:
        """Take the next request: its number, when it is due, and whether it has had to wait for a worker."""
        with self._lock:
            if self._next == self._count:
                return None
            number, self._next = self._next, self._next + 1
            self._waiting += 1
            due = self._began + number / self._rate
            # Had a worker been free, it would have taken the request before.
            return number, due, self._workers == self._max and time.monotonic() > due

    def _set_off(self) -> None:
        """Leave the place of the one who waits to another worker."""
        with self._lock:
            self._waiting -= 1
            if self._waiting or self._next == self._count or self._workers == self._max:
                return
            self._workers += 1
            self._at_work += 1
        self._start_worker()

    def _lost(self, number: int, end: float) -> Sample[T]:
        """Return what became of a request that has not even ended when it was out of time."""
        due = number / self._rate
        return Sample(due, max(due, end), max(end, due + self._patience), held_up=True, result=None)
