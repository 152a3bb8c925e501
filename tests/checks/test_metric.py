from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks import Stage, stage_hook
from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.checks import ComparisonCheck, MetricCheck
from ecs_hooks.core import clock
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.deployment.placeholders import NoBlueError
from ecs_hooks.plan.model import Plan, PlanError
from tests.checks.asking import context
from tests.conftest import load_event
from tests.support.aws import AwsApi
from tests.support.layouts import UNREAD, load_balancer, revision, several_load_balancers

BEGAN = 1_800_000_000.0 - 1_800_000_000.0 % 60
ERRORS = {"namespace": "AWS/ApplicationELB", "metric": "HTTPCode_Target_5XX_Count"}
REQUESTS = {"namespace": "AWS/ApplicationELB", "metric": "RequestCount"}


def data(*values: float, identifier: str = "c0_Result", **fields: Any) -> dict[str, Any]:
    """Return a result with a datapoint a minute since the window began."""
    stamps = [datetime.fromtimestamp(BEGAN + 60 * number, UTC) for number in range(len(values))]
    return {"Id": identifier, "Timestamps": stamps, "Values": list(values), "StatusCode": "Complete", **fields}


def answer(aws: AwsApi, *results: dict[str, Any]) -> None:
    load_balancer(aws)
    aws.answer("GetMetricData", {"MetricDataResults": list(results)})


def check(**fields: Any) -> MetricCheck:
    return MetricCheck.model_validate({"queries": {"errors": ERRORS}, "fail_if": {"above": 5}} | fields)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    def run_check(minutes: float = 6, **fields: Any) -> Outcome:
        monkeypatch.setattr(clock, "now", lambda: BEGAN + 60 * minutes)
        made = check(**fields)
        return made.run(context(None, made, elapsed=60 * minutes))

    return run_check


Run = Callable[..., Outcome]


def test_values_within_the_limit_pass_at_the_end_of_the_window(aws: AwsApi, run: Run) -> None:
    answer(aws, data(0, 1, 5, 4, 3))

    assert run(minutes=5.9) == Outcome.wait(
        "4 datapoints so far, 0 above 5",
        {"samples": 4, "failures": 0, "failures_limit": 0, "last_value": 4.0, "last_value_limit": 5},
        retry_after=60,
    )
    passed = run(fail_if={"above": 5, "below": -1})
    assert (passed.status, passed.reason) == (Status.PASS, "5 datapoints, the last 3")
    assert passed.evidence["last_value"] == 3.0
    assert (passed.evidence["last_value_limit"], passed.evidence["last_value_lower_limit"]) == (5, -1)


def test_a_value_beyond_the_limit_fails_at_once(aws: AwsApi, run: Run) -> None:
    answer(aws, data(0, 9, 7))

    outcome = run(minutes=4)
    assert (outcome.status, outcome.reason) == (Status.FAIL, "2 of 3 datapoints above 5, such as 9")
    assert run(minutes=4, failure_limit=2).status is Status.WAIT
    assert run(failure_limit=2).status is Status.PASS


def test_a_value_below_the_lower_limit_fails(aws: AwsApi, run: Run) -> None:
    answer(aws, data(99))

    assert run(fail_if={"below": 99.5, "above": 100}).reason == "1 of 1 datapoint above 100 or below 99.5, such as 99"


def test_incomplete_and_earlier_datapoints_do_not_count(aws: AwsApi, run: Run) -> None:
    early = datetime.fromtimestamp(BEGAN - 60, UTC)
    late = data(0, 0, 100)
    answer(aws, {**late, "Timestamps": [early, *late["Timestamps"]], "Values": [100.0, *late["Values"]]})

    assert run(minutes=3).evidence["samples"] == 2
    assert run(minutes=4).status is Status.FAIL
    assert run(minutes=4, lag_seconds=120).evidence["samples"] == 2


@pytest.mark.parametrize(("policy", "status"), [("fail", Status.FAIL), ("pass", Status.PASS)])
def test_missing_data_has_a_policy(aws: AwsApi, run: Run, policy: str, status: Status) -> None:
    answer(aws, data(1, 2))

    assert run(minutes=5, min_samples=3, missing_data=policy).status is Status.WAIT
    outcome = run(min_samples=3, missing_data=policy)
    assert (outcome.status, outcome.reason) == (status, "2 datapoints in 5 minutes, expected 3 or more")
    answer(aws)
    assert run(missing_data=policy).status is status


