from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks.aws.errors import FactError
from ecs_hooks.checks import CheckContext, GoldenSignalsCheck
from ecs_hooks.core import clock
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.core.sent_requests import Sent, SentRequests
from tests.checks.asking import context
from tests.conftest import GREEN
from tests.support.aws import AwsApi
from tests.support.layouts import NLB_LISTENER, UNREAD, load_balancer, revision, several_load_balancers
from tests.support.targets import FixedTarget

BEGAN = 1_800_000_000.0 - 1_800_000_000.0 % 60
Run = Callable[..., Outcome]


def measured(aws: AwsApi, **values: Sequence[float | None]) -> None:
    """Have CloudWatch return a datapoint a minute for each metric; None for no datapoint.

    Without values of their own, all requests are answered, and none is slow.
    """
    load_balancer(aws)
    given: Mapping[str, Sequence[float | None]] = {
        "answered": values.get("requests", ()),
        "slow": [0.0 for _ in values.get("answered", values.get("requests", ()))],
        **values,
    }
    results = [
        {
            "Id": f"c0_{name}",
            "Timestamps": [
                datetime.fromtimestamp(BEGAN + 60 * number, UTC)
                for number, value in enumerate(each)
                if value is not None
            ],
            "Values": [value for value in each if value is not None],
            "StatusCode": "Complete",
        }
        for name, each in given.items()
    ]
    aws.answer("GetMetricData", {"MetricDataResults": results})


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def run_check(minutes: float = 6, sent: SentRequests | None = None, **fields: Any) -> Outcome:
        monkeypatch.setattr(clock, "now", lambda: BEGAN + 60 * minutes)
        made = GoldenSignalsCheck.model_validate(fields)
        asked = context(None, made, elapsed=60 * minutes)
        asked.target.sent = sent or asked.target.sent
        return made.run(asked)

    return run_check


def test_few_errors_and_fast_responses_pass_at_the_end_of_the_window(aws: AwsApi, run: Run) -> None:
    measured(
        aws,
        requests=[1000, 500, 500, 500, 500],
        errors=[30],
        refused=[None, 10],
        answered=[1000, 500, 499, 500, 500],
        slow=[60, 0, 0, None, 4],
        p99=[9, 0.2, 1.5, 0.1, 0.4],
    )
    waiting = run(minutes=5.9)
    passed = run()

    assert waiting.status is Status.WAIT
    assert waiting.reason.endswith(" so far")
    assert waiting.retry_after == 60
    assert passed.status is Status.PASS
    assert passed.reason == (
        "3,000 requests, 1.33 % failed (95 % confidence: 0.95 to 1.81 %), "
        "0.4 % slower than 5 s (4 of 1,000 after 3 minutes of warm-up)"
    )
    assert passed.evidence == {
        "requests": 3000.0,
        "own_requests": 0,
        "failed_percent": 1.3333,
        "failed_percent_limit": 5,
        "failed_percent_from": 0.9542,
        "failed_percent_to": 1.8112,
        "failed_percent_detectable": pytest.approx(5.36, abs=0.01),
        "responses": 1000.0,
        "slow_percent": 0.4,
        "slow_percent_limit": 1,
        "slow_percent_from": 0.1091,
        "slow_percent_to": 1.021,
        "slow_percent_detectable": pytest.approx(1.36, abs=0.01),
        "slowest_p99_seconds": 9.0,
        "slowest_p99_seconds_limit": 5,
    }


def test_half_of_the_requests_fail_in_the_second_minute(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[300, 300], errors=[150, 150])
    outcome = run(minutes=3)

    assert outcome.status is Status.FAIL
    assert outcome.reason == (
        "600 requests, 50 % failed (95 % confidence: 46 to 54.1 %), 0 % slower than 5 s (0 of 600, all in 2 minutes of "
        "warm-up); expected at most 5 % to fail"
    )


def test_a_bad_minute_that_has_ended_is_no_outage(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[300, 300, 300, 300, 300], errors=[60, 0, 0, 0, 0])

    assert run(minutes=2).status is Status.WAIT
    assert run(minutes=3).status is Status.WAIT
    assert run().status is Status.PASS


