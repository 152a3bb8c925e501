"""What the requests of a load come to, in numbers."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from ecs_hooks.checks.load.open_loop import Load


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


_MARGIN = 1.25
"""What the generator has added is an estimate: where something shall be certain of green, it is taken for that much more."""


class Results(NamedTuple):
    """The numbers of a load.

    Parameters
    ----------
    requests
        How many requests were due.
    failed
        How many of them failed.
    failed_by_green
        The same without those whose time was over since they waited for the generator.
    latencies
        Milliseconds from the moment at which each was due to its end, in ascending order: of those that succeeded, and of
        those that were given up when their time was over, which would have taken longer still. What failed otherwise
        counts as failed alone: an error that comes at once makes no green quicker, nor slower.
    latencies_of_green
        The same without what the generator itself may have added.
    own
        What it has added to each of all requests, in ascending order.
    held_up
        How many had to wait since all workers were busy.
    unreached
        Whether not one of them has reached green.
    problem, times
        What was wrong most often, and how many times; empty and 0 where nothing was.
    """

    requests: int
    failed: int
    failed_by_green: int
    latencies: list[float]
    latencies_of_green: list[float]
    own: list[float]
    held_up: int
    unreached: bool
    problem: str
    times: int

    @classmethod
    def of(cls, load: Load[Answer]) -> Results:
        """Return what a load comes to."""
        answers = [NEVER_SENT if each.result is None else each.result for each in load.samples]
        problems = Counter(answer.problem for answer in answers if answer.problem)
        problem, times = problems.most_common(1)[0] if problems else ("", 0)
        own = load.own_delays()
        told = list(zip(load.samples, answers, own, strict=True))
        counted = [(each.latency, added) for each, answer, added in told if answer.timed_out or not answer.problem]
        excused = sum(answer.timed_out and added > each.latency / 2 for each, answer, added in told)
        return cls(
            requests=len(answers),
            failed=problems.total(),
            failed_by_green=problems.total() - excused,
            latencies=sorted(1000 * latency for latency, _ in counted),
            latencies_of_green=sorted(1000 * (latency - _MARGIN * added) for latency, added in counted),
            own=sorted(1000 * added for added in own),
            held_up=sum(sample.held_up for sample in load.samples),
            unreached=not any(answer.reached for answer in answers),
            problem=problem,
            times=times,
        )


def sent_within(load: Load[Answer], seconds: float) -> int:
    """Return how many requests were under way when so many seconds were over."""
    return sum(sample.begun <= seconds for sample in load.samples)
