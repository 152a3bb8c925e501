from __future__ import annotations

import pytest

from ecs_hooks_cli.common.rollback import ListenerFailure, listener_failure

ARN = "arn:aws:elasticloadbalancing:us-west-2:123456789012:listener/app/my-alb/50dc6c495c0c9188/f2f7dc8efc522ab2"
FAILED = "Service deployment rolled back because {} lifecycle hook(s) failed. "
USER = "User: arn:aws:sts::123456789012:assumed-role/ecs-alb/ECSNetworkingWithELB is not authorized to perform: "
HOOK = "arn:aws:lambda:us-west-2:123456789012:function:elasticloadbalancing-hook"


@pytest.mark.parametrize("stage", ["TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"])
@pytest.mark.parametrize("action", ["ModifyListener", "ModifyRule", "DescribeTargetGroups"])
def test_a_listener_that_ecs_may_not_change_is_no_failed_hook(stage: str, action: str) -> None:
    denied = f"elasticloadbalancing:{action}"
    because = "because no identity-based policy allows the action"
    found = listener_failure(f"(service api) {FAILED.format(stage)}{USER}{denied} on resource: {ARN} {because}")

    assert found is not None
    assert (found.stage, found.role, found.action, found.resource) == (stage, "ecs-alb", denied, ARN)
    assert found.text == (
        f"ECS reports failed hooks at {stage}, but no hook failed: ECS could not change the listener: role ecs-alb does not "
        f"allow {denied} for {ARN}"
    )
    assert found.fix.startswith(f"allow {denied} in the infrastructure role of the load balancer")


@pytest.mark.parametrize(
    "detail",
    [
        "Target group my-group is not associated with the listener.",
        "ECS was unable to assume role arn:aws:iam::123456789012:role/ecs-alb (ECSNetworkingWithELB)",
        "Rate exceeded (Service: ElasticLoadBalancing)",
    ],
)
def test_other_failures_of_a_load_balancer_have_ecs_s_words(detail: str) -> None:
    assert listener_failure(FAILED.format("TEST_TRAFFIC_SHIFT") + detail) == ListenerFailure(
        "TEST_TRAFFIC_SHIFT", detail
    )
    found = ListenerFailure("TEST_TRAFFIC_SHIFT", detail)
    assert found.text.endswith(detail)
    assert "advancedConfiguration" in found.fix
    assert "the role of the load balancer does not allow a:B" in found._replace(action="a:B").text


@pytest.mark.parametrize(
    "detail",
    [
        f"Lifecycle hook target {HOOK} returned FAILED status.",
        f"ECS was unable to invoke hook target {HOOK} due to {USER.replace('ECSNetworkingWithELB', 'ECS-Lambda-Execution')}",
        f"ECS was unable to parse the response from {HOOK} due to HookStatus must not be null",
        "ECS was unable to assume role arn:aws:iam::123456789012:role/hook",
        "arn:aws:lambda:us-west-2:123456789012:function:check-listener timed out",
        "The Lambda function of the target group check timed out",
        "The listener check returned FAILED",
        "",
    ],
)
def test_a_failed_hook_is_one(detail: str) -> None:
    assert listener_failure(FAILED.format("TEST_TRAFFIC_SHIFT") + detail) is None


@pytest.mark.parametrize(
    "reason",
    ["", "Service deployment rolled back because the circuit breaker threshold was exceeded.", "pause hook timed out."],
)
def test_other_rollbacks_are_not_about_hooks(reason: str) -> None:
    assert listener_failure(reason) is None
