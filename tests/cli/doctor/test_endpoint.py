from __future__ import annotations

from typing import Any

import pytest

from tests.cli.account import DEPLOYMENT, Account
from tests.cli.conftest import Doctor
from tests.conftest import GREEN
from tests.support.layouts import BLUE_GROUP, DNS, NLB_LISTENER, TEST_RULE, forward, load_balancer, revision, rule

HTTP: dict[str, Any] = {"type": "http", "path": "/health"}
AT = "at POST_TEST_TRAFFIC_SHIFT"
RULE = TEST_RULE.rpartition(":")[2]
HOST = {"Field": "host-header", "HostHeaderConfig": {"Values": ["test.example.com"]}}
HEADER = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Secret", "Values": ["hunter2"]}}
QUERY = {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "hunter2"}]}}
PATH = {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/test"]}}
GET = {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}}


def deploying(account: Account, stage: str) -> None:
    load_balancer(account.aws)
    deployment = account.aws.asking("DescribeServiceDeployments")["serviceDeployments"][0]
    deployment |= {"targetServiceRevision": {"arn": GREEN}, "lifecycleStage": stage}
    account.aws.answer("ListServiceDeployments", {"serviceDeployments": [{"serviceDeploymentArn": DEPLOYMENT}]})
    account.aws.answer("DescribeLoadBalancers", lambda _: {"LoadBalancers": [account.balancer]})


def test_without_a_deployment_the_rule_may_forward_to_any_target_group(doctor: Doctor, account: Account) -> None:
    account.aws.answer("DescribeRules", rule(HEADER, QUERY, to=(BLUE_GROUP,)))
    doctor()

    assert doctor.of("endpoint") == [
        ("ok", f"{AT}: green will answer at http://{DNS}:8080/ with header X-Secret and parameter v")
    ]


def test_in_a_deployment_at_another_stage_the_rule_may_forward_to_any_target_group(
    doctor: Doctor, account: Account
) -> None:
    deploying(account, "POST_SCALE_UP")
    account.aws.answer("DescribeRules", rule(to=(BLUE_GROUP,)))
    doctor()

    assert doctor.of("endpoint") == [("ok", f"{AT}: green will answer at http://{DNS}:8080/")]


def test_in_a_deployment_at_the_stage_the_rule_must_forward_to_green(doctor: Doctor, account: Account) -> None:
    deploying(account, "POST_TEST_TRAFFIC_SHIFT")
    doctor()
    assert doctor.of("endpoint") == [("ok", f"{AT}: green answers at http://{DNS}:8080/ now")]

    account.aws.answer("DescribeRules", rule(to=(BLUE_GROUP,)))
    doctor()
    ((level, text),) = doctor.of("endpoint")
    assert level == "error"
    assert text.startswith(f"{AT}: {RULE} forwards to target group primary, not to green's target group alternate")
    assert doctor.fix("forwards to target group primary").startswith("let only ECS change the rule")


