"""Whether the function's role allows what the checks of the plan ask AWS for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from ecs_hooks.auth.reference import SECRETS_MANAGER, SSM
from ecs_hooks.auth.role import ACTION as ASSUME_ROLE
from ecs_hooks.aws.errors import FactError
from ecs_hooks.deployment.logs import log_configurations
from ecs_hooks.deployment.service_deployment import ACTION as DEPLOYMENTS
from ecs_hooks.deployment.task_definition import container_definitions
from ecs_hooks.plan.model import FirstDeployment
from ecs_hooks.plan.source import S3
from ecs_hooks_cli.doctor.attached import Prepared
from ecs_hooks_cli.doctor.finding import Finding, error, ok, unanswered, unknown, warning
from ecs_hooks_cli.doctor.secrets import arn_of, parameter_arn
from ecs_hooks_cli.doctor.simulation import Simulated, simulate, statement

SUBJECT = "permissions"

_PARAMETERS = {SECRETS_MANAGER: "SecretArns", SSM: "ParameterArns", S3: "PlanArns", ASSUME_ROLE: "AssumedRoleArns"}
"""The parameters of the stack that allow what plans name."""


def needed(prepared: Prepared) -> frozenset[str]:
    """Return the IAM actions without which the hook fails."""
    skips = any(plan.policies.first_deployment is FirstDeployment.SKIP for plan in prepared.plans.values())
    return prepared.actions | ({DEPLOYMENTS} if skips else set())


def examine(prepared: Prepared) -> Iterator[Finding]:
    """Ask IAM about every action."""
    if prepared.function.environment is None:
        yield unknown(
            SUBJECT,
            "Lambda can't show the function's environment, so whether APP_URL is set is not known; it is taken not to be",
            "allow kms:Decrypt with the function's key to the AWS credentials used here",
        )
    required = needed(prepared)
    asked: dict[tuple[str, ...], list[str]] = {}
    for action in sorted(required | {DEPLOYMENTS}):
        try:
            resources = _resources(action, prepared)
        except FactError as trouble:
            yield unanswered(SUBJECT, f"which resources {action} is for", trouble)
            continue
        if resources:
            asked.setdefault(resources, []).append(action)
        else:
            yield error(
                SUBJECT,
                "no container of the task definition logs with the awslogs driver and an awslogs-stream-prefix, so a logs "
                "check fails",
                "set both in the task definition, or take the check out of the plan",
            )
    yield from _judged(prepared, asked, required)


def _judged(
    prepared: Prepared, asked: Mapping[tuple[str, ...], list[str]], required: Collection[str]
) -> Iterator[Finding]:
    role = prepared.function.role.rpartition("/")[2]
    left = [action for actions in asked.values() for action in actions]
    allowed: list[str] = []
    try:
        for resources, actions in asked.items():
            for action, found in _simulated(prepared, actions, resources).items():
                left.remove(action)
                if found.allowed:
                    allowed.append(action)
                else:
                    yield _not_allowed(role, action, resources, found, required=action in required)
    except FactError as trouble:
        yield unanswered(SUBJECT, f"whether {role} allows {', '.join(left)}", trouble)
    if allowed:
        yield ok(SUBJECT, f"{role} allows {', '.join(sorted(allowed))}")


def _simulated(prepared: Prepared, actions: Sequence[str], resources: Sequence[str]) -> dict[str, Simulated]:
    examined = prepared.hook.examined
    region = examined.arn.region
    context = {
        "aws:RequestedRegion": region,
        "ecs:cluster": str(examined.service.described["clusterArn"]),
        "ecs:service": examined.service_arn,
    }
    # The id of a deployment to come is any; what it stands for here must not be a pattern.
    concrete = [re.sub(r"/\*$", "/0", each) for each in resources]
    return simulate(prepared.function.role, actions, concrete, region, context)


def _resources(action: str, prepared: Prepared) -> tuple[str, ...]:  # noqa: PLR0911 - one case for each kind
    """Return the ARNs that an action is done to, all of which are required; none where there is nothing to do it to."""
    examined, reference = prepared.hook.examined, prepared.reference
    arn = examined.arn
    ecs = f"arn:{arn.partition}:ecs:{arn.region}:{arn.account}"
    match action:
        case "ecs:DescribeServiceDeployments":
            return examined.service_arn, f"{ecs}:service-deployment/{arn.cluster}/{arn.service}/*"
        case "ecs:DescribeServiceRevisions":
            return examined.service_arn, f"{ecs}:service-revision/{arn.cluster}/{arn.service}/*"
        case "ecs:DescribeTasks":
            return (f"{ecs}:task/{arn.cluster}/*",)
        case "ecs:ListTasks":
            return (f"{ecs}:container-instance/{arn.cluster}/*",)
        case "logs:FilterLogEvents":
            containers = container_definitions(str(examined.service.described.get("taskDefinition")), arn.region)
            groups = {
                f"arn:{arn.partition}:logs:{each.region}:{arn.account}:log-group:{each.group}:*"
                for each in log_configurations(containers, arn.region)
            }
            return tuple(sorted(groups))
        case "secretsmanager:GetSecretValue":
            return tuple(sorted(arn_of(each, arn) for each in prepared.secrets if each.secretsmanager))
        case "ssm:GetParameter":
            plan = [reference.name] if reference and reference.action == SSM else []
            names = [*plan, *(each.ssm for each in prepared.secrets if each.ssm)]
            return tuple(sorted({parameter_arn(name, arn) for name in names}))
        case "sts:AssumeRole":
            return tuple(sorted(prepared.roles))
        case "s3:GetObject" if reference is not None:
            return (f"arn:{arn.partition}:s3:::{reference.bucket}/{reference.name}",)
        case _:
            return ("*",)


def _not_allowed(role: str, action: str, resources: Sequence[str], found: Simulated, *, required: bool) -> Finding:
    if found.missing:
        return unknown(
            SUBJECT,
            f"whether {role} allows {action} depends on {', '.join(found.missing)}",
            "take these conditions out of its policies, or see in a deployment that may fail",
        )
    text = f"{role} does not allow {action}"
    fix = f"add to a policy of the role: {statement(action, resources)}"
    if action in _PARAMETERS:
        fix += f"; {_PARAMETERS[action]} of the stack does that"
    if found.limited_by or found.decision == "explicitDeny":
        text = f"{found.limited_by or 'one of its policies'} keeps {role} from {action}"
        fix = "allow it there"
    if required:
        return error(SUBJECT, f"{text}, which the plan needs", fix)
    return warning(SUBJECT, f"{text}: the hook can't ask when ECS gives up on it, or whether ECS rolls back", fix)
