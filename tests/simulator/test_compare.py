"""Whole deployments whose hook compares green with blue; their addresses are from the simulated AWS."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from ecs_hooks import Stage, stage_hook
from ecs_hooks_simulator import CallableTarget, LifecycleHook
from ecs_hooks_simulator.application import Application
from ecs_hooks_simulator.core.timeline import HookAnswered
from ecs_hooks_simulator.simulation import Simulation, demo_application

SHOP = """
import json, os, random, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        items = [{"id": number, "price": float(os.environ["PRICE"]) + number} for number in range(3)]
        random.shuffle(items)
        body = json.dumps({"at": time.time(), "version": os.environ["VERSION"], "items": items}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Shop).serve_forever()
"""


def shop(version: str, price: str) -> Application:
    return Application(command=(sys.executable, "-c", SHOP), environment={"VERSION": version, "PRICE": price})


def hook(stage: Stage = Stage.POST_TEST_TRAFFIC_SHIFT, **fields: Any) -> LifecycleHook:
    check = {"type": "compare", "samples": 15, "interval_seconds": 0, "budget_seconds": 20, **fields}
    target = CallableTarget(stage_hook(stage), name="gate")
    return LifecycleHook(target=target, lifecycle_stages=[stage], hook_details={"checks": [check]})


def test_a_green_with_different_responses_is_rolled_back() -> None:
    check = hook(ignore=["$.version"], requests=[{"path": "/items"}])
    with Simulation(shop("1", "12.5")) as simulation:
        same = simulation.deploy(shop("2", "12.5"), hooks=[check])
        cheaper = simulation.deploy(shop("3", "12.49"), hooks=[check])

    assert same.status == "SUCCESSFUL"
    assert cheaper.status == "ROLLBACK_SUCCESSFUL"
    passed, failed = [answer.reason for answer in simulation.timeline.of(HookAnswered)]
    assert passed == "SUCCEEDED post_test_traffic_shift my-service: 1 passed"
    assert (
        "compare GET /items: $.items[*].price differs in 15 of 15 rounds (blue against itself in 0): 12.5 -> 12.49"
        in failed
    )


def test_the_version_of_the_demo_application_is_a_difference_unless_it_is_ignored() -> None:
    with Simulation(demo_application("1")) as simulation:
        assert simulation.deploy(demo_application("2"), hooks=[hook()]).status == "ROLLBACK_SUCCESSFUL"
        assert simulation.deploy(demo_application("2"), hooks=[hook(ignore=["$.version"])]).status == "SUCCESSFUL"
    first, _ = [answer.reason for answer in simulation.timeline.of(HookAnswered)]
    assert '$.version differs in 15 of 15 rounds (blue against itself in 0): "1" -> "2"' in first


def test_a_first_deployment_is_skipped() -> None:
    with Simulation(None) as simulation:
        assert simulation.deploy(demo_application("1"), hooks=[hook()]).status == "SUCCESSFUL"
    assert "1 skipped" in simulation.timeline.of(HookAnswered)[0].reason


@pytest.mark.parametrize("stage", [Stage.PRODUCTION_TRAFFIC_SHIFT, Stage.POST_PRODUCTION_TRAFFIC_SHIFT])
def test_after_the_production_shift_a_comparison_cannot_pass(stage: Stage) -> None:
    with Simulation(demo_application("1")) as simulation:
        assert simulation.deploy(demo_application("2"), hooks=[hook(stage)]).status == "ROLLBACK_SUCCESSFUL"
    assert "blue has no address of its own any more" in simulation.timeline.of(HookAnswered)[0].reason
