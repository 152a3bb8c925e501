from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest
from pydantic import ValidationError, field_serializer, model_validator

from ecs_hooks import Stage, stage_hook
from ecs_hooks.checks import (
    CHECKS,
    Check,
    CheckContext,
    GoldenSignalsCheck,
    HttpCheck,
    MetricCheck,
    Requirements,
    Watch,
    check_class,
)
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.plan.model import Plan, PlanError
from tests.checks.asking import context
from tests.checks.examples import example_of
from tests.conftest import GREEN, shifted
from tests.support.aws import AwsApi
from tests.support.layouts import load_balancer

QUERY = {"namespace": "AWS/ApplicationELB", "metric": "RequestCount"}
STEPS = [{"up_to_percent": 50, "min_requests": 10}, {"up_to_percent": 10, "min_requests": 5, "max_p99_seconds": 1}]
PRE, SHIFT = "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"


class Sums(Check):
    type: Literal["sums"] = "sums"
    left: int
    right: int

    def run(self, context: CheckContext) -> Outcome:
        return Outcome.passed(f"{self.left + self.right} at {context.green.base_url}")


def test_a_custom_check_has_fields_and_run() -> None:
    assert Sums(left=1, right=2).run(context("http://a")).reason == "3 at http://a"


def test_a_label_has_type_and_name() -> None:
    assert Sums(left=1, right=2).label == "sums"
    assert Sums(left=1, right=2, name="easy").label == 'sums "easy"'


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError):
        Sums.model_validate({"left": 1, "right": 2, "middle": 3})


@pytest.mark.parametrize(
    ("percent", "least", "slowest"), [(0, 5, 1), (10, 5, 1), (10.1, 10, 5), (50, 10, 5), (51, 99, 5)]
)
def test_the_smallest_fitting_step_applies(percent: float, least: int, slowest: float) -> None:
    check = GoldenSignalsCheck.model_validate({"min_requests": 99, "steps": STEPS}).at(percent)

    assert (check.min_requests, check.max_p99_seconds, check.steps) == (least, slowest, ())
    assert check.at(percent) is check


def test_other_fields_keep_their_values_at_a_step() -> None:
    check = HttpCheck.model_validate(
        {"name": "a", "json": {"a": [1]}, "headers": {"X": "1"}, "steps": [{"up_to_percent": 10, "timeout_seconds": 1}]}
    )

    assert check.at(5).model_dump(exclude={"timeout_seconds", "steps"}) == check.model_dump(
        exclude={"timeout_seconds", "steps"}
    )
    assert (check.at(5).timeout_seconds, check.at(11).timeout_seconds) == (1, 10)


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (
            {"up_to_percent": 10, "min_request": 1},
            "hookDetails.checks[0].steps[0].min_request: unknown field; did you mean 'min_requests'?",
        ),
        ({"up_to_percent": 10, "min_requests": 0}, "hookDetails.checks[0].steps[0].min_requests: must be at least 1"),
        (
            {"up_to_percent": 10, "type": "http"},
            "hookDetails.checks[0].steps[0].type: must not differ between steps; remove it",
        ),
        (
            {"up_to_percent": 10, "name": "b"},
            "hookDetails.checks[0].steps[0].name: must not differ between steps; remove it",
        ),
    ],
)
def test_a_mistake_at_a_step_is_named(step: dict[str, Any], problem: str) -> None:
    with pytest.raises(PlanError) as error:
        Plan.parse({"checks": [{"type": "golden_signals", "steps": [step]}]})

    assert problem in str(error.value)
    with pytest.raises(ValidationError):
        GoldenSignalsCheck.model_validate({"steps": [step]})


def test_the_value_of_a_mistake_at_a_step_is_not_shown() -> None:
    with pytest.raises(PlanError) as error:
        Plan.parse({"checks": [{"type": "http", "steps": [{"up_to_percent": 1, "timeout_seconds": "hunter2"}]}]})

    assert "hunter2" not in str(error.value)


def test_the_timeout_of_a_plan_must_be_enough_for_every_step() -> None:
    check = {"type": "golden_signals", "steps": [{"up_to_percent": 10, "window_minutes": 30}]}

    with pytest.raises(PlanError, match="timeout_minutes: must be greater than 31, the minutes"):
        Plan.parse({"checks": [check]})
    assert Plan.parse({"checks": [check], "timeout_minutes": 32}).explicit


@pytest.mark.parametrize("kind", sorted(CHECKS))
def test_every_kind_of_check_can_have_steps(kind: str) -> None:
    watched = check_class(kind).watchable
    change = {"watch": {"count": 3}} if watched else {"window_minutes": 20}
    check = check_class(kind).model_validate({**example_of(kind), "steps": [{"up_to_percent": 10, **change}]})

    assert check.at(10) != check.at(11)
    assert check.at(11).model_dump(exclude={"steps"}) == check.model_dump(exclude={"steps"})


def measured(aws: AwsApi, share: float | None) -> None:
    load_balancer(aws)
    aws.answer("GetMetricData", {"MetricDataResults": []})
    (described,) = aws.asking("DescribeServiceDeployments")["serviceDeployments"]
    if share is not None:
        described["targetServiceRevision"]["requestedProductionTrafficWeight"] = share


