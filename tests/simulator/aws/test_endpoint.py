from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ecs_hooks_simulator import CallableTarget, DeploymentController, EcsError, LifecycleHook, Service
from ecs_hooks_simulator.aws import answers
from ecs_hooks_simulator.aws.endpoint import AwsEndpoint, answering


def succeed(event: Any, context: Any) -> dict[str, str]:
    return {"hookStatus": "SUCCEEDED"}


@pytest.fixture
def controller() -> DeploymentController:
    hook = LifecycleHook(target=CallableTarget(succeed), lifecycle_stages=["PRE_SCALE_UP"])
    made = DeploymentController(Service(service="api", lifecycle_hooks=[hook]))
    made.adopt(image="api:1")
    return made


@pytest.fixture
def endpoint(controller: DeploymentController) -> Iterator[AwsEndpoint]:
    with AwsEndpoint(controller.deployments) as made:
        yield made


@pytest.fixture
def ecs(endpoint: AwsEndpoint) -> Any:
    return client(endpoint)


def client(endpoint: AwsEndpoint) -> Any:
    return boto3.client(
        "ecs",
        endpoint_url=endpoint.url,
        region_name="us-west-2",
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_a_deployment_is_described(ecs: Any, controller: DeploymentController) -> None:
    deployment = controller.deploy(image="api:2")

    answer = ecs.describe_service_deployments(serviceDeploymentArns=[deployment.arn, "arn:unknown"])

    (described,) = answer["serviceDeployments"]
    assert described["status"] == "SUCCESSFUL"
    assert described["createdAt"] == datetime.fromtimestamp(deployment.created_at, UTC)
    assert described["deploymentConfiguration"]["strategy"] == "BLUE_GREEN"
    assert described["lifecycleHookDetails"][0]["status"] == "SUCCEEDED"
    assert [failure["arn"] for failure in answer["failures"]] == ["arn:unknown"]


def test_deployments_are_listed(ecs: Any, controller: DeploymentController) -> None:
    arns = [controller.deploy(image=f"api:{number}").arn for number in (2, 3)]

    listed = ecs.list_service_deployments(service="api", cluster="my-cluster", status=["SUCCESSFUL"], maxResults=1)
    rest = ecs.list_service_deployments(
        service="api", cluster="my-cluster", maxResults=1, nextToken=listed["nextToken"]
    )

    found = [each["serviceDeploymentArn"] for page in (listed, rest) for each in page["serviceDeployments"]]
    assert sorted(found) == sorted(arns)
    with pytest.raises(ClientError, match="ServiceNotFoundException"):
        ecs.list_service_deployments(service="other", cluster="my-cluster")


def test_revisions_are_described(ecs: Any, controller: DeploymentController) -> None:
    deployment = controller.deploy(image="api:2")

    answer = ecs.describe_service_revisions(serviceRevisionArns=[deployment.target.arn, "arn:x"])

    assert [each["serviceRevisionArn"] for each in answer["serviceRevisions"]] == [deployment.target.arn]
    assert [failure["arn"] for failure in answer["failures"]] == ["arn:x"]


def test_a_running_deployment_is_stopped(ecs: Any, controller: DeploymentController) -> None:
    controller.at(60, lambda deployment: ecs.stop_service_deployment(serviceDeploymentArn=deployment.arn))

    assert controller.deploy(image="api:2").status == "ROLLBACK_SUCCESSFUL"


def test_a_paused_deployment_is_continued(endpoint: AwsEndpoint, controller: DeploymentController) -> None:
    ecs = client(endpoint)
    controller.service = Service(service="api", lifecycle_hooks=[LifecycleHook.pause("POST_SCALE_UP")])

    def go_on(deployment: Any) -> None:
        described = ecs.describe_service_deployments(serviceDeploymentArns=[deployment.arn])["serviceDeployments"][0]
        (hook,) = described["lifecycleHookDetails"]
        assert hook["status"] == "AWAITING_ACTION"
        ecs.continue_service_deployment(serviceDeploymentArn=deployment.arn, hookId=hook["hookId"])

    controller.at(60, go_on)

    assert controller.deploy(image="api:2").status == "SUCCESSFUL"


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [("stop_service_deployment", {}), ("continue_service_deployment", {"hookId": "ecs-pause-x"})],
)
def test_an_unknown_deployment_is_not_found(ecs: Any, operation: str, parameters: dict[str, str]) -> None:
    arn = "arn:aws:ecs:us-west-2:123456789012:service-deployment/my-cluster/api/none"

    with pytest.raises(ClientError, match="The service deployment does not exist") as raised:
        getattr(ecs, operation)(serviceDeploymentArn=arn, **parameters)

    assert raised.value.response["Error"]["Code"] == "ServiceDeploymentNotFoundException"


