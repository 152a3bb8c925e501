from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks import Stage, stage_hook
from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.core.outcome import Status
from ecs_hooks.deployment.baseline import blue_endpoint
from ecs_hooks.deployment.endpoint import Endpoint, EndpointError, RoutingError
from ecs_hooks.deployment.green import EndpointConfig
from ecs_hooks.deployment.listener import ListenerArn
from ecs_hooks.deployment.placeholders import NoBlueError
from ecs_hooks.deployment.service_deployment import ServiceDeployment
from tests.checks.compare.store import Change, both
from tests.conftest import BLUE, GREEN, load_event
from tests.support.aws import AwsApi
from tests.support.layouts import (
    BLUE_GROUP,
    DNS,
    GREEN_GROUP,
    NLB_LISTENER,
    PRODUCTION_RULE,
    TEST_RULE,
    by_listener,
    forward,
    load_balancer,
    revision,
    rule,
    running,
    task,
)

TESTED = Stage.POST_TEST_TRAFFIC_SHIFT
SHARED_RULE = f"{TEST_RULE.rpartition('/')[0]}/cccccccccccccccc"
"""A production rule of the test rule's own listener."""
HEADER = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Environment", "Values": ["test"]}}
HOST = {"Field": "host-header", "HostHeaderConfig": {"Values": ["shop.example.com"]}}
PATH = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/shop/*"]}}
OTHER_GROUP = BLUE_GROUP.replace("primary", "of-another")


class Aws:
    """A load balancer whose test listener forwards to green, and whose production listener forwards to blue."""

    def __init__(self, aws: AwsApi, ports: tuple[int, int] = (8080, 80), host: str = DNS) -> None:
        self.aws = aws
        load_balancer(aws, port=ports[0], host=host)
        self.rules = {TEST_RULE: rule(HEADER), PRODUCTION_RULE: rule(to=(BLUE_GROUP,))}
        self.rules[SHARED_RULE] = self.rules[PRODUCTION_RULE]
        aws.answer("DescribeRules", by_listener(self.rules))
        self.protocol = "HTTP"
        self.default_actions = forward(BLUE_GROUP)
        aws.answer(
            "DescribeListeners",
            lambda parameters: {"Listeners": [self._listener(parameters["ListenerArns"][0], ports)]},
        )

    def _listener(self, arn: str, ports: tuple[int, int]) -> dict[str, Any]:
        port = ports[0] if arn == TEST_RULE.rpartition("/")[0].replace("listener-rule", "listener") else ports[1]
        return {"ListenerArn": arn, "Protocol": self.protocol, "Port": port, "DefaultActions": self.default_actions}

    def production(self, *conditions: dict[str, Any], to: tuple[str, ...] = (BLUE_GROUP,)) -> None:
        """Give the production rules these conditions and target groups."""
        self.rules[PRODUCTION_RULE] = self.rules[SHARED_RULE] = rule(*conditions, to=to)

    def revisions(self, rule: str = PRODUCTION_RULE, test: str = TEST_RULE, **fields: Any) -> None:
        """Describe both revisions with this production rule and other fields."""
        described = {}
        for arn, group in ((GREEN, GREEN_GROUP), (BLUE, BLUE_GROUP)):
            each = revision(arn, test=test, group=group)
            for balancer in each["loadBalancers"]:
                balancer["advancedConfiguration"]["productionListenerRule"] = rule
            described[arn] = {**each, **fields}
        self.aws.answer(
            "DescribeServiceRevisions",
            lambda parameters: {"serviceRevisions": [described[arn] for arn in parameters["serviceRevisionArns"]]},
        )


@pytest.fixture
def alb(aws: AwsApi) -> Aws:
    return Aws(aws)


def found(
    stage: str = TESTED, url: str | None = None, blue_host: str | None = None, app_url: str = "", **plan: Any
) -> Endpoint:
    deployment = ServiceDeployment(LifecycleEvent.parse(load_event(lifecycleStage=stage)))
    return blue_endpoint(EndpointConfig(**plan), stage, lambda: deployment, url, blue_host, {"APP_URL": app_url})


def blue(stage: str = TESTED, **fields: Any) -> Endpoint:
    """Return the endpoint without the rules of its listener, which it has if it is one."""
    endpoint = found(stage, **fields)
    assert (endpoint.routing is not None) is bool(endpoint.protocol)
    return endpoint._replace(routing=None)


def refused(problem: str, stage: str = TESTED, **fields: Any) -> str:
    with pytest.raises(EndpointError, match=problem) as caught:
        blue(stage, **fields)
    assert caught.value.outcome.status is Status.FAIL
    return caught.value.fix


def test_a_given_url_needs_no_aws_call(aws: AwsApi) -> None:
    assert blue(url="http://shop") == Endpoint("http://shop")
    assert blue(url="http://shop", host="a.example.com").host == "a.example.com"
    assert blue(url="http://shop", host="a.example.com", blue_host="b.example.com").host == "b.example.com"
    assert not aws.calls


@pytest.mark.parametrize("stage", [TESTED, Stage.PRE_PRODUCTION_TRAFFIC_SHIFT])
def test_before_the_shift_the_endpoint_is_the_production_listener(alb: Aws, stage: str) -> None:
    assert blue(stage) == Endpoint(f"http://{DNS}:80", protocol="HTTP")
    assert blue(stage, base_url="http://green") == Endpoint(f"http://{DNS}:80", protocol="HTTP")


def test_a_given_url_of_green_makes_blue_independent_of_the_test_listener(alb: Aws) -> None:
    assert blue(Stage.POST_SCALE_UP, base_url="http://green") == Endpoint(f"http://{DNS}:80", protocol="HTTP")
    assert blue(Stage.POST_SCALE_UP, app_url="http://green") == Endpoint(f"http://{DNS}:80", protocol="HTTP")
    assert "attach the check to POST_TEST" in refused("green has no test traffic yet", Stage.POST_SCALE_UP)


def test_requests_match_the_conditions_of_the_production_rule(alb: Aws) -> None:
    alb.production(HOST, PATH)
    assert blue() == Endpoint(f"http://{DNS}:80", host="shop.example.com", protocol="HTTP")
    assert blue(host="test.shop.example.com") == Endpoint(f"http://{DNS}:80", host="shop.example.com", protocol="HTTP")
    assert found().request("GET", "/a", {}, {}).url.target == "/shop/a"
    fix = refused("host-header does not match other.example.com", blue_host="other.example.com")
    assert fix == "set blue_url of the check"


def test_the_host_of_the_plan_is_used_for_blue_if_the_rule_matches_it(alb: Aws) -> None:
    alb.protocol = "HTTPS"
    assert refused("uses TLS") == "set blue_host of the check to a name of the certificate"
    assert blue(host="shop.example.com") == Endpoint(f"https://{DNS}:80", host="shop.example.com", protocol="HTTPS")
    assert blue(host="test.example.com", blue_host="shop.example.com").host == "shop.example.com"


@pytest.mark.parametrize(
    ("groups", "forwards_to"),
    [
        ((GREEN_GROUP,), "target group alternate"),
        ((BLUE_GROUP, GREEN_GROUP), "target group alternate and target group primary"),
        ((), "no target group"),
    ],
)
def test_a_rule_that_does_not_forward_to_blue_alone_is_refused(
    alb: Aws, groups: tuple[str, ...], forwards_to: str
) -> None:
    alb.production(to=groups)
    fix = refused(
        f"the production listener forwards to {forwards_to} at POST_TEST_TRAFFIC_SHIFT, not to blue's target group primary"
    )
    assert fix == "attach the check to POST_TEST_TRAFFIC_SHIFT, or set blue_url of the check"


@pytest.mark.parametrize("stage", [Stage.PRODUCTION_TRAFFIC_SHIFT, Stage.POST_PRODUCTION_TRAFFIC_SHIFT])
def test_from_the_shift_on_no_listener_forwards_to_blue_alone(alb: Aws, stage: str) -> None:
    fix = refused(f"blue has no address of its own any more at {stage}", stage)
    assert fix.startswith("attach the check to POST_TEST_TRAFFIC_SHIFT")
    assert not {"DescribeRules", "DescribeListeners"} & set(alb.aws.calls)


def test_a_login_before_blue_is_refused(alb: Aws) -> None:
    alb.rules[PRODUCTION_RULE] = {
        "Rules": [{"RuleArn": PRODUCTION_RULE, "Actions": [{"Type": "authenticate-oidc"}, *forward(BLUE_GROUP)]}]
    }
    assert refused("has the action authenticate-oidc before it forwards") == "set blue_url of the check"


def test_an_endpoint_that_cannot_be_derived_requires_blue_url(alb: Aws) -> None:
    alb.production({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}})
    assert refused("cannot derive blue's address from listener-rule.*source-ip") == "set blue_url of the check"


def test_a_network_load_balancer(alb: Aws) -> None:
    alb.revisions(rule=NLB_LISTENER.replace("e2f7", "e2f8"), test=NLB_LISTENER)
    alb.protocol = "TCP"
    assert blue() == Endpoint(f"http://{DNS}:80", protocol="TCP")
    alb.default_actions = forward(GREEN_GROUP)
    refused("the production listener forwards to target group alternate")


def test_an_unresolved_target_group_is_a_transient_error(alb: Aws) -> None:
    alb.revisions(resolvedConfiguration={})
    with pytest.raises(FactError, match="blue's target group is not resolved") as caught:
        blue()
    assert caught.value.outcome.status is Status.ERROR


def test_of_several_load_balancers_that_of_green_is_used(alb: Aws) -> None:
    balancer = revision()["loadBalancers"][0]
    other = {
        **balancer,
        "targetGroupArn": OTHER_GROUP,
        "advancedConfiguration": {"productionListenerRule": SHARED_RULE},
    }
    groups = [{"targetGroupArn": OTHER_GROUP}]

    def described(parameters: dict[str, Any]) -> dict[str, Any]:
        arn = parameters["serviceRevisionArns"][0]
        own = [*groups, {"targetGroupArn": GREEN_GROUP if arn == GREEN else BLUE_GROUP}]
        each = revision(arn, loadBalancers=[other, balancer], resolvedConfiguration={"loadBalancers": own})
        return {"serviceRevisions": [each]}

    alb.aws.answer("DescribeServiceRevisions", described)
    assert blue() == Endpoint(f"http://{DNS}:80", protocol="HTTP")
    assert [each["ListenerArn"] for each in alb.aws.asked["DescribeRules"]] == [
        ListenerArn.parse(PRODUCTION_RULE).listener
    ]
    assert refused("the service has 2 load balancers with a production listener for blue", base_url="http://green") == (
        "set blue_url of the check"
    )


def test_a_first_deployment_has_no_blue(alb: Aws) -> None:
    (deployment,) = alb.aws.asking("DescribeServiceDeployments")["serviceDeployments"]
    deployment["sourceServiceRevisions"] = []
    with pytest.raises(NoBlueError, match="this is the first deployment of the service") as caught:
        blue()
    assert caught.value.outcome.status is Status.SKIP
    event = LifecycleEvent.parse(load_event())
    assert ServiceDeployment(event).blue_port is None


def test_a_failed_aws_call_is_an_error(alb: Aws) -> None:
    alb.aws.error("DescribeRules", "AccessDenied", 403)
    with pytest.raises(FactDeniedError, match="elasticloadbalancing:DescribeRules"):
        blue()


OF_BLUE = {"startedBy": f"ecs-svc/{BLUE.rpartition('/')[2]}"}


@pytest.mark.parametrize("stage", [Stage.POST_SCALE_UP, TESTED, Stage.PRODUCTION_TRAFFIC_SHIFT])
def test_if_green_is_a_task_blue_is_a_task(alb: Aws, stage: str) -> None:
    alb.revisions(test="")
    running(alb.aws, task("a", "10.0.0.7"), task("b", "", **OF_BLUE), task("c", "10.0.0.9", **OF_BLUE))
    assert blue(stage, host="a.example.com")._replace(advice="") == Endpoint(
        "http://10.0.0.9:8080", host="a.example.com"
    )
    assert "must run in its VPC" in blue(stage).advice
    assert blue(stage).advice.endswith("or set blue_url of the check")
    assert alb.aws.calls["DescribeRules"] == 0
    # With a given URL of green, blue is the listener.
    if stage == TESTED:
        assert blue(stage, base_url="http://green") == Endpoint(f"http://{DNS}:80", protocol="HTTP")


def test_without_a_load_balancer_the_port_is_that_of_blues_own_task_definition(alb: Aws) -> None:
    service_connect = {"enabled": True, "services": [{"portName": "http"}]}
    alb.revisions(loadBalancers=[], serviceConnectConfiguration=service_connect, taskDefinition="blue:3")
    containers = [{"name": "web", "portMappings": [{"name": "http", "containerPort": 3000}]}]
    alb.aws.answer("DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": containers}})
    running(alb.aws, task("a", "10.0.0.9", **OF_BLUE))
    for plan in ({}, {"base_url": "http://green"}):
        assert blue(**plan).base_url == "http://10.0.0.9:3000"
        assert not blue(**plan).headers
    assert alb.aws.asked["DescribeTaskDefinition"][-1] == {"taskDefinition": "blue:3"}


def test_without_a_task_the_error_has_the_fix(alb: Aws) -> None:
    alb.revisions(test="")
    running(alb.aws, task("a"))
    with pytest.raises(FactError, match="ecs:DescribeTasks: no task of blue has the status RUNNING"):
        blue()
    running(alb.aws, task("a", "", **OF_BLUE))
    assert refused("no task of blue has an IP address of its own") == "set blue_url of the check"
    alb.revisions(loadBalancers=[])
    assert refused("blue has no production listener, and no container port") == "set blue_url of the check"


def test_a_request_that_the_rule_of_green_takes_is_refused(alb: Aws) -> None:
    alb.revisions(rule=SHARED_RULE)
    assert found().request("GET", "/", {}, {}).headers.get("X-Environment") is None
    with pytest.raises(RoutingError, match=r"priority 10, http-header X-Environment\) takes .* alternate, not to blue"):
        found().request("GET", "/", {}, {"x-environment": "TEST"})
    alb.rules[TEST_RULE] = rule(HEADER, to=(BLUE_GROUP,))
    assert found().request("GET", "/", {}, {"x-environment": "TEST"})


def compared(aws: AwsApi, *changes: Change, **fields: Any) -> dict[str, Any]:
    """Run a hook that compares, with endpoints from AWS."""
    with both(*changes) as stores:
        alb = Aws(aws, (stores.green.server_port, stores.blue.server_port), "127.0.0.1")
        alb.rules[TEST_RULE] = rule()
        check = {"type": "compare", "samples": 15, "requests": [{"path": "/items"}], "budget_seconds": 20, **fields}
        answer = stage_hook(TESTED)(load_event(hookDetails={"checks": [check]}))
        assert stores.blue.requests == 2 * stores.green.requests > 0
    return answer


def test_a_hook_finds_both_and_compares(aws: AwsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    answer = compared(aws)
    assert answer["hookStatus"] == "SUCCEEDED", answer
    answer = compared(aws, lambda page: page.document.update(total=9))
    assert answer["hookStatus"] == "FAILED"
    assert (
        "compare GET /items: $.total differs in 15 of 15 rounds (blue against itself in 0): 8 -> 9" in answer["reason"]
    )


def test_a_first_deployment_is_skipped(alb: Aws) -> None:
    (deployment,) = alb.aws.asking("DescribeServiceDeployments")["serviceDeployments"]
    deployment["sourceServiceRevisions"] = []
    plan = {"checks": [{"type": "compare", "budget_seconds": 1}]}
    answer = stage_hook(TESTED)(load_event(hookDetails=plan))
    assert answer["hookStatus"] == "SUCCEEDED"
    assert "1 skipped" in answer["reason"]