@pytest.mark.parametrize(
    ("stage", "in_event", "recorded", "percent"),
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
def test_greens_percentage_is_known_whatever_the_event_has(
    aws: AwsApi, stage: str, in_event: float | None, recorded: float | None, percent: float | None
) -> None:
    measured(aws, recorded)

    assert context(None, stage=stage, event_percent=in_event).green_percent == percent


def test_a_hook_applies_the_values_of_its_step(aws: AwsApi) -> None:
    measured(aws, 10.0)
    metric = {"type": "metric", "queries": {"a": QUERY}, "fail_if": {"above": 1}, "window_minutes": 20}
    plan = {"checks": [{**metric, "steps": [{"up_to_percent": 10, "window_minutes": 3}]}, metric]}

    def run(percent: int) -> str:
        event = shifted(SHIFT, production={GREEN: percent}, hookDetails=plan)
        return str(stage_hook(Stage(SHIFT))(event, None)["hookStatus"])

    assert run(10) == "IN_PROGRESS"
    # One call for all metrics, with the values of this step.
    (request,) = aws.asked["GetMetricData"]
    assert len(request["MetricDataQueries"]) == 2


def test_a_check_with_steps_requires_greens_percentage(aws: AwsApi) -> None:
    measured(aws, None)
    plan = {"checks": [{"type": "golden_signals", "steps": STEPS}, {"type": "tasks"}]}

    answer = stage_hook(Stage(SHIFT))(shifted(SHIFT, hookDetails=plan), None)

    assert answer["hookStatus"] == "FAILED"
    assert "steps cannot determine green's traffic percentage" in answer["reason"]


def test_one_call_reads_the_metrics_of_checks_with_and_without_steps(aws: AwsApi) -> None:
    measured(aws, 10.0)
    fields = {"queries": {"a": QUERY}, "fail_if": {"above": 1}}
    first = MetricCheck.model_validate({**fields, "steps": [{"up_to_percent": 10, "min_samples": 3}]})
    second = MetricCheck.model_validate({**fields, "name": "b"})
    shared = context(None, first, second, stage=SHIFT, event_percent=10)

    for check in shared.at_step(shared.checks):
        check.run(shared)

    assert len(aws.asked["GetMetricData"]) == 1


class Broken(Check):
    """A check whose class has a mistake outside of `run`."""

    type: Literal["broken"] = "broken"
    method: str = ""

    def mistake(self, method: str) -> None:
        if method == self.method:
            raise {"exit": SystemExit}.get(self.name, KeyError)("hunter2")

    def requirements(self) -> Requirements:
        self.mistake("requirements()")
        return super().requirements()

    @property
    def label(self) -> str:
        self.mistake("label")
        return super().label

    @property
    def variants(self) -> tuple[Check, ...]:  # type: ignore[override] # not Self
        self.mistake("variants")
        return super().variants

    def at(self, percent: float) -> Broken:
        if percent <= 100:  # `variants` is the check at more
            self.mistake("at()")
        return super().at(percent)

    @model_validator(mode="after")
    def _validated(self) -> Broken:
        self.mistake("validating")
        return self

    @field_serializer("method")
    def _serialized(self, method: str) -> str:
        self.mistake("model_dump_json()")
        return method

    def run(self, context: CheckContext) -> Outcome:
        self.mistake("run()")
        return Outcome.passed()


METHODS = {
    "requirements()": "Broken.requirements() raised",
    "label": "Broken.label raised",
    "variants": "Broken.variants raised",
    "at()": "Broken.at() raised",
    "validating": "validating Broken raised",
    "model_dump_json()": "Broken.model_dump_json() raised",
    "run()": "broken raised",
}


@pytest.mark.parametrize("name", ["", "exit"])
@pytest.mark.parametrize("method", METHODS)
def test_an_exception_in_the_class_of_a_check_names_the_class(
    method: str, name: str, monkeypatch: pytest.MonkeyPatch, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    monkeypatch.setitem(CHECKS, "broken", f"{__name__}:Broken")
    monkeypatch.setattr("ecs_hooks.plan.model.check_class", lambda _: Broken)
    steps = [{"up_to_percent": 50, "watch": {"count": 1}}] if method == "at()" else []
    fields = {"type": "broken", "method": method, "steps": steps} | ({"name": name} if name else {})
    event = shifted(SHIFT, production={GREEN: 10}, hookDetails={"checks": [fields]})

    answer = stage_hook(Stage.PRODUCTION_TRAFFIC_SHIFT)(event)

    assert answer["hookStatus"] == "FAILED"
    named = METHODS[method].replace("broken raised", f'broken "{name}" raised' if name else "broken raised")
    assert named in answer["reason"]
    assert "the traceback is in the log" in answer["reason"]
    assert "hunter2" not in answer["reason"]
    logged = [line.get("traceback") or line.get("exception") for line in lines()]
    assert any("self.mistake" in each or "_serialized" in each for each in logged if each)


def test_a_class_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHECKS, "broken", "nowhere:Broken")

    with pytest.raises(
        PlanError, match=r"^loading nowhere:Broken raised ModuleNotFoundError at .+; the traceback is in"
    ):
        Plan.parse({"checks": [{"type": "broken"}]})


def test_the_timeout_of_a_plan_may_be_too_short_for_a_check_without_a_label() -> None:
    check = Broken(method="label", watch=Watch(for_minutes=60))

    with pytest.raises(PlanError, match=r"Broken\.label raised KeyError at test_base\.py"):
        Plan.parse({}, defaults=[check])