@pytest.mark.parametrize(("policy", "status"), [("fail", Status.FAIL), ("pass", Status.PASS)])
def test_values_between_pass_and_fail_are_inconclusive(aws: AwsApi, run: Run, policy: str, status: Status) -> None:
    answer(aws, data(0, 3))

    outcome = run(pass_if={"below": 1}, inconclusive=policy)
    assert (outcome.status, outcome.reason) == (status, "inconclusive: 1 of 2 datapoints not below 1, such as 3")
    assert run(pass_if={"below": 4}).status is Status.PASS


def test_an_expression_over_several_metrics(aws: AwsApi, run: Run) -> None:
    answer(aws, data(1))
    group = {"TargetGroup": "{green.target_group}", "LoadBalancer": "{load_balancer}"}
    queries = {
        "e": ERRORS | {"dimensions": group},
        "requests": REQUESTS | {"dimensions": {"TargetGroup": "{blue.target_group}"}, "stat": "p99"},
        "t": REQUESTS | {"dimensions": {"ClusterName": "{cluster}", "ServiceName": "a-{service}"}},
    }
    assert run(queries=queries, expression="100 * e / requests + FILL(t, 0) + METRICS('e')").status is Status.PASS

    sent = aws.asked["GetMetricData"][0]["MetricDataQueries"]
    assert [query["Id"] for query in sent] == ["c0_e", "c0_requests", "c0_t", "c0_Result"]
    # METRICS would also return the metrics of the other checks in the call.
    assert sent[3]["Expression"] == "100 * c0_e / c0_requests + FILL(c0_t, 0) + [c0_e, c0_requests]"
    assert [query["ReturnData"] for query in sent] == [False, False, False, True]
    assert sent[0]["MetricStat"] == {
        "Metric": {
            "Namespace": "AWS/ApplicationELB",
            "MetricName": "HTTPCode_Target_5XX_Count",
            "Dimensions": [
                {"Name": "TargetGroup", "Value": "targetgroup/alternate/2222222222222222"},
                {"Name": "LoadBalancer", "Value": "app/my-alb/50dc6c495c0c9188"},
            ],
        },
        "Period": 60,
        "Stat": "Sum",
    }
    values = [pair["Value"] for query in sent[1:3] for pair in query["MetricStat"]["Metric"]["Dimensions"]]
    assert values == ["targetgroup/primary/1111111111111111", "my-cluster", "a-my-service"]
    assert sent[1]["MetricStat"]["Stat"] == "p99"


def test_a_first_deployment_has_no_blue(aws: AwsApi, run: Run) -> None:
    answer(aws)
    aws.answer("DescribeServiceDeployments", {"serviceDeployments": [{"sourceServiceRevisions": []}]})
    made = check(queries={"a": ERRORS | {"dimensions": {"TargetGroup": "{blue.target_group}"}}})

    with pytest.raises(NoBlueError, match="no blue to measure") as caught:
        made.run(context(None, made))
    assert caught.value.outcome.status is Status.SKIP


@pytest.mark.parametrize("value", ["{green.target_group}", "{load_balancer}"])
def test_a_placeholder_without_a_load_balancer_is_an_error(aws: AwsApi, run: Run, value: str) -> None:
    answer(aws)
    aws.answer(
        "DescribeServiceRevisions",
        lambda request: {"serviceRevisions": [{"serviceRevisionArn": request["serviceRevisionArns"][0]}]},
    )
    with pytest.raises(FactError, match="ecs:DescribeServiceRevisions"):
        run(queries={"a": ERRORS | {"dimensions": {"X": value}}})


