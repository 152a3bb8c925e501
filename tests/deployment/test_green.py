from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest
import trustme

from ecs_hooks import Stage, stage_hook
from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.checks import HttpCheck
from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.deployment.endpoint import Endpoint, EndpointError
from ecs_hooks.deployment.green import EndpointConfig, green_endpoint
from ecs_hooks.deployment.service_deployment import ServiceDeployment
from ecs_hooks.deployment.target import Target
from ecs_hooks.http.request import Request
from ecs_hooks.http.url import Url
from tests.conftest import load_event
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer
from tests.support.aws import AwsApi
from tests.support.layouts import (
    BLUE_GROUP,
    DNS,
    GREEN_GROUP,
    NLB_LISTENER,
    TEST_RULE,
    forward,
    load_balancer,
    revision,
    rule,
    running,
    task,
)

EARLY = [Stage.RECONCILE_SERVICE, Stage.PRE_SCALE_UP, Stage.POST_SCALE_UP, Stage.TEST_TRAFFIC_SHIFT]
LATE = [stage for stage in Stage if stage not in EARLY]
TESTED = Stage.POST_TEST_TRAFFIC_SHIFT
HEADER = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Environment", "Values": ["test"]}}
HOST = {"Field": "host-header", "HostHeaderConfig": {"Values": ["test.example.com"]}}
PATH = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/test/*"]}}
QUERY = {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}]}}
METHOD = {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}}


def green(stage: str = TESTED, **plan: Any) -> Endpoint:
    deployment = ServiceDeployment(LifecycleEvent.parse(load_event(lifecycleStage=stage)))
    return green_endpoint(EndpointConfig(**plan), stage, lambda: deployment)


def without_rules(endpoint: Endpoint) -> Endpoint:
    assert endpoint.routing is not None
    return endpoint._replace(routing=None)


def only(aws: AwsApi, **fields: Any) -> None:
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [revision(**fields)]})


def test_a_base_url_in_the_plan_needs_no_aws_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_URL", "http://other")

    assert [green(stage, base_url="http://green:8080") for stage in Stage] == [Endpoint("http://green:8080")] * 8
    assert green(base_url="https://alb", host="shop.example.com").all_headers == {"Host": "shop.example.com"}


@pytest.mark.parametrize("stage", list(Stage))
def test_app_url_is_used_after_the_test_traffic_shift(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_URL", " http://green:8080 ")
    if stage in EARLY:
        with pytest.raises(EndpointError, match=r"it would test blue; set hookDetails\.base_url"):
            green(stage)
    else:
        assert green(stage).base_url == "http://green:8080"


def test_an_app_url_without_a_scheme_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_URL", "green:8080")
    with pytest.raises(EndpointError, match="must begin with http"):
        green()


@pytest.mark.parametrize("stage", LATE)
def test_contract_5_2_a_test_port_of_an_application_load_balancer(aws: AwsApi, stage: Stage) -> None:
    load_balancer(aws, port=8443)

    assert without_rules(green(stage)) == Endpoint(f"http://{DNS}:8443", protocol="HTTP")
    assert sum(aws.calls.values()) == 4


@pytest.mark.parametrize(
    ("conditions", "target", "headers"),
    [
        ([HEADER], "/a", {"X-Environment": "test"}),
        ([PATH], "/test/a", {}),
        ([HOST], "/a", {"Host": "test.example.com"}),
        ([QUERY, METHOD], "/a?v=2", {}),
    ],
)
def test_contract_5_2_conditions_of_the_test_rule(
    aws: AwsApi, conditions: list[dict[str, Any]], target: str, headers: dict[str, str]
) -> None:
    load_balancer(aws, port=80)
    aws.answer("DescribeRules", rule(*conditions))

    request = green().request("GET", "/a", {}, {})
    plain = Request.build("GET", Url.parse(f"http://{DNS}:80{target}"), headers)
    assert (request.url, request.headers) == (plain.url, plain.headers)


def test_contract_5_2_https_requires_a_name_of_the_certificate(aws: AwsApi) -> None:
    load_balancer(aws, "HTTPS", 443)
    with pytest.raises(EndpointError, match=r"set hookDetails\.host to a name"):
        green()
    expected = Endpoint(f"https://{DNS}:443", host="test.example.com", protocol="HTTPS")
    assert without_rules(green(host="test.example.com")) == expected
    aws.answer("DescribeRules", rule(HOST))
    assert without_rules(green()) == expected


def test_the_host_of_the_plan_must_match_the_rule(aws: AwsApi) -> None:
    load_balancer(aws)
    values = ["*.test.example.com", "a?c.example.com", "plain.example.com"]
    aws.answer("DescribeRules", rule({"Field": "host-header", "HostHeaderConfig": {"Values": values}}))

    assert green().all_headers == {"Host": "plain.example.com"}
    for host in ("shop.test.example.com", "ABC.example.com:8443", "plain.example.com"):
        assert green(host=host).all_headers == {"Host": host}
    for host in ("test.example.com", "ac.example.com", "www.example.com"):
        with pytest.raises(EndpointError, match=f"condition host-header does not match {host}"):
            green(host=host)


@pytest.mark.parametrize(
    ("protocol", "port", "scheme"), [("TCP", 9090, "http"), ("TLS", 9443, "https"), ("TCP_UDP", 53, None)]
)
def test_contract_5_3_a_network_load_balancer(aws: AwsApi, protocol: str, port: int, scheme: str | None) -> None:
    load_balancer(aws, protocol, port)
    only(aws, test=NLB_LISTENER)
    if scheme is None:
        with pytest.raises(EndpointError, match="has the protocol TCP_UDP, which does not carry HTTP"):
            green()
    else:
        assert green(host="a.example.com").base_url == f"{scheme}://{DNS}:{port}"
    assert aws.calls["DescribeRules"] == 0


def test_contract_5_4_service_connect_test_traffic_has_a_header(aws: AwsApi) -> None:
    load_balancer(aws)
    alias = {"port": 80, "testTrafficRules": {"header": {"name": "x-test", "value": {"exact": "green"}}}}
    service_connect = {"enabled": True, "services": [{"portName": "http", "clientAliases": [alias]}]}
    only(aws, loadBalancers=[], serviceConnectConfiguration=service_connect)

    assert green(base_url="http://front", service_connect=True) == Endpoint("http://front", {"x-test": "green"})
    service_connect["services"] = [{"portName": "http"}]
    only(aws, loadBalancers=[], serviceConnectConfiguration=service_connect)
    assert green(base_url="http://front", service_connect=True).headers == {"x-amzn-ecs-blue-green-test": "true"}
    only(aws, loadBalancers=[])
    with pytest.raises(EndpointError, match="has no Service Connect services"):
        green(base_url="http://front", service_connect=True)


@pytest.mark.parametrize("stage", [Stage.RECONCILE_SERVICE, Stage.PRE_SCALE_UP])
def test_before_green_runs_it_has_no_endpoint(aws: AwsApi, stage: Stage) -> None:
    with pytest.raises(EndpointError, match="green does not run yet"):
        green(stage)
    assert not aws.calls


@pytest.mark.parametrize("stage", [Stage.POST_SCALE_UP, Stage.TEST_TRAFFIC_SHIFT])
def test_contract_5_2_before_green_has_test_traffic_blue_is_not_tested_in_its_place(aws: AwsApi, stage: Stage) -> None:
    load_balancer(aws)
    with pytest.raises(EndpointError, match="green has no test traffic yet"):
        green(stage)


@pytest.mark.parametrize(
    ("groups", "named"),
    [
        ((BLUE_GROUP,), "forwards to target group primary, not to green's target group alternate"),
        ((BLUE_GROUP, GREEN_GROUP), "forwards to target group alternate and target group primary, not"),
        ((), "forwards to no target group, not"),
    ],
)
def test_contract_5_2_a_rule_that_does_not_forward_to_green_alone_is_refused(
    aws: AwsApi, groups: tuple[str, ...], named: str
) -> None:
    load_balancer(aws)
    aws.answer("DescribeRules", rule(to=groups))
    with pytest.raises(EndpointError, match=named):
        green()


def test_a_rule_behind_a_login_is_refused(aws: AwsApi) -> None:
    load_balancer(aws)
    actions = [{"Type": "authenticate-cognito"}, *forward(GREEN_GROUP)]
    aws.answer("DescribeRules", {"Rules": [{"RuleArn": TEST_RULE, "Actions": actions}]})
    with pytest.raises(
        EndpointError, match=r"the action authenticate-cognito before it forwards; set hookDetails\.base_url"
    ):
        green()


def test_an_endpoint_that_cannot_be_derived_requires_base_url(aws: AwsApi) -> None:
    load_balancer(aws)
    aws.answer("DescribeRules", rule({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}))
    with pytest.raises(EndpointError, match=r"cannot satisfy its condition source-ip; set hookDetails\.base_url"):
        green()


def test_several_test_listeners_are_refused(aws: AwsApi) -> None:
    load_balancer(aws)
    only(aws, loadBalancers=[*revision()["loadBalancers"], *revision()["loadBalancers"]])
    with pytest.raises(EndpointError, match="2 load balancers with a test listener"):
        green()


def test_an_unresolved_target_group_is_a_transient_error(aws: AwsApi) -> None:
    load_balancer(aws)
    only(aws, group="")
    with pytest.raises(FactError, match="green's target group is not resolved yet") as caught:
        green()
    assert not isinstance(caught.value, FactDeniedError)


def test_an_invalid_listener_arn_is_an_invalid_response(aws: AwsApi) -> None:
    load_balancer(aws)
    only(aws, test="arn:of:nothing")
    with pytest.raises(FactError, match="invalid response"):
        green()


def test_requests_to_a_load_balancer_are_counted_and_those_to_a_task_are_not(aws: AwsApi) -> None:
    load_balancer(aws)
    running(aws, task("b", "10.0.0.9"))
    stage = Stage.POST_TEST_TRAFFIC_SHIFT
    deployment = ServiceDeployment(LifecycleEvent.parse(load_event(lifecycleStage=stage)))
    target = Target(stage, lambda: deployment)
    assert target.green("test").sent is target.sent

    only(aws, test="")
    deployment = ServiceDeployment(LifecycleEvent.parse(load_event(lifecycleStage=stage)))
    of_task = Target(stage, lambda: deployment).green("test")
    assert (of_task.is_task, of_task.sent) == (True, None)


@pytest.mark.parametrize("stage", [Stage.POST_SCALE_UP, *LATE[:-1]])
def test_without_a_test_listener_the_endpoint_is_a_task_of_green(aws: AwsApi, stage: Stage) -> None:
    load_balancer(aws)
    only(aws, test="")
    running(aws, task("a", "", lastStatus="PENDING"), task("b", "10.0.0.9"))

    found = green(stage, host="a.example.com")
    assert found == Endpoint("http://10.0.0.9:8080", host="a.example.com", advice=found.advice)
    assert "the function must run in its VPC (VpcSubnetIds of the template)" in found.advice


def test_a_task_that_does_not_run_yet_is_a_transient_error(aws: AwsApi) -> None:
    load_balancer(aws)
    only(aws, test="")
    running(aws, task("a", lastStatus="PENDING"))
    with pytest.raises(FactError, match="ecs:DescribeTasks: no task of green has the status RUNNING") as caught:
        green()
    assert not isinstance(caught.value, FactDeniedError)


def test_a_task_may_have_only_an_ipv6_address(aws: AwsApi) -> None:
    load_balancer(aws)
    only(aws, test="")
    container = {"name": "web", "networkInterfaces": [{"ipv6Address": "fd00::7"}]}
    running(aws, task("a", containers=[{"name": "sidecar"}, container]))

    assert green().base_url == "http://[fd00::7]:8080"


def test_without_any_endpoint_the_error_has_the_fix(aws: AwsApi) -> None:
    load_balancer(aws)
    only(aws, test="")
    running(aws, task("a", ""))
    with pytest.raises(
        EndpointError,
        match=r"no task of green has an IP address of its own, as network mode awsvpc gives; set hookDetails\.base_url",
    ):
        green()
    only(aws, loadBalancers=[])
    with pytest.raises(
        EndpointError, match=r"no container port at a load balancer or of Service Connect; set hookDetails\.base_url"
    ):
        green()


def request_through(aws: AwsApi, serve: Serve, protocol: str = "HTTP", context: ssl.SSLContext | None = None) -> str:
    """Run the packaged default of a hook against a load balancer on loopback, and return the request that it received."""
    requests: list[bytes] = []

    def script(peer: Peer) -> None:
        requests.append(peer.request())
        peer.answer()

    server = serve(script, context)
    load_balancer(aws, protocol, server.port, "127.0.0.1")
    aws.answer("DescribeRules", rule(HOST, HEADER, PATH))
    handler = stage_hook(TESTED, [HttpCheck(path="/health")])
    answer = handler(load_event(), None)
    assert answer["hookStatus"] == "SUCCEEDED", answer
    return requests[0].decode()


def test_a_request_matches_the_conditions_of_the_rule(
    aws: AwsApi, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    request = request_through(aws, serve)

    assert request.startswith("GET /test/health HTTP/1.1\r\n")
    assert "Host: test.example.com\r\n" in request
    assert "X-Environment: test\r\n" in request


def test_https_verifies_the_host_of_the_rule(
    aws: AwsApi, serve: Serve, trusted: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    server_names: list[str | None] = []
    context = server_context(trusted.issue_cert("test.example.com"))
    context.sni_callback = lambda _socket, name, _context: server_names.append(name)

    assert "Host: test.example.com\r\n" in request_through(aws, serve, "HTTPS", context)
    assert server_names == ["test.example.com"]


def test_a_later_invocation_calls_aws_only_for_what_may_change(aws: AwsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    load_balancer(aws, "HTTP", port, "127.0.0.1")
    checks = [HttpCheck(name=str(number), connect_retries=0) for number in range(10)]
    handler = stage_hook(TESTED, checks)
    answer = handler(load_event(), None)
    assert answer["hookStatus"] == "IN_PROGRESS"
    assert sum(aws.calls.values()) == 5

    aws.calls.clear()
    handler(load_event(hookDetails=answer["hookDetails"]), None)
    assert aws.calls == {"DescribeRules": 1}
