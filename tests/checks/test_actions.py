"""The IAM actions that a check requires are those of its calls: no action less, and none more."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from ecs_hooks.checks import Check, CheckContext
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.core.outcome import ExplainedError
from ecs_hooks.deployment.actions import Serving, SharedActions
from ecs_hooks.deployment.green import EndpointConfig
from ecs_hooks.deployment.service_deployment import ServiceDeployment
from ecs_hooks.deployment.target import Target
from tests.checks.examples import EXAMPLES, HTTP, LOAD, TCP, check_of
from tests.conftest import BLUE, GREEN, load_event
from tests.support.aws import AwsApi
from tests.support.checks import Fixed
from tests.support.layouts import (
    BLUE_GROUP,
    GREEN_GROUP,
    LISTENER,
    NLB_LISTENER,
    PRODUCTION_RULE,
    TEST_RULE,
    brief,
    by_listener,
    forward,
    load_balancer,
    revision,
    rule,
    running,
    task,
)

STAGES = [
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
]
NLB_PRODUCTION = f"{NLB_LISTENER[:-1]}9"
NLB = [
    {
        "targetGroupArn": BLUE_GROUP,
        "containerName": "web",
        "containerPort": 8080,
        "advancedConfiguration": {
            "alternateTargetGroupArn": GREEN_GROUP,
            "productionListenerRule": NLB_PRODUCTION,
            "testListenerRule": NLB_LISTENER,
        },
    }
]
LAYOUTS: dict[str, dict[str, Any]] = {
    "application": {},
    "network": {"loadBalancers": NLB},
    "no test listener": {"test": ""},
}
WITHOUT_LOAD_BALANCER: dict[str, dict[str, Any]] = {
    "Service Connect": {"loadBalancers": []},
    "nothing": {"loadBalancers": [], "serviceConnectConfiguration": {"enabled": False}},
}
ADDRESSES: list[tuple[EndpointConfig, str]] = [
    (EndpointConfig(), ""),
    (EndpointConfig(), "http://127.0.0.1:9"),
    (EndpointConfig("http://127.0.0.1:9"), ""),
    (EndpointConfig("http://127.0.0.1:9", service_connect=True), ""),
]


def serving(aws: AwsApi, layout: dict[str, Any], stage: str) -> None:
    """Have AWS answer so that each check makes all the calls that it can make."""
    load_balancer(aws, "HTTP", 9, "127.0.0.1")
    production = GREEN_GROUP if stage == "POST_PRODUCTION_TRAFFIC_SHIFT" else BLUE_GROUP
    leads = {TEST_RULE: rule(to=(GREEN_GROUP,)), PRODUCTION_RULE: rule(to=(production,))}
    aws.answer("DescribeRules", by_listener(leads))
    testing = {"ListenerArn": LISTENER, "Protocol": "HTTP", "Port": 9, "DefaultActions": forward(GREEN_GROUP)}
    serving = {**testing, "Port": 7, "DefaultActions": forward(production)}
    aws.answer(
        "DescribeListeners",
        lambda request: {"Listeners": [testing if request["ListenerArns"][0] in {LISTENER, NLB_LISTENER} else serving]},
    )
    service_connect = {"enabled": True, "services": [{"portName": "http"}]}
    described = {
        arn: revision(arn, group=group, **{"serviceConnectConfiguration": service_connect, **layout})
        for arn, group in ((GREEN, GREEN_GROUP), (BLUE, BLUE_GROUP))
    }
    aws.answer(
        "DescribeServiceRevisions",
        lambda request: {"serviceRevisions": [described[arn] for arn in request["serviceRevisionArns"]]},
    )
    (deployment,) = aws.asking("DescribeServiceDeployments")["serviceDeployments"]
    deployment["deploymentConfiguration"]["alarms"] = {"alarmNames": ["a"], "enable": True, "rollback": True}
    of_blue = task("c", "127.0.0.2", startedBy=f"ecs-svc/{BLUE.rpartition('/')[2]}")
    running(aws, task("a", "127.0.0.1"), task("b", "127.0.0.1"), of_blue)
    since = datetime(2026, 11, 21, 11, tzinfo=UTC)
    alarm = {"AlarmName": "a", "StateValue": "ALARM", "StateTransitionedTimestamp": since}
    aws.answer("DescribeAlarms", {"MetricAlarms": [alarm], "CompositeAlarms": []})
    aws.answer("DescribeTargetHealth", {"TargetHealthDescriptions": []})
    aws.answer("GetMetricData", {"MetricDataResults": []})
    aws.answer("ListServiceDeployments", {"serviceDeployments": [brief()]})
    logging = {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web", "awslogs-stream-prefix": "ecs"}}
    containers = [{"name": "web", "logConfiguration": logging, "portMappings": [{"name": "http", "containerPort": 9}]}]
    aws.answer("DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": containers}})
    aws.answer("FilterLogEvents", {"events": []})
    aws.answer("Invoke", {"StatusCode": 200, "Payload": b"{}"})
    aws.answer("StartQuery", {"queryId": "1"})
    aws.answer("GetQueryResults", {"status": "Complete", "results": []})


def required_and_called(
    aws: AwsApi, check: Check, configured: EndpointConfig, stage: str
) -> tuple[frozenset[str], set[str], str]:
    event = LifecycleEvent.parse(load_event(lifecycleStage=stage))
    green = ServiceDeployment(event).green
    shared = SharedActions.of(configured, stage, Serving(green.load_balancing, green.port_names), os.environ)
    deployment = ServiceDeployment(event)
    aws.operations.clear()
    context = CheckContext(Target(stage, lambda: deployment, configured), Deadline.after(20), checks=[check])
    problem = ""
    try:
        check.run(context)
    except ExplainedError as error:
        problem = str(error)
    return check.requirements().iam_actions(shared), aws.actions, problem


@pytest.fixture(autouse=True)
def _no_pause_before_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect again at once: these tests look at what is called and shown, not at when."""
    monkeypatch.setattr("ecs_hooks.http.retry._PAUSES", (0.001,) * 4)


