"""What a load may be like in a plan."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks.checks import LoadCheck
from ecs_hooks.plan.model import Plan, PlanError
from tests.checks.load.loads import SECOND


@pytest.mark.parametrize(
    ("fields", "where", "problem"),
    [
        ({"requests_per_second": 0}, "requests_per_second", "greater than 0"),
        ({"requests_per_second": 501}, "requests_per_second", "less than or equal to 500"),
        ({"duration_seconds": 0.5}, "duration_seconds", "greater than or equal to 1"),
        ({"duration_seconds": 900}, "duration_seconds", "less than or equal to 880"),
        ({"requests_per_second": 500, "duration_seconds": 201}, "", "is 100500 requests; at most 100000 fit in"),
        ({"requests": []}, "requests", "must be 1 to 20 requests"),
        ({"requests": [{}] * 21}, "requests", "must be 1 to 20 requests"),
        ({"requests": [{"pth": "/"}]}, "requests.0.pth", "not permitted"),
        ({"requests": [{"path": "x"}]}, "requests.0.path", "must begin with /"),
        ({"requests": [{"path": "/", "url": "http://a"}]}, "requests.0", "one of path and url"),
        ({"requests": [{"weight": 0}]}, "requests.0.weight", "greater than or equal to 1"),
        ({"requests": [{"weight": 101}]}, "requests.0.weight", "less than or equal to 100"),
        ({"requests": [{"expect": {"status": "6xx"}}]}, "requests.0.expect.status", "must be a status code"),
        ({"requests": [{"expect": {"json": {}}}]}, "requests.0.expect.json", "not permitted"),
        ({"max_in_flight": 0}, "max_in_flight", "greater than or equal to 1"),
        ({"max_in_flight": 501}, "max_in_flight", "less than or equal to 500"),
        ({"max_error_percent": 101}, "max_error_percent", "less than or equal to 100"),
        ({"max_p50_ms": 0}, "max_p50_ms", "greater than 0"),
        ({"max_p95_ms": 5000}, "", "max_p95_ms must be less than timeout_seconds"),
        ({"timeout_seconds": 61}, "timeout_seconds", "less than or equal to 60"),
        ({"listener": "production", "requests": [{"url": "http://a"}]}, "", "that all have a url need no listener"),
        ({"path": "/"}, "path", "not permitted"),
    ],
)
def test_a_mistake_is_refused_at_its_field(fields: dict[str, Any], where: str, problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LoadCheck.model_validate({**SECOND, **fields})
    (error,) = caught.value.errors()
    assert ".".join(map(str, error["loc"])) == where
    assert problem in error["msg"]


def test_a_plan_names_the_nearest_field() -> None:
    with pytest.raises(PlanError) as caught:
        Plan.parse({"checks": [{"type": "load", "max_p99": 1, "requests": [{"wieght": 2}]}]})
    assert set(caught.value.problems) == {
        "hookDetails.checks[0].max_p99: unknown field; did you mean 'max_p99_ms'?",
        "hookDetails.checks[0].requests[0].wieght: unknown field; did you mean 'weight'?",
    }


@pytest.mark.parametrize(
    ("rate", "seconds", "requests"), [(0.1, 30, 3), (0.01, 1, 1), (0.7, 10, 7), (2.5, 1, 3), (500, 200, 100_000)]
)
def test_how_many_requests_that_are(rate: float, seconds: float, requests: int) -> None:
    assert LoadCheck(requests_per_second=rate, duration_seconds=seconds)._count == requests


def test_through_which_listener_it_asks() -> None:
    own = {"url": "http://a/x"}
    mixed = LoadCheck.model_validate({"listener": "production", "requests": [{}, {"method": "POST"}, own]})
    assert mixed.requirements().listener == "production"
    assert list(mixed.requirements().urls) == ["http://a/x"]
    assert list(mixed.requirements().methods) == ["GET", "POST"]
    assert LoadCheck.model_validate({"requests": [own]}).requirements().listener is None


def test_a_plan_must_not_end_before_a_load_that_is_repeated() -> None:
    load = {"type": "load", "duration_seconds": 60}
    for watch, minutes in [({"count": 10, "interval_seconds": 20}, 13), ({"for_minutes": 12}, 13)]:
        with pytest.raises(PlanError, match=f"timeout_minutes: 13 is not more than the {minutes} minutes"):
            Plan.parse({"timeout_minutes": 13, "checks": [{**load, "watch": watch}]})
        Plan.parse({"timeout_minutes": 13.1, "checks": [{**load, "watch": watch}]})
    assert LoadCheck().requirements().watch_seconds == 0
