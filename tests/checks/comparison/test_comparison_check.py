from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks.aws.errors import FactDeniedError
from ecs_hooks.checks import ComparisonCheck
from ecs_hooks.core import clock
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.deployment.placeholders import NoBlueError
from tests.checks.asking import context
from tests.conftest import GREEN
from tests.support.aws import AwsApi
from tests.support.layouts import brief, load_balancer

BEGAN = 1_800_000_000.0 - 1_800_000_000.0 % 60
LATENCY = {"metric": "TargetResponseTime", "stat": "p99"}
ERRORS = {"metric": "HTTPCode_Target_5XX_Count", "stat": "Sum", "per": "RequestCount"}
Run = Callable[..., Outcome]


def measured(aws: AwsApi, **values: Sequence[float] | Mapping[int, float]) -> None:
    """Have CloudWatch return these datapoints by minute; a mapping has the minutes."""
    load_balancer(aws)
    results = []
    for name, each in values.items():
        points = dict(enumerate(each)) if isinstance(each, Sequence) else each
        stamps = [datetime.fromtimestamp(BEGAN + 60 * minute, UTC) for minute in points]
        results.append(
            {"Id": f"c0_{name}", "Timestamps": stamps, "Values": list(points.values()), "StatusCode": "Complete"}
        )
    aws.answer("GetMetricData", {"MetricDataResults": results})


def stamp(time: datetime) -> float:
    """Return the timestamp of a UTC time without a time zone, as botocore writes it."""
    return time.replace(tzinfo=UTC).timestamp()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def run_check(
        *metrics: dict[str, Any],
        minutes: float = 30,
        green: float | None = 10,
        stage: str = "PRODUCTION_TRAFFIC_SHIFT",
        **fields: Any,
    ) -> Outcome:
        monkeypatch.setattr(clock, "now", lambda: BEGAN + 60 * minutes)
        check = ComparisonCheck.model_validate({"metrics": metrics or [LATENCY], **fields})
        return check.run(context(None, check, elapsed=60 * minutes, event_percent=green, stage=stage))

    return run_check


BLUES = [0.20, 0.22, 0.19, 0.21, 0.20, 0.23, 0.18, 0.20, 0.21, 0.19, 0.22, 0.20, 0.21, 0.20, 0.19]


def test_equal_revisions_pass_at_the_end_of_the_window(aws: AwsApi, run: Run) -> None:
    measured(aws, green0=BLUES, blue0=BLUES[::-1])

    assert run(minutes=3) == Outcome.wait("2 datapoints of green so far", {"samples": 2}, retry_after=60)
    outcome = run()
    seen: dict[str, Any] = {"TargetResponseTime p99": 0.2, "TargetResponseTime p99_limit": pytest.approx(0.22)}
    seen["TargetResponseTime p99_detectable"] = outcome.evidence["TargetResponseTime p99_detectable"]
    scores = {"score": 100.0, "score_limit": 95, "failed_metrics": 0, "unknown_metrics": 0}
    assert outcome == Outcome.passed("score 100", {**seen, **scores})
    assert 1.1 < seen["TargetResponseTime p99_detectable"] < 1.5


def test_a_slower_green_fails_with_both_medians(aws: AwsApi, run: Run) -> None:
    measured(aws, green0=[1.3 * value for value in BLUES], blue0=BLUES)

    outcome = run()
    assert outcome.status is Status.FAIL
    assert outcome.reason == ("score 0, worse: TargetResponseTime p99 0.26 s (blue 0.2 s); expected 95 or more")
    assert run({**LATENCY, "tolerance_percent": 40}).status is Status.PASS


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
def test_the_direction_defines_what_is_worse(
    aws: AwsApi, run: Run, direction: str, factor: float, status: Status
) -> None:
    measured(aws, green0=[factor * value for value in BLUES], blue0=BLUES)

    assert run({**LATENCY, "direction": direction}).status is status


