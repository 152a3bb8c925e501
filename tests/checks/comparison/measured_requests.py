"""CloudWatch's metrics of drawn requests, and comparisons of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from ecs_hooks.checks import ComparisonCheck
from ecs_hooks.core import clock
from ecs_hooks.core.outcome import Outcome
from ecs_hooks_simulator.aws.metric_data import MetricData
from ecs_hooks_simulator.aws.metric_math import Series
from tests.checks.asking import context
from tests.support.aws import AwsApi
from tests.support.layouts import BLUE_GROUP, GREEN_GROUP, load_balancer

BEGAN = 1_800_000_000.0 - 1_800_000_000.0 % 3600
"""When minute 0, the first of the window, begins."""

LATENCY = {"metric": "TargetResponseTime", "stat": "p99"}
ERRORS = {"metric": "HTTPCode_Target_5XX_Count", "stat": "Sum", "per": "RequestCount"}

Minutes = Mapping[int, Sequence[float]]
"""The values of a metric by minute."""


class Revision(NamedTuple):
    """The metrics of a revision, by minute.

    Parameters
    ----------
    seconds
        The response times.
    errors
        Numbers of 5xx.
    others
        Values of other metrics.
    """

    seconds: Minutes
    errors: Mapping[int, int] = {}
    others: Mapping[str, Minutes] = {}

    def values(self, name: str) -> Minutes:
        """Return the values of a metric, by minute."""
        if name in self.others:
            return self.others[name]
        if name == "TargetResponseTime":
            return self.seconds
        if name == "RequestCount":
            return {minute: [1.0] * len(seconds) for minute, seconds in self.seconds.items()}
        return {minute: [1.0] * errors for minute, errors in self.errors.items()}


def drawn(
    requests: int,
    *,
    seed: int,
    minutes: range = range(15),
    slower: float | Callable[[int], float] = 1.0,
    errors: float | Callable[[int], float] = 0.0,
    median: float = 0.1,
    sigma: float = 0.4,
) -> Revision:
    """Return so many requests a minute with log-normal response times; `slower` and `errors` may depend on the minute."""
    random = np.random.default_rng(seed)
    seconds, failed = {}, {}
    for minute in minutes:
        factor = slower(minute) if callable(slower) else slower
        share = errors(minute) if callable(errors) else errors
        seconds[minute] = (factor * median * np.exp(sigma * random.standard_normal(requests))).tolist()
        failed[minute] = int(random.binomial(requests, share))
    return Revision(seconds, {minute: number for minute, number in failed.items() if number})


class RequestMetrics(MetricData):
    """CloudWatch's answers about requests.

    Parameters
    ----------
    green, blue
        The requests.
    zero_counts
        Whether a period with values, but none in the range of a trimmed count, has a datapoint.
    hidden
        Beginnings of statistics that have no datapoints, such as `TC`.
    """

    namespace = "AWS/ApplicationELB"

    def __init__(
        self, green: Revision, blue: Revision, *, zero_counts: bool = True, hidden: tuple[str, ...] = ()
    ) -> None:
        self._revisions = {GREEN_GROUP.rpartition(":")[2]: green, BLUE_GROUP.rpartition(":")[2]: blue}
        self._zero_counts, self._hidden = zero_counts, hidden

    def owns(self, metric: Mapping[str, Any]) -> bool:
        return bool(metric["Namespace"] == self.namespace)

    def values(
        self, name: str, dimensions: Mapping[str, str], period: int, begin: float, end: float
    ) -> Mapping[float, Sequence[float]]:
        found: dict[float, list[float]] = {}
        for minute, values in self._revisions[dimensions["TargetGroup"]].values(name).items():
            start = (BEGAN + 60 * minute) // period * period
            if values and begin // period * period <= start < end and BEGAN + 60 * minute < clock.now():
                found.setdefault(start, []).extend(values)
        return {start: sorted(values) for start, values in found.items()}

    def measure_stat(self, stat: Mapping[str, Any], begin: float, end: float) -> Series:
        if stat["Stat"].startswith(self._hidden):
            return {}
        points = super().measure_stat(stat, begin, end)
        if stat["Stat"].startswith("TC(") and not self._zero_counts:
            return {time: value for time, value in points.items() if value}
        return points


class Comparisons:
    """Runs comparisons of drawn requests.

    Parameters
    ----------
    aws
        The AWS whose CloudWatch has the requests.
    """

    def __init__(self, aws: AwsApi) -> None:
        self.aws = aws

    def measure(self, metrics: RequestMetrics, *, started: float = BEGAN) -> None:
        """Let CloudWatch answer with these metrics; the deployment has started then."""
        load_balancer(self.aws)
        (described,) = self.aws.asking("DescribeServiceDeployments")["serviceDeployments"]
        described["startedAt"] = datetime.fromtimestamp(started, UTC)

        def answer(request: dict[str, Any]) -> dict[str, Any]:
            times = {name: request[name].replace(tzinfo=UTC) for name in ("StartTime", "EndTime")}
            found = metrics.answer("GetMetricData", {**request, **times})
            assert found is not None
            return found

        self.aws.answer("GetMetricData", answer)

    def run(self, *metrics: dict[str, Any], minutes: float = 30, **fields: Any) -> Outcome:
        """Run the check so many minutes after the beginning of the window."""
        check = ComparisonCheck.model_validate({"metrics": metrics or [LATENCY], **fields})
        with clock.use(lambda: BEGAN + 60 * minutes, is_exact=True):
            return check.run(
                context(
                    None, check, elapsed=60 * minutes, event_percent=10, stage="PRODUCTION_TRAFFIC_SHIFT", seconds=60
                )
            )

    def compare(
        self,
        green: Revision,
        blue: Revision,
        *metrics: dict[str, Any],
        minutes: float = 30,
        zero_counts: bool = True,
        hidden: tuple[str, ...] = (),
        **fields: Any,
    ) -> Outcome:
        """Run the check about these requests."""
        self.measure(RequestMetrics(green, blue, zero_counts=zero_counts, hidden=hidden))
        return self.run(*metrics, minutes=minutes, **fields)
