from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks import Stage
from ecs_hooks.aws.errors import FactError
from ecs_hooks.checks import TargetsCheck
from ecs_hooks.core.outcome import Outcome, Status
from tests.checks.asking import context
from tests.support.aws import AwsApi
from tests.support.layouts import (
    ADMIN_GROUP,
    GREEN_GROUP,
    TEST_RULE,
    UNREAD,
    load_balancer,
    revision,
    several_load_balancers,
)


def targets(aws: AwsApi, *states: str, reason: str = "Target.ResponseCodeMismatch") -> None:
    load_balancer(aws)
    described = [
        {"Target": {"Id": f"10.0.0.{number}"}, "TargetHealth": {"State": state, **_why(state, reason)}}
        for number, state in enumerate(states)
    ]
    aws.answer("DescribeTargetHealth", {"TargetHealthDescriptions": described})


def _why(state: str, reason: str) -> dict[str, str]:
    return {} if state == "healthy" or not reason else {"Reason": reason}


def run(**fields: Any) -> Outcome:
    return TargetsCheck.model_validate(fields).run(context(None))


def test_healthy_targets_pass(aws: AwsApi) -> None:
    targets(aws, "healthy", "healthy", "draining")

    assert run() == Outcome.passed(
        "target group alternate has 2 healthy targets",
        {"healthy_targets": 2, "healthy_targets_lower_limit": 1, "bad_targets": 0, "bad_targets_limit": 0},
    )
    assert aws.asked["DescribeTargetHealth"] == [{"TargetGroupArn": GREEN_GROUP}]


@pytest.mark.parametrize("states", [["initial"], ["healthy", "initial"], [], ["draining"]])
def test_initial_targets_are_waited_for(aws: AwsApi, states: list[str]) -> None:
    targets(aws, *states)

    assert run().status is Status.WAIT


def test_fewer_healthy_targets_than_required_are_waited_for(aws: AwsApi) -> None:
    targets(aws, "healthy")

    assert run(min_healthy=2).reason == (
        "target group alternate has 1 healthy target and 0 initial, expected 2 or more"
    )


def test_unhealthy_targets_fail_with_their_reasons(aws: AwsApi) -> None:
    targets(aws, "healthy", "unhealthy", "unavailable")

    outcome = run()
    assert outcome.status is Status.FAIL
    assert outcome.reason == ("target group alternate has 2 unhealthy targets: 2 Target.ResponseCodeMismatch")
    assert (outcome.evidence["bad_targets"], outcome.evidence["unavailable_targets"]) == (2, 1)
    assert run(max_unhealthy=2).status is Status.PASS


def test_without_a_reason_the_state_is_named(aws: AwsApi) -> None:
    targets(aws, "unhealthy", reason="")

    assert run().reason.endswith(": 1 unhealthy")


@pytest.mark.parametrize(
    ("stage", "test", "status"),
    [
        (Stage.POST_SCALE_UP, TEST_RULE, Status.SKIP),
        (Stage.POST_TEST_TRAFFIC_SHIFT, "", Status.SKIP),
        (Stage.POST_TEST_TRAFFIC_SHIFT, TEST_RULE, Status.FAIL),
        (Stage.POST_PRODUCTION_TRAFFIC_SHIFT, "", Status.FAIL),
    ],
)
def test_unused_targets_fail_once_a_listener_forwards_to_them(
    aws: AwsApi, stage: Stage, test: str, status: Status
) -> None:
    targets(aws, "unused", "unused", reason="Target.NotInUse")
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [revision(test=test)]})

    outcome = TargetsCheck().run(context(None, stage=stage))
    assert outcome.status is status
    assert status is Status.SKIP or "2 Target.NotInUse" in outcome.reason


def test_a_service_without_a_load_balancer_is_skipped(aws: AwsApi) -> None:
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [revision(loadBalancers=[])]})

    assert run() == Outcome.skip("green has no target group")


def test_an_unresolved_target_group_is_an_error(aws: AwsApi) -> None:
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [revision(group="")]})

    assert run() == Outcome.error("ecs:DescribeServiceRevisions: no target group of green is resolved yet")


def test_an_invalid_response_is_an_aws_error(aws: AwsApi) -> None:
    load_balancer(aws)
    aws.answer("DescribeTargetHealth", {"TargetHealthDescriptions": [{"Target": {"Id": "10.0.0.1"}}]})
    with pytest.raises(FactError, match="elasticloadbalancing:DescribeTargetHealth: invalid response"):
        run()


def by_group(aws: AwsApi, **states: str) -> None:
    load_balancer(aws)
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [several_load_balancers()]})
    names = {GREEN_GROUP: "green", ADMIN_GROUP: "admin"}
    aws.answer(
        "DescribeTargetHealth",
        lambda request: {
            "TargetHealthDescriptions": [
                {"Target": {"Id": "10.0.0.1"}, "TargetHealth": {"State": states[names[request["TargetGroupArn"]]]}}
            ]
        },
    )


@pytest.mark.parametrize(
    ("admin", "status", "reason"),
    [
        (
            "healthy",
            Status.PASS,
            (
                "target group admin has 1 healthy target; target group alternate has 1 healthy target; "
                f"not checked: {UNREAD}"
            ),
        ),
        (
            "unused",
            Status.PASS,
            "target group alternate has 1 healthy target; not checked: target group admin (no traffic yet), " + UNREAD,
        ),
        ("unhealthy", Status.FAIL, "target group admin has 1 unhealthy target: 1 unhealthy"),
    ],
)
def test_the_reason_has_every_target_group(aws: AwsApi, admin: str, status: Status, reason: str) -> None:
    by_group(aws, green="healthy", admin=admin)

    assert (run().status, run().reason) == (status, reason)


def test_load_balancers_that_cannot_be_read_are_named(aws: AwsApi) -> None:
    balancers = [{"loadBalancerName": "old", "containerName": "web", "containerPort": 8080}]
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [revision(loadBalancers=balancers)]})

    assert run().reason == "green has no target group; not checked: Classic Load Balancer old"