def test_errors_are_compared_as_percentages_of_the_requests(aws: AwsApi, run: Run) -> None:
    # Green has a tenth of the traffic; CloudWatch reports errors only where there are some.
    requests = {"green0per": [10.0] * 15, "blue0per": [90.0] * 14 + [0.0]}
    measured(aws, green0={3: 1.0}, blue0={3: 9.0, 7: 9.0}, **requests)
    assert run(ERRORS).status is Status.PASS

    measured(aws, green0=[2.0] * 15, blue0={3: 9.0}, **requests)
    assert (
        "HTTPCode_Target_5XX_Count Sum per RequestCount 20 % (blue 0.7143 %), 28 of 140 requests, blue 9 of 1260"
        in run(ERRORS).reason
    )


def test_the_score_has_the_weights_of_the_metrics(aws: AwsApi, run: Run) -> None:
    worse, good = [2 * value for value in BLUES], BLUES
    measured(aws, green0=worse, blue0=BLUES, green1=good, blue1=BLUES)
    metrics = ({**LATENCY, "weight": 1}, {"metric": "Other", "weight": 4})

    assert run(*metrics).reason.startswith("inconclusive: score 80, worse: TargetResponseTime p99")
    assert run(*metrics).status is Status.FAIL
    assert run(*metrics, inconclusive="pass").status is Status.PASS
    assert run(*metrics, pass_score=80).status is Status.PASS
    assert run(*metrics, marginal_score=81).reason.startswith("score 80")
    critical = run({**LATENCY, "critical": True}, metrics[1], pass_score=0, marginal_score=0)
    assert (critical.status, critical.reason[:9]) == (Status.FAIL, "critical:")


def test_too_few_datapoints_have_a_policy(aws: AwsApi, run: Run) -> None:
    measured(aws, green0=BLUES[:4], blue0=BLUES)

    assert run() == Outcome.failed(
        "TargetResponseTime p99: 4 datapoints of green and 15 of blue, expected 5 or more of each",
        {"score": None, "score_limit": 95, "failed_metrics": 0, "unknown_metrics": 1},
    )
    assert run(min_samples=4).status is Status.PASS
    assert run(missing_data="pass").status is Status.PASS
    measured(aws, green1=BLUES, blue1=BLUES)
    assert run(LATENCY, {"metric": "Other"}, missing_data="pass").reason == (
        "score 100; not checked: metric TargetResponseTime p99 (too little data)"
    )
    measured(aws)
    assert run().status is Status.FAIL


def test_criteria_replace_the_statistical_test(aws: AwsApi, run: Run) -> None:
    measured(aws, green0=[1.2 * value for value in BLUES], blue0=BLUES)
    slo = {**LATENCY, "over_window": "median"}

    assert run({**slo, "criteria": ["< 0.3", "<= +25%"]}).reason == "score 100"
    refused = run({**slo, "criteria": ["< 0.3", "<= +10%"]}, marginal_score=50)
    assert refused.status is Status.FAIL
    assert "worse: TargetResponseTime p99 0.24 s (blue 0.2 s), expected <= +10%; expected 95" in refused.reason
    warned = run({**slo, "criteria": ["<= +10%"], "warning": ["<= +30%"]}, pass_score=50, marginal_score=50)
    assert warned == Outcome.passed(
        "score 50, warning: TargetResponseTime p99 0.24 s (blue 0.2 s), expected <= +10%", warned.evidence
    )


def test_fixed_criteria_read_no_metric_of_blue(aws: AwsApi, run: Run) -> None:
    measured(aws, green0=BLUES)

    assert run({**LATENCY, "criteria": ["< 0.3"]}).status is Status.PASS
    (request,) = aws.asked["GetMetricData"]
    assert [query["Id"] for query in request["MetricDataQueries"]] == ["c0_green0"]


def test_the_score_has_the_weights_of_the_groups(aws: AwsApi, run: Run) -> None:
    measured(
        aws,
        green0=[2 * value for value in BLUES],
        **{
            f"{which}{number}": BLUES
            for which in ("green", "blue")
            for number in range(3)
            if which != "green" or number
        },
    )
    metrics = ({**LATENCY, "group": "latency"}, {"metric": "A", "group": "load"}, {"metric": "B", "group": "load"})

    assert "score 50," in run(*metrics).reason
    assert "score 90," in run(*metrics, groups={"latency": 1, "load": 9}).reason


