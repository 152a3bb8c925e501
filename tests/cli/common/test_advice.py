from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ecs_hooks.core import clock
from ecs_hooks.deployment.revision import parse_load_balancing
from ecs_hooks_cli.common.advice import Usual, advice, linear_shares, shares, usual_of_last_week
from tests.support.aws import AwsApi
from tests.support.layouts import revision

NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def measured(aws: AwsApi, hours: int = 168, **values: float) -> None:
    """Have CloudWatch return a datapoint of each statistic in each of so many hours, for the first target group."""
    stamps = [datetime.fromtimestamp(NOW - 3600 * (hour + 1), UTC) for hour in range(hours)]
    results = [
        {"Id": f"{name}_0_0", "Timestamps": stamps, "Values": [value] * hours, "StatusCode": "Complete"}
        for name, value in values.items()
    ]
    aws.answer("GetMetricData", {"MetricDataResults": results})


def usual() -> Usual | None:
    return usual_of_last_week("us-west-2", [parse_load_balancing(revision()["loadBalancers"][0])])


def test_the_traffic_is_that_of_both_target_groups_in_the_median_hour(aws: AwsApi) -> None:
    measured(aws, requests=6000, errors=12, p50=0.1, p99=1)
    found = usual()

    assert found is not None
    assert tuple(found) == pytest.approx((100, 0.2, 0.9898), abs=1e-4)
    assert str(found) == "100 requests a minute in the median hour of the last week, 0.2 % errors"
    queries = aws.asked["GetMetricData"][0]["MetricDataQueries"]
    groups = {each["Value"] for query in queries for each in query["MetricStat"]["Metric"]["Dimensions"]}
    assert groups == {
        "app/my-alb/50dc6c495c0c9188",
        "targetgroup/alternate/2222222222222222",
        "targetgroup/primary/1111111111111111",
    }
    assert {(query["MetricStat"]["Period"], query["Id"].count("_")) for query in queries} == {(3600, 2)}


def test_hours_without_requests_count(aws: AwsApi) -> None:
    measured(aws, hours=80, requests=6000)
    found = usual()
    assert found is not None
    assert found.requests == 0

    measured(aws)
    assert usual() == Usual(0)
    measured(aws, requests=60)
    assert usual() == Usual(1, 0)


def test_a_service_without_an_application_load_balancer_has_no_traffic() -> None:
    assert usual_of_last_week("us-west-2", []) is None
    network: dict[str, Any] = {"targetGroupArn": "arn:aws:elasticloadbalancing:us-west-2:1:targetgroup/a/1"}
    assert usual_of_last_week("us-west-2", [parse_load_balancing(network)]) is None


def test_the_shares_of_a_strategy() -> None:
    assert shares({"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 20}}) == (20,)
    assert shares({"strategy": "CANARY"}) == (5,)
    assert shares({"strategy": "LINEAR"}) == (10, 50, 90)
    assert shares({"strategy": "BLUE_GREEN"}) == (100,)
    assert linear_shares(50) == (50,)
    assert linear_shares(100) == (100,)


def test_the_advice_names_step_comparison_and_minutes() -> None:
    first, last = advice(Usual(600), (10, 100))

    assert first == (
        "at 10 % (green 60 and blue 540 requests a minute): latency +10 % p50 in 8 min or p99 in 50 min with "
        "tolerance_percent 0, +30 % p50 in 5 min or p99 in 17 min, +100 % p50 in 5 min or p99 in 17 min; percentage points "
        "of errors +0.5 in 18 min, +1 in 7 min, +5 in 5 min"
    )
    assert last.startswith('after the last step, with baseline "previous" (green 600 and blue 600 requests a minute)')
    (few,) = advice(Usual(20), (5,))
    assert "+10 % p50 in 416 min or p99 in more than a day" in few
