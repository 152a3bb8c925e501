"""Whether ECS can invoke the function with the hook's role, and whether the function's role allows what its plan requires."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from ecs_hooks.auth.secret_store import SECRETS_MANAGER, SSM
from ecs_hooks.auth.sigv4 import ASSUME_ROLE
from ecs_hooks.aws.call import call_aws, parsing
from ecs_hooks.aws.errors import FactError
from ecs_hooks.deployment.logs import log_configurations
from ecs_hooks.deployment.service_deployment import DESCRIBE_DEPLOYMENTS as DEPLOYMENTS
from ecs_hooks.deployment.tasks import container_definitions
from ecs_hooks.plan.model import FirstDeployment
from ecs_hooks.plan.source import S3
from ecs_hooks_cli.doctor.attached_hook import AttachedHook, PlannedHook
from ecs_hooks_cli.doctor.finding import Finding, Level, Subject
from ecs_hooks_cli.doctor.iam import Decision, Simulated, decide, simulate, statement
from ecs_hooks_cli.doctor.secrets import ALLOW_DECRYPT, parameter_arn, secret_arn

SUBJECT = Subject("permissions")
WITHOUT_DEPLOYMENTS = "the hook cannot read ECS's timeout, or whether ECS rolls back"
"""What a hook lacks that may not, or cannot, call DescribeServiceDeployments."""
_ROLE = Subject("role")
_ECS = "ecs.amazonaws.com"
_INVOKE = "lambda:InvokeFunction"
_GET_ROLE, _GET_POLICY = "iam:GetRole", "lambda:GetPolicy"
_TRUST_POLICY = json.dumps({"Effect": "Allow", "Principal": {"Service": _ECS}, "Action": "sts:AssumeRole"})
"""As ECS documents it."""
_STACK_PARAMETERS = {
    SECRETS_MANAGER: "SecretArns",
    SSM: "ParameterArns",
    S3: "PlanArns",
    ASSUME_ROLE: "AssumedRoleArns",
}
"""The parameter of the stack that allows an action."""


def examine_role(hook: AttachedHook) -> Iterator[Finding]:
    """Examine the hook's role: its trust policy, and its permission to invoke the function."""
    if not hook.role:
        yield _ROLE.error(
            "the hook has no roleArn: ECS cannot invoke the function", "attach the hook with the ARN of a role"
        )
        return
    name = hook.role.rpartition("/")[2]
    try:
        answer = call_aws(_GET_ROLE, hook.examined.arn.region, RoleName=name)
        with parsing(_GET_ROLE):
            found, document = str(answer["Role"]["Arn"]), answer["Role"]["AssumeRolePolicyDocument"]
    except FactError as failed:
        if failed.code == "NoSuchEntity":
            yield _ROLE.error(f"the role {name} does not exist", "create it, or attach the hook with an existing role")
            return
        yield _ROLE.aws_failed(f"whether {name} trusts {_ECS}", failed)
    else:
        if found != hook.role:  # GetRole ignores the path of the name
            yield _ROLE.error(
                f"the role {hook.role} does not exist: the ARN of {name} is {found}", f"attach the hook with {found}"
            )
            return
        yield _trust(name, document)
    if hook.arn is not None:
        yield _may_invoke(hook, name)


def _trust(name: str, document: object) -> Finding:
    match decide(document, "sts:AssumeRole", "Service", _ECS):
        case Decision.ALLOWED:
            return _ROLE.ok(f"{name} trusts {_ECS}")
        case Decision.DENIED:
            return _ROLE.error(f"the trust policy of {name} denies {_ECS}", "remove the Deny statement")
        case Decision.UNDECIDED:
            return _ROLE.unknown(
                f"cannot determine whether {name} trusts {_ECS}: its trust policy has conditions, which ECS does not document",
                f"set the trust policy to {_TRUST_POLICY}, or try it in a deployment that may fail",
            )
        case _:
            return _ROLE.error(
                f"{name} does not trust {_ECS}: ECS cannot assume it", f"add to its trust policy: {_TRUST_POLICY}"
            )


def _may_invoke(hook: AttachedHook, name: str) -> Finding:
    region = hook.examined.arn.region
    try:
        found = simulate(hook.role, [_INVOKE], [hook.target], region, {"aws:RequestedRegion": region})[_INVOKE]
        if found.allowed:
            return _ROLE.ok(f"{name} allows {_INVOKE}")
        if not found.missing and not found.denied_by:
            # Either the role's policies or the function's own policy have to allow it, not both.
            return _by_resource_policy(hook, name)
        return _not_allowed(_ROLE, name, _INVOKE, [hook.target], found)
    except FactError as failed:
        return _ROLE.aws_failed(f"whether {name} allows {_INVOKE}", failed)


def _by_resource_policy(hook: AttachedHook, name: str) -> Finding:
    fix = f"add to a policy of the role: {statement(_INVOKE, [hook.target])}"
    match _resource_policy(hook):
        case Decision.ALLOWED:
            return _ROLE.ok(f"the function's resource policy allows {_INVOKE} for {name}")
        case Decision.DENIED:
            return _ROLE.error(
                f"the function's resource policy denies {_INVOKE} for {name}", "remove the Deny statement"
            )
        case Decision.UNDECIDED:
            return _ROLE.unknown(
                f"cannot determine whether {name} allows {_INVOKE}: the function's resource policy has conditions", fix
            )
        case _:
            return _ROLE.error(f"{name} does not allow {_INVOKE}", fix)


