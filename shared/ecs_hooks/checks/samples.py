"""Samples: the same request many times, and limits for the share of failures and for latency percentiles."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field

from ecs_hooks.assertions.expect import describe, split_warnings
from ecs_hooks.checks.statistics.descriptive import nearest_rank
from ecs_hooks.core.deadline import limited_by
from ecs_hooks.core.formatting import counted
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.plan_model import PlanModel
from ecs_hooks.http.errors import HttpError, ResetBeforeResponseError, TransportError
from ecs_hooks.http.pool import Pool
from ecs_hooks.http.retry import send

if TYPE_CHECKING:
    from ecs_hooks.assertions.expect import Expect
    from ecs_hooks.checks.request.session import Session
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.http.request import Request


class Sample(NamedTuple):
    """The result of one request."""

    problem: str
    """What is not as expected; empty if the response is as expected."""
    seconds: float | None
    """Latency of the response; None without a response."""


def closed_connections(pool: Pool) -> str:
    """Return how many connections the server closed and the check replaced, as the end of a reason; empty if none."""
    return f"; {counted(pool.replaced, 'connection')} closed by the server and replaced" if pool.replaced else ""


class LatencyLimits(PlanModel):
    """Limits for percentiles of the latency."""

    max_p50_ms: Annotated[float, Field(gt=0)] | None = None
    """Maximum median latency in milliseconds."""
    max_p95_ms: Annotated[float, Field(gt=0)] | None = None
    """Maximum 95th percentile of the latency in milliseconds."""
    max_p99_ms: Annotated[float, Field(gt=0)] | None = None
    """Maximum 99th percentile of the latency in milliseconds."""

    @property
    def max_ms(self) -> Mapping[int, float | None]:
        """The limits, by percentile."""
        return {50: self.max_p50_ms, 95: self.max_p95_ms, 99: self.max_p99_ms}

    def unmet(self, milliseconds: Sequence[float]) -> list[str]:
        """Return the limits that latencies in ascending order exceed; without any latency, all limits."""
        return [
            f"p{percent} within {limit:g} ms"
            for percent, limit in self.max_ms.items()
            if limit is not None and (not milliseconds or nearest_rank(milliseconds, percent) > limit)
        ]

    def evidence(self, milliseconds: Sequence[float]) -> dict[str, Any]:
        """Return the percentiles of latencies in ascending order, and the limits."""
        evidence: dict[str, Any] = {}
        for percent, limit in self.max_ms.items():
            evidence[f"p{percent}_ms"] = round(nearest_rank(milliseconds, percent), 1) if milliseconds else None
            if limit is not None:
                evidence[f"p{percent}_ms_limit"] = limit
        return evidence

    def summary(self, milliseconds: Sequence[float]) -> str:
        """Return the percentiles of latencies in ascending order, such as `, p50 12 ms, p95 20 ms, p99 21.5 ms`."""
        if not milliseconds:
            return ""
        return "".join(f", p{percent} {round(nearest_rank(milliseconds, percent), 1):g} ms" for percent in self.max_ms)


class Samples(LatencyLimits):
    """How often to send a request, and the limits for all responses together."""

    count: Annotated[int, Field(ge=2, le=10_000)]
    """Number of requests, all within one invocation."""
    concurrency: Annotated[int, Field(ge=1, le=50)] = 1
    """Maximum number of concurrent requests. Each thread waits for a response before its next request; for a steady
    rate, whatever the responses, use the `load` check."""
    min_success_percent: Annotated[float, Field(ge=0, le=100)] = 100
    """Minimum percentage of responses that are as expected."""

    def run(self, request: Request, session: Session, expect: Expect) -> Outcome:
        """Send the requests and evaluate the responses; raise `HttpError` if green cannot be reached.

        Parameters
        ----------
        request
            The request.
        session
            Its limits, deadline and secrets.
        expect
            The expectations of each response.
        """
        redactor, pool = session.redactor, Pool(resend=False)
        reached = threading.Event()
        aborted: list[ResetBeforeResponseError] = []
        retries: list[int] = []
        unfollowed: Counter[str] = Counter()

        def send_one() -> Sample:
            try:
                response = send(request, session.limits, session.deadline, pool.exchange)
            except ResetBeforeResponseError as error:
                aborted.append(error)
                return Sample(redactor.mask(error.message), None)
            except HttpError as error:
                # Until green has answered once, a transport error is an ERROR of the check and not a failed sample.
                if error.permanent or (isinstance(error, TransportError) and not reached.is_set()):
                    raise
                reached.set()
                return Sample(redactor.mask(error.message), None)
            reached.set()
            retries.append(response.attempts - 1)
            unfollowed.update(filter(None, [expect.unfollowed(response, redactor)]))
            failing, _ = split_warnings(expect.unmet(response, redactor))
            problem = f"{describe(failing)}{response.cookie_note}" if failing else ""
            return Sample(redactor.mask(problem), response.latency)

        try:
            collected = self.collect(send_one, session.deadline)
        finally:
            pool.close()
        if aborted and not reached.is_set():
            raise aborted[0]
        outcome = self.evaluate(redactor.mask(request.shown), collected)
        redirects = "".join(
            f"; {text} ({times} of {len(retries)}), not followed" for text, times in unfollowed.most_common(1)
        )
        retried = f"; {counted(sum(retries), 'further attempt')} to connect" if any(retries) else ""
        return outcome._replace(
            reason=f"{outcome.reason}{redactor.mask(redirects)}{closed_connections(pool)}{retried}",
            evidence={
                **outcome.evidence,
                "connections": pool.opened,
                "connections_replaced": pool.replaced,
                "connect_retries": sum(retries),
            },
        )

    def collect(self, send: Callable[[], Sample], deadline: Deadline) -> list[Sample]:
        """Send the requests, and return their results; fewer if the deadline has passed.

        Parameters
        ----------
        send
            Sends one request; called from several threads.
        deadline
            After it, no further request starts.

        Raises
        ------
        BaseException
            The first exception of `send`; no further request starts then.
        """
        collected: list[Sample] = []
        numbers, lock = count(), threading.Lock()
        errors: list[BaseException] = []

        def work() -> None:
            while not deadline.expired and not errors:
                with lock:
                    if next(numbers) >= self.count:
                        return
                try:
                    with limited_by(deadline):
                        collected.append(send())
                except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                    errors.append(error)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(self.concurrency, self.count))]
        started = []
        for thread in threads:
            try:
                thread.start()
            except RuntimeError as error:
                errors.append(error)  # the others end after their present request
                break
            started.append(thread)
        for thread in started:
            thread.join()
        if errors:
            raise errors[0]
        return collected

    def evaluate(self, where: str, collected: Sequence[Sample]) -> Outcome:
        """Return the outcome of samples of a request, named by its method and address."""
        failed = Counter(sample.problem for sample in collected if sample.problem)
        milliseconds = sorted(sample.seconds * 1000 for sample in collected if sample.seconds is not None)
        success = 100 * (len(collected) - failed.total()) / len(collected) if collected else 0.0
        evidence = {
            "samples": len(collected),
            "success_percent": round(success, 3),
            "min_success_percent": self.min_success_percent,
            **self.evidence(milliseconds),
        }
        summary = f"{where} {len(collected)} samples, {success:.4g} % as expected{self.summary(milliseconds)}"
        cause = ""
        if failed:
            problem, times = failed.most_common(1)[0]
            cause = f"; most common failure: {problem} ({times} of {failed.total()})"
        if len(collected) < self.count:
            reason = f"the time was over before all {self.count} samples were sent; lower samples.count"
            return Outcome.failed(f"{summary}; {reason}{cause}", evidence)
        unmet = [f"{self.min_success_percent:g} % as expected"] if success < self.min_success_percent else []
        unmet += self.unmet(milliseconds)
        if unmet:
            return Outcome.failed(f"{summary}; expected {' and '.join(unmet)}{cause}", evidence)
        return Outcome.passed(f"{summary}{cause}", evidence)
