"""(d) A cold start of a hook with AWS checks, against the same checks written by hand with Powertools and boto3.

Both make the same calls to the same AWS on loopback, and get the same responses; each start verifies that. The window
of the metrics is five minutes, so the answer of a first invocation is IN_PROGRESS in both.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from benchmarks.cold_pairs import Function, compare
from benchmarks.events import ROOT, event
from benchmarks.interpreters import interpreters
from benchmarks.server import serving
from tests.support import aws as fake_aws
from tests.support.layouts import load_balancer

RUNS = 25

ALARMS = ["api-5xx", "api-latency"]
METRICS = {"HTTPCode_Target_5XX_Count": 0, "HTTPCode_Target_4XX_Count": 10, "TargetConnectionErrorCount": 0}
DIMENSIONS = {"TargetGroup": "{green.target_group}", "LoadBalancer": "{load_balancer}"}
CHECKS: list[dict[str, Any]] = [
    {"type": "drift"},
    {"type": "targets"},
    {"type": "alarm", "names": ALARMS},
    {"type": "http", "path": "/health", "expect": {"status": 200}},
    *(
        {
            "type": "metric",
            "name": name,
            "queries": {"count": {"namespace": "AWS/ApplicationELB", "metric": name, "dimensions": DIMENSIONS}},
            "fail_if": {"above": limit},
        }
        for name, limit in METRICS.items()
    ),
]
CALLS = {
    "DescribeServiceDeployments": 1,
    "DescribeServiceRevisions": 1,
    "DescribeRules": 2,
    "DescribeListeners": 1,
    "DescribeLoadBalancers": 1,
    "DescribeTargetHealth": 1,
    "DescribeAlarms": 1,
    "GetMetricData": 1,
}
"""The AWS calls of each of the two."""


def run(runs: int = RUNS) -> list[dict[str, Any]]:
    """Start both in turn, and return the medians and the ratio, for each available Python."""
    with interpreters() as pythons, fake_aws.serving() as aws, serving() as address:
        _answer(aws, urlsplit(address).port or 0)
        environment = {"AWS_ENDPOINT_URL": aws.url}
        hook = Function(
            "post_test_traffic_shift.lambda_handler",
            ROOT / "hooks",
            event(checks=CHECKS),
            {**environment, "ECS_HOOKS_ALLOWED_HOSTS": "127.0.0.1"},
            "IN_PROGRESS",
        )
        by_hand = Function(
            "by_hand.lambda_handler",
            ROOT / "benchmarks",
            event(path="/health", alarms=ALARMS, metrics=METRICS),
            environment,
            "IN_PROGRESS",
        )
        return [
            {
                "name": f"cold start, AWS checks, {python.version}",
                "baseline": "Powertools parser, boto3",
                **compare(python, hook, by_hand, runs, lambda: _require_same_calls(aws.calls)),
                "limit": 1.0,
            }
            for python in pythons
        ]


def _answer(aws: fake_aws.AwsApi, port: int) -> None:
    load_balancer(aws, "HTTP", port, "127.0.0.1")
    healthy = [{"Target": {"Id": f"10.0.0.{number}"}, "TargetHealth": {"State": "healthy"}} for number in (7, 8)]
    aws.answer("DescribeTargetHealth", {"TargetHealthDescriptions": healthy})
    alarms = [{"AlarmName": name, "StateValue": "OK"} for name in ALARMS]
    aws.answer("DescribeAlarms", {"MetricAlarms": alarms, "CompositeAlarms": []})
    aws.answer("GetMetricData", _metric_data)


def _metric_data(parameters: dict[str, Any]) -> dict[str, Any]:
    results = [
        {"Id": query["Id"], "StatusCode": "Complete", "Timestamps": [], "Values": []}
        for query in parameters["MetricDataQueries"]
    ]
    return {"MetricDataResults": results}


def _require_same_calls(calls: Counter[str]) -> None:
    if calls and calls != CALLS:
        raise RuntimeError(f"other calls than expected: {dict(calls)}")
    calls.clear()
