"""CodeDeploy, task sets, schedules and parameters through botocore."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ecs_hooks_simulator import CallableTarget, EcsError
from ecs_hooks_simulator.application import Application
from ecs_hooks_simulator.codedeploy import (
    CodeDeployBehaviour,
    ComputePlatform,
    Deployment,
    DeploymentConfig,
    DeploymentGroup,
)
from ecs_hooks_simulator.codedeploy.simulation import CodeDeploySimulation, demo_function
from ecs_hooks_simulator.simulation import demo_application

ECS, LAMBDA = ComputePlatform.ECS, ComputePlatform.LAMBDA
Play = Callable[..., Deployment]


def client(service: str) -> Any:
    return boto3.client(service, config=Config(retries={"total_max_attempts": 1}))


def code(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


class Simulated:
    """A simulation with one hook that calls AWS."""

    def __init__(self, simulation: CodeDeploySimulation, green: Application) -> None:
        self.simulation = simulation
        self._green = green

    def hooked(
        self, check: Callable[[dict[str, Any], Any], None], event: str = "BeforeAllowTraffic", *, reports: bool = True
    ) -> Deployment:
        """Deploy with a hook that calls a function and then reports Succeeded, unless the function reports itself."""
        errors: list[BaseException] = []

        def hook(received: dict[str, Any], context: Any) -> None:
            try:
                check(received, context)
            except BaseException as error:  # noqa: BLE001 - raised below, where pytest sees it
                errors.append(error)
            if reports:
                report(received)

        deployment = self.simulation.deploy(self._green, hooks={event: CallableTarget(hook, name="hook")})
        for error in errors:
            raise error
        return deployment


def status(event: dict[str, Any], status: str) -> dict[str, str]:
    return {
        "deploymentId": event["DeploymentId"],
        "lifecycleEventHookExecutionId": event["LifecycleEventHookExecutionId"],
        "status": status,
    }


@pytest.fixture
def service() -> Iterator[Simulated]:
    config = DeploymentConfig.parse("Canary10Percent5Minutes", ECS)
    with CodeDeploySimulation(demo_application("1"), group=DeploymentGroup(config=config)) as simulation:
        yield Simulated(simulation, demo_application("2"))


@pytest.fixture
def function() -> Iterator[Simulated]:
    group = DeploymentGroup(platform=LAMBDA)
    with CodeDeploySimulation(demo_function("1"), group=group) as simulation:
        yield Simulated(simulation, demo_function("2"))


def test_a_deployment_of_a_service_is_described(service: Simulated) -> None:
    seen: dict[str, Any] = {}

    def check(event: dict[str, Any], _: object) -> None:
        codedeploy, identifier = client("codedeploy"), event["DeploymentId"]
        seen["deployment"] = codedeploy.get_deployment(deploymentId=identifier)["deploymentInfo"]
        (target,) = codedeploy.list_deployment_targets(deploymentId=identifier)["targetIds"]
        seen["target"] = codedeploy.get_deployment_target(deploymentId=identifier, targetId=target)["deploymentTarget"]
        both = codedeploy.batch_get_deployment_targets(deploymentId=identifier, targetIds=[target])
        assert both["deploymentTargets"] == [seen["target"]]
        names = {"applicationName": "my-application", "deploymentGroupName": "my-deployment-group"}
        seen["group"] = codedeploy.get_deployment_group(**names)["deploymentGroupInfo"]
        sets = [each["identifer"] for each in seen["target"]["ecsTarget"]["taskSetsInfo"]]
        request = {"cluster": "my-cluster", "service": "my-service"}
        seen["task sets"] = client("ecs").describe_task_sets(**request, taskSets=[*sets, "ecs-svc/0"])
        assert len(client("ecs").describe_task_sets(**request)["taskSets"]) == 2
        seen["tasks"] = client("ecs").list_tasks(cluster="my-cluster", startedBy=sets[1])["taskArns"]

    deployment = service.hooked(check)
    described, target = seen["deployment"], seen["target"]["ecsTarget"]
    routes = described["loadBalancerInfo"]["targetGroupPairInfoList"][0]

    assert described["deploymentId"] == deployment.id
    assert (described["status"], described["computePlatform"]) == ("InProgress", "ECS")
    assert described["createTime"].timestamp() == deployment.created_at
    assert described["deploymentConfigName"] == "CodeDeployDefault.ECSCanary10Percent5Minutes"
    assert described["deploymentOverview"]["InProgress"] == 1
    assert ":listener/app/" in routes["prodTrafficRoute"]["listenerArns"][0]
    assert routes["prodTrafficRoute"] != routes["testTrafficRoute"]
    assert seen["group"]["loadBalancerInfo"] == described["loadBalancerInfo"]
    assert seen["group"]["ecsServices"] == [{"serviceName": "my-service", "clusterName": "my-cluster"}]
    assert target["targetId"] == "my-cluster:my-service"
    running = [each["lifecycleEventName"] for each in target["lifecycleEvents"] if each["status"] == "InProgress"]
    assert running == ["BeforeAllowTraffic"]
    assert [(each["taskSetLabel"], each["status"], each["trafficWeight"]) for each in target["taskSetsInfo"]] == [
        ("Blue", "PRIMARY", 100),
        ("Green", "ACTIVE", 0),
    ]
    assert [each["externalId"] for each in seen["task sets"]["taskSets"] if "externalId" in each] == [deployment.id]
    assert seen["task sets"]["failures"] == [{"arn": "ecs-svc/0", "reason": "MISSING"}]
    groups = {each["loadBalancers"][0]["targetGroupArn"] for each in seen["task sets"]["taskSets"]}
    named = {each["name"] for each in routes["targetGroups"]}
    assert {arn.rpartition("targetgroup/")[2].partition("/")[0] for arn in groups} == named
    assert len(seen["tasks"]) == 1


def test_listeners_are_described_by_their_arns(service: Simulated) -> None:
    seen: list[Any] = []

    def check(event: dict[str, Any], _: object) -> None:
        info = client("codedeploy").get_deployment(deploymentId=event["DeploymentId"])["deploymentInfo"]
        route = info["loadBalancerInfo"]["targetGroupPairInfoList"][0]["testTrafficRoute"]["listenerArns"][0]
        elb = client("elbv2")
        (listener,) = elb.describe_listeners(ListenerArns=[route])["Listeners"]
        (rule,) = elb.describe_rules(ListenerArn=route)["Rules"]
        assert rule["IsDefault"]
        assert rule["Actions"] == listener["DefaultActions"]
        seen.extend(each["Weight"] for each in listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"])

    service.hooked(check)
    assert sorted(seen) == [0, 100]


def test_after_the_shift_green_is_primary(service: Simulated) -> None:
    seen: list[Any] = []

    def check(event: dict[str, Any], _: object) -> None:
        request = {"deploymentId": event["DeploymentId"], "targetId": "my-cluster:my-service"}
        target = client("codedeploy").get_deployment_target(**request)["deploymentTarget"]["ecsTarget"]
        seen.extend((each["taskSetLabel"], each["status"], each["trafficWeight"]) for each in target["taskSetsInfo"])

    service.hooked(check, "AfterAllowTraffic")
    assert seen == [("Blue", "ACTIVE", 0), ("Green", "PRIMARY", 100)]


def test_invalid_requests_get_the_errors_of_codedeploy(service: Simulated) -> None:
    def check(event: dict[str, Any], _: object) -> None:
        codedeploy = client("codedeploy")
        mine = {"deploymentId": event["DeploymentId"]}
        put = codedeploy.put_lifecycle_event_hook_execution_status
        whole = status(event, "Succeeded")
        for changes, expected in (
            ({"deploymentId": ""}, "DeploymentIdRequiredException"),
            ({"deploymentId": "d-1"}, "InvalidDeploymentIdException"),
            ({"deploymentId": "d-ABCDEF123"}, "DeploymentDoesNotExistException"),
            ({"status": "Skipped"}, "InvalidLifecycleEventHookExecutionStatusException"),
            ({"lifecycleEventHookExecutionId": "eyJ"}, "InvalidLifecycleEventHookExecutionIdException"),
        ):
            assert code(put, **{**whole, **changes}) == expected
        assert code(codedeploy.get_deployment, deploymentId="d-ABCDEF123") == "DeploymentDoesNotExistException"
        target = codedeploy.get_deployment_target
        assert code(target, **mine, targetId="") == "DeploymentTargetIdRequiredException"
        assert code(target, **mine, targetId="a:b") == "DeploymentTargetDoesNotExistException"
        many = [f"a:{number}" for number in range(26)]
        targets = codedeploy.batch_get_deployment_targets
        assert code(targets, **mine, targetIds=many) == "DeploymentTargetListSizeExceededException"
        names = {"applicationName": "other", "deploymentGroupName": "group"}
        assert code(codedeploy.get_deployment_group, **names) == "ApplicationDoesNotExistException"
        assert code(codedeploy.continue_deployment, **mine) == "DeploymentIsNotInReadyStateException"
        put(**whole)
        assert code(put, **whole) == "LifecycleEventAlreadyCompletedException"

    service.hooked(check, reports=False)


def test_any_error_can_be_injected(service: Simulated) -> None:
    unsupported = EcsError("UnsupportedActionForDeploymentTypeException", "no")
    service.simulation.endpoint.fail("PutLifecycleEventHookExecutionStatus", unsupported)

    def check(event: dict[str, Any], _: object) -> None:
        put = client("codedeploy").put_lifecycle_event_hook_execution_status
        assert code(put, **status(event, "Failed")) == "UnsupportedActionForDeploymentTypeException"

    assert str(service.hooked(check).outcome) == "SUCCESSFUL"


def test_a_deployment_has_no_targets_before_it_starts(service: Simulated) -> None:
    codes: list[str] = []

    def look(record: Any) -> None:
        if record.kind == "status-changed" and record.status == "Created":
            with pytest.raises(EcsError) as refused:
                api.answer("ListDeploymentTargets", {"deploymentId": record.deployment})
            codes.append(refused.value.code)

    api = service.simulation.endpoint._others[0]
    service.simulation.timeline.subscribe(look)
    service.hooked(lambda *_: None)
    assert codes == ["DeploymentNotStartedException"]


def test_a_deployment_is_stopped_and_continued(service: Simulated, monkeypatch: pytest.MonkeyPatch) -> None:
    controller = service.simulation.controller
    controller.group = DeploymentGroup(ready_wait_minutes=60, termination_wait_minutes=60)

    def go_on(wait: str) -> Callable[[Deployment], None]:
        return lambda deployment: client("codedeploy").continue_deployment(
            deploymentId=deployment.id, deploymentWaitType=wait
        )

    controller.at(60, go_on("READY_WAIT"))
    controller.at(120, go_on("TERMINATION_WAIT"))
    first = service.simulation.deploy(demo_application("2"))
    assert (str(first.outcome), first.finished_at) == ("SUCCESSFUL", first.created_at + 120)

    # The deployment may end before the response arrives.
    stopped: SimpleQueue[str] = SimpleQueue()

    def stop(deployment: Deployment) -> None:
        request = {"deploymentId": deployment.id, "autoRollbackEnabled": True}
        stopped.put(client("codedeploy").stop_deployment(**request)["status"])

    controller.at(30, stop)
    second = service.simulation.deploy(demo_application("3"))
    assert (str(second.status), str(second.outcome)) == ("Stopped", "ROLLBACK_SUCCESSFUL")
    assert stopped.get(timeout=20) == "Pending"
    for name, value in service.simulation.environment.items():
        monkeypatch.setenv(name, value)
    for call in (client("codedeploy").stop_deployment, client("codedeploy").continue_deployment):
        assert code(call, deploymentId=second.id) == "DeploymentAlreadyCompletedException"
    described = client("codedeploy").get_deployment(deploymentId=second.id)["deploymentInfo"]
    assert described["errorInformation"]["code"] == "MANUAL_STOP"
    rollback = client("codedeploy").get_deployment(deploymentId=described["rollbackInfo"]["rollbackDeploymentId"])
    info = rollback["deploymentInfo"]
    assert (info["creator"], info["status"]) == ("codeDeployRollback", "Succeeded")
    assert info["rollbackInfo"] == {"rollbackTriggeringDeploymentId": second.id}


def test_schedules_and_parameters_over_http(service: Simulated) -> None:
    service.simulation.parameters.values["/ecs-hooks/a"] = "{}"

    def check(_: object, context: Any) -> None:
        scheduler = client("scheduler")
        request = {
            "Name": "one",
            "GroupName": "ecs-hooks",
            "ScheduleExpression": "at(2026-01-01T00:30:00)",
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {"Arn": context.invoked_function_arn, "RoleArn": "arn:aws:iam::1:role/a", "Input": "{}"},
        }
        assert scheduler.create_schedule(**request)["ScheduleArn"].endswith(":schedule/ecs-hooks/one")
        assert code(scheduler.create_schedule, **request) == "ConflictException"
        scheduler.update_schedule(**{**request, "ScheduleExpression": "at(2026-01-01T00:31:00)"})
        found = scheduler.get_schedule(Name="one", GroupName="ecs-hooks")
        assert found["ScheduleExpression"] == "at(2026-01-01T00:31:00)"
        assert found["Target"] == request["Target"]
        scheduler.delete_schedule(Name="one", GroupName="ecs-hooks")
        for call in (scheduler.get_schedule, scheduler.delete_schedule):
            assert code(call, Name="one", GroupName="ecs-hooks") == "ResourceNotFoundException"
        ssm = client("ssm")
        both = ssm.get_parameters(Names=["/ecs-hooks/a", "/ecs-hooks/b"])
        assert [each["Value"] for each in both["Parameters"]] == ["{}"]
        assert both["InvalidParameters"] == ["/ecs-hooks/b"]
        assert ssm.get_parameter(Name="/ecs-hooks/a")["Parameter"]["Type"] == "String"
        assert ssm.get_parameters(Names=["/ecs-hooks/b"])["InvalidParameters"] == ["/ecs-hooks/b"]

    service.hooked(check)


def test_moto_answers_for_other_task_sets(service: Simulated) -> None:
    def check(*_: object) -> None:
        ecs = client("ecs")
        assert code(ecs.describe_task_sets, cluster="other", service="my-service") == "ClusterNotFoundException"
        assert code(ecs.describe_task_sets, cluster="my-cluster", service="other") == "ClusterNotFoundException"
        ecs.create_cluster(clusterName="my-cluster")
        assert code(ecs.describe_task_sets, cluster="my-cluster", service="other") == "ServiceNotFoundException"

    service.hooked(check)


@pytest.mark.parametrize(("weight", "expected"), [("percent", [10, 100]), ("fraction", [0.1, 1])])
def test_a_deployment_of_a_function_is_described(weight: Any, expected: list[float]) -> None:
    group = DeploymentGroup(platform=LAMBDA, config=DeploymentConfig.parse("Canary10Percent5Minutes", LAMBDA))
    seen: list[Any] = []

    def look(deployment: Deployment) -> None:
        codedeploy = client("codedeploy")
        (target,) = codedeploy.list_deployment_targets(deploymentId=deployment.id)["targetIds"]
        found = codedeploy.get_deployment_target(deploymentId=deployment.id, targetId=target)["deploymentTarget"]
        seen.append(found["lambdaTarget"]["lambdaFunctionInfo"])

    behaviour = CodeDeployBehaviour(version_weight=weight)
    with CodeDeploySimulation(demo_function("1"), group=group, behaviour=behaviour) as simulation:
        simulation.controller.at(60, look)

        def hook(event: dict[str, Any], _: object) -> None:
            look(simulation.controller.history[-1])
            report(event)

        target = CallableTarget(hook, name="hook")
        deployment = simulation.deploy(demo_function("2"), hooks={"AfterAllowTraffic": target})

    assert str(deployment.outcome) == "SUCCESSFUL"
    assert [each["targetVersionWeight"] for each in seen] == expected
    assert {
        (each["functionName"], each["functionAlias"], each["currentVersion"], each["targetVersion"]) for each in seen
    } == {("my-function", "live", "1", "2")}


def report(event: dict[str, Any]) -> None:
    client("codedeploy").put_lifecycle_event_hook_execution_status(**status(event, "Succeeded"))