@pytest.mark.parametrize("stage", STAGES)
def test_a_check_calls_the_actions_that_it_requires_and_no_others(
    aws: AwsApi, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    for (layout, fields), (configured, app_url), case in product(LAYOUTS.items(), ADDRESSES, EXAMPLES):
        monkeypatch.setenv("APP_URL", app_url)
        serving(aws, fields, stage)
        check = check_of(case)
        required, called, problem = required_and_called(aws, check, configured, stage)
        assert required == called, (layout, configured, app_url, case)
        # A check that ended early would lack the same actions on both sides.
        is_over = "blue has no address of its own any more" in problem and stage == "POST_PRODUCTION_TRAFFIC_SHIFT"
        assert not problem or "TRAFFIC_SHIFT" not in stage or is_over, problem
        assert not (check.requirements().running and stage == "PRE_SCALE_UP") or "green does not run yet" in problem


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("listener", ["test", "production"])
@pytest.mark.parametrize("fields_of_check", [HTTP, LOAD, TCP], ids=["http", "load", "tcp"])
def test_a_request_requires_the_actions_that_find_green(
    aws: AwsApi, monkeypatch: pytest.MonkeyPatch, stage: str, listener: str, fields_of_check: dict[str, Any]
) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    for layout, fields in {**LAYOUTS, **WITHOUT_LOAD_BALANCER}.items():
        serving(aws, fields, "POST_PRODUCTION_TRAFFIC_SHIFT" if listener == "production" else stage)
        check = check_of({**fields_of_check, "listener": listener})
        required, called, _ = required_and_called(aws, check, EndpointConfig(), stage)
        assert required == called, layout


def test_a_custom_check_requires_no_action_by_default() -> None:
    assert (
        Fixed().requirements().iam_actions(SharedActions("POST_SCALE_UP", (), {"test": frozenset({"a:B"})}))
        == frozenset()
    )
