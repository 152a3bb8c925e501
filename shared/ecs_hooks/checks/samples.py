"""Repetition: the same request many times, and how many of the responses are as expected, and how quickly."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ecs_hooks.checks.statistics.percentiles import nearest_rank
from ecs_hooks.core.deadline import limited_by
from ecs_hooks.core.outcome import Outcome

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline


class Sample(NamedTuple):
    """What came of one request.

    Parameters
    ----------
    problem
        What is not as expected; empty where nothing is.
    seconds
        How long the response took; None where there was none.
    """

    problem: str
    seconds: float | None


class Samples(BaseModel):
    """How many times a request is sent, and what must hold of all of them together."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    count: Annotated[int, Field(ge=2, le=10_000)]
    """How many requests; all of them within one invocation."""
    concurrency: Annotated[int, Field(ge=1, le=50)] = 1
    """How many of them may be under way at the same time. The next one waits for a response: to load green steadily,
    whatever it does, is what the `load` check is for."""
    min_success_percent: Annotated[float, Field(ge=0, le=100)] = 100
    """Share of the responses that have to be as expected, in per cent."""
    max_p50_ms: Annotated[float, Field(gt=0)] | None = None
    """Milliseconds within which half of the responses have to be there."""
    max_p95_ms: Annotated[float, Field(gt=0)] | None = None
    """Milliseconds within which 95 per cent of them have to be there."""
    max_p99_ms: Annotated[float, Field(gt=0)] | None = None
    """Milliseconds within which 99 per cent of them have to be there."""

    @property
    def max_ms(self) -> Mapping[int, float | None]:
        """The longest times, by percentile."""
        return {50: self.max_p50_ms, 95: self.max_p95_ms, 99: self.max_p99_ms}

    def take(self, send: Callable[[], Sample], deadline: Deadline) -> list[Sample]:
        """Send the requests, and return what came of each; fewer where the time was over.

        Parameters
        ----------
        send
            Sends one; called from several threads.
        deadline
            After which no further one is begun.

        Raises
        ------
        BaseException
            Whatever `send` raises; no further one is begun then.
        """
        taken: list[Sample] = []
        turns, lock = count(), threading.Lock()
        troubles: list[BaseException] = []

        def work() -> None:
            while not deadline.expired and not troubles:
                with lock:
                    if next(turns) >= self.count:
                        return
                try:
                    with limited_by(deadline):
                        taken.append(send())
                except BaseException as error:  # noqa: BLE001 - raised again where the thread is waited for
                    troubles.append(error)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(self.concurrency, self.count))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if troubles:
            raise troubles[0]
        return taken

    def judge(self, where: str, taken: Sequence[Sample]) -> Outcome:
        """Return what samples come to.

        Parameters
        ----------
        where
            Method and address.
        taken
            The samples.
        """
        failed = Counter(sample.problem for sample in taken if sample.problem)
        milliseconds = sorted(sample.seconds * 1000 for sample in taken if sample.seconds is not None)
        success = 100 * (len(taken) - failed.total()) / len(taken) if taken else 0.0
        evidence: dict[str, Any] = {
            "samples": len(taken),
            "success_percent": round(success, 3),
            "min_success_percent": self.min_success_percent,
        }
        unmet = []
        if success < self.min_success_percent:
            unmet.append(f"{self.min_success_percent:g} % as expected")
        told = f"{where} {len(taken)} samples, {success:.4g} % as expected"
        for percent, limit in self.max_ms.items():
            value = nearest_rank(milliseconds, percent) if milliseconds else None
            evidence[f"p{percent}_ms"] = None if value is None else round(value, 1)
            if limit is not None:
                evidence[f"p{percent}_ms_limit"] = limit
            if value is not None:
                told += f", p{percent} {value:.4g} ms"
            # Without a response nothing is known of it, which is no pass.
            if limit is not None and (value is None or value > limit):
                unmet.append(f"p{percent} within {limit:g} ms")
        problem, times = failed.most_common(1)[0] if failed else ("", 0)
        why = f"; most common problem: {problem} ({times} of {failed.total()})" if problem else ""
        if len(taken) < self.count:
            return Outcome.failed(f"{told}: there was no time for all {self.count} (samples.count){why}", evidence)
        if unmet:
            return Outcome.failed(f"{told}; expected {' and '.join(unmet)}{why}", evidence)
        return Outcome.passed(f"{told}{why}", evidence)
