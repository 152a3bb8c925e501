from __future__ import annotations

import json
from typing import Any

import pytest

from ecs_hooks_simulator.core.timeline import HookAnswered, HookInvoked, Record, StatusChanged, Timeline, TrafficShifted
from tests.simulator.plays import FAILED, IN_PROGRESS, Gate, controller, play


def test_listeners_get_every_record_until_they_unsubscribe() -> None:
    heard: list[Record] = []
    player = controller(Gate().at())
    leave = player.timeline.subscribe(heard.append)
    player.deploy()
    assert heard == player.timeline.records
    count = len(heard)
    leave()
    player.deploy()
    assert len(heard) == count < len(player.timeline.records)


def test_the_records_are_json_in_the_order_of_time() -> None:
    gate = Gate({**IN_PROGRESS, "reason": "not yet"}, FAILED)
    deployment, player = play(gate.at("POST_PRODUCTION_TRAFFIC_SHIFT"))
    story = [record.to_dict() for record in player.timeline.records]
    assert json.loads(json.dumps(story)) == story
    moments = [record.time for record in player.timeline.records]
    assert moments == sorted(moments)
    assert {record["kind"] for record in story} == {
        "status-changed", "stage-entered", "tasks-changed", "traffic-shifted",
        "hook-invoked", "hook-answered", "hook-state-changed",
    }  # fmt: skip
    assert {record["deployment"] for record in story} == {"", deployment.arn}


def test_the_records_of_an_invocation_have_event_response_delay_and_reason() -> None:
    gate = Gate({**IN_PROGRESS, "reason": "not yet", "callBackDelay": 45}, FAILED)
    _, player = play(gate.at())
    invoked, answered = player.timeline.of(HookInvoked), player.timeline.of(HookAnswered)
    assert [record.event for record in invoked] == gate.events
    assert [record.attempt for record in invoked] == [record.attempt for record in answered] == [1, 2]
    assert [(record.status, record.call_back_delay, record.reason) for record in answered] == [
        ("IN_PROGRESS", 45, "not yet"),
        ("FAILED", None, ""),
    ]
    assert len({record.hook_id for record in invoked}) == 1


def test_the_records_of_traffic_have_listener_and_weights() -> None:
    deployment, player = play()
    green, blue = deployment.target.arn, deployment.sources[0].arn
    shifts = [(record.listener, dict(record.weights)) for record in player.timeline.of(TrafficShifted)]
    assert shifts == [
        ("production", {blue: 100}),
        ("test", {blue: 100}),
        ("test", {green: 100, blue: 0}),
        ("production", {green: 100, blue: 0}),
    ]


@pytest.mark.parametrize(
    ("gate", "circuit_breaker", "names"),
    [
        (None, False, ["IN_PROGRESS", "COMPLETED"]),
        (None, True, ["IN_PROGRESS", "COMPLETED"]),
        (FAILED, False, ["IN_PROGRESS", "IN_PROGRESS"]),
        (FAILED, True, ["IN_PROGRESS", "IN_PROGRESS", "FAILED"]),
    ],
)
def test_contract_12_deployment_state_change_events(gate: Any, names: list[str], *, circuit_breaker: bool) -> None:
    _, player = play(*([Gate(gate).at()] if gate else []), circuit_breaker=circuit_breaker)
    events = [record.event for record in player.timeline.of(StatusChanged) if record.event]
    assert [event["detail"]["eventName"] for event in events] == [f"SERVICE_DEPLOYMENT_{name}" for name in names]
    assert {event["detail-type"] for event in events} == {"ECS Deployment State Change"}
    # The events of the deployment and of its rollback differ in the reason.
    reasons = [event["detail"]["reason"] for event in events]
    assert len(set(reasons)) == len(events)
    assert "in progress." in reasons[0]
    assert ("rolling back to ecs-svc/" in reasons[1]) == (gate is not None)


def test_records_are_found_by_their_type() -> None:
    timeline = Timeline()
    timeline.emit(StatusChanged(time=0, deployment="", status="PENDING"))
    assert timeline.of(HookInvoked) == []
    assert len(timeline.of(Record)) == 1
