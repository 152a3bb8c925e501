"""What all hooks of a service depend on: this machine's AWS SDK, and the service's deployment settings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any

from ecs_hooks.aws.call import call_aws_list
from ecs_hooks.aws.errors import FactError
from ecs_hooks.core.event import Stage
from ecs_hooks_cli.common.rollback import listener_failure
from ecs_hooks_cli.common.service import Service
from ecs_hooks_cli.doctor.finding import Finding, Subject

_SDK, _SERVICE = Subject("SDK"), Subject("service")
_REQUIRED_MEMBERS = {
    "DeploymentConfiguration": ("lifecycleHooks", "strategy"),
    "DeploymentLifecycleHook": ("hookDetails", "hookTargetArn", "lifecycleStages", "roleArn", "timeoutConfiguration"),
}
"""botocore drops members that its service model lacks, without an error."""


def installed_sdk() -> tuple[str, dict[str, Any]]:
    """Return the version of botocore, and the members of the required shapes in its model of ECS."""
    import botocore.session  # noqa: PLC0415 - slow to load

    model = botocore.session.get_session().get_service_model("ecs")
    return str(botocore.__version__), {
        shape: model.shape_for(shape).members for shape in _REQUIRED_MEMBERS if shape in model.shape_names
    }


def examine_sdk(version: str, members: Mapping[str, Any]) -> Iterator[Finding]:
    """Compare the members of botocore's shapes with the required ones."""
    missing = [
        f"{shape}.{member}"
        for shape, required in _REQUIRED_MEMBERS.items()
        for member in required
        if member not in members.get(shape, ())
    ]
    if missing:
        yield _SDK.error(
            f"botocore {version} on this machine does not support {', '.join(missing)}: hooks are read incompletely",
            "pip install --upgrade boto3",
        )
    else:
        yield _SDK.ok(f"botocore {version} supports lifecycle hooks, hookDetails and timeoutConfiguration")


def examine_rollbacks(service: Service) -> Iterator[Finding]:
    """Find the latest rollback that ECS reports as a failed hook although none failed."""
    events = [str(each.get("message") or "") for each in service.described.get("events") or []]
    # With the permissions of the user alone, the events are there, and the reasons of deployments may not be.
    with suppress(FactError):
        deployments = call_aws_list(
            "ecs:ListServiceDeployments",
            service.region,
            "serviceDeployments",
            cluster=service.cluster,
            service=service.name,
            status=["ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"],
        )
        events += [str(each.get("statusReason") or "") for each in deployments]
    found = next(filter(None, map(listener_failure, events)), None)
    if found is not None:
        yield _SERVICE.warning(f"last rollback: {found.text}", found.fix)


def examine_service(service: Service, stages: Collection[str]) -> Iterator[Finding]:
    """Examine the deployment controller, the strategy, and whether there are hooks at these stages (any if empty)."""
    controller = (service.described.get("deploymentController") or {}).get("type") or "ECS"
    strategy = str(service.configuration.get("strategy") or "ROLLING")
    if controller != "ECS":
        yield _SERVICE.error(
            f"the deployment controller is {controller}: only the controller ECS invokes lifecycle hooks",
            "set the service's deployment controller to ECS",
        )
    elif strategy == "ROLLING":
        yield _SERVICE.warning(
            "the deployment strategy is ROLLING: it has no test traffic, and PRE_SCALE_UP is the only stage at which AWS "
            "documents that ECS invokes Lambda hooks",
            "set the strategy to BLUE_GREEN, LINEAR or CANARY",
        )
    else:
        yield _SERVICE.ok(f"deployment strategy {strategy}")
    attached = {stage for hook in service.hooks for stage in hook.get("lifecycleStages") or []}
    if not (attached & set(stages) if stages else service.hooks):
        missing = f"lifecycle hook at {', '.join(stages)}" if stages else "lifecycle hooks"
        stage = next(iter(stages), Stage.POST_TEST_TRAFFIC_SHIFT)
        yield _SERVICE.warning(
            f"the service has no {missing}", f"ecs-hooks attach {service.cluster}/{service.name} --stage {stage}"
        )
