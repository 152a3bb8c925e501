"""All layouts of contract sections 5.1 to 5.6, with requests to a load balancer on loopback."""

from __future__ import annotations

import re
from typing import Any

import pytest
import trustme

from ecs_hooks import Hook, Stage, lifecycle_hook, stage_hook
from ecs_hooks.core import clock
from ecs_hooks.deployment.listener import ListenerArn
from tests.conftest import GREEN, load_event
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer
from tests.support.aws import AwsApi
from tests.support.layouts import (
    BLUE_GROUP,
    GREEN_GROUP,
    LISTENER,
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

HEADER = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Environment", "Values": ["test"]}}
HOST = {"Field": "host-header", "HostHeaderConfig": {"Values": ["shop.example.com"]}, "Values": ["shop.example.com"]}
PATH = {"Field": "path-pattern", "Values": ["/test/*"], "PathPatternConfig": {"Values": ["/test/*"]}}
OTHER_GROUP = GREEN_GROUP.replace("alternate", "of-another")


class Alb:
    """A load balancer on loopback that records its requests, and AWS's description of it."""

    def __init__(self, aws: AwsApi, serve: Serve) -> None:
        self.aws = aws
        self.serve = serve
        self.requests: list[str] = []
        self.port = self.listen()
        load_balancer(aws, "HTTP", self.port, "127.0.0.1")

    def listen(self, context: Any = None) -> int:
        def script(peer: Peer) -> None:
            self.requests.append(peer.request().decode())
            peer.answer()

        return int(self.serve(script, context).port)

    def revision(self, **fields: Any) -> None:
        self.aws.answer("DescribeServiceRevisions", {"serviceRevisions": [revision(**fields)]})

    def rule(self, *actions: dict[str, Any], **fields: Any) -> None:
        described = {"RuleArn": TEST_RULE, "Conditions": [], "IsDefault": True, "Actions": list(actions), **fields}
        self.aws.answer("DescribeRules", {"Rules": [described]})

    def answer(
        self, stage: Stage = Stage.POST_TEST_TRAFFIC_SHIFT, check: dict[str, Any] | None = None, **plan: Any
    ) -> str:
        """Return the reason of a hook with one check, without the common beginning."""
        checks = [{"type": "http", "path": "/health", "connect_retries": 0, **(check or {})}]
        answered = stage_hook(stage)(load_event(lifecycleStage=stage, hookDetails={"checks": checks, **plan}))
        return str(answered["reason"]).replace(f" {stage.lower()} my-service: http", "")

    def succeeds(self, stage: Stage = Stage.POST_TEST_TRAFFIC_SHIFT, **options: Any) -> str:
        """Return the last request of a hook that succeeds."""
        reason = self.answer(stage, **options)
        assert reason.startswith("SUCCEEDED"), reason
        return self.requests[-1]

    def fails(self, named: str, stage: Stage = Stage.POST_TEST_TRAFFIC_SHIFT, **options: Any) -> None:
        """Assert that a hook fails with this reason, and sends no HTTP request."""
        reason = self.answer(stage, **options)
        assert reason.startswith("FAILED "), reason
        assert re.search(named, reason), reason
        assert not self.requests


@pytest.fixture
def alb(aws: AwsApi, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Alb:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    return Alb(aws, serve)


def test_contract_5_2_a_default_rule_on_a_port_of_its_own(alb: Alb) -> None:
    alb.rule(*forward(GREEN_GROUP))

    request = alb.succeeds()
    assert request.startswith("GET /health HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{alb.port}\r\n" in request


def test_contract_5_2_a_listener_shared_by_conditions_given_in_both_forms(alb: Alb) -> None:
    alb.aws.answer("DescribeRules", rule(HOST, PATH, HEADER))

    request = alb.succeeds(check={"query": {"a": "b"}})
    assert request.startswith("GET /test/health?a=b HTTP/1.1\r\n")
    assert "Host: shop.example.com\r\n" in request
    assert "X-Environment: test\r\n" in request


def test_what_a_hook_sends_through_the_load_balancer_is_counted_over_all_its_invocations(alb: Alb) -> None:
    alb.rule(*forward(GREEN_GROUP))
    # The window is open, so the hook goes on.
    watched = {"type": "http", "watch": {"count": 3, "interval_seconds": 1}}
    checks = [watched, {"type": "http", "path": "/health", "samples": {"count": 4, "concurrency": 2}}]
    plan: dict[str, Any] = {"checks": checks}
    sent = []
    for seconds in (0, 30):
        with clock.use(lambda: 1_800_000_000.0 + seconds):  # noqa: B023 - used in this turn of the loop
            answered = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)(load_event(hookDetails=plan))
        plan = answered["hookDetails"]
        sent.append(plan["ecsHooks"]["sent"])

    assert sent == ["30000000 5", "30000000 6"]


@pytest.mark.parametrize(
    ("pattern", "path", "target"),
    [
        ("/test/*", "/", "/test/"),
        ("/test*", "/", "/test/"),
        ("/test*", "/health", "/test/health"),
        ("/*", "/health", "/health"),
        ("*", "/health", "/health"),
    ],
)
def test_contract_5_2_a_request_fits_the_path_pattern(alb: Alb, pattern: str, path: str, target: str) -> None:
    alb.aws.answer("DescribeRules", rule({"Field": "path-pattern", "PathPatternConfig": {"Values": [pattern]}}))

    assert alb.succeeds(check={"path": path}).startswith(f"GET {target} HTTP/1.1\r\n")


def test_contract_5_2_a_path_that_the_listener_rewrites_is_sent_as_it_matches(alb: Alb) -> None:
    rewrites = {"Rewrites": [{"Regex": "^/test/(.*)$", "Replace": "/$1"}]}
    described = rule(PATH)["Rules"][0]
    transforms = [{"Type": "url-rewrite", "UrlRewriteConfig": rewrites}]
    alb.aws.answer("DescribeRules", {"Rules": [{**described, "Transforms": transforms}]})

    assert alb.succeeds().startswith("GET /test/health HTTP/1.1\r\n")


def test_contract_5_2_https_connects_to_the_load_balancer_and_verifies_the_name_of_the_plan(
    alb: Alb, trusted: trustme.CA
) -> None:
    server_names: list[str | None] = []
    context = server_context(trusted.issue_cert("test.example.com"))
    context.sni_callback = lambda _socket, name, _context: server_names.append(name)
    load_balancer(alb.aws, "HTTPS", alb.listen(context), "127.0.0.1")

    alb.fails("uses TLS, and its certificate is not valid for the load balancer's name 127.0.0.1; set hookDetails.host")
    assert "Host: test.example.com\r\n" in alb.succeeds(host="test.example.com")
    wildcard = {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}}
    alb.aws.answer("DescribeRules", rule(wildcard))
    assert "Host: test.example.com\r\n" in alb.succeeds(host="test.example.com")
    assert server_names == ["test.example.com"] * 2
    assert "certificate is not valid" in alb.answer(host="other.example.com")


@pytest.mark.parametrize(
    "action",
    [
        {"Type": "forward", "TargetGroupArn": GREEN_GROUP, "Order": 1},
        {
            "Type": "forward",
            "TargetGroupArn": GREEN_GROUP,
            "ForwardConfig": {
                "TargetGroups": [{"TargetGroupArn": GREEN_GROUP}],
                "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 3600},
            },
        },
        {
            "Type": "forward",
            "ForwardConfig": {
                "TargetGroups": [
                    {"TargetGroupArn": BLUE_GROUP, "Weight": 0},
                    {"TargetGroupArn": GREEN_GROUP, "Weight": 999},
                ],
                "TargetGroupStickinessConfig": {"Enabled": False},
            },
        },
    ],
)
def test_contract_5_2_every_form_of_forwarding_to_green_alone(alb: Alb, action: dict[str, Any]) -> None:
    alb.rule(action)
    alb.succeeds()


@pytest.mark.parametrize(
    ("groups", "named"),
    [
        ([{"TargetGroupArn": BLUE_GROUP}], "forwards to target group primary, not to green's target group alternate"),
        ([{"TargetGroupArn": OTHER_GROUP}], "forwards to target group of-another, not to green's"),
        ([{"TargetGroupArn": BLUE_GROUP, "Weight": 1}, {"TargetGroupArn": GREEN_GROUP, "Weight": 999}], "primary"),
        ([{"TargetGroupArn": BLUE_GROUP}, {"TargetGroupArn": GREEN_GROUP}], "alternate and target group primary"),
        ([{"TargetGroupArn": GREEN_GROUP, "Weight": 0}], "forwards to no target group"),
    ],
)
def test_contract_5_2_a_rule_that_forwards_to_blue_is_refused(
    alb: Alb, groups: list[dict[str, Any]], named: str
) -> None:
    alb.rule({"Type": "forward", "ForwardConfig": {"TargetGroups": groups}})
    alb.fails(named)


@pytest.mark.parametrize("kind", ["authenticate-oidc", "authenticate-cognito", "jwt-validation"])
def test_contract_5_2_a_login_before_green_is_refused(alb: Alb, kind: str) -> None:
    alb.rule({"Type": kind, "Order": 1}, *forward(GREEN_GROUP))
    alb.fails(rf"has the action {kind} before it forwards; set hookDetails\.base_url")


@pytest.mark.parametrize("kind", ["redirect", "fixed-response"])
def test_contract_5_2_a_rule_that_does_not_forward_is_refused(alb: Alb, kind: str) -> None:
    alb.rule({"Type": kind})
    alb.fails(rf"has the action {kind} and does not forward to a target group; set hookDetails\.base_url")


def test_contract_5_1_the_pair_may_be_swapped(alb: Alb) -> None:
    swapped = revision()["loadBalancers"][0]
    swapped["targetGroupArn"], swapped["advancedConfiguration"]["alternateTargetGroupArn"] = GREEN_GROUP, BLUE_GROUP
    alb.revision(loadBalancers=[swapped])

    alb.succeeds()


@pytest.mark.parametrize("resolved", [{}, {"loadBalancers": []}, {"loadBalancers": [{"targetGroupArn": OTHER_GROUP}]}])
def test_contract_5_1_an_unresolved_target_group_is_waited_for(alb: Alb, resolved: dict[str, Any]) -> None:
    alb.revision(resolvedConfiguration=resolved)

    reason = alb.answer()
    assert reason.startswith("IN_PROGRESS")
    assert "ecs:DescribeServiceRevisions: green's target group is not resolved yet" in reason
    assert not alb.requests


def test_contract_5_1_of_two_load_balancers_the_one_with_a_test_rule_is_used(alb: Alb) -> None:
    internal = {"targetGroupArn": OTHER_GROUP, "containerName": "web", "containerPort": 9090}
    resolved = [{"targetGroupArn": OTHER_GROUP}, {"targetGroupArn": GREEN_GROUP}]
    alb.revision(
        loadBalancers=[internal, *revision()["loadBalancers"]], resolvedConfiguration={"loadBalancers": resolved}
    )

    alb.succeeds()
    assert alb.aws.asked["DescribeRules"] == [{"ListenerArn": LISTENER}]


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_contract_5_2_arns_of_other_partitions(alb: Alb, partition: str) -> None:
    def elsewhere(value: Any) -> Any:
        match value:
            case str():
                return value.replace("arn:aws:", f"arn:{partition}:")
            case list():
                return [elsewhere(each) for each in value]
            case dict():
                return {name: elsewhere(each) for name, each in value.items()}
        return value

    alb.aws.answer("DescribeServiceRevisions", {"serviceRevisions": [elsewhere(revision())]})
    alb.aws.answer("DescribeRules", elsewhere(rule()))
    event = elsewhere(load_event(hookDetails={"checks": [{"type": "http"}]}))

    assert stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)(event)["hookStatus"] == "SUCCEEDED"
    (parameters,) = alb.aws.asked["DescribeListeners"]
    assert parameters["ListenerArns"][0].startswith(f"arn:{partition}:elasticloadbalancing:")


