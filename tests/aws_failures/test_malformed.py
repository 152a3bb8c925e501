"""Well-formed responses with missing members or wrong types, for every AWS operation of the layer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from tests.aws_failures.operations import CONTENT, OPERATIONS, answer, event, operation
from tests.fuzz.mutation import places
from tests.support.aws import AwsApi

CHECKS = {str(check.get("name", check["type"])): check for action, check in OPERATIONS.items() if action not in CONTENT}

NEEDED: dict[tuple[str, str], set[str]] = {
    ("cloudwatch:DescribeAlarms", "alarm"): {
        "CompositeAlarms",
        "MetricAlarms.AlarmName",
        "MetricAlarms.StateValue",
    },
    ("cloudwatch:GetMetricData", "metric"): {
        "MetricDataResults.Id",
        "MetricDataResults.Timestamps",
        "MetricDataResults.Values",
    },
    ("ecs:DescribeServiceDeployments", "alarm"): {
        "serviceDeployments.deploymentConfiguration.alarms.alarmNames",
        "serviceDeployments.deploymentConfiguration.alarms.enable",
    },
    ("ecs:DescribeServiceDeployments", "tasks"): {
        "serviceDeployments.targetServiceRevision.requestedTaskCount",
        "serviceDeployments.targetServiceRevision.runningTaskCount",
    },
    ("ecs:DescribeServiceRevisions", "http"): {
        "serviceRevisions.containerImages.containerName",
        "serviceRevisions.loadBalancers.advancedConfiguration.alternateTargetGroupArn",
        "serviceRevisions.loadBalancers.advancedConfiguration.testListenerRule",
        "serviceRevisions.loadBalancers.targetGroupArn",
        "serviceRevisions.resolvedConfiguration.loadBalancers.targetGroupArn",
        "serviceRevisions.serviceRevisionArn",
    },
    ("ecs:DescribeServiceRevisions", "targets"): {
        "serviceRevisions.containerImages.containerName",
        "serviceRevisions.loadBalancers.targetGroupArn",
        "serviceRevisions.loadBalancers.advancedConfiguration.alternateTargetGroupArn",
        "serviceRevisions.resolvedConfiguration.loadBalancers.targetGroupArn",
        "serviceRevisions.serviceRevisionArn",
    },
    ("ecs:DescribeTaskDefinition", "logs"): {
        "taskDefinition.containerDefinitions.logConfiguration.logDriver",
        "taskDefinition.containerDefinitions.logConfiguration.options.awslogs-group",
        "taskDefinition.containerDefinitions.logConfiguration.options.awslogs-stream-prefix",
        "taskDefinition.containerDefinitions.name",
    },
    ("ecs:DescribeTasks", "logs"): {"tasks.containers.name", "tasks.lastStatus", "tasks.taskArn"},
    ("ecs:DescribeTasks", "tasks"): {
        "tasks.containers.imageDigest",
        "tasks.containers.name",
        "tasks.healthStatus",
        "tasks.lastStatus",
        "tasks.startedBy",
        "tasks.taskArn",
    },
    ("ecs:ListServiceDeployments", "comparison"): {
        "serviceDeployments.finishedAt",
        "serviceDeployments.serviceDeploymentArn",
        "serviceDeployments.targetServiceRevisionArn",
    },
    ("ecs:ListTasks", "logs"): {"taskArns"},
    ("ecs:ListTasks", "tasks"): {"taskArns"},
    ("elasticloadbalancing:DescribeListeners", "http"): {"Listeners.Port", "Listeners.Protocol"},
    ("elasticloadbalancing:DescribeLoadBalancers", "http"): {"LoadBalancers.DNSName"},
    ("elasticloadbalancing:DescribeRules", "http"): {
        "Rules.Actions.ForwardConfig.TargetGroups.TargetGroupArn",
        "Rules.Actions.ForwardConfig.TargetGroups.Weight",
        "Rules.Actions.Type",
        "Rules.Conditions.Field",
        "Rules.Conditions.HttpHeaderConfig.HttpHeaderName",
        "Rules.Conditions.HttpHeaderConfig.Values",
        "Rules.Priority",
        "Rules.RuleArn",
    },
    ("elasticloadbalancing:DescribeTargetHealth", "targets"): {
        "TargetHealthDescriptions.Target.Id",
        "TargetHealthDescriptions.TargetHealth.State",
    },
    ("logs:FilterLogEvents", "logs"): {"events.logStreamName"},
    ("logs:GetQueryResults", "query"): {"results.field", "status"},
    ("logs:StartQuery", "query"): {"queryId"},
    ("secretsmanager:GetSecretValue", "secret"): {"SecretString"},
    ("ssm:GetParameter", "parameter"): {"Parameter.Value"},
    ("sts:AssumeRole", "signed"): {
        "Credentials.AccessKeyId",
        "Credentials.SecretAccessKey",
        "Credentials.SessionToken",
    },
}
"""By operation and check, the members of the response that a pass requires."""

OPTIONAL = {
    ("alarm", "serviceDeployments.deploymentConfiguration.alarms"): "the service has no alarms",
    ("http", "serviceRevisions.containerImages"): "ECS has not resolved digests",
    ("logs", "tasks.containers"): "the task has not started any",
    ("targets", "serviceRevisions.containerImages"): "ECS has not resolved digests",
    ("targets", "serviceRevisions.loadBalancers"): "the service has no load balancer",
}
"""Members that may be missing as a whole, unlike their own members, and the meaning."""

SCRAPS: list[Any] = [True, -1, 10**30, float("nan"), "", "text", [], {}, [None], [{}], {"a": [1]}]

Path = tuple[Any, ...]


def test_every_operation_has_its_required_members() -> None:
    assert {action for action, _ in NEEDED} == set(OPERATIONS) - CONTENT


def body_of(aws: AwsApi, action: str, check: dict[str, Any]) -> bytes:
    """Return the response of an operation without failures."""
    bodies: list[bytes] = []

    def look(body: bytes) -> bytes:
        bodies.append(body)
        return body

    aws.change(operation(action), look)
    assert answer(event(check))["hookStatus"] == "SUCCEEDED"
    return max(bodies, key=len)


class Json:
    """A body in JSON, and its changes at a path."""

    def __init__(self, body: bytes) -> None:
        self.places = [path for path in places(json.loads(body)) if path and 1 not in path]

    def name(self, path: Path) -> str:
        return ".".join(step for step in path if isinstance(step, str))

    def change(self, path: Path, change: Callable[[Any, Any], None], body: bytes) -> bytes:
        value = holder = json.loads(body)
        try:
            for step in path[:-1]:
                holder = holder[step]
            change(holder, path[-1])
        except (KeyError, IndexError, TypeError, AttributeError):
            pass  # this response of the operation has no such path
        return json.dumps(value).encode(errors="replace")

    def without(self, path: Path) -> Callable[[bytes], bytes]:
        return partial(self.change, path, lambda holder, key: holder.pop(key))

    def other(self, path: Path, scrap: Any) -> Callable[[bytes], bytes]:
        return partial(self.change, path, lambda holder, key: holder.__setitem__(key, scrap))


class Xml:
    """A body in XML, and its changes at a path."""

    def __init__(self, body: bytes) -> None:
        root = ET.fromstring(body)
        result = root[0]
        self.places: list[Path] = [(0, *path) for path in self._below(result)]
        self.tags = {path: self._tags(root, path) for path in self.places}

    def _below(self, element: ET.Element) -> Iterator[Path]:
        for number, inner in enumerate(element):
            yield (number,)
            yield from ((number, *path) for path in self._below(inner))

    def _tags(self, root: ET.Element, path: Path) -> str:
        tags = []
        for number in path:
            root = root[number]
            tags.append(root.tag.rpartition("}")[2])
        return ".".join(tag for tag in tags[1:] if tag != "member")

    def name(self, path: Path) -> str:
        return self.tags[path]

    def change(self, path: Path, change: Callable[[ET.Element, ET.Element], None], body: bytes) -> bytes:
        root = holder = ET.fromstring(body)
        try:
            for number in path[:-1]:
                holder = holder[number]
            change(holder, holder[path[-1]])
        except IndexError:
            pass
        return ET.tostring(root)

    def without(self, path: Path) -> Callable[[bytes], bytes]:
        return partial(self.change, path, lambda holder, element: holder.remove(element))

    def other(self, path: Path, scrap: Any) -> Callable[[bytes], bytes]:
        def change(_: ET.Element, element: ET.Element) -> None:
            for inner in list(element):
                element.remove(inner)
            element.text = str(scrap)

        return partial(self.change, path, change)


def form(body: bytes) -> Json | Xml:
    return Xml(body) if body.startswith(b"<") else Json(body)


def passed(aws: AwsApi, action: str, check: dict[str, Any], change: Callable[[bytes], bytes]) -> bool:
    aws.change(operation(action), change)
    return bool(answer(event(check))["hookStatus"] == "SUCCEEDED")


def ends(names: set[str]) -> set[str]:
    """Return names without the prefixes of others."""
    return {name for name in names if not any(other.startswith(f"{name}.") for other in names)}


@pytest.fixture(autouse=True)
def _queries_are_not_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    """End a log query that is not complete at once: only what its first response means is tested here."""
    monkeypatch.setattr("ecs_hooks.deployment.logs._POLL_SECONDS", 1000)


@pytest.mark.parametrize(("action", "kind"), NEEDED)
def test_a_check_does_not_pass_without_a_required_member(aws: AwsApi, action: str, kind: str) -> None:
    check = CHECKS[kind]
    body = form(body_of(aws, action, check))
    needed = {body.name(path) for path in body.places if not passed(aws, action, check, body.without(path))}

    assert ends(needed) == NEEDED[action, kind]
    above = {name.rsplit(".", steps)[0] for name in ends(needed) for steps in range(1, name.count(".") + 1)}
    assert {(kind, name) for name in above - needed} <= set(OPTIONAL)


@pytest.mark.parametrize(("action", "kind"), NEEDED)
def test_a_member_of_another_type_raises_no_exception(aws: AwsApi, action: str, kind: str) -> None:
    check = CHECKS[kind]
    body = form(body_of(aws, action, check))
    for path in body.places:
        for scrap in SCRAPS:
            passed(aws, action, check, body.other(path, scrap))


@pytest.mark.parametrize(("action", "kind"), NEEDED)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=strategies.data())
def test_several_wrong_members_raise_no_exception(
    aws: AwsApi, action: str, kind: str, data: strategies.DataObject
) -> None:
    check = CHECKS[kind]
    aws.well()
    body = form(body_of(aws, action, check))
    change: Callable[[bytes], bytes] = bytes
    for _ in range(data.draw(strategies.integers(2, 5))):
        path = data.draw(strategies.sampled_from(body.places))
        scrap = data.draw(strategies.sampled_from(SCRAPS) | strategies.text(max_size=20) | strategies.integers())
        change = partial(
            after, change, data.draw(strategies.sampled_from([body.without(path), body.other(path, scrap)]))
        )
    passed(aws, action, check, change)


def after(first: Callable[[bytes], bytes], then: Callable[[bytes], bytes], body: bytes) -> bytes:
    return then(first(body))
