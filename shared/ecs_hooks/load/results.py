"""What the requests of a load come to, in numbers."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from ecs_hooks.analysis.percentiles import nearest_rank
from ecs_hooks.load.open_loop import Load


class Answer(NamedTuple):
    """What came of sending a request.

    Parameters
    ----------
    problem
        What is wrong with it, the request included; empty where nothing is.
    reached
        Whether there was a connection, and something came back on it or would have, in time.
    timed_out
        Whether it was given up when its time was over.
    """

    problem: str = ""
    reached: bool = True
    timed_out: bool = False


SUCCESS = Answer()

NEVER_SENT = Answer("not sent in time", reached=False, timed_out=True)
"""What came of a request that was still waiting for a worker when its time was over."""


class Results(NamedTuple):
    """The numbers of a load.

    Parameters
    ----------
    requests
        How many requests were due.
    failed
        How many of them failed.
    latencies
        Milliseconds from the moment at which each was due to its end, in ascending order: of those that succeeded, and of
        those that were given up when their time was over, which would have taken longer still. What failed otherwise
        counts as failed alone: an error that comes at once makes no green quicker, nor slower.
    held_up
        How many had to wait since all workers were busy.
    unreached
        Whether not one of them has reached green.
    problem, times
        What was wrong most often, and how many times; empty and 0 where nothing was.
    sent_late
        By how many milliseconds requests were sent too late although a worker was free, in ascending order.
    woken_late
        How late, in milliseconds, a thread woke up that waits for nothing but its time, in ascending order.
    """

    requests: int
    failed: int
    latencies: list[float]
    held_up: int
    unreached: bool
    problem: str
    times: int
    sent_late: list[float]
    woken_late: list[float]

    @classmethod
    def of(cls, load: Load[Answer]) -> Results:
        """Return what a load comes to."""
        ended = [(each, NEVER_SENT if each.result is None else each.result) for each in load.samples]
        problems = Counter(answer.problem for _, answer in ended if answer.problem)
        problem, times = problems.most_common(1)[0] if problems else ("", 0)
        return cls(
            requests=len(ended),
            failed=problems.total(),
            latencies=sorted(
                sample.latency * 1000 for sample, answer in ended if answer.timed_out or not answer.problem
            ),
            held_up=sum(sample.held_up for sample, _ in ended),
            unreached=not any(answer.reached for _, answer in ended),
            problem=problem,
            times=times,
            sent_late=sorted((each.begun - each.due) * 1000 for each in load.samples if not each.held_up),
            woken_late=sorted(late * 1000 for late in load.pulse),
        )

    @property
    def errors_percent(self) -> float:
        """Share of the requests that failed, in per cent."""
        return 100 * self.failed / self.requests

    def latency(self, percent: int) -> float | None:
        """Return the milliseconds within which so many of the requests were over; None where there is nothing to measure."""
        return nearest_rank(self.latencies, percent) if self.latencies else None

    def own_delay(self, percent: int) -> float:
        """Return how late the generator itself was, in milliseconds, at a percentile.

        That is the greater one of two delays. A server that is slow, and keeps all workers busy, shows in neither of them; a
        processor that is short of time does, in `woken_late` even where all workers are busy.
        """
        return max(nearest_rank(each, percent) if each else 0.0 for each in (self.sent_late, self.woken_late))


def sent_within(load: Load[Answer], seconds: float) -> int:
    """Return how many requests were under way when so many seconds were over."""
    return sum(sample.begun <= seconds for sample in load.samples)