@pytest.mark.parametrize(("protocol", "host"), [("TCP", ""), ("TLS", "test.example.com")])
def test_contract_5_3_a_network_load_balancer_is_used(alb: Alb, trusted: trustme.CA, protocol: str, host: str) -> None:
    port = alb.listen(server_context(trusted.issue_cert(host))) if host else alb.port
    load_balancer(alb.aws, protocol, port, "127.0.0.1")
    alb.revision(test=NLB_LISTENER)

    plan: dict[str, Any] = {"host": host} if host else {}
    assert alb.succeeds(**plan).startswith("GET /health")
    assert alb.aws.calls["DescribeRules"] == 0
    assert alb.aws.asked["DescribeListeners"][0] == {"ListenerArns": [NLB_LISTENER]}


@pytest.mark.parametrize("protocol", ["UDP", "TCP_UDP", "QUIC", "TCP_QUIC", "GENEVE"])
def test_contract_5_3_a_protocol_that_does_not_carry_http_is_refused(alb: Alb, protocol: str) -> None:
    load_balancer(alb.aws, protocol, alb.port, "127.0.0.1")
    alb.revision(test=NLB_LISTENER)
    alb.fails(rf"has the protocol {protocol}, which does not carry HTTP; set hookDetails\.base_url")


def test_contract_5_3_a_network_load_balancer_that_forwards_to_blue_is_refused(alb: Alb) -> None:
    alb.revision(test=NLB_LISTENER)
    listener = {"ListenerArn": NLB_LISTENER, "Protocol": "TCP", "Port": alb.port, "DefaultActions": forward(BLUE_GROUP)}
    alb.aws.answer("DescribeListeners", {"Listeners": [listener]})
    alb.fails("forwards to target group primary, not to green's")


