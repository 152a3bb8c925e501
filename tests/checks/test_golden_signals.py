from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ecs_hooks.aws.errors import FactError
from ecs_hooks.checks import GoldenSignalsCheck
from ecs_hooks.core import clock
from ecs_hooks.core.outcome import Outcome, Status
from tests.checks.asking import context
from tests.conftest import GREEN
from tests.support.aws import AwsApi
from tests.support.layouts import NLB_LISTENER, load_balancer, revision

BEGAN = 1_800_000_000.0 - 1_800_000_000.0 % 60
Run = Callable[..., Outcome]


def measured(aws: AwsApi, **values: list[float]) -> None:
    """Have CloudWatch return a datapoint a minute for each metric."""
    load_balancer(aws)
    results = [
        {
            "Id": f"c0_{name}",
            "Timestamps": [datetime.fromtimestamp(BEGAN + 60 * number, UTC) for number in range(len(each))],
            "Values": each,
            "StatusCode": "Complete",
        }
        for name, each in values.items()
    ]
    aws.answer("GetMetricData", {"MetricDataResults": results})


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def run_check(minutes: float = 6, **fields: Any) -> Outcome:
        monkeypatch.setattr(clock, "now", lambda: BEGAN + 60 * minutes)
        made = GoldenSignalsCheck.model_validate(fields)
        return made.run(context(None, made, elapsed=60 * minutes))

    return run_check


def test_few_errors_and_fast_responses_pass_at_the_end_of_the_window(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[100, 50, 50], errors=[3], refused=[1], p99=[0.2, 1.5, 0.1], answered=[100, 50, 49])

    assert run(minutes=5.9, max_p99_seconds=1.2) == Outcome.wait(
        "200 requests, 2 % failed, p99 up to 1.5 s so far",
        {
            "requests": 200.0,
            "failed_percent": 2.0,
            "failed_percent_limit": 5,
            "slowest_p99_seconds": 1.5,
            "slowest_p99_seconds_limit": 1.2,
            "slow_periods": 1,
            "slow_periods_limit": 1,
        },
        retry_after=60,
    )
    assert run().status is Status.PASS


def test_too_many_errors_of_enough_requests_fail_at_once(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[20], errors=[1], refused=[1], answered=[19])
    outcome = run(minutes=2)
    assert outcome.status is Status.FAIL
    assert outcome.reason == "20 requests, 10 % failed, p99 up to 0 s; expected at most 5 % to fail"
    assert run(minutes=2, max_5xx_percent=10).status is Status.WAIT


def test_one_error_of_few_requests_fails_at_the_end(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[1], errors=[1], answered=[1])

    assert run(minutes=2).reason == "1 request, 100 % failed, p99 up to 0 s so far"
    assert run().status is Status.FAIL


def test_more_slow_minutes_than_allowed_fail(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[9, 9, 9], p99=[7, 0.1, 6], answered=[9, 9, 9])

    assert run(minutes=2).status is Status.WAIT
    outcome = run(minutes=4)
    assert outcome.reason == "27 requests, 0 % failed, p99 up to 7 s, above 5 s in 2 periods of 60 s"
    assert run(minutes=4, max_slow_periods=2).status is Status.WAIT
    assert run(minutes=4, max_p99_seconds=6.5).status is Status.WAIT


def test_requests_without_any_response_fail(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[10, 9])
    assert run(minutes=3).status is Status.WAIT
    assert run().reason == "19 requests, no responses; expected at most 5 % to fail"

    measured(aws, requests=[10, 10])
    assert run(minutes=3).status is Status.FAIL
    # Users give up, too: some requests without a response are no failure.
    measured(aws, requests=[10, 10], answered=[0, 1])
    assert run().status is Status.PASS


def test_too_few_requests_have_a_policy(aws: AwsApi, run: Run) -> None:
    measured(aws)

    assert run(minutes=1).reason == "no requests so far"
    unknown = run()
    assert (unknown.status, unknown.reason) == (
        Status.FAIL,
        "no requests in 5 minutes; expected 1 or more requests",
    )
    assert (unknown.evidence["requests"], unknown.evidence["slowest_p99_seconds"]) == (0, 0.0)
    assert run(missing_data="pass").status is Status.PASS
    measured(aws, requests=[9], answered=[9])
    assert run(min_requests=10).status is Status.FAIL
    assert run(min_requests=9).status is Status.PASS


def test_the_metrics_are_those_of_greens_target_group(aws: AwsApi, run: Run) -> None:
    measured(aws)
    run()

    queries = aws.asked["GetMetricData"][0]["MetricDataQueries"]
    metrics = [(query["MetricStat"]["Metric"]["MetricName"], query["MetricStat"]["Stat"]) for query in queries]
    assert metrics == [
        ("RequestCount", "Sum"),
        ("HTTPCode_Target_5XX_Count", "Sum"),
        ("TargetConnectionErrorCount", "Sum"),
        ("TargetResponseTime", "p99"),
        ("TargetResponseTime", "SampleCount"),
    ]
    assert {each["Value"] for query in queries for each in query["MetricStat"]["Metric"]["Dimensions"]} == {
        "app/my-alb/50dc6c495c0c9188",
        "targetgroup/alternate/2222222222222222",
    }


@pytest.mark.parametrize("service", ["nlb", "none"])
def test_a_service_without_an_application_load_balancer_is_skipped(aws: AwsApi, run: Run, service: str) -> None:
    load_balancer(aws)
    described = revision()
    described["loadBalancers"][0]["advancedConfiguration"]["productionListenerRule"] = NLB_LISTENER
    if service == "none":
        described = {"serviceRevisionArn": GREEN}
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [described], "failures": []})

    assert run().status is Status.SKIP


def test_an_aws_error_does_not_pass(aws: AwsApi, run: Run) -> None:
    measured(aws)
    aws.error("GetMetricData", "Throttling")

    with pytest.raises(FactError, match="Throttling"):
        run()
