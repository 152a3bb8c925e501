from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks import Stage
from ecs_hooks.checks import DriftCheck
from ecs_hooks.core.outcome import Outcome, Status
from tests.checks.asking import context
from tests.support.aws import AwsApi
from tests.support.layouts import (
    ADMIN_GROUP,
    BLUE_GROUP,
    GREEN_GROUP,
    PRODUCTION_RULE,
    TEST_RULE,
    UNREAD,
    by_listener,
    forward,
    load_balancer,
    revision,
    several_load_balancers,
)

FOREIGN = GREEN_GROUP.replace("alternate", "legacy")


def rules(aws: AwsApi, test: Any = (GREEN_GROUP,), production: Any = (BLUE_GROUP,)) -> None:
    load_balancer(aws)
    actions = {
        TEST_RULE: forward(*test),
        PRODUCTION_RULE: production if isinstance(production, list) else forward(*production),
    }
    described = {arn: {"Rules": [{"RuleArn": arn, "Actions": actions[arn]}]} for arn in actions}
    aws.answer("DescribeRules", by_listener(described))


def run(stage: Stage = Stage.PRE_PRODUCTION_TRAFFIC_SHIFT) -> Outcome:
    return DriftCheck().run(context(None, stage=stage))


def test_listeners_as_ecs_configured_pass(aws: AwsApi) -> None:
    rules(aws)
    assert run() == Outcome.passed("2 listeners as ECS configured")
    rules(aws, production=(BLUE_GROUP, GREEN_GROUP))
    assert run().status is Status.PASS
    rules(aws, production=(GREEN_GROUP,))
    assert run(Stage.POST_PRODUCTION_TRAFFIC_SHIFT).status is Status.PASS


def test_a_test_rule_reset_to_blue_fails(aws: AwsApi) -> None:
    rules(aws, test=(BLUE_GROUP,))

    assert "forwards to target group primary, not to green's target group alternate" in run().reason
    assert run(Stage.POST_SCALE_UP) == Outcome.passed("1 listener as ECS configured")


def test_a_production_rule_reset_after_the_shift_fails(aws: AwsApi) -> None:
    rules(aws)

    outcome = run(Stage.POST_PRODUCTION_TRAFFIC_SHIFT)
    assert outcome.status is Status.FAIL
    assert "bbbbbbbbbbbbbbbb forwards to target group primary, not to green's" in outcome.reason


@pytest.mark.parametrize(
    ("production", "named"),
    [
        ([{"Type": "forward", "TargetGroupArn": FOREIGN}], "target group legacy, which is neither blue's nor green's"),
        ([{"Type": "forward", "TargetGroupArn": "odd"}], "forwards to odd, which is neither"),
        ((), "forwards to no target group"),
        ([{"Type": "fixed-response"}], "forwards to no target group"),
    ],
)
def test_a_production_rule_with_a_foreign_target_group_fails(aws: AwsApi, production: Any, named: str) -> None:
    rules(aws, production=production)

    assert named in run().reason


def test_an_authentication_action_is_no_drift(aws: AwsApi) -> None:
    rules(aws, production=[{"Type": "authenticate-oidc"}, *forward(GREEN_GROUP)])

    assert run(Stage.POST_PRODUCTION_TRAFFIC_SHIFT).status is Status.PASS


def test_one_listener_is_enough(aws: AwsApi) -> None:
    rules(aws)
    tested = revision()
    del tested["loadBalancers"][0]["advancedConfiguration"]["productionListenerRule"]
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [tested]})

    assert run() == Outcome.passed("1 listener as ECS configured")


def test_a_service_without_listeners_is_skipped(aws: AwsApi) -> None:
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [revision(loadBalancers=[])]})

    assert run().status is Status.SKIP


def test_load_balancers_that_cannot_be_read_are_named(aws: AwsApi) -> None:
    rules(aws)
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [several_load_balancers()]})
    admin = [{"Type": "forward", "TargetGroupArn": ADMIN_GROUP}]
    aws.answer("DescribeListeners", {"Listeners": [{"DefaultActions": admin}]})

    assert run() == Outcome.passed("3 listeners as ECS configured").leaving_out(UNREAD.split(", "))
