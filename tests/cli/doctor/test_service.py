from __future__ import annotations

from typing import Any

import pytest
from botocore.model import ServiceModel
from botocore.session import get_session

from ecs_hooks_cli.doctor import service
from tests.cli.account import Account
from tests.cli.conftest import Doctor


def test_a_service_without_hooks_is_a_warning(doctor: Doctor, account: Account) -> None:
    account.configuration["lifecycleHooks"] = []
    doctor()

    assert doctor.bad() == [("warning", "service", "the service has no lifecycle hooks")]
    assert doctor.fix("no lifecycle hooks").startswith("ecs-hooks attach my-cluster/my-service ")
    assert doctor.status == 0


def test_no_hook_at_the_stage_is_a_warning(doctor: Doctor, account: Account) -> None:
    doctor("--stage", "PRE_SCALE_UP")

    assert doctor.bad() == [("warning", "service", "the service has no lifecycle hook at PRE_SCALE_UP")]


@pytest.mark.parametrize(
    ("fields", "level", "text"),
    [
        ({"deploymentConfiguration": {}}, "warning", "the deployment strategy is ROLLING"),
        ({"deploymentController": {"type": "CODE_DEPLOY"}}, "error", "the deployment controller is CODE_DEPLOY"),
    ],
)
def test_rolling_and_codedeploy_deployments_are_reported(
    doctor: Doctor, account: Account, fields: dict[str, Any], level: str, text: str
) -> None:
    account.service |= fields
    doctor()

    assert (level, True) in [(found, text in said) for found, said in doctor.of("service")]


DENIED = (
    "(service my-service) Service deployment rolled back because TEST_TRAFFIC_SHIFT lifecycle hook(s) failed. User: "
    "arn:aws:sts::123456789012:assumed-role/ecs-alb/ECSNetworkingWithELB is not authorized to perform: "
    "elasticloadbalancing:ModifyListener"
)


@pytest.mark.parametrize("place", ["event", "status"])
def test_contract_12_a_rollback_that_ecs_reports_as_a_failed_hook_is_recognized(
    doctor: Doctor, account: Account, place: str
) -> None:
    if place == "event":
        account.service["events"] = [
            {"message": "(service my-service) has reached a steady state."},
            {"message": DENIED},
        ]
    else:
        account.aws.answer("ListServiceDeployments", {"serviceDeployments": [{"statusReason": DENIED}]})
    doctor()

    text = (
        "last rollback: ECS reports failed hooks at TEST_TRAFFIC_SHIFT, but no hook failed: ECS could not change the "
        "listener: role ecs-alb does not allow elasticloadbalancing:ModifyListener"
    )
    assert ("warning", text) in doctor.of("service")
    assert "AmazonECSInfrastructureRolePolicyForLoadBalancers" in doctor.fix("last rollback")


def test_reasons_of_deployments_are_optional(doctor: Doctor, account: Account) -> None:
    account.service["events"] = [{"message": "(service my-service) has reached a steady state."}]
    account.aws.error("ListServiceDeployments", "AccessDeniedException")
    doctor()

    assert doctor.of("service") == [("ok", "deployment strategy BLUE_GREEN")]


def test_an_old_sdk_is_an_error() -> None:
    version, known = service.installed_sdk()
    assert [finding.level for finding in service.examine_sdk(version, known)] == ["ok"]

    model = get_session().get_service_model("ecs")
    description = {
        "metadata": model.metadata,
        "shapes": {
            "DeploymentLifecycleHook": {"type": "structure", "members": {"roleArn": {"shape": "String"}}},
            "String": {"type": "string"},
        },
    }
    old = {"DeploymentLifecycleHook": ServiceModel(description).shape_for("DeploymentLifecycleHook").members}
    (finding,) = service.examine_sdk("1.38.0", old)
    assert finding.level == "error"
    assert "DeploymentConfiguration.lifecycleHooks" in finding.text
    assert "DeploymentLifecycleHook.hookDetails" in finding.text
    assert "DeploymentLifecycleHook.roleArn" not in finding.text