def _resource_policy(hook: AttachedHook) -> Decision:
    assert hook.arn is not None
    try:
        answer = call_aws(_GET_POLICY, hook.arn.region, FunctionName=hook.target)
    except FactError as failed:
        if failed.code == "ResourceNotFoundException":  # the function has no policy
            return Decision.NOT_ALLOWED
        raise
    with parsing(_GET_POLICY):
        return decide(json.loads(answer["Policy"]), _INVOKE, "AWS", hook.role)


def required_actions(hook: PlannedHook) -> frozenset[str]:
    """Return the IAM actions without which the hook fails."""
    skips = any(plan.policies.first_deployment is FirstDeployment.SKIP for plan in hook.plans.values())
    return hook.actions | ({DEPLOYMENTS} if skips else set())


def examine(hook: PlannedHook) -> Iterator[Finding]:
    """Simulate every action that the function's role should allow."""
    if hook.function.environment is None:
        yield SUBJECT.unknown(
            "Lambda cannot decrypt the function's environment: its APP_URL is unknown, and is assumed not to be set",
            ALLOW_DECRYPT,
        )
    required = required_actions(hook)
    by_resources: dict[tuple[str, ...], list[str]] = {}
    for action in sorted(required | {DEPLOYMENTS}):
        try:
            resources = _resources(action, hook)
        except FactError as failed:
            yield SUBJECT.aws_failed(f"the resources of {action}", failed)
            continue
        if resources:
            by_resources.setdefault(resources, []).append(action)
        else:
            yield SUBJECT.error(
                "no container of the task definition has log driver awslogs with awslogs-stream-prefix: the logs check fails",
                "set both in the task definition, or remove the check from the plan",
            )
    yield from _simulations(hook, by_resources, required)


def _simulations(
    hook: PlannedHook, by_resources: Mapping[tuple[str, ...], list[str]], required: Collection[str]
) -> Iterator[Finding]:
    examined = hook.attached.examined
    region = examined.arn.region
    context = {
        "aws:RequestedRegion": region,
        "ecs:cluster": str(examined.service.described["clusterArn"]),
        "ecs:service": examined.service_arn,
    }
    role = hook.function.role.rpartition("/")[2]
    pending = [action for actions in by_resources.values() for action in actions]
    allowed: list[str] = []
    try:
        for resources, actions in by_resources.items():
            # The simulator refuses patterns: any id will do for a future deployment.
            concrete = [re.sub(r"/\*$", "/0", each) for each in resources]
            for action, found in simulate(hook.function.role, actions, concrete, region, context).items():
                pending.remove(action)
                if found.allowed:
                    allowed.append(action)
                else:
                    consequence = ", which the plan requires" if action in required else f": {WITHOUT_DEPLOYMENTS}"
                    finding = _not_allowed(SUBJECT, role, action, resources, found, consequence)
                    yield finding if action in required or found.missing else finding._replace(level=Level.WARNING)
    except FactError as failed:
        yield SUBJECT.aws_failed(f"whether {role} allows {', '.join(pending)}", failed)
    if allowed:
        yield SUBJECT.ok(f"{role} allows {', '.join(sorted(allowed))}")


def _resources(action: str, hook: PlannedHook) -> tuple[str, ...]:  # noqa: PLR0911 - one case for each kind
    """Return the ARNs that an action requires; empty if there is nothing to apply it to."""
    examined, reference = hook.attached.examined, hook.reference
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
                if not each.obstacle
            }
            return tuple(sorted(groups))
        case "secretsmanager:GetSecretValue":
            return tuple(sorted(secret_arn(each, arn) for each in hook.secrets if each.secretsmanager))
        case "ssm:GetParameter":
            plan = [reference.name] if reference and reference.action == SSM else []
            names = [*plan, *(each.ssm for each in hook.secrets if each.ssm)]
            return tuple(sorted({parameter_arn(name, arn) for name in names}))
        case "sts:AssumeRole":
            return tuple(sorted(hook.roles))
        case "s3:GetObject" if reference is not None:
            return (f"arn:{arn.partition}:s3:::{reference.bucket}/{reference.name}",)
        case _:
            return ("*",)


def _not_allowed(
    subject: Subject, role: str, action: str, resources: Sequence[str], found: Simulated, consequence: str = ""
) -> Finding:
    if found.missing:
        return subject.unknown(
            f"cannot determine whether {role} allows {action}: a policy has conditions on {', '.join(found.missing)}",
            "remove these conditions from the policies of the role, or try it in a deployment that may fail",
        )
    text = f"{role} does not allow {action}"
    if found.denied_by:
        fix = f"allow {action} there for {', '.join(resources)}"
        return subject.error(f"{text} ({found.denied_by} blocks it){consequence}", fix)
    fix = f"add to a policy of the role: {statement(action, resources)}"
    if action in _STACK_PARAMETERS:
        fix += f"; {_STACK_PARAMETERS[action]} of the stack does that"
    return subject.error(f"{text}{consequence}", fix)
