from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecs_hooks_simulator import DeploymentController, ServiceDeployment
from ecs_hooks_simulator.aws.elastic_load_balancing import ElasticLoadBalancing
from ecs_hooks_simulator.core.faults import Fault
from ecs_hooks_simulator.traffic.load_balancer import LoadBalancer
from tests.simulator.aws.conftest import Client


def configured(controller: DeploymentController) -> dict[str, Any]:
    entry = controller.service.load_balancers[0]
    return {**entry, **entry["advancedConfiguration"]}


def weights(actions: list[dict[str, Any]]) -> list[int]:
    return [group["Weight"] for group in actions[0]["ForwardConfig"]["TargetGroups"]]


def test_a_rule_forwards_by_the_current_weights(
    client: Client, controller: DeploymentController, balancer: LoadBalancer
) -> None:
    elb, rule = client("elbv2"), configured(controller)["productionListenerRule"]
    seen: list[list[int]] = []

    def look(_: ServiceDeployment) -> None:
        seen.append(weights(elb.describe_rules(RuleArns=[rule])["Rules"][0]["Actions"]))

    look(controller.deploy())  # the primary one is the first's
    blue = controller.active[0]
    balancer.register(blue.arn, "127.0.0.1:9")
    look(controller.history[0])
    green = controller.deploy().target
    balancer.register(green.arn, "127.0.0.1:9")
    look(controller.history[1])
    balancer.shift("production", {green.arn: 30, blue.arn: 70})
    look(controller.history[1])

    assert seen == [[1, 0], [100, 0], [0, 100], [70, 30]]


def test_listeners_have_the_ports_of_the_load_balancer(
    client: Client, controller: DeploymentController, balancer: LoadBalancer
) -> None:
    elb = client("elbv2")
    rule = configured(controller)["testListenerRule"]
    described = elb.describe_rules(RuleArns=[rule])["Rules"][0]
    arn = rule.replace("listener-rule/", "listener/").rpartition("/")[0]
    listener = elb.describe_listeners(ListenerArns=[arn])["Listeners"][0]
    found = elb.describe_load_balancers(LoadBalancerArns=[listener["LoadBalancerArn"]])["LoadBalancers"][0]

    assert (described["IsDefault"], described["Conditions"]) == (True, [])
    assert (listener["Protocol"], listener["Port"]) == ("HTTP", balancer.port("test"))
    assert found["DNSName"] == "127.0.0.1"
    rules = elb.describe_rules(ListenerArn=arn)["Rules"]
    assert [each["RuleArn"] for each in rules] == [rule]
    all_listeners = elb.describe_listeners(LoadBalancerArn=listener["LoadBalancerArn"])["Listeners"]
    assert [each["Port"] for each in all_listeners] == [balancer.port(kind) for kind in ("production", "test")]


def test_a_target_with_a_fault_is_unhealthy(
    client: Client, controller: DeploymentController, balancer: LoadBalancer
) -> None:
    elb, group, blue = client("elbv2"), configured(controller)["targetGroupArn"], controller.adopt()
    balancer.register(blue.arn, "127.0.0.1:8123")
    balancer.inject(blue.arn, Fault.parse("hang"))

    (target,) = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]

    assert target["TargetHealth"] == {
        "State": "unhealthy",
        "Reason": "Target.Timeout",
        "Description": "Request timed out",
    }


def test_the_groups_of_green_and_blue_alternate(controller: DeploymentController, balancer: LoadBalancer) -> None:
    balancing, service = ElasticLoadBalancing(balancer, controller), configured(controller)
    names = [service[name].rpartition(":")[2] for name in ("targetGroupArn", "alternateTargetGroupArn")]
    seen = [balancing.group(green=True)]
    controller.adopt()
    seen.append(balancing.group(green=True))
    controller.deploy()
    seen += [balancing.group(green=True), balancing.group(green=False)]
    controller.deploy()
    seen.append(balancing.group(green=True))

    assert [names.index(name) for name in seen] == [0, 1, 1, 0, 0]


def test_targets_are_the_registered_tasks(
    client: Client, controller: DeploymentController, balancer: LoadBalancer
) -> None:
    elb, groups = client("elbv2"), configured(controller)
    balancer.register(controller.adopt().arn, "127.0.0.1:8123")

    primary = elb.describe_target_health(TargetGroupArn=groups["targetGroupArn"])["TargetHealthDescriptions"]
    alternate = elb.describe_target_health(TargetGroupArn=groups["alternateTargetGroupArn"])

    assert [(each["Target"], each["TargetHealth"]["State"]) for each in primary] == [
        ({"Id": "127.0.0.1", "Port": 8123}, "healthy")
    ]
    assert alternate["TargetHealthDescriptions"] == []


def test_moto_answers_for_other_load_balancers(client: Client) -> None:
    elb, vpc = client("elbv2"), client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = elb.create_target_group(Name="other", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
    arn = group["TargetGroups"][0]["TargetGroupArn"]

    assert elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"] == []
    with pytest.raises(ClientError, match="RuleNotFound"):
        elb.describe_rules(RuleArns=["arn:aws:elasticloadbalancing:us-west-2:1:listener-rule/app/a/b/c/d"])
