"""Fields that have other values at some steps of a linear or canary deployment."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks import Stage, stage_hook
from ecs_hooks.checks import CHECKS, GoldenSignalsCheck, HttpCheck, MetricCheck, check_class
from ecs_hooks.plan.model import Plan, PlanError
from tests.checks.asking import context
from tests.conftest import GREEN, shifted
from tests.support.aws import AwsApi
from tests.support.layouts import load_balancer

QUERY = {"namespace": "AWS/ApplicationELB", "metric": "RequestCount"}
STEPS = [{"up_to_percent": 50, "min_requests": 10}, {"up_to_percent": 10, "min_requests": 5, "max_p99_seconds": 1}]
PRE, SHIFT = "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"


@pytest.mark.parametrize(
    ("percent", "least", "slowest"), [(0, 5, 1), (10, 5, 1), (10.1, 10, 5), (50, 10, 5), (51, 99, 5)]
)
def test_the_smallest_fitting_step_holds(percent: float, least: int, slowest: float) -> None:
    check = GoldenSignalsCheck.model_validate({"min_requests": 99, "steps": STEPS}).at(percent)

    assert (check.min_requests, check.max_p99_seconds, check.steps) == (least, slowest, ())
    assert check.at(percent) is check


def test_what_nobody_says_stays_as_it_is() -> None:
    check = HttpCheck.model_validate(
        {"name": "a", "json": {"a": [1]}, "headers": {"X": "1"}, "steps": [{"up_to_percent": 10, "timeout_seconds": 1}]}
    )

    assert check.at(5).model_dump(exclude={"timeout_seconds", "steps"}) == check.model_dump(
        exclude={"timeout_seconds", "steps"}
    )
    assert (check.at(5).timeout_seconds, check.at(11).timeout_seconds) == (1, 10)


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (
            {"up_to_percent": 10, "min_request": 1},
            "steps[0].min_request: unknown field; did you mean 'min_requests'?",
        ),
        ({"up_to_percent": 10, "min_requests": 0}, "steps[0].min_requests: must be at least 1"),
        ({"up_to_percent": 10, "type": "http"}, "steps[0].type: is the same at every step"),
        ({"up_to_percent": 10, "name": "b"}, "steps[0].name: is the same at every step"),
    ],
)
def test_a_mistake_at_a_step_is_named(step: dict[str, Any], told: str) -> None:
    with pytest.raises(PlanError) as error:
        Plan.parse({"checks": [{"type": "golden_signals", "steps": [step]}]})

    assert told in str(error.value)
    with pytest.raises(ValidationError):
        GoldenSignalsCheck.model_validate({"steps": [step]})


def test_the_value_of_a_mistake_is_not_repeated() -> None:
    with pytest.raises(PlanError) as error:
        Plan.parse({"checks": [{"type": "http", "steps": [{"up_to_percent": 1, "timeout_seconds": "hunter2"}]}]})

    assert "hunter2" not in str(error.value)


def test_the_time_of_a_plan_has_to_be_enough_for_every_step() -> None:
    check = {"type": "golden_signals", "steps": [{"up_to_percent": 10, "window_minutes": 30}]}

    with pytest.raises(PlanError, match="timeout_minutes: 30 is not more than the 31 minutes"):
        Plan.parse({"checks": [check]})
    assert Plan.parse({"checks": [check], "timeout_minutes": 32}).explicit


@pytest.mark.parametrize("kind", sorted(CHECKS))
def test_every_kind_of_check_can_have_steps(kind: str) -> None:
    needed: dict[str, dict[str, Any]] = {
        "comparison": {"metrics": [{"metric": "TargetResponseTime"}]},
        "digest": {"header": "X"},
        "logs": {"pattern": "ERROR"},
        "metric": {"queries": {"a": QUERY}, "fail_if": {"above": 1}},
        "scenario": {"requests": [{"path": "/"}]},
    }
    watched = check_class(kind).watchable
    change = {"watch": {"count": 3}} if watched else {"window_minutes": 3}
    check = check_class(kind).model_validate({**needed.get(kind, {}), "steps": [{"up_to_percent": 10, **change}]})

    assert check.at(10) != check.at(11)
    assert check.at(11).model_dump(exclude={"steps"}) == check.model_dump(exclude={"steps"})


def measured(aws: AwsApi, share: float | None) -> None:
    load_balancer(aws)
    aws.answer("GetMetricData", {"MetricDataResults": []})
    (described,) = aws.asking("DescribeServiceDeployments")["serviceDeployments"]
    if share is not None:
        described["targetServiceRevision"]["requestedProductionTrafficWeight"] = share


@pytest.mark.parametrize(
    ("stage", "told", "recorded", "held"),
    [
        (SHIFT, 10, None, 10),
        (SHIFT, 10, 0.0, 10),
        (PRE, 10, 10.0, 10),
        (PRE, 20, 10.0, 10),
        (PRE, 10, 20.0, 10),
        (PRE, 10, None, 10),
        (PRE, None, 10.0, 10),
        (SHIFT, None, 10.0, 10),
        (SHIFT, None, None, None),
    ],
)
def test_greens_share_is_known_whatever_the_event_means(
    aws: AwsApi, stage: str, told: float | None, recorded: float | None, held: float | None
) -> None:
    measured(aws, recorded)

    assert context(None, stage=stage, event_percent=told).green_percent == held


def test_a_hook_judges_by_the_step(aws: AwsApi) -> None:
    measured(aws, 10.0)
    metric = {"type": "metric", "queries": {"a": QUERY}, "fail_if": {"above": 1}, "window_minutes": 20}
    plan = {"checks": [{**metric, "steps": [{"up_to_percent": 10, "window_minutes": 3}]}, metric]}

    def ask(percent: int) -> str:
        event = shifted(SHIFT, production={GREEN: percent}, hookDetails=plan)
        return str(stage_hook(Stage(SHIFT))(event, None)["hookStatus"])

    assert ask(10) == "IN_PROGRESS"
    # One question for all metrics, as they are at this step.
    (asked,) = aws.asked["GetMetricData"]
    assert len(asked["MetricDataQueries"]) == 2


def test_without_greens_share_nothing_is_judged(aws: AwsApi) -> None:
    measured(aws, None)
    plan = {"checks": [{"type": "golden_signals", "steps": STEPS}, {"type": "tasks"}]}

    answer = stage_hook(Stage(SHIFT))(shifted(SHIFT, hookDetails=plan), None)

    assert answer["hookStatus"] == "FAILED"
    assert "steps cannot determine green's traffic percentage" in answer["reason"]


def test_a_metric_check_at_a_step_is_asked_about_with_the_others(aws: AwsApi) -> None:
    measured(aws, 10.0)
    fields = {"queries": {"a": QUERY}, "fail_if": {"above": 1}}
    first = MetricCheck.model_validate({**fields, "steps": [{"up_to_percent": 10, "min_samples": 3}]})
    second = MetricCheck.model_validate({**fields, "name": "b"})
    asking = context(None, first, second, stage=SHIFT, event_percent=10)

    for check in asking.at_step(asking.checks):
        check.run(asking)

    assert len(aws.asked["GetMetricData"]) == 1