def test_an_outage_at_the_end_of_a_long_window_fails_although_the_whole_share_is_low(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[300] * 60, errors=[0] * 58 + [60, 60])
    outcome = run(minutes=61, window_minutes=60)

    assert outcome.status is Status.FAIL
    assert outcome.reason.startswith("18,000 requests, 0.667 % failed")
    assert outcome.reason.endswith("expected at most 5 % to fail; in minutes 58 to 60: 120 of 900 failed")


def test_a_look_counts_whenever_the_hook_is_invoked(aws: AwsApi, run: Run) -> None:
    # The outage was over before the first invocation that has seen it.
    measured(aws, requests=[300] * 60, errors=[0, 0, 0, 150, 150] + [0] * 55)
    outcome = run(minutes=61, window_minutes=60)

    assert outcome.reason.endswith("in minutes 1 to 5: 300 of 1,500 failed")


def test_one_error_of_few_requests_fails_at_the_end(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[1], errors=[1])

    assert run(minutes=2).reason == (
        "1 request, 100 % failed, 0 % slower than 5 s (0 of 1, all in 1 minute of warm-up) so far"
    )
    failed = run()
    assert failed.status is Status.FAIL
    assert failed.reason.startswith(
        "1 request (may include requests of other hooks), 100 % failed (95 % confidence: 2.5 to 100 %), "
    )


def test_without_tolerance_the_first_error_fails(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[100], errors=[1])

    assert run(minutes=2, max_5xx_percent=0).status is Status.FAIL
    assert run(minutes=2, max_5xx_percent=0.1).status is Status.WAIT
    assert run(max_5xx_percent=1).status is Status.PASS


def test_slow_responses_fail_after_the_warm_up(aws: AwsApi, run: Run) -> None:
    slow: dict[str, Any] = {"requests": [300] * 15, "slow": [0, *[200] * 14]}
    measured(aws, **slow)
    fields = {"window_minutes": 15}

    assert run(minutes=5, **fields).status is Status.WAIT
    outcome = run(minutes=6, **fields)
    assert (outcome.status, outcome.reason) == (
        Status.FAIL,
        (
            "1,500 requests, 0 % failed (95 % confidence: 0 to 0.246 %), 66.7 % slower than 5 s (400 of 600 after 3 minutes "
            "of warm-up); expected at most 1 % to be slower (p99)"
        ),
    )
    assert run(minutes=4, warm_up_minutes=0, **fields).status is Status.FAIL
    assert run(minutes=15, warm_up_minutes=14, **fields).status is Status.WAIT
    assert run(minutes=16, warm_up_minutes=14, **fields).status is Status.FAIL


def test_a_cold_start_is_forgiven_from_the_first_requests_on(aws: AwsApi, run: Run) -> None:
    measured(
        aws, requests=[0, 0, 0, 0, *[300] * 11], answered=[None] * 4 + [300] * 11, slow=[0] * 4 + [300] * 3 + [0] * 8
    )

    assert run(minutes=16, window_minutes=15).status is Status.PASS
    assert run(minutes=16, window_minutes=15, warm_up_minutes=2).status is Status.FAIL


def test_slow_responses_at_the_end_of_a_long_window_fail(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[300] * 60, slow=[0] * 58 + [40, 40])
    outcome = run(minutes=61, window_minutes=60)

    assert outcome.status is Status.FAIL
    assert outcome.reason.endswith("in minutes 58 to 60: 80 of 900 slower")


def test_one_slow_request_of_few_is_no_proof(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[0, 0, 20, 0, 0], slow=[0, 0, 1, 0, 0])
    assert run(warm_up_minutes=0).status is Status.PASS
    measured(aws, requests=[0, 0, 20, 0, 0], slow=[0, 0, 2, 0, 0])
    assert run(warm_up_minutes=0).status is Status.FAIL
    measured(aws, requests=[0, 0, 10, 0, 0], slow=[0, 0, 1, 0, 0])
    assert run(warm_up_minutes=0).status is Status.FAIL


def test_latency_of_the_warm_up_alone_passes_where_it_is_good_and_is_unknown_where_it_is_not(
    aws: AwsApi, run: Run
) -> None:
    measured(aws, requests=[0, 0, 0, 50, 50], answered=[None, None, None, 50, 50])
    passed = run()
    assert (passed.status, passed.reason) == (
        Status.PASS,
        (
            "100 requests, 0 % failed (95 % confidence: 0 to 3.62 %), 0 % slower than 5 s (0 of 100, all in 2 minutes of "
            "warm-up); would not have found less than 7.8 % of errors or 3 % of slow requests"
        ),
    )
    measured(aws, requests=[0, 0, 0, 50, 50], answered=[None, None, None, 50, 50], slow=[0, 0, 0, 50, 50])
    for policy, status in (("fail", Status.FAIL), ("pass", Status.PASS), ("skip", Status.SKIP)):
        outcome = run(missing_data=policy)
        assert outcome.status is status
        assert outcome.reason.endswith("latency after the warm-up is unknown")