def by_name(alb: Alb, *mappings: dict[str, Any], **fields: Any) -> None:
    """Have green offer a port by its name only, with tasks on loopback."""
    alb.revision(loadBalancers=[], resolvedConfiguration={}, **fields)
    web = {"name": "web", "portMappings": [{"containerPort": 1}, *mappings]}
    alb.aws.answer("DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": [{"name": "log"}, web]}})
    running(alb.aws, task("a", "127.0.0.1"))


def service_connect(*names: str, enabled: bool = True) -> dict[str, Any]:
    return {"enabled": enabled, "services": [{"portName": name, "clientAliases": [{"port": 80}]} for name in names]}


@pytest.mark.parametrize("stage", [Stage.POST_SCALE_UP, Stage.POST_TEST_TRAFFIC_SHIFT])
def test_contract_5_4_service_connect_alone_is_tested_at_a_task_with_its_test_header(alb: Alb, stage: Stage) -> None:
    mappings = {"name": "api", "containerPort": alb.port}, {"name": "admin", "containerPort": 9}
    by_name(alb, *mappings, serviceConnectConfiguration=service_connect("api"))

    request = alb.succeeds(stage)
    assert f"Host: 127.0.0.1:{alb.port}\r\n" in request
    assert "x-amzn-ecs-blue-green-test: true\r\n" in request
    assert alb.aws.calls["DescribeTaskDefinition"] == 1


