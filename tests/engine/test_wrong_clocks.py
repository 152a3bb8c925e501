"""Instances of a function whose clocks are minutes off end nothing early, and nothing late by more than that."""

from __future__ import annotations

import time
from collections.abc import Sequence
from email.utils import formatdate
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecs_hooks import Stage, stage_hook
from ecs_hooks.aws.errors import FactError
from ecs_hooks.checks import Check, CheckContext, MetricCheck
from ecs_hooks.core import clock
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.core.measurement import Watch
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.deployment.facts import Facts
from ecs_hooks.deployment.service_deployment import ServiceDeployment
from tests import conftest
from tests.conftest import EcsApi, load_event
from tests.support.aws import AwsApi

NOW = 1_800_000_000.0
seen: list[float] = []


class Probe(Check):
    """Records the time since the step began."""

    type: str = "probe"
    waits: bool = False

    def run(self, context: CheckContext) -> Outcome:
        seen.append(context.elapsed)
        return Outcome.wait("not yet", retry_after=60) if self.waits else Outcome.passed("good")


def play(
    check: Check, skews: Sequence[float], *, late: Sequence[float] = (0,), lost: Sequence[int] = (), **policies: Any
) -> tuple[str, float]:
    """Play invocations on instances whose clocks are wrong by so much; return the last answer's status and true time."""
    seen.clear()
    handler = stage_hook(Stage.POST_PRODUCTION_TRAFFIC_SHIFT, [check])
    passed, details = 0.0, dict(policies)
    for number in range(200):
        true_time[0] = NOW + passed
        with clock.use(partial(float, true_time[0] + skews[number % len(skews)])):
            event = load_event(lifecycleStage="POST_PRODUCTION_TRAFFIC_SHIFT", hookDetails=details)
            answer = handler(event, None)
        if answer["hookStatus"] != "IN_PROGRESS":
            return answer["hookStatus"], passed
        passed += answer["callBackDelay"] + late[number % len(late)]
        details = details if number in lost else answer["hookDetails"]
    return "ENDLESS", passed


true_time = [NOW]


@pytest.fixture
def dated(ecs: EcsApi, monkeypatch: pytest.MonkeyPatch) -> EcsApi:
    """ECS, with the true time in its responses."""
    monkeypatch.setattr(conftest._Handler, "date_time_string", lambda _: formatdate(true_time[0], usegmt=True))
    return ecs


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """No AWS, at once; returns the list of attempts."""
    attempts: list[int] = []

    def described(_: ServiceDeployment) -> Any:
        attempts.append(1)
        raise FactError("no way to AWS")

    monkeypatch.setattr(ServiceDeployment, "_described", property(described))
    return attempts


WATCH = Watch(for_minutes=5, interval_seconds=60)


@pytest.mark.parametrize(
    "skews", [[0], [300, 0, 0, -300], [-300, 300], [600, 0, 0, 0, 0], [-600, 0, 0, 0, 0], [0, 0, 0, 900]]
)
@pytest.mark.parametrize("late", [[0], [3], [400, 0, 0]])
def test_with_awss_time_a_watch_takes_its_time(dated: EcsApi, skews: list[float], late: list[float]) -> None:
    status, passed = play(Probe(watch=WATCH), skews, late=late)

    assert status == "SUCCEEDED"
    assert 300 <= passed < 300 + 60 + max(late) + 3
    assert seen[-1] == pytest.approx(passed, abs=3)


def test_the_plans_time_and_that_of_ecs_end_when_they_should(dated: EcsApi) -> None:
    hook = {"targetType": "AWS_LAMBDA", "status": "IN_PROGRESS", "expiresAt": NOW + 1200, "timeoutAction": "CONTINUE"}
    dated.deployment(lifecycleHookDetails=[hook])
    for skews in ([0], [300, -300], [-600, 0, 0, 600]):
        status, passed = play(Probe(waits=True), skews)
        assert status == "FAILED"
        assert 1200 - 60 - 5 <= passed < 1200 - 50
        status, passed = play(Probe(waits=True), skews, timeout_minutes=10)
        assert status == "FAILED"
        assert 600 - 3 <= passed <= 603


def test_a_lost_answer_takes_time_all_the_same(dated: EcsApi) -> None:
    status, passed = play(Probe(watch=WATCH), [0, 300], lost=[1, 2])

    assert (status, passed) == ("SUCCEEDED", 300)


@given(
    skews=st.lists(st.integers(-10, 10).map(lambda minutes: 60.0 * minutes), min_size=1, max_size=5),
    late=st.lists(st.integers(0, 5), min_size=1, max_size=3),
    lost=st.lists(st.integers(0, 9), max_size=3),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_without_awss_time_nothing_ends_early_and_all_ends(
    unreachable: list[int], skews: list[float], late: list[int], lost: list[int]
) -> None:
    difference = max(skews) - min(skews)
    status, passed = play(Probe(watch=WATCH), skews, late=late, lost=lost)
    assert status == "SUCCEEDED"
    assert 298 <= passed <= 300 + 2 * difference + 60 * (len(lost) + 2) + 5 * 60
    assert len(seen) >= 3

    status, passed = play(Probe(waits=True), skews, late=late, lost=lost, timeout_minutes=8)
    assert status == "FAILED"
    assert 478 <= passed <= 480 + 2 * difference + 60 * (len(lost) + 2) + 5 * 60


def test_where_aws_cannot_be_reached_its_time_is_not_read_each_time(unreachable: list[int]) -> None:
    play(Probe(waits=True), [0, 300], timeout_minutes=20)

    # Three for the time at which ECS gives up, and one for the clock.
    assert len(unreachable) <= 4


def test_errors_of_aws_have_its_time_too(dated: EcsApi) -> None:
    dated.error("AccessDeniedException")

    status, passed = play(Probe(watch=WATCH), [0, 600])
    assert (status, passed) == ("SUCCEEDED", 300)


def test_an_aws_call_during_an_invocation_may_correct_the_clock(dated: EcsApi) -> None:
    """The first invocation has a wrong clock until it reads when ECS gives up."""
    status, passed = play(Probe(waits=True), [600, 0], timeout_minutes=10)

    assert status == "FAILED"
    assert 598 <= passed <= 603
    assert seen[1] == pytest.approx(60, abs=3)


def test_a_window_of_metrics_is_in_awss_time(aws: AwsApi) -> None:
    aws.answer("GetMetricData", {"MetricDataResults": []})
    check = MetricCheck.model_validate(
        {"queries": {"a": {"namespace": "N", "metric": "M"}}, "fail_if": {"above": 1}, "window_minutes": 5}
    )
    event = LifecycleEvent.parse(load_event())
    with clock.use(lambda: time.time() + 600):
        deployment = ServiceDeployment(event, Facts())
        target = type("Target", (), {"stage": event.stage, "deployment": deployment})()
        context = CheckContext(target, Deadline.after(20), 60, (check,))
        window = check.window(context)

    first, second = aws.asked["GetMetricData"]
    assert (first["EndTime"] - second["EndTime"]).total_seconds() == pytest.approx(600, abs=5)
    assert abs(second["EndTime"].timestamp() - time.time()) < 60
    assert window.end <= time.time()
    assert abs(window.begin - (time.time() - 60)) <= 61
