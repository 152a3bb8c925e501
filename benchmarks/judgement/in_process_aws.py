"""AWS in this process: drawn requests in CloudWatch, and a canary deployment in ECS, without HTTP.

The clients return the same objects as botocore, so everything above them is the library's own code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import Any
from unittest import mock

import botocore.session
import numpy as np

from benchmarks.judgement.drawing import Drawn, DrawnRevision, Floats
from ecs_hooks.aws import call
from ecs_hooks.core import clock
from ecs_hooks_simulator.aws.metric_data import MetricData, dimensions_of
from ecs_hooks_simulator.aws.metric_math import Series
from ecs_hooks_simulator.aws.metric_statistic import parse_statistic
from tests.conftest import BLUE, GREEN
from tests.support.layouts import BLUE_GROUP, GREEN_GROUP, brief, revision

BEGAN = 1_800_000_000 - 1_800_000_000 % 3600
"""When minute 0 of drawn requests begins, in seconds since the epoch, for no seed."""
GREEN_NAME, BLUE_NAME = (each.rpartition(":")[2] for each in (GREEN_GROUP, BLUE_GROUP))
"""The values of the dimension `TargetGroup`."""
_DEPLOYED_BEFORE = 300.0
"""Seconds from the start of the deployment to the step."""
_AWS_NAMES = {"elasticloadbalancing": "elbv2"}


class DrawnMetrics(MetricData):
    """CloudWatch's metrics of drawn requests, up to the present time of `clock`.

    Parameters
    ----------
    drawn
        The requests.
    began
        When minute 0 begins, in seconds since the epoch.
    """

    namespace = "AWS/ApplicationELB"

    def __init__(self, drawn: Drawn, began: float) -> None:
        self._began = began
        self._revisions = {GREEN_NAME: drawn.green, BLUE_NAME: drawn.blue}
        self._known: dict[tuple[str, str, str, int], dict[float, float | None]] = {}
        self._now = began
        self._so_far: dict[tuple[str, str | None, float, int], list[float]] = {}
        """The values of periods, at one time."""

    def owns(self, metric: Mapping[str, Any]) -> bool:
        """Return whether a metric is one of a load balancer."""
        return bool(metric["Namespace"] == self.namespace)

    def values(
        self, name: str, dimensions: Mapping[str, str], period: int, begin: float, end: float
    ) -> Mapping[float, Sequence[float]]:
        """Return the values of the periods between two times; see the base class."""
        found = {start: self._values(name, dimensions, start, period) for start in _starts(period, begin, end)}
        return {start: values for start, values in found.items() if values}

    def measure_stat(self, stat: Mapping[str, Any], begin: float, end: float) -> Series:
        """Return the datapoints of a MetricStat; those of complete periods are computed once."""
        name, period, dimensions = str(stat["Metric"]["MetricName"]), int(stat["Period"]), dimensions_of(stat["Metric"])
        statistic = parse_statistic(str(stat["Stat"]))
        key = (name, dimensions.get("TargetGroup", ""), str(stat["Stat"]), period)
        known = self._known.setdefault(key, {})
        points: dict[float, float] = {}
        for start in _starts(period, begin, min(end, clock.now())):
            if start in known:
                value = known[start]
            else:
                values = self._values(name, dimensions, start, period)
                value = statistic(values) if values else None
                if start + period <= clock.now():
                    known[start] = value
            if value is not None:
                points[start] = value
        return points

    def _values(self, name: str, dimensions: Mapping[str, str], start: float, period: int) -> Sequence[float]:
        """Return the values of a period so far, in ascending order."""
        now, group = clock.now(), dimensions.get("TargetGroup")
        if now != self._now:
            self._now = now
            self._so_far.clear()
        key = (name, group, start, period)
        if key not in self._so_far:
            first = round((start - self._began) / 60)
            found = [
                self._of_minute(name, revision, minute)
                for known, revision in self._revisions.items()
                for minute in range(first, first + period // 60)
                if group in {None, known} and self._began + 60 * minute < now
            ]
            values: Floats = found[0] if len(found) == 1 else np.sort(np.concatenate([np.empty(0), *found]))
            self._so_far[key] = values.tolist()
        return self._so_far[key]

    def _of_minute(self, name: str, revision: DrawnRevision, number: int) -> Floats:
        part = (clock.now() - self._began) / 60 - number
        seconds, errors = revision.minute(number)
        if part < 1:  # the requests are in the order of their response times: take every so many of them
            seconds = seconds[(np.arange(int(len(seconds) * part)) / part).astype(int)]
            errors = int(errors * part)
        match name:
            case "TargetResponseTime":
                return seconds
            case "RequestCount":
                return np.ones(len(seconds))
            case "HTTPCode_Target_5XX_Count":
                return np.ones(errors)
            case "HTTPCode_Target_2XX_Count":
                return np.ones(len(seconds) - errors)
            case _:
                return np.empty(0)


class InProcessAws:
    """AWS's operations about a canary deployment.

    Parameters
    ----------
    metrics
        Its metrics.
    stepped
        When green received its share of the traffic, in seconds since the epoch.
    green_percent
        The share.
    """

    def __init__(self, metrics: DrawnMetrics, stepped: float, green_percent: float) -> None:
        deployment = {
            "status": "IN_PROGRESS",
            "sourceServiceRevisions": [{"arn": BLUE}],
            "startedAt": datetime.fromtimestamp(stepped - _DEPLOYED_BEFORE, UTC),
            "targetServiceRevision": {
                "arn": GREEN,
                "requestedTaskCount": 2,
                "runningTaskCount": 2,
                "requestedProductionTrafficWeight": green_percent,
            },
            "deploymentConfiguration": {"strategy": "CANARY"},
        }
        revisions = {arn: revision(arn, group=group) for arn, group in ((GREEN, GREEN_GROUP), (BLUE, BLUE_GROUP))}
        finished = datetime.fromtimestamp(stepped - 86_400, UTC)
        self._answers: dict[str, Callable[[Any], Any]] = {
            "DescribeServiceDeployments": lambda _: {"serviceDeployments": [deployment], "failures": []},
            "DescribeServiceRevisions": lambda request: {
                "serviceRevisions": [revisions[arn] for arn in request["serviceRevisionArns"]],
                "failures": [],
            },
            "ListServiceDeployments": lambda _: {"serviceDeployments": [brief(finished=finished)]},
            "GetMetricData": lambda request: metrics.answer("GetMetricData", request),
        }
        names = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower(): name for name in self._answers}
        self._operations = {method: partial(self._call, name) for method, name in names.items()}

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Let all AWS calls of the library in this process be answered here, as long as the block lasts."""
        with mock.patch.object(call, "client", self._client):
            yield

    def _client(self, service: str, _: str) -> Any:
        model = _service_model(service)
        return SimpleNamespace(meta=SimpleNamespace(service_model=model), **self._operations)

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._answers[operation](request)
        return found


@lru_cache
def _service_model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(_AWS_NAMES.get(service, service))


def _starts(period: int, begin: float, end: float) -> range:
    return range(int(begin // period * period), int(-(-end // 1)), period)
