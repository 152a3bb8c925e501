"""The check from drawn requests to its reason, through CloudWatch's own statistics of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks.checks import ComparisonCheck
from ecs_hooks.core.outcome import Outcome, Status
from tests.checks.comparison.measured_requests import (
    BEGAN,
    ERRORS,
    LATENCY,
    Comparisons,
    RequestMetrics,
    Revision,
    drawn,
)
from tests.conftest import GREEN as GREEN_REVISION
from tests.support.aws import AwsApi
from tests.support.layouts import brief

GREEN, BLUE = drawn(100, seed=1), drawn(100, seed=2)
CONSTANT = Revision({minute: [0.1] * 100 for minute in range(15)})
MEAN = {"metric": "TargetResponseTime"}


@pytest.fixture
def comparisons(aws: AwsApi) -> Comparisons:
    return Comparisons(aws)


def failed(outcome: Outcome, *parts: str) -> bool:
    """Return whether green is worse, and the reason has these parts."""
    assert all(part in outcome.reason for part in parts), outcome.reason
    return outcome.status is Status.FAIL and "worse: " in outcome.reason


@pytest.mark.parametrize("metric", [LATENCY, MEAN, ERRORS, {**LATENCY, "stat": "p50"}, {**MEAN, "stat": "tm99"}])
def test_equal_revisions_pass(comparisons: Comparisons, metric: dict[str, Any]) -> None:
    assert comparisons.compare(GREEN, BLUE, metric).status is Status.PASS


@pytest.mark.parametrize("metric", [LATENCY, MEAN, {**LATENCY, "stat": "p50"}, {**MEAN, "stat": "tm99"}])
def test_twice_as_slow_fails(comparisons: Comparisons, metric: dict[str, Any]) -> None:
    assert failed(comparisons.compare(drawn(100, seed=1, slower=2), BLUE, metric), " s (blue 0.")


def test_the_reason_has_both_quantiles_and_the_counts(comparisons: Comparisons) -> None:
    outcome = comparisons.compare(drawn(100, seed=1, slower=2), BLUE)

    assert failed(outcome, "TargetResponseTime p99 0.", " of 1500 requests above 0.", "blue 1")
    assert float(outcome.evidence["TargetResponseTime p99_limit"] or 0) > 0.25
    assert float(outcome.evidence["TargetResponseTime p99_detectable"] or 0) > 1.1


@pytest.mark.parametrize(
    ("green", "blue", "quantile", "few"),
    [
        (60, 60, "p95", "blue has 900"),
        (190, 10, "p90", "blue has 150"),
        (10, 190, "p90", "green has 150"),
        (3, 3, "p50", "blue has 45"),
    ],
)
def test_a_lower_percentile_takes_the_place_of_one_with_too_few_requests(
    comparisons: Comparisons, green: int, blue: int, quantile: str, few: str
) -> None:
    outcome = comparisons.compare(drawn(green, seed=1), drawn(blue, seed=2))
    assert outcome.status is Status.PASS
    assert f"TargetResponseTime p99: {quantile} in place of p99 ({few} requests)" in outcome.reason

    if blue * green > 1000:
        slow = comparisons.compare(drawn(green, seed=1, slower=2.5), drawn(blue, seed=2))
        assert failed(slow, f"worse: TargetResponseTime {quantile} ", f"{quantile} in place of p99")


def test_blue_before_this_deployment_takes_the_place_of_a_blue_without_requests(comparisons: Comparisons) -> None:
    few, early = drawn(1, seed=2), drawn(300, seed=5, minutes=range(-20, 0))
    blue = Revision({**early.seconds, **few.seconds})

    assert "compared with blue before this deployment" in comparisons.compare(drawn(300, seed=1), blue).reason
    slow = comparisons.compare(drawn(300, seed=1, slower=2), blue)
    assert failed(slow, "p99 0.", "compared with blue before this deployment")
    errors = comparisons.compare(drawn(300, seed=1, errors=0.05), blue, ERRORS)
    assert failed(errors, "blue 0 of 4500", "compared with blue before this deployment")
    (request, further) = comparisons.aws.asked["GetMetricData"][-2:]
    assert request["StartTime"].replace(tzinfo=UTC).timestamp() == BEGAN
    assert further["StartTime"].replace(tzinfo=UTC).timestamp() == BEGAN - 900


def late_step(before: float, now: float) -> Revision:
    """Return blue with these shares of errors before this deployment, and now, when it has few requests."""
    early, late = drawn(400, seed=5, minutes=range(-15, 0), errors=before), drawn(20, seed=2, errors=now)
    return Revision({**early.seconds, **late.seconds}, {**early.errors, **late.errors})


def test_at_a_late_step_errors_are_compared_with_blue_before_this_deployment_too(comparisons: Comparisons) -> None:
    worse = comparisons.compare(drawn(380, seed=1, errors=0.01), late_step(0, 0), ERRORS)
    assert failed(worse, "of 5700 requests, blue 0 of 6000", "compared with blue before this deployment")

    equal = comparisons.compare(drawn(380, seed=1, errors=0.01), late_step(0.01, 0.01), ERRORS)
    assert (equal.status, "before this deployment" in equal.reason) == (Status.PASS, True)
    # Both have errors since this deployment began: they are not green's.
    both = comparisons.compare(drawn(380, seed=1, errors=0.03), late_step(0, 0.03), ERRORS)
    assert (both.status, "before this deployment" in both.reason) == (Status.PASS, False)
    alone = comparisons.compare(drawn(380, seed=1, errors=0.01), drawn(20, seed=2), ERRORS)
    assert (alone.status, "before this deployment" in alone.reason) == (Status.PASS, False)
    assert failed(comparisons.compare(drawn(380, seed=1, errors=0.5), late_step(0, 0), ERRORS), "blue 0 of 300")


@pytest.mark.parametrize("metric", [LATENCY, MEAN, ERRORS])
def test_revisions_may_have_requests_in_different_minutes(comparisons: Comparisons, metric: dict[str, Any]) -> None:
    def some(revision: Revision, minutes: range, errors: int = 0) -> Revision:
        failed = {time: errors for time in minutes if errors}
        return Revision({time: revision.seconds[time] for time in minutes}, failed)

    odd, even = range(1, 15, 2), range(0, 15, 2)
    slow = some(drawn(100, seed=1, slower=2), odd, errors=5)
    assert comparisons.compare(some(GREEN, odd), some(BLUE, even), metric).status is Status.PASS
    assert failed(comparisons.compare(slow, some(BLUE, even), metric))
    few = comparisons.compare(slow, some(BLUE, range(2, 10, 2)), metric)
    assert "7 datapoints of green and 4 of blue, expected 5 or more of each" in few.reason


def test_without_requests_of_blue_the_reason_says_how_many_are_required(comparisons: Comparisons) -> None:
    few = comparisons.compare(drawn(300, seed=1), drawn(1, seed=2))

    assert few.reason == (
        "TargetResponseTime p99: too few requests of blue (1 a minute, 15 in total; p99 requires 1000, p50 20)"
    )
    assert few.status is Status.FAIL
    assert comparisons.compare(drawn(300, seed=1), Revision({})).reason.endswith("p99 requires 1000, p50 20)")
    assert "too few requests of green" in comparisons.compare(Revision({}), BLUE).reason
    share = comparisons.compare(drawn(300, seed=1), drawn(1, seed=2), ERRORS)
    assert "too few requests of blue (1 a minute, 15 in total; 20 are required)" in share.reason


@pytest.mark.parametrize("zero_counts", [True, False])
def test_a_count_of_0_may_have_no_datapoint(comparisons: Comparisons, zero_counts: bool) -> None:
    def compare(green: Revision, blue: Revision) -> Outcome:
        return comparisons.compare(green, blue, zero_counts=zero_counts)

    assert compare(GREEN, BLUE).status is Status.PASS
    assert failed(compare(drawn(100, seed=1, slower=2), BLUE))
    assert compare(CONSTANT, CONSTANT) == compare(CONSTANT, CONSTANT)
    assert compare(CONSTANT, CONSTANT).status is Status.PASS
    assert failed(compare(Revision({minute: [0.2] * 100 for minute in range(15)}), CONSTANT), "1500 of 1500")


def test_a_metric_without_counting_statistics_says_so(comparisons: Comparisons) -> None:
    without = comparisons.compare(GREEN, BLUE, hidden=("TC",))
    assert without.status is Status.FAIL
    assert "no counts of its values (TC), so p99 requires 1100 values of each revision in a period" in without.reason
    many = drawn(1500, seed=1), drawn(1500, seed=2)
    assert comparisons.compare(*many, hidden=("TC",)).status is Status.PASS
    assert failed(comparisons.compare(drawn(1500, seed=1, slower=1.5), many[1], hidden=("TC",)))

    sets = comparisons.compare(GREEN, BLUE, hidden=("TC", "p"))
    assert "CloudWatch has no p99 of its values, as of statistic sets; publish single values" in sets.reason
    assert failed(comparisons.compare(drawn(100, seed=1, slower=2), BLUE, hidden=("TC", "SampleCount")))


@pytest.mark.parametrize("minutes", [15, 37])
def test_the_period_of_the_window_may_be_two_datapoints(comparisons: Comparisons, minutes: int) -> None:
    span = range(minutes)
    blue = drawn(100, seed=2, minutes=span)
    seen: list[int] = []
    metrics = RequestMetrics(drawn(100, seed=1, minutes=span, slower=2), blue)
    comparisons.measure(metrics)

    for lookback in (0, 5):  # the window begins at another multiple of its length
        outcome = comparisons.run(window_minutes=minutes, minutes=minutes + 2, lookback_minutes=lookback)
        assert failed(outcome)
        queries = comparisons.aws.asked["GetMetricData"][-2]["MetricDataQueries"]
        seen += [query["MetricStat"]["Period"] for query in queries if "w99" in query["Id"]]
    assert set(seen) == {60 * minutes}
    assert comparisons.compare(drawn(100, seed=1, minutes=span), blue, window_minutes=minutes, minutes=60).status is (
        Status.PASS
    )


@pytest.mark.parametrize(
    ("direction", "factor", "worse"),
    [
        ("decrease", 0.5, True),
        ("decrease", 1, False),
        ("decrease", 2, False),
        ("either", 0.5, True),
        ("either", 1, False),
        ("either", 2, True),
    ],
)
def test_the_direction_defines_what_is_worse(
    comparisons: Comparisons, direction: str, factor: float, worse: bool
) -> None:
    p95 = {**LATENCY, "stat": "p95", "direction": direction}
    share = {**ERRORS, "direction": direction}
    blue = drawn(100, seed=2, errors=0.1)

    assert failed(comparisons.compare(drawn(100, seed=1, slower=factor), blue, p95)) is worse
    assert failed(comparisons.compare(drawn(100, seed=1, errors=0.1 * factor), blue, share)) is worse
    mean = {**MEAN, "direction": direction}
    assert failed(comparisons.compare(drawn(100, seed=1, slower=factor), blue, mean)) is worse


def test_a_ratio_that_is_no_share_is_compared_by_pairs(comparisons: Comparisons) -> None:
    def with_bytes(revision: Revision, factor: float) -> Revision:
        values = {minute: [1000.0 * factor + minute, 500.0 * factor] for minute in range(15)}
        return revision._replace(others={"ProcessedBytes": values})

    per_request = {"metric": "ProcessedBytes", "stat": "Sum", "per": "RequestCount"}
    blue = with_bytes(drawn(300, seed=2), 3)
    same = comparisons.compare(with_bytes(GREEN, 1), blue, per_request)
    assert (same.status, same.reason) == (Status.PASS, "score 100")
    assert failed(comparisons.compare(with_bytes(GREEN, 2), blue, per_request))


def test_the_tolerance_may_be_in_seconds(comparisons: Comparisons) -> None:
    slow = drawn(100, seed=1, slower=2)

    wide = comparisons.compare(slow, BLUE, {**LATENCY, "tolerance_difference": 0.5})
    assert wide.status is Status.PASS
    assert "would not have seen less than +" in wide.reason
    assert failed(comparisons.compare(slow, BLUE, {**LATENCY, "tolerance_difference": 0.02}))


def test_effect_sizes_allow_and_condemn(comparisons: Comparisons) -> None:
    slow = drawn(100, seed=1, slower=1.6)

    assert comparisons.compare(slow, BLUE, {**LATENCY, "allowed_effect": {"mean_ratio": 2}}).status is Status.PASS
    assert failed(comparisons.compare(slow, BLUE, {**LATENCY, "allowed_effect": {"mean_ratio": 1.2}}))
    lax: dict[str, Any] = {"pass_score": 0, "marginal_score": 0}
    condemned = comparisons.compare(slow, BLUE, {**LATENCY, "critical_effect": {"mean_ratio": 1.3}}, **lax)
    assert condemned.reason.startswith("critical: TargetResponseTime p99")
    assert (
        comparisons.compare(slow, BLUE, {**LATENCY, "critical_effect": {"mean_ratio": 3}}, **lax).status is Status.PASS
    )


@pytest.mark.parametrize("metric", [LATENCY, MEAN])
def test_a_cold_start_does_not_fail(comparisons: Comparisons, metric: dict[str, Any]) -> None:
    cold = drawn(100, seed=1, slower=lambda minute: 5 if minute < 3 else 1)
    outcome = comparisons.compare(cold, BLUE, metric)

    assert outcome.status is Status.PASS
    if metric is LATENCY:
        assert "without 3 slow first minutes" in outcome.reason
    assert "slow first" not in comparisons.compare(cold, BLUE, metric, warm_up_minutes=0).reason


def test_errors_count_from_the_first_minute(comparisons: Comparisons) -> None:
    broken = drawn(100, seed=1, errors=lambda minute: 0.3 if minute < 3 else 0)

    assert failed(comparisons.compare(broken, BLUE, ERRORS), "broke away from blue by minute 2")


@pytest.mark.parametrize(
    ("green", "metric"),
    [
        (drawn(100, seed=1, slower=lambda minute: 10 if minute > 11 else 1), LATENCY),
        (drawn(1200, seed=1, slower=lambda minute: 10 if minute > 11 else 1), LATENCY),
        (drawn(100, seed=1, slower=lambda minute: 10 if minute > 11 else 1), MEAN),
        (drawn(100, seed=1, errors=lambda minute: 0.5 if minute > 11 else 0), ERRORS),
        (drawn(100, seed=1, errors=lambda minute: 1 if minute > 9 else 0), ERRORS),
    ],
)
def test_a_break_in_the_last_minutes_fails(comparisons: Comparisons, green: Revision, metric: dict[str, Any]) -> None:
    blue = drawn(len(green.seconds[0]), seed=2)

    assert failed(comparisons.compare(green, blue, metric), "broke away from blue by minute")
    assert comparisons.compare(green, blue, metric, minutes=10).status is Status.WAIT


@pytest.mark.parametrize("share", [0.5, 1])
def test_an_outage_fails_in_its_second_minute(comparisons: Comparisons, share: float) -> None:
    down = drawn(100, seed=1, errors=share)

    assert comparisons.compare(down, BLUE, ERRORS, minutes=2.1).status is Status.WAIT
    assert failed(comparisons.compare(down, BLUE, ERRORS, minutes=3.1), "broke away from blue by minute 2")
    good = {**MEAN, "weight": 9}
    both = comparisons.compare(down, BLUE, ERRORS, good, minutes=3.1)
    assert both.status is Status.WAIT
    assert "worse: HTTPCode_Target_5XX_Count" in both.reason
    assert comparisons.compare(down, BLUE, {**ERRORS, "critical": True}, good, minutes=3.1).status is Status.FAIL


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            {"min_samples": 3},
            "min_samples: must be at least 4; with fewer datapoints no difference has a confidence of 98 %",
        ),
        ({"min_samples": 4, "confidence_percent": 99.5}, "min_samples: must be at least 5"),
        ({"window_minutes": 3}, "window_minutes: must be at least 5, for 5 datapoints (min_samples) of 60 s"),
        ({"window_minutes": 15, "period_seconds": 300}, "window_minutes: must be at least 25, for 5 datapoints"),
        ({"window_minutes": 7, "warm_up_minutes": 3}, "warm_up_minutes: must be at most 2, so that 5 datapoints"),
        ({"window_minutes": 3, "min_samples": 3}, "min_samples: must be at least 4"),
    ],
)
def test_settings_that_can_never_fail_or_never_pass_are_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError) as error:
        ComparisonCheck.model_validate({"metrics": [LATENCY], **fields})
    assert problem in str(error.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"min_samples": 4},
        {"window_minutes": 5},
        {"window_minutes": 7, "warm_up_minutes": 2},
        {"window_minutes": 25, "period_seconds": 300},
        {"min_samples": 3, "confidence_percent": 90},
        {"metrics": [{**LATENCY, "criteria": ["< 1"]}], "min_samples": 3, "window_minutes": 3},
    ],
)
def test_the_least_values_are_accepted(fields: dict[str, Any]) -> None:
    assert ComparisonCheck.model_validate({"metrics": [LATENCY], **fields})


def test_the_default_min_samples_follows_from_the_confidence() -> None:
    least = {
        confidence: ComparisonCheck.model_validate({"metrics": [LATENCY], "confidence_percent": confidence}).datapoints
        for confidence in (90, 98, 99.5, 99.99)
    }

    assert least == {90: 5, 98: 5, 99.5: 5, 99.99: 8}


def test_missing_data_never_pass_a_critical_metric(comparisons: Comparisons) -> None:
    gone = {"metric": "Gone"}

    left_out = comparisons.compare(GREEN, BLUE, gone, LATENCY, missing_data="pass")
    assert (left_out.status, left_out.evidence["unknown_metrics"]) == (Status.PASS, 1)
    critical = comparisons.compare(GREEN, BLUE, {**gone, "critical": True}, LATENCY, missing_data="pass")
    assert critical.status is Status.FAIL
    assert critical.reason == "Gone Average: 0 datapoints of green and 0 of blue, expected 5 or more of each"
    critical = comparisons.compare(
        GREEN, BLUE, {**gone, "critical": True, "criteria": ["< 1"]}, LATENCY, missing_data="pass"
    )
    assert critical.reason == "Gone Average: 0 datapoints of green, expected 5 or more"


def test_a_previous_deployment_is_compared_by_counts_too(comparisons: Comparisons) -> None:
    finished = BEGAN - 7200  # with ten minutes of bake time
    early = drawn(100, seed=2, minutes=range(-130, -100))

    def compare(green: Revision, **fields: Any) -> Outcome:
        comparisons.measure(RequestMetrics(green, early), started=BEGAN - 1800)
        (described,) = comparisons.aws.asking("DescribeServiceDeployments")["serviceDeployments"]
        described["deploymentConfiguration"]["bakeTimeInMinutes"] = 10
        older = [brief(finished=datetime.fromtimestamp(finished - ago, UTC)) for ago in (0, 86_400)]
        comparisons.aws.answer("ListServiceDeployments", {"serviceDeployments": [brief(GREEN_REVISION), *older]})
        return comparisons.run(baseline="previous", **fields)

    assert compare(GREEN).status is Status.PASS
    assert failed(compare(drawn(100, seed=1, slower=2)), " of 1500 requests above ", "blue 1")
    assert compare(GREEN, minutes=5).reason == "4 datapoints of green so far"
