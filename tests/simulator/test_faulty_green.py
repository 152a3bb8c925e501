"""Whole deployments with faults of green: real applications, real hooks."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import pytest

from ecs_hooks_simulator import (
    CallableTarget,
    CanaryConfiguration,
    LifecycleHook,
    LinearConfiguration,
    Service,
    ServiceDeployment,
    Strategy,
)
from ecs_hooks_simulator.aws.metric_alarm import MetricAlarm
from ecs_hooks_simulator.core.faults import Fault, FaultError
from ecs_hooks_simulator.core.model import DeploymentAlarms
from ecs_hooks_simulator.core.timeline import AlarmStateChanged, FaultInjected, HookAnswered, TrafficShifted
from ecs_hooks_simulator.simulation import Simulation, demo_application

ERRORS = MetricAlarm.parse("api-5xx: HTTPCode_Target_5XX_Count Sum > 0")
ALARMS = "Service deployment rolled back because of one or more active alarms."
STRATEGIES: dict[str, dict[str, Any]] = {
    "BLUE_GREEN": {},
    "LINEAR": {"linear": LinearConfiguration(step_percent=50, step_bake_time_minutes=3)},
    "CANARY": {"canary": CanaryConfiguration(canary_percent=20, canary_bake_time_minutes=3)},
}


def service(strategy: str = "CANARY", **fields: Any) -> Service:
    return Service(service="my-service", strategy=Strategy(strategy), **STRATEGIES[strategy], **fields)


def hook(stage: str, *checks: dict[str, Any]) -> LifecycleHook:
    """Return the hook of a stage, with its default checks where none are given."""
    handler = importlib.import_module(stage.lower()).lambda_handler
    return LifecycleHook(
        target=CallableTarget(handler, name=stage.lower()),
        lifecycle_stages=[stage],
        hook_details={"checks": list(checks)} if checks else None,
    )


class Play:
    """A deployment with faults, and its records."""

    def __init__(
        self, *faults: str, of: Service, hooks: Sequence[LifecycleHook] = (), alarms: Sequence[MetricAlarm] = ()
    ) -> None:
        with Simulation(demo_application("1"), service=of, requests_per_minute=10, alarms=alarms) as simulation:
            self.deployment: ServiceDeployment = simulation.deploy(
                demo_application("2"), hooks=hooks, faults=[Fault.parse(text) for text in faults]
            )
            self.forwarded = simulation.balancer.forwarded
            self.timeline = simulation.timeline
            self.unhealthy = simulation.balancer.unhealthy(self.deployment.target.arn)

    @property
    def shares(self) -> list[float]:
        """Green's shares of the production traffic, one after the other."""
        green = self.deployment.target.arn
        shifts = self.timeline.of(TrafficShifted)
        return [each.weights.get(green, 0) for each in shifts if each.deployment and each.listener == "production"]

    @property
    def reasons(self) -> list[str]:
        """The reasons of hooks that failed."""
        return [answer.reason for answer in self.timeline.of(HookAnswered) if answer.status == "FAILED"]


HTTP = {"type": "http", "path": "/", "timeout_seconds": 0.4, "expect": {"max_latency_ms": 300}}
SOUND = {"type": "http", "path": "/"}
"""For a green without a fault so far, on a busy machine too."""
SIGNALS = {"type": "golden_signals", "max_p99_seconds": 0.3, "window_minutes": 3}


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("fault", "check", "seen_as"),
    [
        ("latency=350ms", SIGNALS, "expected at most 1 % to be slower (p99)"),
        ("errors=100%", SIGNALS, "expected at most 5 % to fail"),
        # The load balancer's own 504 counts for no target group, so golden_signals does not see what hangs.
        ("hang", HTTP, "no complete response header within 0.4 s"),
        ("crash", HTTP, "status 502"),
    ],
)
def test_each_fault_is_seen_by_a_hook_and_by_the_users_under_each_strategy(
    strategy: str, fault: str, check: dict[str, Any], seen_as: str
) -> None:
    # The stage lasts a minute at least, so that users come to it in any case.
    waiting = LifecycleHook.pause("POST_PRODUCTION_TRAFFIC_SHIFT", timeout_in_minutes=1, timeout_action="CONTINUE")
    hooks = [waiting, hook("PRE_PRODUCTION_TRAFFIC_SHIFT", SOUND), hook("POST_PRODUCTION_TRAFFIC_SHIFT", check)]
    play = Play(f"{fault}@100%", of=service(strategy), hooks=hooks)
    green = [each for each in play.forwarded if each.revision == play.deployment.target.arn]
    production = [each for each in green if each.listener == "production"]
    bad = [each for each in production if each.status >= 500 or each.seconds > 0.3]

    assert play.deployment.status == "ROLLBACK_SUCCESSFUL"
    assert play.shares[-2:] == [100, 0]
    assert seen_as in play.reasons[0]
    assert bad
    assert play.unhealthy is None  # the fault ended with green's tasks


