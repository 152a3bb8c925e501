from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecs_hooks_simulator import DeploymentController
from ecs_hooks_simulator.aws.elastic_load_balancing import ElasticLoadBalancing
from ecs_hooks_simulator.traffic.load_balancer import Forwarded, LoadBalancer
from tests.simulator.aws.conftest import Client

BEGAN = 1_800_000_000.0 - 1_800_000_000.0 % 60


@pytest.fixture
def measured(controller: DeploymentController, balancer: LoadBalancer) -> dict[str, str]:
    """Six requests of green in two minutes, one of blue; the dimensions of green."""
    blue, green = controller.adopt().arn, controller.deploy().target.arn
    for seconds, status, origin in ((0, 200, "target"), (1, 500, "target"), (59, 502, "balancer")):
        balancer.note(Forwarded(BEGAN + seconds, "production", green, status, 0.1 + seconds, origin))  # type: ignore[arg-type]
    for seconds, status, origin in ((60, 502, "connection"), (70, 404, "target"), (80, 304, "target")):
        balancer.note(Forwarded(BEGAN + seconds, "test", green, status, 0.1, origin))  # type: ignore[arg-type]
    balancer.note(Forwarded(BEGAN, "production", blue, 200, 9.0))
    group = controller.service.load_balancers[0]["advancedConfiguration"]["alternateTargetGroupArn"]
    return {
        "LoadBalancer": ElasticLoadBalancing(balancer, controller).name,
        "TargetGroup": group.rpartition(":")[2],
    }


def query(identifier: str, dimensions: dict[str, str], metric: str, stat: str = "Sum", **fields: Any) -> dict[str, Any]:
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    request = {"Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": named}
    return {"Id": identifier, "MetricStat": {"Metric": request, "Period": 60, "Stat": stat}, **fields}


def values_of(client: Client, *queries: dict[str, Any], minutes: float = 5, **options: Any) -> dict[str, list[float]]:
    answer = client("cloudwatch").get_metric_data(
        MetricDataQueries=list(queries),
        StartTime=datetime.fromtimestamp(BEGAN, UTC),
        EndTime=datetime.fromtimestamp(BEGAN + 60 * minutes, UTC),
        **{"ScanBy": "TimestampAscending"} | options,
    )
    return {each["Id"]: each["Values"] for each in answer["MetricDataResults"]}


@pytest.mark.parametrize(
    ("metric", "stat", "values"),
    [
        ("RequestCount", "Sum", [3, 3]),
        ("HTTPCode_Target_5XX_Count", "Sum", [1]),
        ("HTTPCode_Target_4XX_Count", "Sum", [1]),
        ("HTTPCode_Target_3XX_Count", "SampleCount", [1]),
        ("TargetConnectionErrorCount", "Sum", [1]),
        ("TargetResponseTime", "Maximum", [1.1, 0.1]),
        ("TargetResponseTime", "Average", [0.6, 0.1]),
        ("TargetResponseTime", "Minimum", [0.1, 0.1]),
        ("TargetResponseTime", "p99", [1.1, 0.1]),
    ],
)
def test_metrics_of_greens_target_group(
    client: Client, measured: dict[str, str], metric: str, stat: str, values: list[float]
) -> None:
    assert values_of(client, query("a", measured, metric, stat))["a"] == pytest.approx(values)


def test_only_the_requested_periods_are_returned(client: Client, measured: dict[str, str]) -> None:
    request = query("a", measured, "RequestCount")

    assert values_of(client, request, minutes=1) == {"a": [3]}
    assert values_of(client, query("a", measured, "TargetResponseTime", "p50"), ScanBy="TimestampDescending")["a"] == [
        0.1,
        0.1,
    ]


def test_without_a_target_group_the_whole_load_balancer_counts(client: Client, measured: dict[str, str]) -> None:
    assert values_of(client, query("a", {"LoadBalancer": measured["LoadBalancer"]}, "RequestCount")) == {"a": [4, 3]}
    assert values_of(client, query("a", measured | {"TargetGroup": "targetgroup/x/1"}, "RequestCount")) == {"a": []}


@pytest.mark.parametrize(("metric", "values"), [("HTTPCode_ELB_5XX_Count", [1, 1]), ("HTTPCode_ELB_4XX_Count", [])])
def test_responses_of_the_load_balancer_itself_have_no_target_group(
    client: Client, measured: dict[str, str], metric: str, values: list[float]
) -> None:
    whole = {"LoadBalancer": measured["LoadBalancer"]}

    assert values_of(client, query("a", whole, metric), query("b", measured, metric)) == {"a": values, "b": []}


def test_requests_between_two_calls_are_in_the_second_response(
    client: Client, measured: dict[str, str], balancer: LoadBalancer, controller: DeploymentController
) -> None:
    slowest = query("a", measured, "TargetResponseTime", "Maximum")
    assert values_of(client, slowest)["a"] == pytest.approx([1.1, 0.1])

    # An older request that comes late, and one of a revision that gets the target group next.
    balancer.note(Forwarded(BEGAN + 30, "production", controller.active[0].arn, 200, 2.0))
    assert values_of(client, slowest)["a"] == pytest.approx([2.0, 0.1])
    controller.deploy()
    balancer.note(Forwarded(BEGAN + 90, "production", controller.deploy().target.arn, 200, 3.0))
    assert values_of(client, slowest)["a"] == pytest.approx([2.0, 3.0])


