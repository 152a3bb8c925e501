"""Generated values: one for each run."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from ecs_hooks.checks.scenario.run_values import RunValues, generated_problem
from ecs_hooks.core import clock
from ecs_hooks.core.outcome import Status
from tests.checks.scenario.story import Story
from tests.http.fixtures import Serve

START = datetime(2026, 2, 27, 23, 30, 5, 250_000, tzinfo=UTC)


@pytest.fixture
def values() -> RunValues:
    with clock.use(START.timestamp):
        return RunValues()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("now", "2026-02-27T23:30:05Z"),
        ("now+1h", "2026-02-28T00:30:05Z"),
        ("now - 5s", "2026-02-27T23:30:00Z"),
        ("now+2d:date", "2026-03-01"),
        ("now : %d.%m.%Y %H:%M", "27.02.2026 23:30"),
        ("now:epoch", 1_772_235_005),
        ("now+1m:epoch_ms", 1_772_235_065_250),
    ],
)
def test_the_start_of_the_run(values: RunValues, expression: str, expected: Any) -> None:
    assert generated_problem(expression) == ""
    assert expression in values
    assert values[expression] == expected


def test_values_stay_within_a_run_and_change_with_the_next(values: RunValues) -> None:
    other = values.copy()
    for name, pattern in (("uuid", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f-]{17}"), ("random", "[a-z0-9]{12}")):
        assert re.fullmatch(pattern, values[name])
        assert values[name] == values[name] == other[name] != RunValues()[name]


def test_given_values_come_first(values: RunValues) -> None:
    values["uuid"] = 1
    assert values["uuid"] == 1
    values.forget(["uuid"])
    assert "uuid" not in values
    assert "id" not in values
    with pytest.raises(KeyError, match="id"):
        values["id"]


@pytest.mark.parametrize("expression", ["uuid1", "now+1y", "nower", "now1"])
def test_other_names_are_not_generated(expression: str) -> None:
    assert generated_problem(expression) is None


@pytest.mark.parametrize("expression", ["now:%Q", "now:dates", "now:%", "now+1d:%k"])
def test_unknown_formats_are_refused(expression: str) -> None:
    assert "has an unknown format" in str(generated_problem(expression))


def test_a_scenario_uses_generated_values_in_several_requests(serve: Serve) -> None:
    story = Story(serve)
    request = {"path": "/{{uuid}}?a={{random}}&mail={{mail}}"}
    variables = {"mail": "smoke-{{random}}@example.com", "literal": "\\{{random}}"}
    cleanup = [{"path": "/end", "headers": {"X": "{{uuid}} {{literal}}"}}, {"path": "/{{y}}"}]
    requests: list[dict[str, Any]] = [
        {"captures": {"y": {"query": "jsonpath", "path": "$.nothing"}}, "warn": True},
        request,
        request,
    ]
    for _ in range(2):
        outcome = story.play(*requests, cleanup=cleanup, cleanup_seconds=2, variables=variables)
        assert outcome.status is Status.PASS, outcome.reason
    first, second = story.lines[:4], story.lines[4:]
    assert first[1] == first[2] != second[1] == second[2]
    assert re.fullmatch(r"GET /[0-9a-f-]{36}\?a=([a-z0-9]{12})&mail=smoke-\1%40example.com", first[1])
    assert f"X: {first[1][5:41]} {{{{random}}}}\r\n" in story.requests[3]