def test_a_canary_that_fails_only_after_a_clean_step_is_rolled_back_by_its_hook() -> None:
    play = Play("errors=30%@50%", of=service(), hooks=[hook("POST_PRODUCTION_TRAFFIC_SHIFT")])
    (injected,) = play.timeline.of(FaultInjected)
    green = [each for each in play.forwarded if each.revision == play.deployment.target.arn]
    began = play.deployment.created_at

    assert play.shares == [20, 100, 0]
    assert "golden_signals" in play.reasons[0]
    assert "% failed (95 % confidence: " in play.reasons[0]
    assert {each.status for each in green if each.time < began + 180} == {200}
    assert {each.status for each in green if each.time > began + 180} == {200, 500}
    assert injected.to_dict() == {
        "kind": "fault-injected",
        "time": began + 180,
        "deployment": play.deployment.arn,
        "fault": "errors=30%",
        "planned": "errors=30%@50%",
        "revision": play.deployment.target.arn,
        "stage": "PRODUCTION_TRAFFIC_SHIFT",
        "percent": 100,
    }


def test_a_canary_that_fails_only_after_a_clean_step_is_rolled_back_by_an_alarm() -> None:
    play = Play("errors=30%@100%", of=service(), alarms=[ERRORS])
    (alarm,) = play.timeline.of(AlarmStateChanged)
    began = play.deployment.created_at

    assert (play.deployment.status, play.deployment.status_reason) == ("ROLLBACK_SUCCESSFUL", ALARMS)
    assert play.deployment.to_dict()["alarms"] == {
        "status": "TRIGGERED",
        "alarmNames": ["api-5xx"],
        "triggeredAlarmNames": ["api-5xx"],
    }
    # The step is after 3 minutes; in the minute from there on, 3 of 10 requests fail.
    assert (alarm.before, alarm.state, alarm.time - began) == ("OK", "ALARM", 4 * 60 + 5)
    assert "[3] was greater than the threshold (0)" in alarm.reason
    assert play.deployment.rollback is not None
    assert play.deployment.rollback.started_at - began == 4 * 60 + 10


def test_a_linear_deployment_that_crashes_half_way_is_rolled_back_at_the_next_step() -> None:
    stepped = Service(
        service="my-service",
        strategy=Strategy.LINEAR,
        linear=LinearConfiguration(step_percent=25, step_bake_time_minutes=2),
    )
    checks = ({"type": "tasks"}, {"type": "targets"}, HTTP)
    play = Play("crash@50%", of=stepped, hooks=[hook("PRE_PRODUCTION_TRAFFIC_SHIFT", *checks)])
    (reason,) = play.reasons

    assert play.shares == [25, 50, 0]
    assert "1 task of green stopped: EssentialContainerExited, Essential container in task exited" in reason
    assert "1 unhealthy target: 1 Target.FailedHealthChecks" in reason
    assert "status 502, expected 2xx" in reason
    # Half of the requests of two minutes, and that of the hook at the test listener.
    refused = [each.listener for each in play.forwarded if each.origin == "connection"]
    assert refused == ["production"] * 10 + ["test"]


@pytest.mark.parametrize("check", [None, {"type": "golden_signals", "window_minutes": 3}])
def test_a_service_without_users_is_not_rolled_back_by_the_default_checks(check: dict[str, Any] | None) -> None:
    hooks = [hook("POST_PRODUCTION_TRAFFIC_SHIFT", *([check] if check else []))]
    with Simulation(demo_application("1"), service=service("BLUE_GREEN")) as simulation:
        deployment = simulation.deploy(demo_application("2"), hooks=hooks)
        last = simulation.timeline.of(HookAnswered)[-1]

    if check:
        assert deployment.status == "ROLLBACK_SUCCESSFUL"
        assert "no requests in 3 minutes: errors and latency are unknown" in str(
            [each.reason for each in simulation.timeline.of(HookAnswered)]
        )
        return
    assert deployment.status == "SUCCESSFUL"
    assert "golden_signals no requests in 5 minutes: errors and latency are unknown" in last.reason