@pytest.mark.parametrize(
    ("condition", "text", "fix"),
    [
        (
            PATH,
            (
                'http "health" GET /health: the listener rule requires path-pattern ^/test, which /health is not certain '
                "to match and which is not a literal prefix such as /test/*"
            ),
            "change the path of the check",
        ),
        (
            {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
            f"cannot derive green's address from {RULE}: a check cannot satisfy its condition source-ip",
            "set hookDetails.base_url",
        ),
    ],
)
def test_contract_5_2_some_conditions_do_not_allow_an_address(
    doctor: Doctor, account: Account, condition: dict[str, Any], text: str, fix: str
) -> None:
    account.aws.answer("DescribeRules", rule(condition))
    doctor()

    assert doctor.of("endpoint") == [("error", f"{AT}: {text}")]
    assert doctor.fix(text) == fix


def test_a_request_that_another_rule_takes_is_an_error(doctor: Doctor, account: Account) -> None:
    health = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/health*"]}}
    earlier = rule(health, to=(BLUE_GROUP,), arn=f"{TEST_RULE}1", priority=5)["Rules"][:1]
    account.aws.answer("DescribeRules", {"Rules": [*earlier, *rule(to=(BLUE_GROUP,))["Rules"]]})
    account.plan(HTTP, {"type": "load", "requests": [{"path": "/a"}, {"path": "/healthy"}]})
    doctor()

    text = f"{RULE}1 (priority 5, path-pattern /health*) takes the request, and forwards to target group primary"
    assert doctor.of("endpoint") == [
        ("error", f"{AT}: http GET /health: {text}, not to green alone"),
        ("error", f"{AT}: load GET /healthy: {text}, not to green alone"),
    ]
    assert doctor.fix("GET /healthy") == "change the request, or the priority of the rule"

    account.plan({"type": "scenario", "variables": {"x": "health"}, "requests": [{"path": "/{{x}}"}, {"path": "/a"}]})
    doctor()
    assert doctor.of("endpoint") == [("error", f"{AT}: scenario GET /health: {text}, not to green alone")]

    captured = {"path": "/a", "captures": {"x": {"query": "body"}}}
    account.plan({"type": "scenario", "requests": [captured, {"path": "/{{x}}"}]})
    doctor()
    assert doctor.of("endpoint")[0][0] == "ok"


def test_what_a_rule_adds_to_requests_is_shown_without_values(doctor: Doctor, account: Account) -> None:
    prefix = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/test/*"]}}
    account.aws.answer("DescribeRules", rule(prefix, HEADER, to=(BLUE_GROUP,)))
    doctor()
    assert doctor.of("endpoint") == [("ok", f"{AT}: green will answer at http://{DNS}:8080/test/ with header X-Secret")]

    exact = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/health"]}}
    account.aws.answer("DescribeRules", rule(exact, to=(BLUE_GROUP,)))
    doctor()
    assert doctor.of("endpoint") == [("ok", f"{AT}: green will answer at http://{DNS}:8080/")]


def test_contract_5_2_https_requires_a_host_name(doctor: Doctor, account: Account) -> None:
    account.listener("HTTPS", 8443)
    doctor()
    assert doctor.of("endpoint") == [
        ("error", f"{AT}: {RULE} uses TLS, and its certificate is not valid for the load balancer's name {DNS}")
    ]
    assert doctor.fix("uses TLS") == "set hookDetails.host to a name of the certificate"

    account.aws.answer("DescribeRules", rule(HOST))
    doctor()
    assert doctor.of("endpoint") == [("ok", f"{AT}: green will answer at https://{DNS}:8443/ with header Host")]

    account.aws.answer("DescribeRules", rule())
    account.plan(HTTP, host="test.example.com")
    doctor()
    assert doctor.of("endpoint")[0][0] == "ok"


def test_an_authenticate_action_is_an_error(doctor: Doctor, account: Account) -> None:
    actions = [{"Type": "authenticate-oidc"}, *forward(BLUE_GROUP)]
    account.aws.answer("DescribeRules", {"Rules": [{"RuleArn": TEST_RULE, "Actions": actions}]})
    doctor()

    assert doctor.of("endpoint") == [("error", f"{AT}: {RULE} has the action authenticate-oidc before it forwards")]


def test_a_method_that_the_rule_does_not_accept_is_an_error(doctor: Doctor, account: Account) -> None:
    account.aws.answer("DescribeRules", rule(GET))
    account.plan(HTTP, {"type": "http", "name": "upload", "method": "POST", "body": "x"})
    doctor()
    assert doctor.of("endpoint") == [
        ("error", f'{AT}: the listener rule accepts GET only, not the POST of http "upload"')
    ]

    elsewhere = {"method": "PUT", "url": "http://elsewhere.example.com/"}
    account.plan({"type": "load", "requests": [{}, elsewhere, {"method": "PATCH"}, {"method": "DELETE"}]})
    doctor()
    assert doctor.of("endpoint") == [
        ("error", f"{AT}: the listener rule accepts GET only, not the {method} of load")
        for method in ("PATCH", "DELETE")
    ]

    account.plan(HTTP, {"type": "digest", "header": "X-Version"})
    doctor()
    assert doctor.of("endpoint")[0][0] == "ok"


def test_several_test_listeners_are_ambiguous(doctor: Doctor, account: Account) -> None:
    account.service["loadBalancers"] *= 2
    doctor()

    assert doctor.of("endpoint") == [("error", f"{AT}: the service has 2 load balancers with a test listener, not one")]
    assert doctor.of("network") == []


def test_a_network_load_balancer_requires_tcp_and_its_own_port(doctor: Doctor, account: Account) -> None:
    account.service["loadBalancers"] = revision(test=NLB_LISTENER)["loadBalancers"]
    default = {"ListenerArn": NLB_LISTENER, "Protocol": "TCP_UDP", "Port": 53, "DefaultActions": forward(BLUE_GROUP)}
    account.aws.answer("DescribeListeners", {"Listeners": [default]})
    doctor()

    assert doctor.of("endpoint")[0][1].endswith("has the protocol TCP_UDP, which does not carry HTTP")
    default["Protocol"] = "TCP"
    doctor()
    assert doctor.of("endpoint") == [("ok", f"{AT}: green will answer at http://{DNS}:53/")]

    account.plan({"type": "tcp"})
    doctor()
    assert doctor.of("endpoint") == [("ok", f"{AT}: green will answer at http://{DNS}:53/")]
    account.plan({"type": "tcp", "name": "other", "port": 54})
    doctor()
    assert doctor.of("endpoint") == [
        (
            "error",
            f'{AT}: tcp "other": port 54 belongs to another listener of the load balancer, which may forward to blue',
        )
    ]
    assert doctor.fix("port 54 belongs to another listener") == "set address"


def test_a_tcp_check_of_an_application_load_balancer_is_an_error(doctor: Doctor, account: Account) -> None:
    account.plan(HTTP, {"type": "tcp"})
    doctor()

    assert doctor.of("endpoint") == [
        ("error", f"{AT}: tcp: an Application Load Balancer accepts connections itself, even if green does not")
    ]
    assert doctor.fix("accepts connections itself") == "use a check of type http"


@pytest.mark.parametrize(
    ("stage", "problem", "fix"),
    [
        ("PRE_SCALE_UP", "green does not run yet at PRE_SCALE_UP", "attach the check to a later stage, or set"),
        (
            "POST_SCALE_UP",
            "green has no test traffic yet at POST_SCALE_UP, the test listener would test blue",
            "attach the check to POST_TEST_TRAFFIC_SHIFT, or set",
        ),
    ],
)
def test_contract_5_2_a_check_before_test_traffic_is_an_error(
    doctor: Doctor, account: Account, stage: str, problem: str, fix: str
) -> None:
    account.hook["lifecycleStages"] = [stage]
    doctor()

    assert doctor.of("endpoint") == [("error", f"at {stage}: {problem}")]
    assert doctor.fix(problem).startswith(fix)


def test_without_a_test_listener_requests_go_to_a_task(doctor: Doctor, account: Account) -> None:
    account.without_test_listener()
    doctor()
    assert doctor.of("endpoint") == [("ok", f"{AT}: green will answer at http://address-of-a-task:8080/")]

    del account.service["networkConfiguration"]
    doctor()
    assert doctor.of("endpoint") == [
        (
            "error",
            f"{AT}: the service has no test listener, and its tasks have no IP address without network mode awsvpc",
        )
    ]
    assert doctor.of("network") == []


def test_without_a_load_balancer_there_is_no_port(doctor: Doctor, account: Account) -> None:
    account.service["loadBalancers"] = []
    doctor()

    assert doctor.of("endpoint") == [
        ("error", f"{AT}: the service has no test listener, and no port for a load balancer or Service Connect")
    ]


def test_service_connect_names_a_port(doctor: Doctor, account: Account) -> None:
    offered = {"enabled": True, "services": [{"portName": "http"}]}
    account.service["loadBalancers"] = []
    account.service["deployments"] = [{"serviceConnectConfiguration": offered}]
    account.service["networkConfiguration"] = {"awsvpcConfiguration": {"subnets": [], "securityGroups": []}}
    container = {"name": "web", "portMappings": [{"name": "http", "containerPort": 8123}]}
    account.aws.answer("DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": [container]}})
    doctor()
    assert doctor.of("endpoint") == [("ok", f"{AT}: green will answer at http://address-of-a-task:8123/")]

    container["name"], container["portMappings"] = "web", []
    doctor()
    assert [level for level, _ in doctor.of("endpoint")] == ["error"]


def test_the_plan_may_have_the_address(doctor: Doctor, account: Account) -> None:
    account.plan(HTTP, base_url="http://user:hunter2@green.example.com:8080/base")
    doctor()

    assert doctor.of("endpoint") == [
        ("ok", f"{AT}: requests go to http://green.example.com:8080/base (hookDetails.base_url)")
    ]
    assert account.aws.calls["DescribeRules"] == 0


@pytest.mark.parametrize(
    ("url", "stage", "level", "text"),
    [
        (
            "http://green",
            "POST_TEST_TRAFFIC_SHIFT",
            "ok",
            "requests go to http://green/ (the function's APP_URL)",
        ),
        ("green:8080", "POST_TEST_TRAFFIC_SHIFT", "error", "environment variable APP_URL of the function is not a URL"),
        (
            "http://green:99999999",
            "POST_TEST_TRAFFIC_SHIFT",
            "error",
            "the address of green is not valid: address is not valid",
        ),
        (
            "http://green",
            "POST_SCALE_UP",
            "error",
            "APP_URL does not reach green yet at POST_SCALE_UP, it would test blue",
        ),
    ],
)
def test_the_function_may_have_the_address(
    doctor: Doctor, account: Account, url: str, stage: str, level: str, text: str
) -> None:
    account.hook["lifecycleStages"] = [stage]
    account.function["Environment"] = {"Variables": {"APP_URL": url}}
    doctor()

    assert doctor.of("endpoint") == [(level, f"at {stage}: {text}")]


def test_contract_5_4_the_test_header_of_service_connect(doctor: Doctor, account: Account) -> None:
    service_connect = {"enabled": True, "services": [{"portName": "http"}]}
    account.aws.answer(
        "DescribeServiceRevisions", {"serviceRevisions": [revision(serviceConnectConfiguration=service_connect)]}
    )
    account.plan(HTTP, base_url="http://front", service_connect=True)
    doctor()
    assert doctor.of("endpoint") == [
        (
            "ok",
            f"{AT}: requests go to http://front/ with header x-amzn-ecs-blue-green-test (hookDetails.base_url)",
        )
    ]
    assert account.aws.asked["DescribeServiceRevisions"] == [{"serviceRevisionArns": [GREEN]}]

    account.aws.answer("DescribeServiceRevisions", {"serviceRevisions": [revision()]})
    doctor()
    assert doctor.of("endpoint")[0][0] == "error"
    assert doctor.fix("has no Service Connect services") == "remove service_connect from hookDetails"

    account.service["currentServiceRevisions"] = []
    doctor()
    assert doctor.of("endpoint") == [
        ("unknown", "cannot determine the address of green at POST_TEST_TRAFFIC_SHIFT: the service has no revision yet")
    ]


def test_the_address_is_unknown_if_a_call_fails(doctor: Doctor, account: Account) -> None:
    account.aws.error("DescribeRules", "AccessDenied", 403)
    doctor()
    assert doctor.of("endpoint") == [
        (
            "unknown",
            "cannot determine the address of green at POST_TEST_TRAFFIC_SHIFT: elasticloadbalancing:DescribeRules: AccessDenied",
        )
    ]

    account.aws.error("ListServiceDeployments", "ThrottlingException")
    doctor()
    assert doctor.of("endpoint")[0][0] == "unknown"

    account.aws.answer("ListServiceDeployments", {"serviceDeployments": [{"serviceDeploymentArn": "none"}]})
    doctor()
    assert doctor.of("endpoint")[0][0] == "unknown"


def test_a_check_that_does_not_use_green_has_no_endpoint(doctor: Doctor, account: Account) -> None:
    account.plan({"type": "drift"}, {"type": "http", "url": "http://elsewhere.example.com/"})
    doctor()

    assert doctor.of("endpoint") == []
