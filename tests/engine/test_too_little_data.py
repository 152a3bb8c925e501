"""An analysis that has no data or too little, or that was killed on its way, is no pass."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecs_hooks import Stage, stage_hook
from ecs_hooks.core import clock
from tests.conftest import GREEN, shifted
from tests.support.aws import AwsApi, Silence
from tests.support.layouts import brief, load_balancer

BEGAN = 1_800_000_000.0
LATENCY = {"metric": "TargetResponseTime", "stat": "p99"}
QUERY = {"namespace": "AWS/ApplicationELB", "metric": "RequestCount"}
ANALYSES: dict[str, dict[str, Any]] = {
    "metric": {"type": "metric", "queries": {"a": QUERY}, "fail_if": {"above": 1e9}, "min_samples": 3},
    "metric that may be low": {"type": "metric", "queries": {"a": QUERY}, "fail_if": {"below": 0}, "min_samples": 3},
    "comparison": {"type": "comparison", "metrics": [LATENCY], "window_minutes": 5, "min_samples": 4},
    "share": {"type": "comparison", "metrics": [{**LATENCY, "per": "RequestCount"}], "window_minutes": 5},
    "criteria": {"type": "comparison", "metrics": [{**LATENCY, "criteria": ["< 1000"]}]},
    "previous": {"type": "comparison", "metrics": [LATENCY], "window_minutes": 5, "baseline": "previous"},
    "golden signals": {"type": "golden_signals", "min_requests": 100},
}


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    time = [BEGAN]
    monkeypatch.setattr(clock, "now", lambda: time[0])
    return time


def measured(aws: AwsApi, datapoints: int) -> None:
    """Have CloudWatch answer every query with so many datapoints."""
    load_balancer(aws)
    aws.answer("ListServiceDeployments", {"serviceDeployments": [brief()]})

    def data(asked: dict[str, Any]) -> dict[str, Any]:
        begin = asked["StartTime"].replace(tzinfo=UTC).timestamp()
        stamps = [datetime.fromtimestamp(begin + 60 * (each + 1), UTC) for each in range(datapoints)]
        results = [
            {"Id": query["Id"], "Timestamps": stamps, "Values": [0.5] * datapoints, "StatusCode": "Complete"}
            for query in asked["MetricDataQueries"]
        ]
        return {"MetricDataResults": results}

    aws.answer("GetMetricData", data)


def ask(plan: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    event = shifted("PRODUCTION_TRAFFIC_SHIFT", production={GREEN: 10}, hookDetails={**plan, **state})
    return stage_hook(Stage.PRODUCTION_TRAFFIC_SHIFT)(event, None)


@pytest.mark.parametrize("analysis", ANALYSES)
@pytest.mark.parametrize("datapoints", [0, 1, 2])
def test_it_fails_when_its_window_is_over(aws: AwsApi, now: list[float], analysis: str, datapoints: int) -> None:
    measured(aws, datapoints)
    plan = {"checks": [ANALYSES[analysis]], "timeout_minutes": 60}

    first = ask(plan, {})
    assert first["hookStatus"] == "IN_PROGRESS", first
    now[0] += 20 * 60
    last = ask(plan, first["hookDetails"])
    assert last["hookStatus"] == "FAILED", last


@pytest.mark.parametrize("analysis", ANALYSES)
def test_it_fails_when_the_time_of_the_plan_is_over(aws: AwsApi, now: list[float], analysis: str) -> None:
    measured(aws, 0)
    plan = {"checks": [ANALYSES[analysis]], "timeout_minutes": 30, "error_limit": 1000}
    state = ask(plan, {})["hookDetails"]
    aws.silence("GetMetricData", Silence.CLOSE)
    now[0] += 31 * 60

    assert ask(plan, state)["hookStatus"] == "FAILED"


@pytest.mark.parametrize("analysis", ANALYSES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["answered", "lost", "again", "killed", "aws is silent"]), st.floats(0, 600)),
        min_size=1,
        max_size=12,
    ),
    datapoints=st.integers(0, 2),
)
def test_no_way_through_lost_and_killed_invocations_leads_to_a_pass(
    aws: AwsApi, now: list[float], analysis: str, steps: list[tuple[str, float]], datapoints: int
) -> None:
    aws.well()
    measured(aws, datapoints)
    plan = {"checks": [ANALYSES[analysis]], "timeout_minutes": 120, "error_limit": 3}
    state: dict[str, Any] = {}
    now[0] = BEGAN
    for what, seconds in [*steps, ("answered", 1200), ("answered", 1200)]:
        now[0] += seconds
        aws.well()
        if what == "aws is silent":
            aws.silence("GetMetricData", Silence.CLOSE)
        if what == "killed":  # Lambda ended the function: there was an invocation, and no answer of it
            ask(plan, copy.deepcopy(state))
            continue
        answers = [ask(plan, copy.deepcopy(state)) for _ in range(2 if what == "again" else 1)]
        assert all(answer["hookStatus"] != "SUCCEEDED" for answer in answers), answers
        if answers[0]["hookStatus"] == "FAILED":
            return
        if what != "lost":
            state = answers[0]["hookDetails"]
    # Only what could never be asked may still be undecided.
    assert aws.calls["GetMetricData"]
