from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks import clock
from ecs_hooks.checks import ComparisonCheck
from ecs_hooks.outcome import Outcome, Status
from tests.aws import AwsApi
from tests.checks.asking import context
from tests.layouts import load_balancer

BEGAN = 1_800_000_000.0 - 1_800_000_000.0 % 60
LATENCY = {"metric": "TargetResponseTime", "stat": "p99"}
ERRORS = {"metric": "HTTPCode_Target_5XX_Count", "stat": "Sum", "per": "RequestCount"}
Ask = Callable[..., Outcome]


def measured(aws: AwsApi, **values: Sequence[float] | Mapping[int, float]) -> None:
    """Have CloudWatch answer with these datapoints by minute; a mapping names the minutes."""
    load_balancer(aws)
    results = []
    for name, each in values.items():
        points = dict(enumerate(each)) if isinstance(each, Sequence) else each
        stamps = [datetime.fromtimestamp(BEGAN + 60 * minute, UTC) for minute in points]
        results.append(
            {"Id": f"c0_{name}", "Timestamps": stamps, "Values": list(points.values()), "StatusCode": "Complete"}
        )
    aws.answer("GetMetricData", {"MetricDataResults": results})


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    def asking(
        *metrics: dict[str, Any],
        minutes: float = 30,
        green: float | None = 10,
        stage: str = "PRODUCTION_TRAFFIC_SHIFT",
        **fields: Any,
    ) -> Outcome:
        monkeypatch.setattr(clock, "now", lambda: BEGAN + 60 * minutes)
        check = ComparisonCheck.model_validate({"metrics": metrics or [LATENCY], **fields})
        return check.run(context(None, check, elapsed=60 * minutes, green_percent=green, stage=stage))

    return asking


BLUES = [0.20, 0.22, 0.19, 0.21, 0.20, 0.23, 0.18, 0.20, 0.21, 0.19, 0.22, 0.20, 0.21, 0.20, 0.19]


def test_green_that_is_like_blue_passes_when_the_window_is_over(aws: AwsApi, ask: Ask) -> None:
    measured(aws, green0=BLUES, blue0=BLUES[::-1])

    assert ask(minutes=3) == Outcome.wait("2 datapoints of green so far", {"samples": 2}, retry_after=60)
    assert ask() == Outcome.passed("score 100", {"score": 100.0, "failed_metrics": 0, "unknown_metrics": 0})


def test_green_that_is_slower_fails_and_the_reason_has_both_medians(aws: AwsApi, ask: Ask) -> None:
    measured(aws, green0=[1.3 * value for value in BLUES], blue0=BLUES)

    outcome = ask()
    assert outcome.status is Status.FAIL
    assert outcome.reason == ("score 0, worse: TargetResponseTime p99 0.26, of blue 0.2; expected 95 or more")
    assert ask({**LATENCY, "tolerance_percent": 40}).status is Status.PASS


@pytest.mark.parametrize(
    ("direction", "factor", "status"),
    [
        ("increase", 0.5, Status.PASS),
        ("decrease", 0.5, Status.FAIL),
        ("decrease", 2, Status.PASS),
        ("either", 0.5, Status.FAIL),
        ("either", 2, Status.FAIL),
        ("either", 1, Status.PASS),
    ],
)
def test_what_is_worse(aws: AwsApi, ask: Ask, direction: str, factor: float, status: Status) -> None:
    measured(aws, green0=[factor * value for value in BLUES], blue0=BLUES)

    assert ask({**LATENCY, "direction": direction}).status is status


def test_errors_are_compared_as_shares_of_the_requests(aws: AwsApi, ask: Ask) -> None:
    # Green gets a tenth of the traffic; errors are only reported where there are any.
    requests = {"green0per": [10.0] * 15, "blue0per": [90.0] * 14 + [0.0]}
    measured(aws, green0={3: 1.0}, blue0={3: 9.0, 7: 9.0}, **requests)
    assert ask(ERRORS).status is Status.PASS

    measured(aws, green0=[2.0] * 15, blue0={3: 9.0}, **requests)
    assert "HTTPCode_Target_5XX_Count Sum per RequestCount 0.2, of blue 0" in ask(ERRORS).reason


def test_the_score_weighs_the_metrics(aws: AwsApi, ask: Ask) -> None:
    worse, good = [2 * value for value in BLUES], BLUES
    measured(aws, green0=worse, blue0=BLUES, green1=good, blue1=BLUES)
    metrics = ({**LATENCY, "weight": 1}, {"metric": "Other", "weight": 4})

    assert ask(*metrics).reason.startswith("inconclusive: score 80, worse: TargetResponseTime p99")
    assert ask(*metrics).status is Status.FAIL
    assert ask(*metrics, inconclusive="pass").status is Status.PASS
    assert ask(*metrics, pass_score=80).status is Status.PASS
    assert ask(*metrics, marginal_score=81).reason.startswith("score 80")
    critical = ask({**LATENCY, "critical": True}, metrics[1], pass_score=0, marginal_score=0)
    assert (critical.status, critical.reason[:9]) == (Status.FAIL, "critical:")


