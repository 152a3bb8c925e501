"""20,000 plans with mistakes: refused with the place of the mistake, or played to a valid answer."""

from __future__ import annotations

import io
import json
import random
from contextlib import redirect_stdout
from typing import Any

import pytest

from ecs_hooks import Plan, PlanError, Stage, stage_hook
from ecs_hooks.engine.telemetry import logger
from tests.checks.examples import EXAMPLES
from tests.conftest import load_event
from tests.fuzz.mutation import mutated, seeded
from tests.fuzz.test_events import ShortOfTime, valid
from tests.support.aws import AwsApi

PLANS = 20_000
PARTS = 4
EVERY = 20
"""Of so many plans, one is played as well."""

SECRET = "s3cr3t-Ld92kfQx"
RICH: list[dict[str, Any]] = [
    {
        "type": "http", "path": "/a", "method": "POST", "headers": {"X-Api-Key": SECRET}, "json": {"a": [1, "b", None]},
        "expect": {
            "status": ["2xx", 404, "300-302"],
            "headers": {"content-type": {"contains": "json"}},
            "body": [{"contains": "a"}, {"not": {"matches": "^err(or)?"}}],
            "json": {"$.a.b[0]": {"range": [1, 5]}, "$..c": {"length": 2}},
            "asserts": [{"query": "jsonpath", "path": "$.a", "filters": ["count"], "equals": 1}],
        },
        "samples": {"count": 10, "concurrency": 2, "max_p99_ms": 100}, "steps": [{"up_to_percent": 10, "timeout_seconds": 5}], "connect_retries": 0,
    },
    {
        "type": "scenario", "variables": {"host": "a"}, "secrets": {"token": {"ssm": "/token"}},
        "requests": [
            {"path": "/login", "form": {"user": "{{host}}"}, "captures": {"id": {"query": "jsonpath", "path": "$.id"}}},
            {"path": "/orders/{{id}}", "expect": {"json": {"$.id": {"equals": "{{id}}"}}}},
        ],
        "cleanup": [{"path": "/logout", "method": "DELETE"}], "budget_seconds": 5,
    },
    {"type": "golden_signals", "max_5xx_percent": 1, "max_p99_seconds": 0.5, "window_minutes": 5},
    {
        "type": "comparison", "baseline": "previous",
        "metrics": [{"metric": "TargetResponseTime", "stat": "p99", "criteria": ["< 1", "<= +10%"]}],
    },
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_a_mutated_plan_is_refused_with_its_place_or_played(
    part: int, aws: AwsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    monkeypatch.setenv("ECS_HOOKS_AWS_TIMEOUT_SECONDS", "0.2")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    chance = seeded("plans", part)
    event = load_event("post_test_traffic_shift")
    handler = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)
    level = logger.log_level
    logger.setLevel("CRITICAL")
    accepted = 0
    try:
        for number in range(PLANS // PARTS):
            base = {"base_url": "http://127.0.0.1:9", "error_limit": 3, "mode": "enforce", "checks": _checks(chance)}
            details = mutated(base, chance)
            try:
                Plan.parse(details)
                accepted += 1
            except PlanError as error:
                problems = str(error)
                assert problems.isprintable(), (details, problems)
                assert "hookDetails" in problems, (details, problems)
                assert SECRET not in problems, (details, problems)
                assert "raised" not in problems, (details, problems)
            if number % EVERY == 0:
                with redirect_stdout(io.StringIO()) as printed:
                    answer = handler({**event, "hookDetails": details}, ShortOfTime())
                assert valid(answer), (details, answer)
                # An IN_PROGRESS answer repeats the event's hookDetails, the plan, beside the state.
                own = [answer["reason"], answer.get("hookDetails", {}).get("ecsHooks")]
                assert SECRET not in json.dumps(own), (details, answer)
                assert SECRET not in printed.getvalue(), details
                assert " raised " not in answer["reason"], (details, answer)
    finally:
        logger.setLevel(level)
    # Both are tried often: a mistake, and a change that leaves a plan.
    assert PLANS // PARTS // 20 < accepted < PLANS // PARTS * 19 // 20, accepted


def _checks(chance: random.Random) -> list[dict[str, Any]]:
    return chance.sample([*EXAMPLES, *RICH * 5], chance.randint(1, 3))