def test_contract_5_4_a_load_balancer_without_a_port_leaves_it_to_service_connect(alb: Alb) -> None:
    by_name(alb, {"name": "api", "containerPort": alb.port}, serviceConnectConfiguration=service_connect("api"))
    balanced = [{"targetGroupArn": GREEN_GROUP}]
    alb.revision(loadBalancers=balanced, serviceConnectConfiguration=service_connect("api"))

    alb.succeeds(Stage.POST_SCALE_UP)


def test_contract_5_4_the_port_is_fetched_once_and_kept(alb: Alb) -> None:
    by_name(alb, {"name": "api", "containerPort": 9}, serviceConnectConfiguration=service_connect("api"))
    checks = [{"type": "http", "connect_retries": 0, "name": name} for name in ("a", "b")]
    handler = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)
    first = handler(load_event(hookDetails={"checks": checks}))
    assert first["hookStatus"] == "IN_PROGRESS"
    assert "the function must run in its VPC (VpcSubnetIds of the template)" in first["reason"]
    handler(load_event(hookDetails=first["hookDetails"]))
    assert alb.aws.calls["DescribeTaskDefinition"] == 1
    assert len(first["hookDetails"]["ecsHooks"]["facts"]) < 500


@pytest.mark.parametrize(
    "fields",
    [
        {"vpcLatticeConfigurations": [{"portName": "api", "targetGroupArn": GREEN_GROUP, "roleArn": "x"}]},
        {"gatewayConnectors": [{"portName": "api"}]},
    ],
)
def test_contract_5_5_vpc_lattice_and_gateways_name_the_port_too(alb: Alb, fields: dict[str, Any]) -> None:
    by_name(alb, {"name": "api", "containerPort": alb.port}, **fields)

    assert "x-amzn-ecs-blue-green-test" not in alb.succeeds()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"serviceConnectConfiguration": service_connect("unknown")},
        {"serviceConnectConfiguration": service_connect("api", enabled=False)},
        {"serviceConnectConfiguration": service_connect()},
        {"ecsManagedResources": {"ingressPaths": [{"accessType": "PUBLIC", "endpoint": "https://x", "rule": {}}]}},
    ],
)
def test_contract_5_5_without_a_port_the_error_has_the_fix(alb: Alb, fields: dict[str, Any]) -> None:
    by_name(alb, {"name": "api", "containerPort": alb.port}, **fields)
    alb.fails(r"no container port at a load balancer or of Service Connect; set hookDetails\.base_url")