def test_the_first_load_balancer_with_a_rule_counts(aws: AwsApi, run: Run) -> None:
    answer(aws, data(1))
    known = revision()
    unknown = {"targetGroupArn": "x", "advancedConfiguration": {"alternateTargetGroupArn": "y"}}
    aws.answer(
        "DescribeServiceRevisions",
        {"serviceRevisions": [{**known, "loadBalancers": [unknown, *known["loadBalancers"]]}]},
    )
    dimensions = {"A": "{green.target_group}", "B": "{load_balancer}"}
    assert run(queries={"a": ERRORS | {"dimensions": dimensions}}).status is Status.PASS

    (request,) = aws.asked["GetMetricData"][0]["MetricDataQueries"]
    assert [each["Value"] for each in request["MetricStat"]["Metric"]["Dimensions"]] == [
        "targetgroup/alternate/2222222222222222",
        "app/my-alb/50dc6c495c0c9188",
    ]


def test_pages_and_partial_data_are_joined(aws: AwsApi, run: Run) -> None:
    load_balancer(aws)
    first, second = data(1, 2, StatusCode="PartialData"), data(0, 0, 7)
    pages: dict[str | None, dict[str, Any]] = {
        None: {"MetricDataResults": [first], "NextToken": "2"},
        "2": {"MetricDataResults": [{**second, "Timestamps": second["Timestamps"][2:], "Values": [7]}]},
    }
    aws.answer("GetMetricData", lambda request: pages[request.get("NextToken")])

    assert run(fail_if={"above": 100}).evidence["samples"] == 3


def test_endless_pages_are_not_read(aws: AwsApi, run: Run) -> None:
    load_balancer(aws)
    aws.answer("GetMetricData", {"MetricDataResults": [data(1)], "NextToken": "again"})

    with pytest.raises(FactDeniedError, match="more than 20 pages"):
        run(fail_if={"above": 100})
    assert aws.calls["GetMetricData"] == 20


@pytest.mark.parametrize(
    ("status", "messages", "named", "denied"),
    [
        ("InternalError", [], "InternalError", False),
        ("Forbidden", [{"Code": "Forbidden", "Value": "no such account"}], "Forbidden, no such account", True),
        ("InternalError", [{"Code": "ArithmeticError"}], "InternalError, ArithmeticError", False),
    ],
)
def test_an_error_of_a_query_is_an_aws_error(
    aws: AwsApi, run: Run, status: str, messages: list[dict[str, str]], named: str, *, denied: bool
) -> None:
    answer(aws, data(StatusCode=status, Messages=messages))
    with pytest.raises(FactError, match=f"cloudwatch:GetMetricData: {named}") as caught:
        run()
    assert isinstance(caught.value, FactDeniedError) is denied


@pytest.mark.parametrize(
    "result", [{"Id": "c0_Result", "Values": [1]}, {"Id": "c0_Result", "Timestamps": [], "Values": [1]}]
)
def test_an_invalid_response_is_an_aws_error(aws: AwsApi, run: Run, result: dict[str, Any]) -> None:
    answer(aws, result)
    with pytest.raises(FactError, match="invalid response"):
        run()


def test_one_call_reads_all_metrics_of_a_plan(aws: AwsApi) -> None:
    answer(aws, data(0, identifier="c0_Result"), data(100, identifier="c1_Result"))
    checks = [check(name="a"), check(name="b")]
    shared = context(None, *checks)

    assert [each.run(shared).status for each in checks] == [Status.WAIT, Status.WAIT]
    assert aws.calls["GetMetricData"] == 1
    assert check(name="of a hook's own code").run(shared).status is Status.WAIT
    assert aws.calls["GetMetricData"] == 2


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"queries": {"a": ERRORS, "b": ERRORS}}, "expression: is required with several queries"),
        ({"fail_if": {}}, "requires above, below or both"),
        (
            {"queries": {"a": ERRORS | {"dimensions": {"X": "{green}"}}}},
            "{green} is not a placeholder; allowed: {green.",
        ),
        ({"queries": {"Bad": ERRORS}}, "pattern"),
        (
            {"min_samples": 5, "window_minutes": 3},
            (
                "min_samples: never passes, window_minutes 3 has 3 datapoints of 60 s; must be at most 3, or window_minutes at "
                "least 5"
            ),
        ),
        (
            {"failure_limit": 1, "period_seconds": 300},
            (
                "failure_limit: never fails, window_minutes 5 has 1 datapoint of 300 s; must be at most 0, or window_minutes at "
                "least 10"
            ),
        ),
    ],
)
def test_a_mistake_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        check(**fields)
    assert problem in str(caught.value)