def test_a_failing_root_of_a_service_without_users_is_rolled_back() -> None:
    with Simulation(demo_application("1"), service=service("BLUE_GREEN")) as simulation:
        faults = [Fault.parse("errors=100%@POST_PRODUCTION_TRAFFIC_SHIFT")]
        deployment = simulation.deploy(
            demo_application("2"), hooks=[hook("POST_PRODUCTION_TRAFFIC_SHIFT")], faults=faults
        )

    assert deployment.status == "ROLLBACK_SUCCESSFUL"


def test_latency_reaches_metrics_and_users_without_real_waits() -> None:
    p99 = {
        "type": "metric",
        "metric": "TargetResponseTime",
        "queries": {
            "p99": {
                "namespace": "AWS/ApplicationELB",
                "metric": "TargetResponseTime",
                "stat": "p99",
                "dimensions": {"LoadBalancer": "{load_balancer}", "TargetGroup": "{green.target_group}"},
            }
        },
        "fail_if": {"above": 1},
        "window_minutes": 3,
    }
    del p99["metric"]
    signals = {"type": "golden_signals", "window_minutes": 3}
    play = Play("latency=30s@100%", of=service(), hooks=[hook("POST_PRODUCTION_TRAFFIC_SHIFT", p99, signals)])

    assert play.shares == [20, 100, 0]
    assert "30" in play.reasons[0]
    late = [each for each in play.forwarded if each.seconds >= 30]
    assert late
    assert {each.revision for each in late} == {play.deployment.target.arn}


def test_an_alarm_from_before_the_deployment_is_ignored_by_ecs_and_fails_the_default_check_of_pre_scale_up() -> None:
    alarming = ERRORS.model_copy(update={"state_value": "ALARM"})
    ignored = Play("errors=100%@100%", of=service("BLUE_GREEN"), alarms=[alarming])
    checked = Play(of=service("BLUE_GREEN"), alarms=[alarming], hooks=[hook("PRE_SCALE_UP")])

    assert ignored.deployment.status == "SUCCESSFUL"
    assert ignored.deployment.to_dict()["alarms"]["status"] == "DISABLED"
    assert checked.deployment.status == "ROLLBACK_SUCCESSFUL"
    assert "alarm api-5xx in ALARM since before the deployment" in checked.reasons[0]


def test_a_hook_can_check_an_alarm_that_ecs_does_not_watch() -> None:
    unwatched = DeploymentAlarms(alarm_names=["api-5xx"], enable=False)
    asking = {"type": "alarm", "names": ["api-5xx"], "watch": {"for_minutes": 5}}
    play = Play(
        "errors=30%@100%",
        of=service("BLUE_GREEN", alarms=unwatched),
        alarms=[ERRORS],
        hooks=[hook("POST_PRODUCTION_TRAFFIC_SHIFT", asking)],
    )

    assert play.deployment.status == "ROLLBACK_SUCCESSFUL"
    assert "alarm api-5xx in ALARM" in play.reasons[0]


def test_green_keeps_its_fault_when_it_becomes_blue() -> None:
    with Simulation(demo_application("1"), requests_per_minute=10) as simulation:
        broken = simulation.deploy(demo_application("2"), faults=[Fault.parse("errors=100%@BAKE_TIME")])
        fixed = simulation.deploy(demo_application("3"))
        failed = [each for each in simulation.balancer.forwarded if each.status == 500]

    assert (broken.status, fixed.status) == ("SUCCESSFUL", "SUCCESSFUL")
    assert {each.revision for each in failed} == {broken.target.arn}


def test_a_fault_that_would_never_begin_is_refused_before_the_deployment() -> None:
    with Simulation(demo_application("1"), service=service("LINEAR")) as simulation:
        with pytest.raises(FaultError, match="with LINEAR: 50 %, 100 %"):
            simulation.deploy(demo_application("2"), faults=[Fault.parse("crash@101%")])
        assert simulation.controller.history == ()