def test_an_expression_over_metrics(client: Client, measured: dict[str, str]) -> None:
    values = values_of(
        client,
        {"Id": "rate", "Expression": "100 * FILL(errors, 0) / requests", "Period": 60},
        query("errors", measured, "HTTPCode_Target_5XX_Count", ReturnData=False),
        query("requests", measured, "RequestCount", ReturnData=False),
    )

    assert values == {"rate": pytest.approx([100 / 3, 0])}


@pytest.mark.parametrize(
    ("metric", "stat", "expression", "message"),
    [
        ("ActiveConnectionCount", "Sum", "a", "metric ActiveConnectionCount is not supported"),
        ("RequestCount", "PR(10%:90%)", "a", "statistic PR(10%:90%) is not supported"),
        ("RequestCount", "Sum", "ANOMALY_DETECTION_BAND(a)", "ANOMALY_DETECTION_BAND(a) is not supported"),
        ("RequestCount", "Sum", "a +", "invalid syntax"),
        ("RequestCount", "Sum", "b + 1", "b is not supported"),
    ],
)
def test_metrics_without_support_are_refused(
    client: Client, measured: dict[str, str], metric: str, stat: str, expression: str, message: str
) -> None:
    with pytest.raises(ClientError, match="ValidationError") as refused:
        values_of(client, query("a", measured, metric, stat), {"Id": "e", "Expression": expression})
    assert message in str(refused.value)


def test_moto_answers_for_other_metrics_but_not_in_the_same_request(client: Client, measured: dict[str, str]) -> None:
    own = query("b", {}, "Orders")
    own["MetricStat"]["Metric"]["Namespace"] = "Shop"

    assert values_of(client, own) == {"b": []}
    with pytest.raises(ClientError, match="cannot mix"):
        values_of(client, query("a", measured, "RequestCount"), own)


@pytest.mark.parametrize(
    ("stat", "values"),
    [
        ("TC(0.1:)", [1, 0]),  # a minute with requests, but none of them slower
        ("TC(:0.1)", [1, 2]),
        ("PR(0.1:1.1)", [50, 0]),
        ("SampleCount", [2, 2]),
        ("TS(0.1:)", [1.1, 0]),
        ("TM(0.1:)", [1.1]),
    ],
)
def test_a_range_of_values_counts_the_requests_of_each_minute_with_requests(
    client: Client, measured: dict[str, str], stat: str, values: list[float]
) -> None:
    assert values_of(client, query("a", measured, "TargetResponseTime", stat))["a"] == pytest.approx(values)


def test_a_long_period_begins_at_its_multiple_and_is_whole(client: Client, measured: dict[str, str]) -> None:
    request = query("a", measured, "RequestCount")
    request["MetricStat"]["Period"] = 900
    answer = client("cloudwatch").get_metric_data(
        MetricDataQueries=[request],
        StartTime=datetime.fromtimestamp(BEGAN + 30, UTC),
        EndTime=datetime.fromtimestamp(BEGAN + 45, UTC),
    )

    (series,) = answer["MetricDataResults"]
    assert series["Values"] == [6]
    assert [stamp.timestamp() for stamp in series["Timestamps"]] == [BEGAN // 900 * 900]


@pytest.mark.parametrize("period", [30, 90])
def test_a_period_that_is_not_a_multiple_of_a_minute_is_refused(
    client: Client, measured: dict[str, str], period: int
) -> None:
    request = query("a", measured, "RequestCount")
    request["MetricStat"]["Period"] = period

    with pytest.raises(ClientError, match=f"period {period} is not supported"):
        values_of(client, request)


def test_a_request_has_at_most_500_queries(client: Client, measured: dict[str, str]) -> None:
    queries = [query(f"q{number}", measured, "RequestCount") for number in range(501)]

    assert len(values_of(client, *queries[:500])) == 500
    with pytest.raises(ClientError, match="must not have a size greater than 500"):
        values_of(client, *queries)


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_further_datapoints_are_on_further_pages(client: Client, measured: dict[str, str], most: int) -> None:
    pages = (
        client("cloudwatch")
        .get_paginator("get_metric_data")
        .paginate(
            MetricDataQueries=[
                query("a", measured, "RequestCount"),
                query("b", measured, "TargetResponseTime", "Maximum"),
                query("none", measured, "HTTPCode_ELB_5XX_Count"),
            ],
            StartTime=datetime.fromtimestamp(BEGAN, UTC),
            EndTime=datetime.fromtimestamp(BEGAN + 300, UTC),
            ScanBy="TimestampAscending",
            MaxDatapoints=most,
        )
    )
    found = [[(each["Id"], each["StatusCode"], each["Values"]) for each in page["MetricDataResults"]] for page in pages]

    partial = "PartialData"
    assert [[each for each in page if each[0] != "none"] for page in found] == {
        1: [
            [("a", partial, [3])],
            [("a", "Complete", [3])],
            [("b", partial, [1.1])],
            [("b", "Complete", [0.1])],
        ],
        2: [[("a", "Complete", [3, 3])], [("b", "Complete", [1.1, 0.1])]],
        3: [[("a", "Complete", [3, 3]), ("b", partial, [1.1])], [("b", "Complete", [0.1])]],
        100: [[("a", "Complete", [3, 3]), ("b", "Complete", [1.1, 0.1])]],
    }[most]
    assert ("none", "Complete", []) in found[0]
