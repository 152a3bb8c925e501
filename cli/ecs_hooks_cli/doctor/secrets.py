"""Whether the secrets that a plan refers to exist, and whether it contains secrets in plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ecs_hooks.auth.secret_store import Reference
from ecs_hooks.aws.call import call_aws, call_aws_list, parsing
from ecs_hooks.aws.errors import FactError
from ecs_hooks.core.arn import EcsArn, region_of
from ecs_hooks.core.formatting import counted
from ecs_hooks.core.redaction import is_secret_name
from ecs_hooks_cli.doctor.attached_hook import PlannedHook
from ecs_hooks_cli.doctor.finding import Finding, Subject

SUBJECT = Subject("secrets")
ALLOW_DECRYPT = "allow kms:Decrypt on the function's key for the AWS credentials used here"
_DESCRIBE_SECRET = "secretsmanager:DescribeSecret"  # noqa: S105 - an action
_DESCRIBE_PARAMETERS = "ssm:DescribeParameters"
_SECRET_FIELDS = {"password", "token", "value", "client_secret", "private_key"}
"""Fields of `auth` that hold secrets."""


def examine(hook: PlannedHook) -> Iterator[Finding]:
    """Find each secret, without reading its value."""
    existing = 0
    for each in hook.secrets:
        if each.env is not None and hook.function.environment is None:
            text = f"cannot determine whether the function has the variable {each.env}: Lambda cannot decrypt its environment"
            yield SUBJECT.unknown(text, ALLOW_DECRYPT)
            continue
        try:
            problem = _problem(each, hook)
        except FactError as failed:
            yield SUBJECT.aws_failed(f"whether {each.name} exists", failed)
            continue
        existing += not problem
        if problem:
            yield SUBJECT.error(problem, "create it, or correct the name in the plan")
    if existing:
        yield SUBJECT.ok(f"{counted(existing, 'secret')} of the plan found")
    if hook.reference is None:
        yield from _in_plain_text(hook)


def secret_arn(reference: Reference, service: EcsArn) -> str:
    """Return the ARN of a secret in Secrets Manager; its random suffix is not part of the name.

    Raises
    ------
    FactError
        If the call fails, or there is no such secret.
    """
    answer = _described(reference, service)
    with parsing(_DESCRIBE_SECRET):
        return str(answer["ARN"])


def parameter_arn(name: str, service: EcsArn) -> str:
    """Return the ARN of a Systems Manager parameter, without version and label."""
    if name.startswith("arn:"):
        return ":".join(name.split(":")[:6])
    bare = name.partition(":")[0].removeprefix("/")
    return f"arn:{service.partition}:ssm:{service.region}:{service.account}:parameter/{bare}"


def _described(reference: Reference, service: EcsArn) -> Mapping[str, Any]:
    region = region_of(reference.name) if reference.name.startswith("arn:") else service.region
    return call_aws(_DESCRIBE_SECRET, region, SecretId=reference.name)


def _problem(reference: Reference, hook: PlannedHook) -> str:
    """Return why a secret cannot be read with any permissions; empty if it exists."""
    service = hook.attached.examined.arn
    if reference.env is not None:
        return "" if hook.environment.get(reference.env) else f"the function has no variable {reference.env}"
    if reference.ssm is not None:
        return _problem_of_parameter(reference.ssm, service)
    try:
        described = _described(reference, service)
    except FactError as failed:
        if failed.code != "ResourceNotFoundException":
            raise
        return f"Secrets Manager has no secret {reference.name}"
    return f"the secret {reference.name} is scheduled for deletion" if described.get("DeletedDate") else ""


def _problem_of_parameter(name: str, service: EcsArn) -> str:
    arn = parameter_arn(name, service)
    if arn.split(":")[4] != service.account:
        return ""  # DescribeParameters does not list parameters of other accounts
    path = arn.partition(":parameter/")[2]
    # An ARN does not show whether the name begins with a slash.
    names = [path, f"/{path}"] if name.startswith("arn:") else [name.partition(":")[0]]
    filters = [{"Key": "Name", "Option": "Equals", "Values": names}]
    found = call_aws_list(_DESCRIBE_PARAMETERS, region_of(arn), "Parameters", ParameterFilters=filters)
    return "" if found else f"Systems Manager has no parameter {name}"


def _in_plain_text(hook: PlannedHook) -> Iterator[Finding]:
    """Find secrets whose values are in `hookDetails`."""
    found: dict[str, None] = {}
    for plan in hook.plans.values():
        for check in plan.checks if plan.explicit else ():
            fields = check.model_dump(by_alias=True, exclude_unset=True)
            found |= dict.fromkeys(f"{check.label} {path}" for path in _plain_text_paths(fields))
    for path in found:
        yield SUBJECT.warning(
            f"{path} is in plain text in hookDetails: every principal that may call ecs:DescribeServices can read it",
            'replace the value with a reference: {"secretsmanager": NAME}, {"ssm": NAME} or {"env": NAME}',
        )


def _plain_text_paths(fields: Mapping[str, Any], parent: str = "") -> Iterator[str]:
    for name, value in fields.items():
        path = f"{parent}.{name}" if parent else name
        match name, value:
            case "auth", Mapping():
                for kind, inner in value.items():
                    secret = (each for each in inner if each in _SECRET_FIELDS)
                    yield from (f"{path}.{kind}.{each}" for each in secret if _is_plain_text(inner[each]))
            case "headers", Mapping():
                yield from (f"{path}.{each}" for each in value if is_secret_name(each) and _is_plain_text(value[each]))
            case "secrets", Mapping():
                yield from (f"{path}.{each}" for each in value if _is_plain_text(value[each]))
            case (("requests" | "cleanup" | "steps"), list() | tuple()):
                for number, inner in enumerate(value):
                    yield from _plain_text_paths(inner, f"{path}[{number}]")


def _is_plain_text(value: Any) -> bool:
    # A placeholder is filled from a response, so it is no secret of the plan.
    return isinstance(value, str) and "{{" not in value
