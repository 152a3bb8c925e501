from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from ecs_hooks.aws.cloudwatch import Series
from ecs_hooks.checks import Check, CheckContext
from ecs_hooks.checks.metric_window import FurtherQueries, MetricWindowCheck
from ecs_hooks.core import clock
from ecs_hooks.core.outcome import Outcome
from tests.checks.asking import context
from tests.support.aws import AwsApi
from tests.support.layouts import load_balancer

NOW = 1_800_000_000.0 - 1_800_000_000.0 % 3600


class FirstCheck(MetricWindowCheck):
    """Reads one metric, and no further one."""

    type: Literal["first"] = "first"

    def data_queries(self, context: CheckContext, prefix: str) -> list[dict[str, Any]]:
        return [self._query(context, prefix, "first")]

    def _query(self, context: CheckContext, prefix: str, name: str) -> dict[str, Any]:
        stat = self.metric_stat(context, "N", f"{self.name} {name}", "Sum", {})
        return {"Id": f"{prefix}_{name}", "MetricStat": stat}

    def run(self, context: CheckContext) -> Outcome:
        values = {name: each.points for name, each in self.series(context).items()}
        return Outcome.passed("read", {name: points[0][1] for name, points in values.items() if points})


class SecondCheck(FirstCheck):
    """Reads another metric where the first one has a datapoint."""

    type: Literal["second"] = "second"  # type: ignore[assignment]
    earlier: float = 0

    def further_queries(self, context: CheckContext, prefix: str, series: Mapping[str, Series]) -> FurtherQueries:
        if not series["first"].points:
            return FurtherQueries()
        return FurtherQueries([self._query(context, prefix, "further")], self._begins(context) - self.earlier)


@pytest.fixture
def cloudwatch(aws: AwsApi) -> AwsApi:
    """Return CloudWatch with one datapoint of every metric but those of `silent`: the length of the metric's name."""
    load_balancer(aws)

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        names = {query["Id"]: query["MetricStat"]["Metric"]["MetricName"] for query in request["MetricDataQueries"]}
        return {
            "MetricDataResults": [
                {
                    "Id": identifier,
                    "Timestamps": [datetime.fromtimestamp(NOW - 300, UTC)],
                    "Values": [float(len(name))],
                    "StatusCode": "Complete",
                }
                for identifier, name in names.items()
                if not name.startswith("silent")
            ]
            + [
                {"Id": identifier, "Timestamps": [], "Values": [], "StatusCode": "Complete"}
                for identifier, name in names.items()
                if name.startswith("silent")
            ]
        }

    aws.answer("GetMetricData", answer)
    return aws


def run_all(*checks: Check, elapsed: float = 600) -> list[Outcome]:
    shared = context(None, *checks, elapsed=elapsed)
    with clock.use(lambda: NOW, is_exact=True):
        return [check.run(shared) for check in checks]


def test_one_more_call_serves_all_checks_of_the_plan(cloudwatch: AwsApi) -> None:
    outcomes = run_all(SecondCheck(name="a"), FirstCheck(name="bb"), SecondCheck(name="ccc"))

    assert [dict(each.evidence) for each in outcomes] == [
        {"first": 7, "further": 9},
        {"first": 8},
        {"first": 9, "further": 11},
    ]
    first, further = cloudwatch.asked["GetMetricData"]
    assert [query["Id"] for query in first["MetricDataQueries"]] == ["c0_first", "c1_first", "c2_first"]
    assert [query["Id"] for query in further["MetricDataQueries"]] == ["c0_further", "c2_further"]
    assert first["StartTime"] == further["StartTime"]


def test_there_is_no_further_call_without_queries(cloudwatch: AwsApi) -> None:
    outcomes = run_all(FirstCheck(name="a"), SecondCheck(name="silent"))

    assert [dict(each.evidence) for each in outcomes] == [{"first": 7}, {}]
    assert cloudwatch.calls["GetMetricData"] == 1


def test_further_datapoints_may_be_older(cloudwatch: AwsApi) -> None:
    run_all(SecondCheck(name="a", earlier=3600), SecondCheck(name="b"))

    first, further = (each["StartTime"].replace(tzinfo=UTC).timestamp() for each in cloudwatch.asked["GetMetricData"])
    assert (first, further) == (NOW - 600, NOW - 4200)


def test_a_check_that_is_not_in_the_plan_has_calls_of_its_own(cloudwatch: AwsApi) -> None:
    shared = context(None, FirstCheck(name="a"), elapsed=600)
    with clock.use(lambda: NOW, is_exact=True):
        outcome = SecondCheck(name="b").run(shared)

    assert outcome.evidence == {"first": 7, "further": 9}
    assert cloudwatch.calls["GetMetricData"] == 2


@pytest.mark.parametrize(("late", "over"), [(0, False), (29, False), (30, True)])
@pytest.mark.usefixtures("cloudwatch")
def test_the_window_has_whole_periods(late: float, over: bool) -> None:
    check = FirstCheck(window_minutes=5)
    began = NOW + 30  # the window begins half a period later

    with clock.use(lambda: began + 360 + late, is_exact=True):
        window = check.window(context(None, check, elapsed=360 + late))
    assert (window.begin, window.over) == (NOW + 60, over)
    assert window.end == (NOW + 360 if over else NOW + 300)
    assert check.requirements().watch_seconds >= 360
