from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from ecs_hooks_simulator.aws.metric_data import MAX_DATAPOINTS, MetricData


class EveryMinute(MetricData):
    """One value a minute in every metric."""

    namespace = "Test"

    def owns(self, metric: Mapping[str, Any]) -> bool:
        return bool(metric["Namespace"] == "Test")

    def values(
        self, name: str, dimensions: Mapping[str, str], period: int, begin: float, end: float
    ) -> Mapping[float, Sequence[float]]:
        return {float(start): (1.0,) for start in range(int(begin), int(end), period)}


@pytest.mark.parametrize("asked_for", [None, MAX_DATAPOINTS, 2 * MAX_DATAPOINTS])
def test_a_response_has_at_most_100800_datapoints(asked_for: int | None) -> None:
    metric = {"Namespace": "Test", "MetricName": "a", "Dimensions": []}
    request: dict[str, Any] = {
        "MetricDataQueries": [
            {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}} for number in range(500)
        ],
        "StartTime": datetime.fromtimestamp(0, UTC),
        "EndTime": datetime.fromtimestamp(60 * 202, UTC),
        "MaxDatapoints": asked_for,
    }
    answers = EveryMinute()
    first = answers.answer("GetMetricData", request)
    assert first is not None
    second = answers.answer("GetMetricData", request | {"NextToken": first["NextToken"]})
    assert second is not None

    counts = [sum(len(each["Values"]) for each in page["MetricDataResults"]) for page in (first, second)]
    assert counts == [100_800, 200]
    assert [page["MetricDataResults"][-1]["StatusCode"] for page in (first, second)] == ["PartialData", "Complete"]
    assert "NextToken" not in second
