"""(e) A plan of 500 metrics: one GetMetricData call per poll, and the cost of their evaluation beside the call.

AWS responds at once, from another process, so the time of the call is that of botocore.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, datetime
from functools import partial
from io import StringIO
from statistics import median
from typing import Any

from benchmarks.canned_aws import replaying
from benchmarks.events import event
from benchmarks.many_checks import stage_handler
from ecs_hooks.aws.clients import client
from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.core.state import State, step_of, with_state
from tests.support import aws as fake_aws
from tests.support.layouts import load_balancer

Handler = Callable[[Any, Any], dict[str, Any]]

MINUTES = 15
RUNS = 15
SINGLE, COMPARED = 100, 100
METRICS = SINGLE + 2 * 2 * COMPARED
"""A hundred of green alone, and two hundred of each of green and blue."""

DIMENSIONS = {"TargetGroup": "{green.target_group}", "LoadBalancer": "{load_balancer}"}
CHECKS: list[dict[str, Any]] = [
    *(
        {
            "type": "metric",
            "name": f"metric {number}",
            "queries": {"a": {"namespace": "MyApp", "metric": f"Metric{number}", "dimensions": DIMENSIONS}},
            "fail_if": {"above": 1000},
            "window_minutes": MINUTES,
        }
        for number in range(SINGLE)
    ),
    *(
        {
            "type": "comparison",
            "name": f"comparison {each}",
            "metrics": [{"namespace": "MyApp", "metric": f"Compared{number}"} for number in range(COMPARED)],
        }
        for each in range(2)
    ),
]


def run(runs: int = RUNS) -> dict[str, Any]:
    """Return the time of an invocation that evaluates all metrics, against that of its GetMetricData call alone."""
    handler = stage_handler()
    os.environ |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-west-2"}
    began = time.time() // 60 * 60 - 60 * (MINUTES + 3)
    bare = event()
    state = State(step_of(LifecycleEvent.parse(bare)), int(began), expires_at=-1)
    invocation = {**bare, "hookDetails": with_state({"checks": CHECKS, "timeout_minutes": 60}, state)}
    call, answers = _recorded(handler, invocation, began)
    with replaying(answers) as url:
        os.environ["AWS_ENDPOINT_URL"] = url
        cloudwatch = client("cloudwatch", "us-west-2")
        judged, alone = [], []
        for _ in range(runs + 1):  # the first one is a warm-up
            judged.append(_time(lambda: _invoke(handler, invocation)))
            alone.append(_time(lambda: cloudwatch.get_metric_data(**call)))
    poll, bare_call = median(judged[1:]), median(alone[1:])
    return {
        "name": f"{len(call['MetricDataQueries'])} metrics, one poll",
        "measured_ms": poll * 1000,
        "baseline": "its GetMetricData call alone",
        "baseline_ms": bare_call * 1000,
        "ratio": poll / bare_call,
        "limit": 2.0,
    }


def _recorded(handler: Handler, invocation: dict[str, Any], began: float) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Play a poll, and return the parameters of its one GetMetricData call, and the response of each operation."""
    bodies: dict[str, bytes] = {}

    def note(operation: str, body: bytes) -> bytes:
        revision, *_ = aws.asked[operation][-1].get("serviceRevisionArns", [""])
        bodies[f"{operation} {revision}"] = body
        return body

    def data(parameters: dict[str, Any]) -> dict[str, Any]:
        stamps = [datetime.fromtimestamp(began + 60 * minute, UTC) for minute in range(MINUTES)]
        values = [100.0 + minute % 7 for minute in range(MINUTES)]
        results = [
            {"Id": query["Id"], "Label": "a", "Timestamps": stamps, "Values": values, "StatusCode": "Complete"}
            for query in parameters["MetricDataQueries"]
        ]
        return {"MetricDataResults": results}

    with fake_aws.serving() as aws:
        load_balancer(aws)
        aws.answer("GetMetricData", data)
        for operation in ("DescribeServiceDeployments", "DescribeServiceRevisions", "GetMetricData"):
            aws.change(operation, partial(note, operation))
        os.environ["AWS_ENDPOINT_URL"] = aws.url
        _invoke(handler, invocation)
        (call,) = aws.asked["GetMetricData"]
    return call, bodies


def _invoke(handler: Handler, invocation: dict[str, Any]) -> None:
    with redirect_stdout(StringIO()):
        answer = handler(invocation, None)
    if answer["hookStatus"] != "SUCCEEDED":
        raise RuntimeError(answer["reason"])


def _time(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began
