from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.deployment.facts import Facts
from ecs_hooks.deployment.revision import LoadBalancing, describe_revision
from ecs_hooks.deployment.service_deployment import ServiceDeployment
from tests.conftest import BLUE, GREEN
from tests.support.aws import AwsApi
from tests.support.layouts import BLUE_GROUP, GREEN_GROUP, PRODUCTION_RULE, TEST_RULE, load_balancer, revision


@pytest.fixture
def deployment(event: LifecycleEvent, aws: AwsApi) -> ServiceDeployment:
    load_balancer(aws)
    return ServiceDeployment(event)


def only(aws: AwsApi, **fields: Any) -> None:
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [revision(**fields)]})


def test_contract_5_1_the_resolved_target_group_is_green_s_whatever_the_service_calls_it(
    deployment: ServiceDeployment,
) -> None:
    green, blue = deployment.green, deployment.blue

    assert green.load_balancing == (
        LoadBalancing(GREEN_GROUP, PRODUCTION_RULE, TEST_RULE, "web", 8080, [GREEN_GROUP, BLUE_GROUP]),
    )
    assert blue is not None
    assert blue.load_balancing[0].target_group == BLUE_GROUP
    assert (green.arn, blue.arn) == (GREEN, BLUE)
    assert green.task_definition.endswith(":task-definition/my-app:7")
    assert green.images == {"web": ("my-app:7", "sha256:abc")}


def test_each_is_fetched_once_and_kept_over_in_progress(
    deployment: ServiceDeployment, event: LifecycleEvent, aws: AwsApi
) -> None:
    assert [deployment.green, deployment.green, deployment.blue, deployment.blue] == [
        deployment.green,
        deployment.green,
        deployment.blue,
        deployment.blue,
    ]
    later = ServiceDeployment(event, Facts(deployment.facts.dump()))

    assert (later.green, later.blue) == (deployment.green, deployment.blue)
    assert aws.calls == {"DescribeServiceRevisions": 2, "DescribeServiceDeployments": 1}


def test_a_first_deployment_has_no_blue(deployment: ServiceDeployment, aws: AwsApi) -> None:
    aws.answer("DescribeServiceDeployments", {"serviceDeployments": [{"sourceServiceRevisions": []}]})

    assert deployment.blue is None


def test_missing_sources_are_an_invalid_response(deployment: ServiceDeployment, aws: AwsApi) -> None:
    aws.answer("DescribeServiceDeployments", {"serviceDeployments": [{"status": "IN_PROGRESS"}]})

    with pytest.raises(FactError, match="invalid response"):
        _ = deployment.blue


def test_contract_5_1_before_green_runs_its_target_group_is_not_resolved(
    deployment: ServiceDeployment, aws: AwsApi
) -> None:
    only(aws, group="")

    assert deployment.green.load_balancing[0].target_group == ""
    assert '"green"' not in deployment.facts.dump()


def test_a_single_target_group_need_not_be_resolved(deployment: ServiceDeployment, aws: AwsApi) -> None:
    group = {"targetGroupArn": BLUE_GROUP, "containerName": "web", "containerPort": 80}
    only(aws, loadBalancers=[group], resolvedConfiguration={})

    assert deployment.green.load_balancing == (LoadBalancing(BLUE_GROUP, "", "", "web", 80, [BLUE_GROUP]),)


def test_a_revision_may_have_only_an_arn(deployment: ServiceDeployment, aws: AwsApi) -> None:
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [{"serviceRevisionArn": GREEN}]})

    green = deployment.green
    assert (green.task_definition, green.load_balancing, green.images, green.test_header) == ("", (), {}, None)


def connect(*aliases: dict[str, Any], enabled: bool = True) -> dict[str, Any]:
    services = [{"portName": "http", "clientAliases": list(aliases)}] if aliases else []
    return {"enabled": enabled, "services": services}


CUSTOM = {"port": 80, "testTrafficRules": {"header": {"name": "x-test", "value": {"exact": "green"}}}}
PRESENCE = {"port": 80, "testTrafficRules": {"header": {"name": "x-test"}}}


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        (connect(CUSTOM), ("x-test", "green")),
        (connect({"port": 80}, CUSTOM), ("x-test", "green")),
        (connect(PRESENCE), ("x-test", "")),
        (connect({"port": 80}), ("x-amzn-ecs-blue-green-test", "")),
        (connect(), None),
        (connect(CUSTOM, enabled=False), None),
        ({"enabled": True, "services": [{"portName": "http"}]}, ("x-amzn-ecs-blue-green-test", "")),
    ],
)
def test_contract_5_4_service_connect_routes_test_traffic_by_a_header(
    deployment: ServiceDeployment, aws: AwsApi, configuration: dict[str, Any], expected: tuple[str, str] | None
) -> None:
    only(aws, serviceConnectConfiguration=configuration)

    assert deployment.green.test_header == expected


def test_a_missing_revision_is_a_failure(aws: AwsApi) -> None:
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [], "failures": [{"arn": GREEN, "reason": "MISSING"}]})
    with pytest.raises(FactDeniedError, match="service revision not found"):
        describe_revision(GREEN, "us-west-2")


@pytest.mark.parametrize(
    "answer",
    [{"serviceRevisions": [{"taskDefinition": "x"}]}, {"failures": []}, {"serviceRevisions": [revision(BLUE)]}],
)
def test_an_incomplete_revision_is_an_invalid_response(aws: AwsApi, answer: dict[str, Any]) -> None:
    aws.answer("DescribeServiceRevisions", answer)
    with pytest.raises(FactError, match="invalid response"):
        describe_revision(GREEN, "us-west-2")


def test_a_missing_permission_is_named(aws: AwsApi) -> None:
    aws.error("DescribeServiceRevisions", "AccessDeniedException")
    with pytest.raises(FactDeniedError, match="allow the action ecs:DescribeServiceRevisions"):
        describe_revision(GREEN, "us-west-2")