def test_a_plan_that_ends_before_the_window_is_refused() -> None:
    metric = {"type": "metric", "queries": {"a": ERRORS}, "fail_if": {"above": 1}, "window_minutes": 29}
    with pytest.raises(PlanError) as caught:
        Plan.parse({"checks": [{**metric, "name": "5xx"}]})
    assert str(caught.value) == (
        'hookDetails.timeout_minutes: must be greater than 30, the minutes for which metric "5xx" watches, not 30'
    )
    assert Plan.parse({"checks": [metric], "timeout_minutes": 31}).checks


def test_twenty_metrics_five_alarms_and_ten_requests_cost_few_calls(
    aws: AwsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    load_balancer(aws, "HTTP", port, "127.0.0.1")
    aws.answer("GetMetricData", {"MetricDataResults": []})
    alarms = [{"AlarmName": f"alarm {number}", "StateValue": "INSUFFICIENT_DATA"} for number in range(5)]
    aws.answer("DescribeAlarms", {"MetricAlarms": alarms, "CompositeAlarms": []})
    dimensions = {"TargetGroup": "{green.target_group}", "LoadBalancer": "{load_balancer}"}
    plan = {
        "checks": [
            *[
                {
                    "type": "metric",
                    "name": f"metric {number}",
                    "queries": {"a": ERRORS | {"dimensions": dimensions}, "b": REQUESTS},
                    "expression": "a / b",
                    "fail_if": {"above": number},
                }
                for number in range(20)
            ],
            *[{"type": "alarm", "names": [f"alarm {number}"]} for number in range(5)],
            *[{"type": "http", "path": f"/{number}", "connect_retries": 0} for number in range(10)],
        ]
    }
    handler = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)
    first = handler(load_event(hookDetails=plan), None)
    assert first["hookStatus"] == "IN_PROGRESS", first
    assert aws.calls == {
        "DescribeServiceRevisions": 1,
        "DescribeRules": 1,
        "DescribeListeners": 1,
        "DescribeLoadBalancers": 1,
        "GetMetricData": 1,
        "DescribeAlarms": 1,
        "DescribeServiceDeployments": 1,
    }
    aws.calls.clear()
    assert handler(load_event(hookDetails=first["hookDetails"]), None)["hookStatus"] == "IN_PROGRESS"
    assert aws.calls == {"DescribeRules": 1, "GetMetricData": 1, "DescribeAlarms": 1}


def test_one_call_reads_500_metrics_of_many_checks(aws: AwsApi) -> None:
    load_balancer(aws)
    aws.answer("GetMetricData", {"MetricDataResults": []})
    single = [
        MetricCheck.model_validate({"name": str(number), "queries": {"a": REQUESTS}, "fail_if": {"above": 1}})
        for number in range(100)
    ]
    compared = [
        ComparisonCheck.model_validate(
            {"name": name, "metrics": [{"metric": f"M{each}", "stat": "Sum"} for each in range(100)]}
        )
        for name in ("a", "b")
    ]
    shared = context(None, *single, *compared)

    for check in shared.checks:
        assert check.run(shared).status is Status.WAIT

    (request,) = aws.asked["GetMetricData"]
    assert len({query["Id"] for query in request["MetricDataQueries"]}) == 500


@pytest.mark.parametrize("value", ["{load_balancer}", "{green.target_group}"])
def test_a_pass_names_the_load_balancers_that_a_placeholder_leaves_out(aws: AwsApi, run: Run, value: str) -> None:
    answer(aws, data(0, 1, 5, 4, 3))
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [several_load_balancers()], "failures": []})

    outcome = run(queries={"errors": {**ERRORS, "dimensions": {"A": value}}})
    assert outcome.reason == f"5 datapoints, the last 3; not checked: target group alternate, {UNREAD}"
    named = run(queries={"errors": {**ERRORS, "dimensions": {"A": "x"}}})
    assert named.reason == "5 datapoints, the last 3"
    (dimension,) = aws.asked["GetMetricData"][0]["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"]
    expected = {
        "{load_balancer}": "net/my-nlb/60dc6c495c0c9188",
        "{green.target_group}": "targetgroup/admin/3333333333333333",
    }
    assert dimension["Value"] == expected[value]
