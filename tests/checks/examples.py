"""Examples of every check, for the tests that run all of them. Nothing listens at the addresses."""

from __future__ import annotations

from typing import Any

from ecs_hooks.checks import Check, check_class

QUERY = {"namespace": "AWS/ApplicationELB", "metric": "RequestCount"}
HTTP: dict[str, Any] = {"type": "http", "connect_retries": 0, "timeout_seconds": 1}
LOAD: dict[str, Any] = {"type": "load", "duration_seconds": 1, "timeout_seconds": 1}
COMPARE: dict[str, Any] = {"type": "compare", "connect_retries": 0, "timeout_seconds": 1, "budget_seconds": 10}
TCP: dict[str, Any] = {"type": "tcp", "connect_retries": 0, "timeout_seconds": 1}
EXAMPLES: list[dict[str, Any]] = [
    HTTP,
    {**HTTP, "url": "http://127.0.0.1:9/"},
    {"type": "alarm"},
    {"type": "alarm", "names": ["a"]},
    {"type": "alarm", "prefix": "a"},
    COMPARE,
    {**COMPARE, "blue_url": "http://127.0.0.1:6"},
    {"type": "comparison", "metrics": [{"metric": "TargetResponseTime"}]},
    {"type": "comparison", "metrics": [{"metric": "TargetResponseTime"}], "baseline": "previous"},
    {"type": "comparison", "metrics": [{"metric": "TargetResponseTime", "criteria": ["< 1"]}], "baseline": "previous"},
    {"type": "digest", "header": "X-Version"},
    {"type": "scenario", "requests": [{"connect_retries": 0, "timeout_seconds": 1}], "budget_seconds": 5},
    {"type": "scenario", "requests": [{"url": "http://127.0.0.1:9/", "connect_retries": 0}], "budget_seconds": 5},
    {"type": "drift"},
    {"type": "golden_signals"},
    LOAD,
    {**LOAD, "requests": [{"url": "http://127.0.0.1:9/"}]},
    {**LOAD, "requests": [{"url": "http://127.0.0.1:9/"}, {"path": "/"}]},
    {"type": "invoke", "function": "smoke-test", "timeout_seconds": 2},
    {"type": "logs", "pattern": "ERROR"},
    {"type": "logs", "query": "fields @message", "lag_seconds": 0},
    {"type": "metric", "queries": {"a": QUERY}, "fail_if": {"above": 1}},
    *(
        {"type": "metric", "queries": {"a": {**QUERY, "dimensions": {"D": f"{{{name}}}"}}}, "fail_if": {"above": 1}}
        for name in ("green.target_group", "blue.target_group", "load_balancer", "cluster", "service")
    ),
    {"type": "targets"},
    {"type": "tasks"},
    {"type": "tasks", "digest": False},
    TCP,
    {**TCP, "address": "127.0.0.1:9"},
    {**TCP, "port": 7},
]
"""One or more of each type: together they make every AWS call that the check can make."""


def check_of(fields: dict[str, Any]) -> Check:
    """Return the check with these fields; a load lasts for a moment, not for the second that a plan needs at least."""
    check = check_class(fields["type"]).model_validate(fields)
    return check.model_copy(update={"duration_seconds": 0.05}) if check.type == "load" else check


def example_of(kind: str) -> dict[str, Any]:
    """Return the first example of a type."""
    return next(fields for fields in EXAMPLES if fields["type"] == kind)
