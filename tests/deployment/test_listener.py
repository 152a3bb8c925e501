from __future__ import annotations

import pytest

from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.deployment.listener import (
    ListenerArn,
    Route,
    describe_address,
    describe_ports,
    describe_rules,
    find_rule,
    short_arn,
)
from tests.support.aws import AwsApi
from tests.support.layouts import (
    BALANCER,
    BLUE_GROUP,
    DNS,
    GREEN_GROUP,
    LISTENER,
    NLB_LISTENER,
    TEST_RULE,
    forward,
    load_balancer,
    rule,
)

CONDITION = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a/*"]}}


def route_of(arn: ListenerArn) -> Route:
    return find_rule(describe_rules(arn), arn).route


def test_contract_5_2_the_arn_of_a_rule_names_listener_and_load_balancer() -> None:
    assert ListenerArn.parse(TEST_RULE) == ListenerArn(TEST_RULE, "us-west-2", True, LISTENER, BALANCER)
    assert short_arn(TEST_RULE).startswith("listener-rule/app/my-alb/")


def test_contract_5_3_at_a_network_load_balancer_it_is_a_listener() -> None:
    parsed = ListenerArn.parse(NLB_LISTENER)
    assert (parsed.is_rule, parsed.listener) == (False, NLB_LISTENER)
    assert parsed.load_balancer.endswith(":loadbalancer/net/my-nlb/60dc6c495c0c9188")


@pytest.mark.parametrize("text", ["", "arn:aws:elasticloadbalancing:us-west-2:1:targetgroup/a/b", BALANCER])
def test_other_arns_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the ARN of a listener"):
        ListenerArn.parse(text)


def test_a_rule_forwards_to_target_groups_with_a_weight(aws: AwsApi) -> None:
    load_balancer(aws)
    assert route_of(ListenerArn.parse(TEST_RULE)) == ((GREEN_GROUP,), (), "")
    assert aws.asked["DescribeRules"] == [{"ListenerArn": LISTENER}]

    aws.answer("DescribeRules", rule(to=(BLUE_GROUP, GREEN_GROUP)))
    assert route_of(ListenerArn.parse(TEST_RULE)).target_groups == (GREEN_GROUP, BLUE_GROUP)


@pytest.mark.parametrize(
    "action",
    [
        {"Type": "forward", "TargetGroupArn": GREEN_GROUP},
        {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": GREEN_GROUP}]}},
        {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": GREEN_GROUP, "Weight": 1}]}},
    ],
)
def test_a_single_target_group_needs_no_weight(aws: AwsApi, action: dict[str, object]) -> None:
    aws.answer("DescribeRules", {"Rules": [{"RuleArn": TEST_RULE, "Actions": [action]}]})
    assert route_of(ListenerArn.parse(TEST_RULE)).target_groups == (GREEN_GROUP,)


def test_a_login_is_an_obstacle(aws: AwsApi) -> None:
    actions = [{"Type": "authenticate-oidc"}, *forward(GREEN_GROUP)]
    aws.answer("DescribeRules", {"Rules": [{"RuleArn": TEST_RULE, "Actions": actions}]})
    assert route_of(ListenerArn.parse(TEST_RULE)).obstacle == "authenticate-oidc"


def test_a_network_load_balancer_forwards_by_its_default_action(aws: AwsApi) -> None:
    load_balancer(aws, "TCP", 9090)
    assert route_of(ListenerArn.parse(NLB_LISTENER)).target_groups == (GREEN_GROUP,)
    assert aws.calls["DescribeRules"] == 0


def test_protocol_port_and_name_of_a_listener(aws: AwsApi) -> None:
    load_balancer(aws, "HTTPS", 8443)
    assert describe_address(ListenerArn.parse(TEST_RULE)) == ("HTTPS", 8443, DNS)
    assert aws.asked["DescribeListeners"] == [{"ListenerArns": [LISTENER]}]
    assert aws.asked["DescribeLoadBalancers"] == [{"LoadBalancerArns": [BALANCER]}]


def test_a_deleted_rule_is_a_failure(aws: AwsApi) -> None:
    aws.error("DescribeRules", "RuleNotFound")
    with pytest.raises(FactDeniedError, match="elasticloadbalancing:DescribeRules: RuleNotFound"):
        route_of(ListenerArn.parse(TEST_RULE))
    aws.answer("DescribeRules", {"Rules": []})
    with pytest.raises(FactDeniedError, match="listener rule not found"):
        route_of(ListenerArn.parse(TEST_RULE))


def test_rules_are_in_the_order_of_their_evaluation_on_all_pages(aws: AwsApi) -> None:
    first = rule(CONDITION, arn=f"{TEST_RULE}1", priority=9)["Rules"]
    second = rule(CONDITION, priority=10)["Rules"][:1]
    third = rule(CONDITION, arn=f"{TEST_RULE}3", priority=100)["Rules"][:1]
    pages = {None: {"Rules": [*first, *third], "NextMarker": "more"}, "more": {"Rules": second}}
    aws.answer("DescribeRules", lambda asked: pages[asked.get("Marker")])

    rules = describe_rules(ListenerArn.parse(TEST_RULE))
    assert [each.priority for each in rules] == [9, 10, 100, None]
    assert [each.arn for each in rules[:3]] == [f"{TEST_RULE}1", TEST_RULE, f"{TEST_RULE}3"]
    assert aws.asked["DescribeRules"] == [{"ListenerArn": LISTENER}, {"ListenerArn": LISTENER, "Marker": "more"}]


def test_endless_pages_end(aws: AwsApi) -> None:
    aws.answer("DescribeRules", {"Rules": [], "NextMarker": "more"})
    with pytest.raises(FactDeniedError, match="more rules than a load balancer may have"):
        describe_rules(ListenerArn.parse(TEST_RULE))
    aws.answer("DescribeListeners", {"Listeners": [], "NextMarker": "more"})
    with pytest.raises(FactDeniedError, match="more listeners than it may have"):
        describe_ports(ListenerArn.parse(TEST_RULE))


def test_a_listener_of_an_application_load_balancer_stands_at_its_default_rule(aws: AwsApi) -> None:
    aws.answer("DescribeRules", rule(CONDITION))
    assert route_of(ListenerArn.parse(LISTENER)) == ((BLUE_GROUP,), (), "")
    aws.answer("DescribeRules", {"Rules": rule(CONDITION)["Rules"][:1]})
    with pytest.raises(FactDeniedError, match="listener rule not found"):
        route_of(ListenerArn.parse(LISTENER))


@pytest.mark.parametrize("priority", ["", "high"])
def test_a_priority_that_is_no_number_is_an_invalid_response(aws: AwsApi, priority: str) -> None:
    described = {**rule(CONDITION)["Rules"][0], "Priority": priority}
    aws.answer("DescribeRules", {"Rules": [described]})
    with pytest.raises(FactError, match="DescribeRules: invalid response"):
        describe_rules(ListenerArn.parse(TEST_RULE))


def test_the_ports_of_all_listeners_of_a_load_balancer(aws: AwsApi) -> None:
    load_balancer(aws)
    assert describe_ports(ListenerArn.parse(TEST_RULE)) == ((LISTENER, 8080),)
    assert aws.asked["DescribeListeners"] == [{"LoadBalancerArn": BALANCER}]


@pytest.mark.parametrize(
    ("code", "status", "denied"),
    [("Throttling", 400, False), ("InternalFailure", 500, False), ("AccessDenied", 403, True)],
)
def test_errors_of_the_api_are_transient_or_not(aws: AwsApi, code: str, status: int, *, denied: bool) -> None:
    aws.error("DescribeRules", code, status)
    with pytest.raises(FactError, match=f"elasticloadbalancing:DescribeRules: {code}") as caught:
        route_of(ListenerArn.parse(TEST_RULE))
    assert isinstance(caught.value, FactDeniedError) is denied


@pytest.mark.parametrize("actions", [[{"Type": "forward"}], [{"Order": 1}]])
def test_an_incomplete_rule_is_an_invalid_response(aws: AwsApi, actions: list[dict[str, object]]) -> None:
    aws.answer("DescribeRules", {"Rules": [{"RuleArn": TEST_RULE, "Actions": actions}]})
    with pytest.raises(FactError, match="invalid response"):
        route_of(ListenerArn.parse(TEST_RULE))


def test_a_rule_without_its_conditions_is_not_a_default_rule(aws: AwsApi) -> None:
    described = {"RuleArn": TEST_RULE, "Actions": forward(GREEN_GROUP), "IsDefault": False}
    aws.answer("DescribeRules", {"Rules": [described]})
    with pytest.raises(FactError, match="DescribeRules: invalid response"):
        route_of(ListenerArn.parse(TEST_RULE))


@pytest.mark.parametrize("body", [b"", b"<html>", b"<a/>"])
def test_a_malformed_body_is_an_error(aws: AwsApi, body: bytes) -> None:
    aws.garbage("DescribeRules", body)
    with pytest.raises(FactError):
        route_of(ListenerArn.parse(TEST_RULE))


def test_an_incomplete_listener_or_load_balancer_is_an_invalid_response(aws: AwsApi) -> None:
    load_balancer(aws)
    aws.answer("DescribeLoadBalancers", {"LoadBalancers": [{"LoadBalancerArn": BALANCER}]})
    with pytest.raises(FactError, match="DescribeLoadBalancers: invalid response"):
        describe_address(ListenerArn.parse(TEST_RULE))
    aws.answer("DescribeListeners", {"Listeners": [{"ListenerArn": LISTENER}]})
    with pytest.raises(FactError, match="DescribeListeners: invalid response"):
        describe_address(ListenerArn.parse(TEST_RULE))
