from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecs_hooks import LifecycleHandler, Stage
from ecs_hooks.core import clock
from tests.conftest import GREEN, load_event
from tests.support.aws import AwsApi
from tests.support.layouts import healthy, rule, running, target, task

ROOT = Path(__file__).resolve().parents[2]
DEFAULTS = {
    Stage.RECONCILE_SERVICE: "SUCCEEDED reconcile_service my-service: there is nothing to check at this stage",
    Stage.PRE_SCALE_UP: "SUCCEEDED pre_scale_up my-service: 1 passed",
    Stage.POST_SCALE_UP: "SUCCEEDED post_scale_up my-service: 2 passed",
    Stage.TEST_TRAFFIC_SHIFT: "SUCCEEDED test_traffic_shift my-service: there is nothing to check at this stage",
    Stage.POST_TEST_TRAFFIC_SHIFT: "SUCCEEDED post_test_traffic_shift my-service: 1 passed",
    Stage.PRE_PRODUCTION_TRAFFIC_SHIFT: "SUCCEEDED pre_production_traffic_shift my-service: 2 passed",
    Stage.PRODUCTION_TRAFFIC_SHIFT: (
        "SUCCEEDED production_traffic_shift my-service: there is nothing to check at this stage"
    ),
    Stage.POST_PRODUCTION_TRAFFIC_SHIFT: ("SUCCEEDED post_production_traffic_shift my-service: 3 passed"),
}
"""What each function answers in the end, where the service is well."""

BEGAN = 1_800_000_000.0


def function(stage: Stage) -> LifecycleHandler:
    handler = importlib.import_module(stage.lower()).lambda_handler
    assert isinstance(handler, LifecycleHandler)
    return handler


@pytest.fixture
def service(aws: AwsApi, httpd: str, monkeypatch: pytest.MonkeyPatch) -> AwsApi:
    """A service that is well: two tasks, an alarm, requests without errors."""
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    healthy(aws, int(httpd.rpartition(":")[2]))
    deployment = aws.asking("DescribeServiceDeployments")["serviceDeployments"][0]
    deployment["deploymentConfiguration"]["alarms"] = {"enable": True, "rollback": True, "alarmNames": ["api-5xx"]}
    measured(aws, requests=60.0, answered=60.0, p99=0.2)
    alarming(aws, "OK")
    return aws


def measured(aws: AwsApi, **values: float) -> None:
    """Have CloudWatch answer with the same datapoint for every minute, by the id of the query without its prefix."""
    stamps = [datetime.fromtimestamp(BEGAN + 60 * minute, UTC) for minute in range(10)]
    results = [
        {"Id": f"c0_{name}", "Timestamps": stamps, "Values": [value] * 10, "StatusCode": "Complete"}
        for name, value in values.items()
    ]
    aws.answer("GetMetricData", {"MetricDataResults": results})


def alarming(aws: AwsApi, state: str, since: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
    alarm = {"AlarmName": "api-5xx", "StateValue": state, "StateTransitionedTimestamp": since}
    aws.answer("DescribeAlarms", {"MetricAlarms": [alarm], "CompositeAlarms": []})


def ask(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the answer once it is decided, in virtual time."""
    now, details = BEGAN, None
    while True:
        monkeypatch.setattr(clock, "now", lambda now=now: now)
        answer = function(stage)(load_event(lifecycleStage=stage, hookDetails=details), None)
        if answer["hookStatus"] != "IN_PROGRESS":
            return answer
        details, now = answer["hookDetails"], now + answer["callBackDelay"]


@pytest.mark.parametrize("stage", list(Stage))
def test_the_function_of_every_stage_lets_a_service_pass_that_is_well(
    stage: Stage, service: AwsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(stage, monkeypatch)["reason"] == DEFAULTS[stage]


def test_an_alarm_before_the_deployment_starts(service: AwsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    alarming(service, "ALARM")
    assert "api-5xx in ALARM since before the deployment" in ask(Stage.PRE_SCALE_UP, monkeypatch)["reason"]

    # After the shift it says nothing of green, which may be the very fix.
    assert ask(Stage.POST_PRODUCTION_TRAFFIC_SHIFT, monkeypatch)["hookStatus"] == "SUCCEEDED"
    alarming(service, "ALARM", datetime(2026, 12, 1, tzinfo=UTC))
    assert "api-5xx in ALARM" in ask(Stage.POST_PRODUCTION_TRAFFIC_SHIFT, monkeypatch)["reason"]


def test_tasks_and_targets_after_the_scale_up(service: AwsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    running(service, task("a"), task("b", lastStatus="PENDING"))
    service.answer("DescribeTargetHealth", {"TargetHealthDescriptions": [target("unhealthy")]})

    assert "1 unhealthy target" in ask(Stage.POST_SCALE_UP, monkeypatch)["reason"]


def test_drift_before_the_production_shift(service: AwsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    service.answer("DescribeRules", rule(to=("arn:aws:elasticloadbalancing:us-west-2:1:targetgroup/stranger/1",)))

    reason = ask(Stage.PRE_PRODUCTION_TRAFFIC_SHIFT, monkeypatch)["reason"]
    assert "drift" in reason
    assert "no target group" in reason


def test_errors_and_latency_after_the_production_shift(service: AwsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(service, requests=60.0, answered=60.0, errors=6.0)
    assert "10 % failed" in ask(Stage.POST_PRODUCTION_TRAFFIC_SHIFT, monkeypatch)["reason"]
    measured(service, requests=60.0, answered=60.0, p99=9.0)
    assert "expected at most 1 % to be slower (p99)" in ask(Stage.POST_PRODUCTION_TRAFFIC_SHIFT, monkeypatch)["reason"]
    measured(service)
    assert "no requests in 5 minutes" in ask(Stage.POST_PRODUCTION_TRAFFIC_SHIFT, monkeypatch)["reason"]


@pytest.mark.parametrize("stage", [stage for stage in Stage if "1 passed" in DEFAULTS[stage] and "TEST" in stage])
def test_without_an_address_nothing_passes(stage: Stage, service: AwsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    service.answer("DescribeServiceRevisions", {"serviceRevisions": [{"serviceRevisionArn": GREEN}], "failures": []})

    answer = ask(stage, monkeypatch)
    assert answer["hookStatus"] == "FAILED"
    assert "set hookDetails.base_url" in answer["reason"]


def test_a_hook_that_only_speaks_http_does_not_load_boto3(httpd: str) -> None:
    program = """
import json, sys
import post_test_traffic_shift
event = json.loads(sys.stdin.read())
print(json.dumps([post_test_traffic_shift.lambda_handler(event, None)["hookStatus"],
    sorted(name for name in ("boto3", "botocore.session", "jsonpath", "re2") if name in sys.modules)]))
"""
    details = {"base_url": httpd, "checks": [{"type": "http", "path": "/health"}]}
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(load_event(hookDetails=details)),
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'hooks'}:{ROOT / 'shared'}", "ECS_HOOKS_ALLOWED_HOSTS": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout.splitlines()[-1]) == ["SUCCEEDED", []]