def test_too_few_datapoints_are_no_pass(aws: AwsApi, ask: Ask) -> None:
    measured(aws, green0=BLUES[:4], blue0=BLUES)

    assert ask() == Outcome.failed(
        "TargetResponseTime p99: 4 datapoints of green and 15 of blue, expected 5 or more of each",
        {"score": 0.0, "failed_metrics": 0, "unknown_metrics": 1},
    )
    assert ask(min_samples=4).status is Status.PASS
    assert ask(missing_data="pass").status is Status.PASS
    measured(aws, green1=BLUES, blue1=BLUES)
    assert ask(LATENCY, {"metric": "Other"}, missing_data="pass").reason == "score 100"
    measured(aws)
    assert ask().status is Status.FAIL


def test_many_failures_are_named_in_part(aws: AwsApi, ask: Ask) -> None:
    values = {f"{which}{number}": BLUES for number in range(5) for which in ("blue",)}
    values |= {f"green{number}": [3 * value for value in BLUES] for number in range(5)}
    measured(aws, **values)

    assert "; and 2 more;" in ask(*[{"metric": f"M{number}"} for number in range(5)]).reason


def test_it_asks_about_both_target_groups(aws: AwsApi, ask: Ask) -> None:
    measured(aws)
    ask(ERRORS)

    (asked,) = aws.asked["GetMetricData"]
    seen = {
        query["Id"]: (
            query["MetricStat"]["Metric"]["MetricName"],
            query["MetricStat"]["Metric"]["Dimensions"][1]["Value"],
        )
        for query in asked["MetricDataQueries"]
    }
    assert seen == {
        "c0_green0": ("HTTPCode_Target_5XX_Count", "targetgroup/alternate/2222222222222222"),
        "c0_green0per": ("RequestCount", "targetgroup/alternate/2222222222222222"),
        "c0_blue0": ("HTTPCode_Target_5XX_Count", "targetgroup/primary/1111111111111111"),
        "c0_blue0per": ("RequestCount", "targetgroup/primary/1111111111111111"),
    }


def test_without_traffic_of_green_there_is_nothing_to_compare(aws: AwsApi, ask: Ask) -> None:
    measured(aws)
    assert ask(green=0).status is Status.SKIP

    # Whether the event before a step has the weights before or after it is not documented; ECS's own record tells.
    (described,) = aws.asking("DescribeServiceDeployments")["serviceDeployments"]
    described["targetServiceRevision"]["requestedProductionTrafficWeight"] = 0.0
    assert ask(green=10, stage="PRE_PRODUCTION_TRAFFIC_SHIFT").status is Status.SKIP
    assert ask(green=10).status is Status.FAIL
    described["targetServiceRevision"]["requestedProductionTrafficWeight"] = 10.0
    assert ask(green=10, stage="PRE_PRODUCTION_TRAFFIC_SHIFT").status is Status.FAIL
    assert ask(green=None).status is Status.FAIL


@pytest.mark.parametrize(
    "fields",
    [
        {"metrics": []},
        {"metrics": [{"metric": "A", "dimensions": {"TargetGroup": "{green.target_group}"}}]},
        {"metrics": [{"metric": "A", "dimensions": {"TargetGroup": "{revision.target_group}", "B": "{typo}"}}]},
        {"metrics": [LATENCY], "marginal_score": 96},
        {"metrics": [LATENCY], "watch": {"count": 2}},
    ],
)
def test_mistakes(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ComparisonCheck.model_validate(fields)


@pytest.mark.slow
def test_of_200_canaries_a_slow_one_is_seen_and_an_equal_one_is_let_pass(aws: AwsApi, ask: Ask) -> None:
    """At 200 requests a minute of green: green 30 % slower, or as fast as blue; latencies with a long tail."""

    def p99s(rng: random.Random, requests: int, factor: float) -> list[float]:
        minutes = ([rng.lognormvariate(-1.6, 0.35) for _ in range(requests)] for _ in range(15))
        return [factor * sorted(minute)[round(0.99 * requests) - 1] for minute in minutes]

    ends: dict[float, list[Status]] = {1.0: [], 1.3: []}
    for seed in range(200):
        for factor, seen in ends.items():
            rng = random.Random(seed)
            measured(aws, green0=p99s(rng, 200, factor), blue0=p99s(rng, 1800, 1))
            seen.append(ask().status)

    assert ends[1.0].count(Status.FAIL) <= 4
    assert ends[1.3].count(Status.PASS) <= 4
