"""Versions of a function in the APIs of Lambda and CloudWatch."""

from __future__ import annotations

import base64
import http.client
import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from ecs_hooks_simulator import Fault, MetricAlarm
from ecs_hooks_simulator.codedeploy import ComputePlatform, Deployment, DeploymentConfig, DeploymentGroup
from ecs_hooks_simulator.codedeploy.lambda_functions.functions import FunctionMetrics
from ecs_hooks_simulator.codedeploy.lambda_functions.server import FunctionServer
from ecs_hooks_simulator.codedeploy.simulation import CodeDeploySimulation, demo_function
from ecs_hooks_simulator.core.clock import EPOCH
from ecs_hooks_simulator.core.errors import EcsError

LAMBDA = ComputePlatform.LAMBDA
NAME = "my-function"
ARN = f"arn:aws:lambda:us-west-2:123456789012:function:{NAME}"
Check = Callable[[Any], object]


def client(service: str) -> Any:
    return boto3.client(service, config=Config(retries={"total_max_attempts": 1}))


def group(config: str = "Canary10Percent5Minutes") -> DeploymentGroup:
    return DeploymentGroup(platform=LAMBDA, config=DeploymentConfig.parse(config, LAMBDA))


@pytest.fixture
def simulation() -> Iterator[CodeDeploySimulation]:
    with CodeDeploySimulation(demo_function("1"), group=group()) as made:
        yield made


def during(simulation: CodeDeploySimulation, check: Check, at: float = 60, *faults: str) -> Deployment:
    """Deploy, and call Lambda meanwhile."""
    simulation.controller.at(at, lambda _: check(client("lambda")))
    return simulation.deploy(demo_function("2"), faults=[Fault.parse(fault) for fault in faults])


def test_a_version_is_invoked_by_its_number(simulation: CodeDeploySimulation) -> None:
    def check(functions: Any) -> None:
        for version in ("1", "2"):
            for named in (
                {"FunctionName": NAME, "Qualifier": version},
                {"FunctionName": ARN, "Qualifier": version},
                {"FunctionName": f"{ARN}:{version}"},
                {"FunctionName": f"{NAME}:{version}"},
            ):
                answer = functions.invoke(**named, Payload=b'{"file": "hello"}')
                assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, version)
                assert "FunctionError" not in answer
                payload = json.loads(answer["Payload"].read())
                assert (payload["size"], payload["version"]) == (5, version)

    during(simulation, check)


def test_a_version_gets_the_client_context() -> None:
    custom = {"ecs-hooks": "1"}
    seen: list[Any] = []
    with FunctionServer(("127.0.0.1", 0), lambda _, context: seen.append(context.client_context)) as server:
        server.invoke({}, base64.b64encode(json.dumps({"custom": custom}).encode()).decode())
        server.invoke({})
    assert [each and each.custom for each in seen] == [custom, None]


def test_the_client_context_of_invoke_reaches_the_function(simulation: CodeDeploySimulation) -> None:
    context = base64.b64encode(b'{"custom": {}}').decode()
    sent: list[str] = []
    exchange = http.client.HTTPConnection.request

    def request(self: Any, method: str, url: str, body: Any = None, headers: Any = None, **rest: Any) -> None:
        sent.extend(value for name, value in (headers or {}).items() if name == "X-Amz-Client-Context")
        exchange(self, method, url, body, headers or {}, **rest)

    def check(functions: Any) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(http.client.HTTPConnection, "request", request)
            functions.invoke(FunctionName=NAME, Qualifier="2", ClientContext=context)

    during(simulation, check)
    assert sent == [context]


