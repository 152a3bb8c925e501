"""Whether the secrets that a plan names are there, and whether it has others that anybody can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ecs_hooks.auth.reference import Reference
from ecs_hooks.aws.call import ask, ask_page, reading
from ecs_hooks.aws.errors import FactError
from ecs_hooks.core.arn import EcsArn, region_of
from ecs_hooks.core.redaction import is_secret_name
from ecs_hooks_cli.doctor.attached import Prepared
from ecs_hooks_cli.doctor.finding import Finding, error, ok, unanswered, unknown, warning

SUBJECT = "secrets"
_SECRET = "secretsmanager:DescribeSecret"  # noqa: S105 - an action
_PARAMETERS = "ssm:DescribeParameters"
_FIELDS = {"password", "token", "value", "client_secret", "private_key"}
"""Fields of `auth` that hold secrets."""


def examine(prepared: Prepared) -> Iterator[Finding]:
    """Look for each secret, without reading it."""
    there = 0
    for each in prepared.secrets:
        if each.env is not None and prepared.function.environment is None:
            text = f"whether the function has a variable {each.env} is not known: Lambda can't show its environment"
            yield unknown(SUBJECT, text, "allow kms:Decrypt with the function's key to the AWS credentials used here")
            continue
        try:
            problem = _problem(each, prepared)
        except FactError as trouble:
            yield unanswered(SUBJECT, f"whether {each.name} is there", trouble)
            continue
        there += not problem
        if problem:
            yield error(SUBJECT, problem, "make it, or correct the name in the plan")
    if there:
        yield ok(
            SUBJECT,
            f"{there} secret{'' if there == 1 else 's'} that the plan names {'is' if there == 1 else 'are'} there",
        )
    if prepared.reference is None:
        yield from _in_plain_text(prepared)


def arn_of(reference: Reference, service: EcsArn) -> str:
    """Return the ARN of a secret in Secrets Manager, which ends in characters that its name does not tell.

    Parameters
    ----------
    reference
        The secret.
    service
        The service, whose region counts for a name.

    Raises
    ------
    FactError
        If Secrets Manager does not answer, or knows no such secret.
    """
    answer = _described(reference, service)
    with reading(_SECRET):
        return str(answer["ARN"])


def parameter_arn(name: str, service: EcsArn) -> str:
    """Return the ARN of a parameter of Systems Manager, without version and label."""
    if name.startswith("arn:"):
        return ":".join(name.split(":")[:6])
    bare = name.partition(":")[0].removeprefix("/")
    return f"arn:{service.partition}:ssm:{service.region}:{service.account}:parameter/{bare}"


def _described(reference: Reference, service: EcsArn) -> Mapping[str, Any]:
    region = region_of(reference.name) if reference.name.startswith("arn:") else service.region
    return ask_page(_SECRET, region, SecretId=reference.name)


def _problem(reference: Reference, prepared: Prepared) -> str:
    """Return why a secret can't be read whatever the permissions; empty where nothing stands against it."""
    service = prepared.hook.examined.arn
    if reference.env is not None:
        return "" if prepared.environment.get(reference.env) else f"the function has no variable {reference.env}"
    if reference.ssm is not None:
        return _problem_of_parameter(reference.ssm, service)
    try:
        described = _described(reference, service)
    except FactError as trouble:
        if trouble.code != "ResourceNotFoundException":
            raise
        return f"Secrets Manager knows no secret {reference.name}"
    return f"the secret {reference.name} is scheduled for deletion" if described.get("DeletedDate") else ""


def _problem_of_parameter(name: str, service: EcsArn) -> str:
    arn = parameter_arn(name, service)
    if arn.split(":")[4] != service.account:
        return ""  # who shares it is another account's affair; the permissions tell
    path = arn.partition(":parameter/")[2]
    # An ARN does not tell whether the name begins with a slash.
    names = [path, f"/{path}"] if name.startswith("arn:") else [name.partition(":")[0]]
    which = [{"Key": "Name", "Option": "Equals", "Values": names}]
    found = ask(_PARAMETERS, region_of(arn), "Parameters", ParameterFilters=which)
    return "" if found else f"Systems Manager knows no parameter {name}"


def _in_plain_text(prepared: Prepared) -> Iterator[Finding]:
    """Look for secrets that stand in `hookDetails` as they are."""
    found: dict[str, None] = {}
    for plan in prepared.plans.values():
        for check in plan.checks if plan.explicit else ():
            written = check.model_dump(by_alias=True, exclude_unset=True)
            found |= dict.fromkeys(f"{check.label} {place}" for place in _plain(written))
    for place in found:
        yield warning(
            SUBJECT,
            f"{place} stands in hookDetails as it is: whoever may describe the service can read it",
            'name it in place of writing it: {"secretsmanager": NAME}, {"ssm": NAME} or {"env": NAME}',
        )


def _plain(fields: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, value in fields.items():
        place = f"{path}.{name}" if path else name
        match name, value:
            case "auth", Mapping():
                for kind, inner in value.items():
                    yield from (f"{place}.{kind}.{each}" for each in inner if each in _FIELDS and _is_text(inner[each]))
            case "headers", Mapping():
                yield from (f"{place}.{each}" for each in value if is_secret_name(each) and _is_text(value[each]))
            case "secrets", Mapping():
                yield from (f"{place}.{each}" for each in value if _is_text(value[each]))
            case (("requests" | "cleanup" | "steps"), list() | tuple()):
                for number, inner in enumerate(value):
                    yield from _plain(inner, f"{place}[{number}]")


def _is_text(value: Any) -> bool:
    # What a response brings is no secret of the plan.
    return isinstance(value, str) and "{{" not in value