def test_a_task_without_an_ip_address_is_refused(alb: Alb) -> None:
    by_name(alb, {"name": "api", "containerPort": 80}, serviceConnectConfiguration=service_connect("api"))
    running(alb.aws, task("a", ""))
    alb.fails(r"no task of green has an IP address of its own, as network mode awsvpc gives; set hookDetails\.base_url")


def test_a_port_mapping_without_a_port_is_an_invalid_response(alb: Alb) -> None:
    by_name(alb, {"name": "api"}, serviceConnectConfiguration=service_connect("api"))
    assert "ecs:DescribeTaskDefinition: invalid response" in alb.answer()


PRODUCTION_LISTENER = ListenerArn.parse(PRODUCTION_RULE).listener
AFTER = Stage.POST_PRODUCTION_TRAFFIC_SHIFT
PRODUCTION = {"listener": "production"}


def test_the_production_listener_is_used_whatever_the_endpoint_for_test_traffic(
    alb: Alb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_URL", "http://test.example.com")
    alb.aws.answer("DescribeRules", rule(HOST, PATH, arn=PRODUCTION_RULE))

    request = alb.succeeds(AFTER, check=PRODUCTION, base_url="http://test.example.com")
    assert request.startswith("GET /test/health HTTP/1.1\r\n")
    assert "Host: shop.example.com\r\n" in request
    assert alb.aws.asked["DescribeRules"] == [{"ListenerArn": PRODUCTION_LISTENER}]


@pytest.mark.parametrize("stage", [stage for stage in Stage if "PRODUCTION" not in stage])
def test_before_the_production_shift_blue_is_not_tested_in_green_s_place(alb: Alb, stage: Stage) -> None:
    alb.fails(
        "no production traffic yet at .*would test blue; attach the check to POST_PRODUCTION", stage, check=PRODUCTION
    )
    assert not alb.aws.calls["DescribeRules"]


@pytest.mark.parametrize("stage", [Stage.PRE_PRODUCTION_TRAFFIC_SHIFT, Stage.PRODUCTION_TRAFFIC_SHIFT])
@pytest.mark.parametrize(
    ("groups", "named"),
    [
        ((BLUE_GROUP,), "forwards to target group primary at"),
        ((BLUE_GROUP, GREEN_GROUP), "forwards to target group alternate and target group primary at"),
    ],
)
def test_at_a_step_the_production_listener_must_forward_to_green_alone(
    alb: Alb, stage: Stage, groups: tuple[str, ...], named: str
) -> None:
    alb.aws.answer("DescribeRules", rule(to=groups, arn=PRODUCTION_RULE))
    alb.fails(
        f"{named} {stage}, not to green alone, so it could test blue; attach the check to POST", stage, check=PRODUCTION
    )
    alb.aws.answer("DescribeRules", rule(arn=PRODUCTION_RULE))
    alb.succeeds(stage, check=PRODUCTION)


def test_after_the_shift_a_production_rule_that_forwards_to_blue_is_refused(alb: Alb) -> None:
    alb.aws.answer("DescribeRules", rule(to=(BLUE_GROUP, GREEN_GROUP), arn=PRODUCTION_RULE))
    alb.fails("not to green's target group alternate alone; something other than ECS", AFTER, check=PRODUCTION)


def test_an_endpoint_that_cannot_be_derived_from_the_production_rule_requires_a_url(alb: Alb) -> None:
    regular = {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/x"]}}
    alb.aws.answer("DescribeRules", rule(regular, arn=PRODUCTION_RULE))
    alb.fails("requires path-pattern .*; change the path", AFTER, check=PRODUCTION)
    alb.rule({"Type": "authenticate-oidc"}, *forward(GREEN_GROUP), RuleArn=PRODUCTION_RULE)
    alb.fails("authenticate-oidc before it forwards; give the check a url", AFTER, check=PRODUCTION)


def test_there_must_be_one_production_listener(alb: Alb) -> None:
    alb.revision(loadBalancers=[])
    alb.fails("the service has no production listener", AFTER, check=PRODUCTION)
    alb.revision(loadBalancers=revision()["loadBalancers"] * 2)
    alb.fails("the service has 2 load balancers with a production listener", AFTER, check=PRODUCTION)


def test_without_a_test_listener_production_is_tested_after_the_shift(alb: Alb) -> None:
    alb.revision(test="")
    running(alb.aws, task("a", "10.0.0.7"))

    alb.succeeds(AFTER)
    assert alb.aws.asked["DescribeRules"] == [{"ListenerArn": PRODUCTION_LISTENER}]
    assert not alb.aws.calls["ListTasks"]


def test_a_custom_hook_sends_requests_through_both_listeners(alb: Alb) -> None:
    method = {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}}
    rules = {arn: rule(HEADER, method, arn=arn) for arn in (TEST_RULE, PRODUCTION_RULE)}
    alb.aws.answer("DescribeRules", by_listener(rules))
    statuses: list[int] = []

    @lifecycle_hook
    def handler(hook: Hook) -> None:
        statuses.extend(client.get("/x").status for client in (hook.green, hook.production))
        hook.production.post(f"http://127.0.0.1:{alb.port}/elsewhere")
        hook.green.post("/x")

    answer = handler(load_event(lifecycleStage=AFTER))
    assert answer["hookStatus"] == "FAILED"
    assert "the listener rule accepts only GET, not POST" in answer["reason"]
    assert statuses == [200, 200]
    assert [request.split(" ", 1)[0] for request in alb.requests] == ["GET", "GET", "POST"]
    assert [parameters["ListenerArn"] for parameters in alb.aws.asked["DescribeRules"]] == [
        LISTENER,
        PRODUCTION_LISTENER,
    ]
    assert GREEN in str(alb.aws.asked["DescribeServiceRevisions"])