def test_lookback_counts_minutes_before_the_step(aws: AwsApi, run: Run) -> None:
    measured(aws, green0=dict.fromkeys(range(-15, 0), 0.2), blue0=dict.fromkeys(range(-15, 0), 0.2))

    assert run(minutes=1.1, lookback_minutes=15).status is Status.PASS
    assert run(minutes=0.5, lookback_minutes=15).status is Status.WAIT
    assert run(minutes=5, lookback_minutes=10).status is Status.WAIT
    assert run(minutes=20).status is Status.FAIL
    assert stamp(aws.asked["GetMetricData"][0]["StartTime"]) == BEGAN - 15 * 60


def test_a_wait_names_the_worse_metrics(aws: AwsApi, run: Run) -> None:
    measured(aws, green0=[2 * value for value in BLUES], blue0=BLUES)

    assert run(minutes=10).reason == ("9 datapoints of green so far, worse: TargetResponseTime p99 0.4 s (blue 0.2 s)")


class TestPrevious:
    """The deployment that brought blue finished a day before this one began, ten minutes of bake time included."""

    STARTED = BEGAN - 1800
    FINISHED = STARTED - 86_400
    ALONE = FINISHED - 600

    def measured(self, aws: AwsApi, green: Sequence[float], blue: Sequence[float]) -> None:
        load_balancer(aws)
        (described,) = aws.asking("DescribeServiceDeployments")["serviceDeployments"]
        described["startedAt"] = datetime.fromtimestamp(self.STARTED, UTC)
        described["deploymentConfiguration"]["bakeTimeInMinutes"] = 10
        finished = datetime.fromtimestamp(self.FINISHED, UTC)
        older = brief(finished=datetime.fromtimestamp(self.FINISHED - 86_400, UTC))
        pages = {None: {"serviceDeployments": [brief(GREEN)], "nextToken": "2"}}
        last = {"serviceDeployments": [brief(finished=finished), older]}
        aws.answer("ListServiceDeployments", lambda request: pages.get(request.get("nextToken"), last))
        values = {"c0_green0": (BEGAN, green), "c_blue0": (self.ALONE, blue)}
        results = [
            {
                "Id": name,
                "Timestamps": [datetime.fromtimestamp(begin + 60 * minute, UTC) for minute in range(len(each))],
                "Values": list(each),
                "StatusCode": "Complete",
            }
            for name, (begin, each) in values.items()
        ]
        aws.answer(
            "GetMetricData",
            lambda request: {
                "MetricDataResults": [
                    each for each in results if each["Id"] in {query["Id"] for query in request["MetricDataQueries"]}
                ]
            },
        )

    def test_green_is_compared_with_blue_in_its_own_bake_time(self, aws: AwsApi, run: Run) -> None:
        stage = "POST_PRODUCTION_TRAFFIC_SHIFT"
        self.measured(aws, BLUES, BLUES[::-1])
        assert run(minutes=3, stage=stage, baseline="previous", green=100).status is Status.WAIT
        assert run(stage=stage, baseline="previous", green=100).reason == "score 100"

        self.measured(aws, [1.3 * value for value in BLUES], BLUES)
        assert "0.26 s (blue 0.2 s)" in run(stage=stage, baseline="previous", green=100).reason

        *_, request = aws.asked["GetMetricData"]
        assert (stamp(request["StartTime"]), stamp(request["EndTime"])) == (self.ALONE, self.ALONE + 900)
        assert {query["Id"][:7] for query in request["MetricDataQueries"]} == {"c_blue0"}
        assert aws.asked["ListServiceDeployments"][0]["status"] == ["SUCCESSFUL"]

    def test_datapoints_since_the_begin_of_the_deployment_do_not_count(self, aws: AwsApi, run: Run) -> None:
        self.measured(aws, BLUES, BLUES)
        (described,) = aws.asking("DescribeServiceDeployments")["serviceDeployments"]
        described["startedAt"] = datetime.fromtimestamp(self.ALONE + 240, UTC)

        assert "15 datapoints of green and 4 of blue" in run(baseline="previous").reason

    def test_a_first_deployment_is_skipped(self, aws: AwsApi, run: Run) -> None:
        self.measured(aws, BLUES, BLUES)
        (described,) = aws.asking("DescribeServiceDeployments")["serviceDeployments"]
        described["sourceServiceRevisions"] = []

        with pytest.raises(NoBlueError, match="no previous one") as error:
            run(baseline="previous")
        assert error.value.outcome.status is Status.SKIP

    def test_an_unknown_previous_deployment_fails_at_once(self, aws: AwsApi, run: Run) -> None:
        self.measured(aws, BLUES, BLUES)
        aws.answer("ListServiceDeployments", {"serviceDeployments": [brief(GREEN)]})

        with pytest.raises(FactDeniedError, match="no successful deployment of blue"):
            run(minutes=0, baseline="previous")

    def test_endless_pages_are_not_read(self, aws: AwsApi, run: Run) -> None:
        self.measured(aws, BLUES, BLUES)
        aws.answer("ListServiceDeployments", {"serviceDeployments": [], "nextToken": "again"})

        with pytest.raises(FactDeniedError, match="no successful deployment of blue"):
            run(minutes=0, baseline="previous")
        assert len(aws.asked["ListServiceDeployments"]) == 10


