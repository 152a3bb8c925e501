from __future__ import annotations

from typing import Any

import pytest

from tests.cli.account import Account, rules
from tests.cli.conftest import Doctor
from tests.cli.doctor.test_endpoint import GET, HOST, deploying
from tests.conftest import BLUE
from tests.support.layouts import (
    BLUE_GROUP,
    DNS,
    GREEN_GROUP,
    PRODUCTION_RULE,
    TEST_RULE,
    by_listener,
    forward,
    revision,
    rule,
)

COMPARE: dict[str, Any] = {"type": "compare"}
AT = "at POST_TEST_TRAFFIC_SHIFT"
GREEN = ("ok", f"{AT}: green will answer at http://{DNS}:8080/")
EARLIER = "attach the check to POST_TEST_TRAFFIC_SHIFT, or set blue_url of the check"


@pytest.fixture(autouse=True)
def _compares(account: Account) -> None:
    account.plan(COMPARE)


def production(account: Account, *conditions: dict[str, Any], to: str = BLUE_GROUP) -> None:
    rules_by_arn = {TEST_RULE: rule(to=(GREEN_GROUP,)), PRODUCTION_RULE: rule(*conditions, to=(to,))}
    account.aws.answer("DescribeRules", by_listener(rules_by_arn))


def test_without_a_deployment_the_rule_may_forward_to_any_target_group(doctor: Doctor, account: Account) -> None:
    production(account, HOST, to=GREEN_GROUP)
    doctor()

    assert doctor.of("endpoint") == [GREEN, ("ok", f"{AT}: blue will answer at http://{DNS}:8080/ with header Host")]


def test_in_a_deployment_at_the_stage_the_rule_must_forward_to_blue(doctor: Doctor, account: Account) -> None:
    deploying(account, "POST_TEST_TRAFFIC_SHIFT")
    production(account)
    doctor()
    assert doctor.of("endpoint")[1] == ("ok", f"{AT}: blue answers at http://{DNS}:8080/ now")

    production(account, to=GREEN_GROUP)
    doctor()
    assert doctor.of("endpoint")[1][0] == "error"
    assert doctor.fix("not to blue's target group primary alone") == EARLIER


def test_a_first_deployment_has_no_blue(doctor: Doctor, account: Account) -> None:
    deploying(account, "POST_TEST_TRAFFIC_SHIFT")
    account.aws.asking("DescribeServiceDeployments")["serviceDeployments"][0]["sourceServiceRevisions"] = []
    doctor()

    assert doctor.of("endpoint")[1] == (
        "ok",
        f"{AT}: this is the first deployment of the service, so there is no blue to compare with",
    )


@pytest.mark.parametrize(
    ("stage", "strategy", "problem"),
    [
        ("POST_PRODUCTION_TRAFFIC_SHIFT", "BLUE_GREEN", "blue has no address of its own any more"),
        ("PRODUCTION_TRAFFIC_SHIFT", "CANARY", "blue has no address of its own any more"),
        (
            "PRE_PRODUCTION_TRAFFIC_SHIFT",
            "CANARY",
            "from the second step on, the production listener also forwards to green",
        ),
        ("PRE_PRODUCTION_TRAFFIC_SHIFT", "BLUE_GREEN", ""),
    ],
)
def test_blue_has_no_address_after_the_production_shift_began(
    doctor: Doctor, account: Account, stage: str, strategy: str, problem: str
) -> None:
    account.hook["lifecycleStages"] = [stage]
    account.configuration["strategy"] = strategy
    doctor()

    assert [level for level, _ in doctor.of("endpoint")] == ["ok", "error" if problem else "ok"]
    if problem:
        assert doctor.fix(problem) == EARLIER


@pytest.mark.parametrize("stage", ["PRE_SCALE_UP", "POST_SCALE_UP"])
def test_before_test_traffic_every_finding_is_an_error(doctor: Doctor, account: Account, stage: str) -> None:
    account.hook["lifecycleStages"] = [stage]
    doctor()

    assert {level for level, _ in doctor.of("endpoint")} == {"error"}
    assert ("error", "plan", f"compare cannot run at {stage}: green does not run yet") in doctor.bad() or (
        stage == "POST_SCALE_UP"
    )


def test_a_rule_that_does_not_forward_the_request_is_an_error(doctor: Doctor, account: Account) -> None:
    production(account, GET)
    account.plan({**COMPARE, "requests": [{"method": "HEAD"}]})
    doctor()
    assert doctor.of("endpoint") == [
        GREEN,
        ("error", f"{AT}: the listener rule accepts GET only, not the HEAD of compare"),
    ]

    rules_by_arn = {
        TEST_RULE: rule(),
        PRODUCTION_RULE: {"Rules": [{"Actions": [{"Type": "redirect"}, *forward(BLUE_GROUP)]}]},
    }
    account.aws.answer("DescribeRules", by_listener(rules_by_arn))
    doctor()
    assert doctor.fix("has the action redirect before it forwards") == "set blue_url of the check"


def test_without_a_test_listener_requests_to_blue_go_to_a_task(doctor: Doctor, account: Account) -> None:
    account.without_test_listener()
    account.in_vpc()
    doctor()
    assert doctor.of("endpoint")[1] == ("ok", f"{AT}: requests to blue will go to one of its tasks")
    assert doctor.of("network") == [
        ("ok", "the security groups allow the function to connect to port 8080 of the service's tasks")
    ]

    account.plan(COMPARE, base_url="http://green.example.com")
    account.service["loadBalancers"] = []
    account.service["deployments"] = [{"vpcLatticeConfigurations": [{"portName": "http"}]}]
    container = {"name": "web", "portMappings": [{"name": "http", "containerPort": 8080}]}
    account.aws.answer("DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": [container]}})
    doctor()
    assert doctor.of("endpoint")[1] == ("ok", f"{AT}: requests to blue will go to one of its tasks")
    assert "the service's tasks" in doctor.of("network")[-1][1]


def test_the_network_path_to_blue_is_examined(doctor: Doctor, account: Account) -> None:
    account.in_vpc()
    account.internal(rules(8080, group="sg-hooks"))
    account.plan(COMPARE, base_url="http://green.example.com")
    doctor()
    assert (
        "ok",
        "the security groups allow the function to connect to port 8080 of load balancer my-alb",
    ) in doctor.of("network")

    account.plan({**COMPARE, "blue_url": "http://blue.example.com"})
    doctor()
    assert doctor.of("endpoint") == [GREEN]
    assert any("blue.example.com" in text for _, text in doctor.of("network"))


def test_a_missing_permission_is_named(doctor: Doctor, account: Account) -> None:
    account.deny("ecs:DescribeServiceDeployments")
    doctor()

    assert any("does not allow ecs:DescribeServiceDeployments" in text for _, text in doctor.of("permissions"))


def test_a_timeout_that_is_too_short_for_compare_is_reported(doctor: Doctor, account: Account) -> None:
    account.function["Timeout"] = 30
    doctor()

    assert any("compare requires 61 s of one invocation" in text for _, text in doctor.of("plan"))


def test_the_address_is_unknown_if_the_revision_is_unreadable(doctor: Doctor, account: Account) -> None:
    deploying(account, "POST_TEST_TRAFFIC_SHIFT")
    account.aws.answer("DescribeServiceRevisions", {"serviceRevisions": [revision(BLUE, group="")]})
    doctor()

    assert {level for level, _ in doctor.of("endpoint")} == {"unknown"}