def test_invalid_requests_get_the_errors_of_ecs(ecs: Any, controller: DeploymentController) -> None:
    deployment = controller.deploy(image="api:2")

    with pytest.raises(ClientError, match="hookId must follow the format"):
        ecs.continue_service_deployment(serviceDeploymentArn=deployment.arn, hookId="mine")
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecs.describe_service_deployments(serviceDeploymentArns=["arn"] * 21)


def test_errors_can_be_injected(endpoint: AwsEndpoint, ecs: Any, controller: DeploymentController) -> None:
    deployment = controller.deploy(image="api:2")
    endpoint.fail("DescribeServiceDeployments", EcsError("ThrottlingException", "Rate exceeded"), times=2)
    endpoint.fail("ListServiceDeployments", EcsError("AccessDeniedException", "no"))

    for _ in range(2):
        with pytest.raises(ClientError, match="Rate exceeded"):
            ecs.describe_service_deployments(serviceDeploymentArns=[deployment.arn])
    assert ecs.describe_service_deployments(serviceDeploymentArns=[deployment.arn])["serviceDeployments"]
    with pytest.raises(ClientError, match="AccessDeniedException"):
        ecs.list_service_deployments(service="api")


def test_two_simulations_in_one_process_do_not_mix(endpoint: AwsEndpoint, controller: DeploymentController) -> None:
    other = DeploymentController(Service(service="web"))
    with AwsEndpoint(other.deployments) as second:
        mine, theirs = controller.deploy(image="api:2"), other.deploy(image="web:1")
        for each in (client(endpoint), client(second)):
            answer = each.describe_service_deployments(serviceDeploymentArns=[mine.arn, theirs.arn])
            services = {found["serviceArn"].rsplit("/", 1)[1] for found in answer["serviceDeployments"]}
            assert services == {"api", "web"}
            assert answer["failures"] == []
            assert (
                each.list_service_deployments(service="api")["serviceDeployments"][0]["serviceDeploymentArn"]
                == mine.arn
            )


def test_without_a_simulation_every_arn_is_missing(endpoint: AwsEndpoint, controller: DeploymentController) -> None:
    answers.remove_deployments(controller.deployments)
    try:
        answer = client(endpoint).describe_service_deployments(serviceDeploymentArns=["arn:x"])
        assert answer == {**answer, "serviceDeployments": [], "failures": [{"arn": "arn:x", "reason": "MISSING"}]}
    finally:
        answers.add_deployments(controller.deployments)


def test_an_endpoint_has_an_address_only_while_it_is_open(controller: DeploymentController) -> None:
    with pytest.raises(AssertionError):
        _ = AwsEndpoint(controller.deployments).url


def test_an_endpoint_can_outlive_its_simulations(controller: DeploymentController) -> None:
    deployment = controller.deploy(image="api:2")

    with AwsEndpoint() as endpoint:
        ecs = client(endpoint)
        with answering(controller.deployments):
            (described,) = ecs.describe_service_deployments(serviceDeploymentArns=[deployment.arn])[
                "serviceDeployments"
            ]
        (failure,) = ecs.describe_service_deployments(serviceDeploymentArns=[deployment.arn])["failures"]

    assert described["status"] == "SUCCESSFUL"
    assert failure == {"arn": deployment.arn, "reason": "MISSING"}