def test_a_reason_names_three_metrics(aws: AwsApi, run: Run) -> None:
    values = {f"{which}{number}": BLUES for number in range(5) for which in ("blue",)}
    values |= {f"green{number}": [3 * value for value in BLUES] for number in range(5)}
    measured(aws, **values)

    assert "; and 2 more;" in run(*[{"metric": f"M{number}"} for number in range(5)]).reason


def test_the_metrics_are_those_of_both_target_groups(aws: AwsApi, run: Run) -> None:
    measured(aws)
    run(ERRORS)

    (request,) = aws.asked["GetMetricData"]
    seen = {
        query["Id"]: (
            query["MetricStat"]["Metric"]["MetricName"],
            query["MetricStat"]["Metric"]["Dimensions"][1]["Value"],
        )
        for query in request["MetricDataQueries"]
    }
    assert seen == {
        "c0_green0": ("HTTPCode_Target_5XX_Count", "targetgroup/alternate/2222222222222222"),
        "c0_green0per": ("RequestCount", "targetgroup/alternate/2222222222222222"),
        "c0_blue0": ("HTTPCode_Target_5XX_Count", "targetgroup/primary/1111111111111111"),
        "c0_blue0per": ("RequestCount", "targetgroup/primary/1111111111111111"),
    }


def test_green_without_traffic_is_skipped(aws: AwsApi, run: Run) -> None:
    measured(aws)
    assert run(green=0).status is Status.SKIP

    # Whether the event before a step has the weights before or after it is not documented, so ECS's record counts.
    (described,) = aws.asking("DescribeServiceDeployments")["serviceDeployments"]
    described["targetServiceRevision"]["requestedProductionTrafficWeight"] = 0.0
    assert run(green=10, stage="PRE_PRODUCTION_TRAFFIC_SHIFT").status is Status.SKIP
    assert run(green=10).status is Status.FAIL
    described["targetServiceRevision"]["requestedProductionTrafficWeight"] = 10.0
    assert run(green=10, stage="PRE_PRODUCTION_TRAFFIC_SHIFT").status is Status.FAIL
    assert run(green=None).status is Status.FAIL


@pytest.mark.parametrize(
    "fields",
    [
        {"metrics": []},
        {"metrics": [{"metric": "A", "dimensions": {"TargetGroup": "{green.target_group}"}}]},
        {"metrics": [{"metric": "A", "dimensions": {"TargetGroup": "{revision.target_group}", "B": "{typo}"}}]},
        {"metrics": [LATENCY], "marginal_score": 96},
        {"metrics": [LATENCY], "watch": {"count": 2}},
        {"metrics": [LATENCY], "groups": {"latency": 1}},
        {"metrics": [{**LATENCY, "group": "latency"}], "groups": {"latency": 1, "errors": 1}},
    ],
)
def test_a_mistake_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ComparisonCheck.model_validate(fields)