@pytest.mark.parametrize(
    ("slow", "p99", "status"),
    [
        ([None] * 5, [0.1] * 5, Status.PASS),
        ([0] * 5, [None] * 5, Status.PASS),
        ([0, 0, 0, None, 0], [None, None, None, 5, None], Status.PASS),
        ([None] * 5, [None] * 5, Status.FAIL),
        ([0, 0, 0, None, 0], [0.1, 0.1, 0.1, 5.1, 0.1], Status.FAIL),
        ([None] * 5, [9, 9, 9, 0.1, 0.1], Status.PASS),
    ],
)
def test_a_missing_count_of_slow_responses_is_zero_only_where_the_percentile_agrees(
    aws: AwsApi, run: Run, slow: list[float | None], p99: list[float | None], status: Status
) -> None:
    measured(aws, requests=[300] * 5, slow=slow, p99=p99)
    outcome = run()

    assert outcome.status is status
    if status is Status.FAIL:
        assert outcome.reason.endswith("latency is unknown: CloudWatch returns no TC(5:) of TargetResponseTime")
        assert outcome.evidence["slow_percent"] is None
        assert run(missing_data="pass").status is Status.PASS
        # Errors are known, whatever the latency.
        measured(aws, requests=[300] * 5, slow=slow, p99=p99, errors=[20] * 5)
        assert run(missing_data="pass").status is Status.FAIL


def test_a_percentile_above_the_limit_fails_where_the_count_is_missing(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[300] * 5, slow=[], p99=[9] * 5)
    outcome = run(missing_data="pass")

    assert outcome.status is Status.FAIL
    assert (
        "at least 1.33 % slower than 5 s (8 of 600 after 3 minutes of warm-up); expected at most 1 %" in outcome.reason
    )


def test_requests_without_any_response_fail(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[10, 9], answered=[])
    assert run(minutes=3).status is Status.WAIT
    assert run().reason == (
        "19 requests (may include requests of other hooks), no responses; expected at most 5 % to fail"
    )

    measured(aws, requests=[10, 10], answered=[])
    assert run(minutes=3).status is Status.FAIL
    # Users give up, too: some requests without a response are no failure.
    measured(aws, requests=[10, 10], answered=[0, 1])
    assert run().status is Status.PASS


def test_a_green_that_stops_to_respond_fails(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[100] * 15, answered=[100] * 12)
    outcome = run(minutes=15, window_minutes=15)

    assert outcome.status is Status.FAIL
    assert outcome.reason.endswith("expected at most 5 % to fail; in minutes 13 to 14: 200 of 200 without a response")


def test_too_few_requests_have_a_policy(aws: AwsApi, run: Run) -> None:
    measured(aws)

    assert run(minutes=1).reason == "no requests so far"
    unknown = run()
    assert (unknown.status, unknown.reason) == (
        Status.FAIL,
        "no requests in 5 minutes: errors and latency are unknown",
    )
    assert (unknown.evidence["requests"], unknown.evidence["slowest_p99_seconds"]) == (0, None)
    assert run(missing_data="pass").status is Status.PASS
    skipped = run(missing_data="skip")
    assert (skipped.status, skipped.warns, skipped.applicable) == (Status.SKIP, True, True)
    measured(aws, requests=[9])
    few = run(min_requests=10)
    assert (few.status, few.reason.endswith("in 5 minutes; expected 10 or more requests")) == (Status.FAIL, True)
    assert run(min_requests=9).status is Status.PASS


