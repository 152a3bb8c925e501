"""Blue and green of an ECS service that CodeDeploy deploys."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks import Stage
from ecs_hooks.aws.errors import FactError
from ecs_hooks.checks import CheckContext, check_class
from ecs_hooks.codedeploy.description import describe
from ecs_hooks.codedeploy.task_sets import TaskSetDeployment
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import ExplainedError, Outcome, Status
from ecs_hooks.deployment.base import NotApplicableError
from ecs_hooks.deployment.endpoint import RoutingError
from ecs_hooks.deployment.facts import Facts
from ecs_hooks.deployment.green import EndpointConfig, green_endpoint
from ecs_hooks.deployment.placeholders import fill_placeholders
from ecs_hooks.deployment.target import Target
from tests.codedeploy.account import BEGAN, DEPLOYMENT, PRODUCTION_LISTENER, Account
from tests.support.layouts import BLUE_GROUP, DNS, GREEN_GROUP, LISTENER, TEST_RULE, default_rule, forward, task


@pytest.fixture
def deployment(account: Account) -> TaskSetDeployment:
    return made()


def made(facts: Facts | None = None) -> TaskSetDeployment:
    return TaskSetDeployment(describe(DEPLOYMENT, "us-west-2"), "us-west-2", facts)


def outcome_of(
    deployment: TaskSetDeployment, kind: str, stage: str = "POST_TEST_TRAFFIC_SHIFT", **fields: Any
) -> Outcome:
    check = check_class(kind).model_validate({"type": kind, **fields})
    context = CheckContext(Target(stage, lambda: deployment), Deadline.after(20), checks=[check])
    try:
        return check.run(context)
    except ExplainedError as error:
        return error.outcome


def test_contract_8_green_and_blue_are_task_sets(deployment: TaskSetDeployment) -> None:
    assert (deployment.cluster, deployment.service) == ("my-cluster", "my-service")
    (balancing,) = deployment.green.load_balancing
    assert balancing.target_group == GREEN_GROUP
    assert (balancing.test, balancing.production) == (LISTENER, PRODUCTION_LISTENER)
    assert (balancing.container, balancing.port) == ("web", 8080)
    assert set(balancing.pair) == {BLUE_GROUP, GREEN_GROUP}
    assert deployment.blue is not None
    assert deployment.blue.load_balancing[0].target_group == BLUE_GROUP
    assert deployment.green.task_definition.endswith("my-app:2")
    assert (deployment.green_percent, deployment.task_counts) == (0.0, (1, 1))
    assert not deployment.first
    assert not deployment.rolling_back
    assert deployment.started_at == BEGAN - 600
    assert deployment.strategy == ""


def test_the_test_listener_forwards_to_green(deployment: TaskSetDeployment) -> None:
    found = green_endpoint(EndpointConfig(), Stage.POST_TEST_TRAFFIC_SHIFT, lambda: deployment)
    assert found.base_url == f"http://{DNS}:8080"


def test_the_shifted_rule_is_used_if_the_default_action_forwards_to_other_groups(account: Account) -> None:
    fixed = [{"Type": "fixed-response"}]
    conditions = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}}]
    other = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/health"]}}]
    rules = [
        {"RuleArn": f"{TEST_RULE}0", "Priority": "5", "Conditions": other, "Actions": fixed},
        {"RuleArn": TEST_RULE, "Priority": "10", "Conditions": conditions, "Actions": forward(GREEN_GROUP)},
        {"RuleArn": f"{TEST_RULE}1", "Priority": "default", "Actions": fixed, "IsDefault": True},
    ]
    account.aws.answer("DescribeRules", {"Rules": [rules[2], rules[1], rules[0]]})
    found = green_endpoint(EndpointConfig(), Stage.POST_TEST_TRAFFIC_SHIFT, made)
    assert found.request("GET", "/a", {}, {}).url.target == "/api/a"
    assert found.request("GET", "/health", {}, {}).url.target == "/api/health"
    assert account.aws.calls["DescribeRules"] == 2  # once for each listener

    account.aws.answer("DescribeRules", {"Rules": [rules[0], rules[2]]})
    (balancing,) = made().green.load_balancing
    assert balancing.test == LISTENER


def test_a_rule_before_the_default_rule_of_a_listener_is_refused(account: Account) -> None:
    conditions = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/health"]}}]
    earlier = {"RuleArn": TEST_RULE, "Priority": "5", "Conditions": conditions, "Actions": forward(BLUE_GROUP)}
    default = default_rule({"ListenerArn": LISTENER}, GREEN_GROUP)["Rules"]
    account.aws.answer("DescribeRules", {"Rules": [earlier, *default]})
    found = green_endpoint(EndpointConfig(), Stage.POST_TEST_TRAFFIC_SHIFT, made)
    assert found.request("GET", "/a", {}, {})
    with pytest.raises(RoutingError, match=r"priority 5, path-pattern /health\) takes the request, and forwards to"):
        found.request("GET", "/health", {}, {})


def test_the_deployment_group_has_the_listeners_if_the_deployment_has_none(account: Account) -> None:
    info = account.deployment.pop("loadBalancerInfo")
    del info["targetGroupPairInfoList"][0]["testTrafficRoute"]
    account.group["loadBalancerInfo"] = info
    (balancing,) = made().green.load_balancing
    assert (balancing.test, balancing.production) == ("", PRODUCTION_LISTENER)

    account.group["loadBalancerInfo"] = {}
    (balancing,) = made().green.load_balancing
    assert (balancing.test, balancing.production) == ("", "")


def test_a_missing_green_task_set_is_an_error(account: Account) -> None:
    account.sets.pop()
    deployment = made()
    with pytest.raises(FactError, match="CodeDeploy reports no green task set yet"):
        _ = deployment.green
    assert (deployment.green_percent, deployment.task_counts) == (None, (0, 0))


def test_a_first_deployment_has_no_blue(account: Account) -> None:
    del account.sets[0]
    deployment = made()
    assert deployment.first
    assert deployment.blue is None
    assert deployment.blue_port is None
    assert deployment.blue_tasks == []
    assert deployment.green.load_balancing[0].pair == [GREEN_GROUP]


def test_task_sets_are_read_once_and_kept_over_invocations(account: Account, deployment: TaskSetDeployment) -> None:
    for _ in range(2):
        assert deployment.green
        assert deployment.blue
    assert account.aws.calls["DescribeTaskSets"] == 2
    account.aws.calls.clear()
    again = made(Facts(deployment.facts.dump()))
    assert again.green == deployment.green
    assert account.aws.calls["DescribeTaskSets"] == 0


def test_tasks_are_found_by_their_task_set(account: Account, deployment: TaskSetDeployment) -> None:
    assert [each.id for each in deployment.tasks] == ["a"]
    assert [each.id for each in deployment.blue_tasks] == ["b"]
    assert [each.id for each in deployment.stopped_tasks] == ["a"]
    assert account.aws.asked["ListTasks"][0]["startedBy"] == "ecs-svc/2"


def test_images_have_the_name_of_the_task_definition_and_the_running_digest(
    account: Account, deployment: TaskSetDeployment
) -> None:
    assert deployment.images == {"web": ("registry/web:7", "sha256:abc")}

    other = task("c", startedBy="ecs-svc/2")
    other["containers"][0]["imageDigest"] = "sha256:def"
    account.aws.answer("DescribeTasks", {"tasks": [task("a", startedBy="ecs-svc/2"), other]})
    assert made().images == {"web": ("registry/web:7", "")}


@pytest.mark.parametrize(
    ("override", "group", "expected"),
    [
        (None, None, ()),
        (None, {"enabled": True, "alarms": [{"name": "a"}, {"name": "b"}]}, ("a", "b")),
        (None, {"enabled": False, "alarms": [{"name": "a"}]}, ()),
        ({"enabled": True, "alarms": [{"name": "c"}]}, {"enabled": True, "alarms": [{"name": "a"}]}, ("c",)),
        ({"enabled": False}, {"enabled": True, "alarms": [{"name": "a"}]}, ()),
    ],
)
def test_the_alarms_of_the_deployment_or_its_group(
    account: Account, override: Any, group: Any, expected: tuple[str, ...]
) -> None:
    if override is not None:
        account.deployment["overrideAlarmConfiguration"] = override
    if group is not None:
        account.group["alarmConfiguration"] = group
    assert made().alarm_names == expected


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("targets", {}), ("tasks", {}), ("drift", {}), ("drift", {"stage": "PRE_PRODUCTION_TRAFFIC_SHIFT"})],
)
def test_checks_of_ecs_services_pass(deployment: TaskSetDeployment, kind: str, fields: dict[str, Any]) -> None:
    outcome = outcome_of(deployment, kind, **fields)
    assert outcome.status is Status.PASS, outcome


def test_a_listener_that_does_not_forward_to_green_fails(account: Account) -> None:
    account.aws.answer("DescribeRules", lambda asked: default_rule(asked, BLUE_GROUP))
    assert outcome_of(made(), "drift").status is Status.FAIL


def test_placeholders(deployment: TaskSetDeployment) -> None:
    text = "{cluster} {service} {green.target_group} {blue.target_group} {load_balancer}"
    assert fill_placeholders(text, deployment) == (
        "my-cluster my-service targetgroup/alternate/2222222222222222 targetgroup/primary/1111111111111111 "
        "app/my-alb/50dc6c495c0c9188"
    )


@pytest.mark.parametrize("name", ["function", "alias", "green_version", "blue_version"])
def test_properties_of_lambda_functions_are_not_applicable(deployment: TaskSetDeployment, name: str) -> None:
    with pytest.raises(NotApplicableError, match="of an ECS service, which has no Lambda function"):
        getattr(deployment, name)


def test_the_time_of_blues_deployment_is_not_known(deployment: TaskSetDeployment) -> None:
    with pytest.raises(NotApplicableError, match="CodeDeploy does not report when blue was deployed"):
        _ = deployment.blue_bake_start


def test_a_deployment_without_a_start_time_is_an_error(account: Account) -> None:
    for name in ("startTime", "createTime"):
        account.deployment.pop(name)
    with pytest.raises(FactError, match="codedeploy:GetDeployment: invalid response"):
        _ = made().started_at


def test_load_balancers_that_cannot_be_read_are_known(account: Account) -> None:
    described = {
        "taskSetArn": "a",
        "taskDefinition": "t",
        "loadBalancers": [{"loadBalancerName": "old", "containerName": "web", "containerPort": 8080}],
    }
    account.aws.answer("DescribeTaskSets", {"taskSets": [described]})
    assert made().green.unread == ("Classic Load Balancer old",)
