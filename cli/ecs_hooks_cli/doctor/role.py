"""Whether ECS can invoke the function with the role that a hook names."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ecs_hooks.aws.call import ask_page, reading
from ecs_hooks.aws.errors import FactError
from ecs_hooks_cli.doctor.attached import AttachedHook
from ecs_hooks_cli.doctor.finding import Finding, error, ok, unanswered, unknown
from ecs_hooks_cli.doctor.policy import Decision, decide
from ecs_hooks_cli.doctor.simulation import simulate, statement

SUBJECT = "role"
_ECS = "ecs.amazonaws.com"
_INVOKE = "lambda:InvokeFunction"
_ROLE, _POLICY = "iam:GetRole", "lambda:GetPolicy"
_TRUST = json.dumps({"Effect": "Allow", "Principal": {"Service": _ECS}, "Action": "sts:AssumeRole"})
"""What ECS documents as the trust policy."""


def examine(hook: AttachedHook) -> Iterator[Finding]:
    """Look at the role's trust policy, and at whether it may invoke the function."""
    if not hook.role:
        yield error(SUBJECT, "the hook has no roleArn, with which ECS would invoke the function", "attach it with one")
        return
    name = hook.role.rpartition("/")[2]
    try:
        answer = ask_page(_ROLE, hook.examined.arn.region, RoleName=name)
        with reading(_ROLE):
            found, document = str(answer["Role"]["Arn"]), answer["Role"]["AssumeRolePolicyDocument"]
    except FactError as trouble:
        if trouble.code == "NoSuchEntity":
            yield error(SUBJECT, f"there is no role {name}", "make it, or attach the hook with one that is there")
            return
        yield unanswered(SUBJECT, f"whether the role {name} trusts ECS", trouble)
    else:
        if found != hook.role:
            # GetRole goes by the last part of the name alone.
            yield error(
                SUBJECT, f"there is no role {hook.role}, but {found}", "attach the hook with the role that is there"
            )
            return
        yield _trust(name, document)
    if hook.arn is not None:
        yield _invoke(hook, name)


def _trust(name: str, document: object) -> Finding:
    match decide(document, "sts:AssumeRole", "Service", _ECS):
        case Decision.ALLOWED:
            return ok(SUBJECT, f"{name} trusts {_ECS}")
        case Decision.DENIED:
            return error(SUBJECT, f"the trust policy of {name} denies {_ECS}", "take the denial out of it")
        case Decision.UNDECIDED:
            return unknown(
                SUBJECT,
                f"whether {name} trusts {_ECS} depends on conditions; ECS documents its trust policy without any",
                f"make it {_TRUST}, or see in a deployment that may fail",
            )
        case _:
            return error(
                SUBJECT, f"{name} does not trust {_ECS}, so ECS can't assume it", f"add to its trust policy: {_TRUST}"
            )


def _invoke(hook: AttachedHook, name: str) -> Finding:
    what = f"whether {name} may {_INVOKE}"
    region = hook.examined.arn.region
    try:
        found = simulate(hook.role, [_INVOKE], [hook.target], region, {"aws:RequestedRegion": region})[_INVOKE]
        if found.allowed:
            return ok(SUBJECT, f"{name} may {_INVOKE}")
        if found.missing:
            return unknown(
                SUBJECT,
                f"{what} depends on {', '.join(found.missing)}",
                "take these conditions out of its policies, or see in a deployment that may fail",
            )
        if found.decision == "explicitDeny" or found.limited_by:
            limit = found.limited_by or "one of its policies"
            return error(SUBJECT, f"{limit} keeps {name} from {_INVOKE}", f"allow it there for {hook.target}")
        return _resource_policy(hook, name, what)
    except FactError as trouble:
        return unanswered(SUBJECT, what, trouble)


def _resource_policy(hook: AttachedHook, name: str, what: str) -> Finding:
    """Return what the function's own policy says, where those of the role say nothing: one of the two is enough."""
    match _decided(hook):
        case Decision.ALLOWED:
            return ok(SUBJECT, f"the function's policy lets {name} invoke it")
        case Decision.DENIED:
            return error(SUBJECT, f"the function's policy denies {name} {_INVOKE}", "take the denial out of it")
        case Decision.UNDECIDED:
            return unknown(
                SUBJECT,
                f"{what} depends on conditions of the function's policy",
                f"add to a policy of the role: {statement(_INVOKE, [hook.target])}",
            )
        case _:
            return error(
                SUBJECT,
                f"{name} may not {_INVOKE}",
                f"add to a policy of the role: {statement(_INVOKE, [hook.target])}",
            )


def _decided(hook: AttachedHook) -> Decision:
    assert hook.arn is not None
    try:
        answer = ask_page(_POLICY, hook.arn.region, FunctionName=hook.target)
    except FactError as trouble:
        if trouble.code == "ResourceNotFoundException":  # it has no policy
            return Decision.NOT_ALLOWED
        raise
    with reading(_POLICY):
        return decide(json.loads(answer["Policy"]), _INVOKE, "AWS", hook.role)