def test_the_alias_invokes_both_versions_by_weight(simulation: CodeDeploySimulation) -> None:
    def check(functions: Any) -> None:
        answers = [functions.invoke(FunctionName=NAME, Qualifier="live")["ExecutedVersion"] for _ in range(20)]
        assert answers.count("2") == 2
        alias = functions.get_alias(FunctionName=NAME, Name="live")
        assert alias["FunctionVersion"] == "1"
        assert alias["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.1}}
        assert alias["AliasArn"] == f"{ARN}:live"

    during(simulation, check)


def test_after_the_deployment_the_alias_has_one_version(simulation: CodeDeploySimulation) -> None:
    during(simulation, lambda _: None)

    def check(_: object) -> None:
        functions = client("lambda")
        alias = functions.get_alias(FunctionName=NAME, Name="live")
        assert (alias["FunctionVersion"], "RoutingConfig" in alias) == ("2", False)
        with pytest.raises(ClientError, match="Function not found"):
            functions.invoke(FunctionName=NAME, Qualifier="1")
        seen.append(alias)

    seen: list[Any] = []
    simulation.controller.at(0, check)
    assert str(simulation.deploy(demo_function("3")).outcome) == "SUCCESSFUL"
    assert len(seen) == 1


def test_invocation_types_and_errors_of_invoke(simulation: CodeDeploySimulation) -> None:
    def check(functions: Any) -> None:
        named = {"FunctionName": NAME, "Qualifier": "2"}
        assert functions.invoke(**named, InvocationType="DryRun")["StatusCode"] == 204
        assert functions.invoke(**named, InvocationType="Event", Payload=b"{}")["StatusCode"] == 202
        for wrong, code in (
            ({**named, "Payload": b"{"}, "InvalidRequestContentException"),
            ({"FunctionName": NAME}, "ResourceNotFoundException"),
            ({"FunctionName": NAME, "Qualifier": "9"}, "ResourceNotFoundException"),
            ({"FunctionName": "another"}, "ResourceNotFoundException"),
        ):
            with pytest.raises(ClientError) as refused:
                functions.invoke(**wrong)
            assert refused.value.response["Error"]["Code"] == code
        with pytest.raises(ClientError):
            functions.get_alias(FunctionName=NAME, Name="other")

    during(simulation, check)


@pytest.mark.parametrize(("fault", "kind"), [("errors=100%", "SimulatedError"), ("crash", "Runtime.ExitError")])
def test_a_fault_is_a_function_error_of_the_new_version(
    simulation: CodeDeploySimulation, fault: str, kind: str
) -> None:
    def check(functions: Any) -> None:
        broken = functions.invoke(FunctionName=NAME, Qualifier="2")
        assert broken["FunctionError"] == "Unhandled"
        assert json.loads(broken["Payload"].read())["errorType"] == kind
        assert "FunctionError" not in functions.invoke(FunctionName=NAME, Qualifier="1")

    during(simulation, check, 60, fault)


def test_a_version_that_hangs_times_out(simulation: CodeDeploySimulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecs_hooks_simulator.codedeploy.lambda_functions.functions.TIMEOUT", 0.1)

    def check(functions: Any) -> None:
        payload = functions.invoke(FunctionName=NAME, Qualifier="2")["Payload"].read()
        assert json.loads(payload)["errorMessage"] == "Task timed out after 0.10 seconds"

    during(simulation, check, 60, "hang")


def test_a_version_without_a_response_times_out(
    simulation: CodeDeploySimulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecs_hooks_simulator.codedeploy.lambda_functions.functions.TIMEOUT", 0.1)

    def check(functions: Any) -> None:
        (version,) = [each.arn for each in simulation.controller.running if each.id == "2"]
        answering = simulation.balancer.targets[version]
        with socket.create_server(("127.0.0.1", 0)) as silent:
            simulation.balancer.register(version, f"127.0.0.1:{silent.getsockname()[1]}")
            payload = functions.invoke(FunctionName=NAME, Qualifier="2")["Payload"].read()
        simulation.balancer.register(version, answering)
        assert json.loads(payload)["errorType"] == "Sandbox.Timedout"

    during(simulation, check)


def test_the_new_version_has_an_address(simulation: CodeDeploySimulation) -> None:
    assert simulation.environment["APP_URL"] == simulation.test_url

    def check(_: object) -> None:
        assert urllib3.request("GET", f"{simulation.test_url}/health").json()["version"] == "2"

    during(simulation, check, 1)


def metric(name: str, stat: str = "Sum", **dimensions: str) -> list[float]:
    shape = {
        "Namespace": "AWS/Lambda",
        "MetricName": name,
        "Dimensions": [{"Name": each, "Value": value} for each, value in dimensions.items()],
    }
    begin = datetime.fromtimestamp(EPOCH, UTC)
    answer = client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": shape, "Period": 60, "Stat": stat}}],
        StartTime=begin,
        EndTime=begin + timedelta(hours=1),
        ScanBy="TimestampAscending",
    )
    values: list[float] = answer["MetricDataResults"][0]["Values"]
    return values


def test_requests_of_users_are_counted_by_alias_and_version() -> None:
    config = DeploymentConfig.parse("Canary10Percent5Minutes", LAMBDA)
    made = DeploymentGroup(platform=LAMBDA, config=config)
    found: dict[str, Any] = {}

    def check(_: Deployment) -> None:
        alias = {"FunctionName": NAME, "Resource": f"{NAME}:live"}
        client("lambda").invoke(FunctionName=NAME, Qualifier="2")
        found["alias"] = metric("Invocations", **alias)
        for version in ("1", "2"):
            found[version] = metric("Invocations", **alias, ExecutedVersion=version)
        found["errors"] = metric("Errors", **alias, ExecutedVersion="2")
        found["blue errors"] = metric("Errors", **alias, ExecutedVersion="1")
        found["duration"] = metric("Duration", "Maximum", **alias)
        found["throttles"] = metric("Throttles", **alias)
        found["by number"] = metric("Invocations", FunctionName=NAME, Resource=f"{NAME}:2")
        found["function"] = metric("Invocations", FunctionName=NAME)
        found["other"] = metric("Invocations", FunctionName=NAME, Resource="other:live")
        with pytest.raises(ClientError, match="metric ConcurrentExecutions is not supported"):
            metric("ConcurrentExecutions", FunctionName=NAME)
        assert metric("Invocations", FunctionName="other") == []

    with CodeDeploySimulation(demo_function("1"), group=made, requests_per_minute=10) as simulation:
        simulation.controller.at(290, check)
        simulation.deploy(demo_function("2"), faults=[Fault.parse("errors=100%")])

    assert found["alias"] == [10.0] * 5
    assert found["1"] == [9.0] * 5
    assert found["2"] == [1.0] * 5
    assert (found["errors"], found["blue errors"]) == ([1.0] * 5, [0.0] * 5)
    assert all(0 < each < 60_000 for each in found["duration"])
    assert found["throttles"] == [0.0] * 5
    assert found["by number"] == [1.0]
    assert sum(found["function"]) == 51
    assert found["other"] == []


@pytest.mark.parametrize("dimensions", [(), ({"Name": "ExecutedVersion", "Value": "{green.version}"},)])
def test_an_alarm_on_a_function_stops_a_deployment(dimensions: Any) -> None:
    parsed = MetricAlarm.parse("errors: Errors Sum > 0")
    assert parsed.namespace == "AWS/Lambda"
    alarm = parsed.model_copy(update={"dimensions": dimensions})

    with CodeDeploySimulation(demo_function("1"), group=group(), requests_per_minute=10, alarms=[alarm]) as simulation:
        deployment = simulation.deploy(demo_function("2"), faults=[Fault.parse("errors=100%")])

    assert (str(deployment.status), str(deployment.outcome)) == ("Stopped", "ROLLBACK_SUCCESSFUL")
    assert list(deployment.triggered) == ["errors"]


def test_an_alarm_on_the_old_version_does_not_stop_it() -> None:
    parameters = {
        "AlarmName": "blue",
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "Dimensions": [{"Name": "ExecutedVersion", "Value": "{blue.version}"}],
    }
    alarms = [MetricAlarm.read(parameters)]
    with CodeDeploySimulation(demo_function("1"), group=group(), requests_per_minute=10, alarms=alarms) as simulation:
        deployment = simulation.deploy(demo_function("2"), faults=[Fault.parse("errors=100%")])

    assert str(deployment.outcome) == "SUCCESSFUL"


def test_before_the_first_deployment_no_version_is_green(simulation: CodeDeploySimulation) -> None:
    metrics = FunctionMetrics(simulation.controller)

    assert metrics.filled({"ExecutedVersion": "{green.version}"})["ExecutedVersion"] == ""


def test_an_alarm_on_a_load_balancer_is_refused_for_a_function() -> None:
    with pytest.raises(
        EcsError, match="namespace AWS/ApplicationELB is not measured in this simulation; use AWS/Lambda"
    ):
        CodeDeploySimulation(
            demo_function("1"), group=group(), alarms=[MetricAlarm.parse("a: HTTPCode_Target_5XX_Count Sum > 5")]
        )