def test_the_own_requests_of_the_hook_do_not_count(aws: AwsApi, run: Run) -> None:
    minute = int(BEGAN // 60)
    sent = SentRequests({minute - 1: Sent(50), minute: Sent(5, 2), minute + 4: Sent(2), minute + 5: Sent(70)})

    measured(aws, requests=[5, 0, 0, 0, 2], errors=[2])
    assert run(sent=sent).reason == (
        "no requests in 5 minutes: errors and latency are unknown (7 of this hook not counted)"
    )
    # Of the users' 20 requests one has failed, and not three of 25.
    measured(aws, requests=[25, 0, 0, 0, 2], errors=[3])
    outcome = run(sent=sent)
    assert outcome.status is Status.PASS
    assert outcome.reason.startswith(
        "20 requests (7 of this hook not counted; may include requests of other hooks), 5 % failed"
    )
    assert outcome.evidence["own_requests"] == 7


def test_more_failures_than_requests_in_a_minute_are_as_many_requests(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[0, 10], errors=[10, 0])

    assert run().evidence["failed_percent"] == 50


def test_the_metrics_are_those_of_greens_target_group(aws: AwsApi, run: Run) -> None:
    measured(aws)
    run(max_p99_seconds=0.00001)

    queries = aws.asked["GetMetricData"][0]["MetricDataQueries"]
    metrics = [(query["MetricStat"]["Metric"]["MetricName"], query["MetricStat"]["Stat"]) for query in queries]
    assert metrics == [
        ("RequestCount", "Sum"),
        ("HTTPCode_Target_5XX_Count", "Sum"),
        ("TargetConnectionErrorCount", "Sum"),
        ("TargetResponseTime", "SampleCount"),
        ("TargetResponseTime", "TC(0.00001:)"),
        ("TargetResponseTime", "p99"),
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

    skipped = run()
    assert (skipped.status, skipped.warns) == (Status.SKIP, False)


def test_of_several_load_balancers_the_application_load_balancer_is_measured(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[100] * 5)
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [several_load_balancers()], "failures": []})

    assert run().reason.endswith(f"; not checked: target group admin, {UNREAD}")
    dimensions = aws.asked["GetMetricData"][0]["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"]
    assert [each["Value"] for each in dimensions] == [
        "app/my-alb/50dc6c495c0c9188",
        "targetgroup/alternate/2222222222222222",
    ]


def test_an_unresolved_target_group_is_an_error(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[100] * 5)
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [revision(group="")], "failures": []})
    with pytest.raises(FactError, match="green's target group is not resolved yet"):
        run()


def test_beside_another_check_a_service_without_an_alb_has_no_queries(aws: AwsApi) -> None:
    load_balancer(aws)
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [{"serviceRevisionArn": GREEN}], "failures": []})

    assert GoldenSignalsCheck().data_queries(context(None), "c0") == []


def test_an_aws_error_does_not_pass(aws: AwsApi, run: Run) -> None:
    measured(aws)
    aws.error("GetMetricData", "Throttling")

    with pytest.raises(FactError, match="Throttling"):
        run()


def test_the_window_has_all_its_periods_where_it_begins_within_a_minute(
    aws: AwsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(aws, requests=[None, 100, 100, 100, 100, 100])
    check = GoldenSignalsCheck()

    def at(seconds: float) -> Outcome:
        monkeypatch.setattr(clock, "now", lambda: BEGAN + 10 + seconds)
        return check.run(CheckContext(FixedTarget(None), Deadline.after(20), seconds, (check,)))

    assert at(400).status is Status.WAIT
    outcome = at(410)
    assert (outcome.status, outcome.evidence["requests"]) == (Status.PASS, 500)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            {"warm_up_minutes": 5},
            "warm_up_minutes: leaves no period of 60 s for the latency; must be at most 4, or window_minutes at least 6",
        ),
        (
            {"warm_up_minutes": 0.5, "window_minutes": 1},
            "must be at most 0, or window_minutes at least 2",
        ),
        ({"max_5xx_percent": 100}, "less than 100"),
        ({"window_minutes": 0.5}, "window_minutes: must be at least 1, one period"),
        ({"period_seconds": 600}, "window_minutes: must be at least 10, one period"),
    ],
)
def test_settings_that_never_fail_are_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        GoldenSignalsCheck.model_validate(fields)


def test_the_default_warm_up_leaves_two_periods_of_a_short_window(aws: AwsApi, run: Run) -> None:
    measured(aws, requests=[300] * 3, slow=[300, 0, 0])
    assert run(minutes=4, window_minutes=3).status is Status.PASS
    measured(aws, requests=[300] * 3, slow=[300, 300, 0])
    assert run(minutes=4, window_minutes=3).status is Status.FAIL
    measured(aws, requests=[300], slow=[300])
    assert run(minutes=2, window_minutes=1).status is Status.FAIL
