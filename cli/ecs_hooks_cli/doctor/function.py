"""The Lambda function of a hook: whether it exists and can run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ecs_hooks.aws.call import call_aws, parsing
from ecs_hooks.core.arn import EcsArn
from ecs_hooks.core.deadline import MAX_ECS_SECONDS, MAX_LAMBDA_SECONDS
from ecs_hooks.core.event import Stage
from ecs_hooks_cli.doctor.finding import Finding, Subject

SUBJECT = Subject("function")
_ACTION = "lambda:GetFunctionConfiguration"
_PYTHON = re.compile(r"python(\d+)\.(\d+)")
_LOW_TIMEOUT = 10
_OLDEST_PYTHON = (3, 11)
_LAYER_PYTHON = (3, 13)


class LambdaArn(NamedTuple):
    """ARN of a Lambda function; `qualifier` is a version or alias, or empty."""

    text: str
    region: str
    account: str
    name: str
    qualifier: str

    @classmethod
    def parse(cls, text: str) -> LambdaArn | None:
        """Return the parsed ARN; None if it is not the ARN of a function."""
        match text.split(":"):
            case ["arn", _, "lambda", region, account, "function", name, *qualifier] if name and len(qualifier) <= 1:
                return cls(text, region, account, name, "".join(qualifier))
            case _:
                return None


class Function(NamedTuple):
    """The configuration of a Lambda function.

    Parameters
    ----------
    handler, runtime
        Empty for a container image.
    role
        ARN of the execution role.
    timeout
        In seconds.
    environment
        Environment variables; None if Lambda could not decrypt them.
    state, update
        `State` and `LastUpdateStatus`, each with its reason.
    layers
        Number of layers.
    vpc
        Id of the VPC; empty outside a VPC.
    subnets, groups
        Ids of the subnets and security groups.
    """

    handler: str
    runtime: str
    role: str
    timeout: int
    environment: Mapping[str, str] | None
    state: tuple[str, str]
    update: tuple[str, str]
    layers: int
    vpc: str
    subnets: tuple[str, ...]
    groups: tuple[str, ...]

    @classmethod
    def describe(cls, arn: LambdaArn) -> Function:
        """Return the configuration that Lambda has.

        Raises
        ------
        FactError
            If the call fails, or there is no such function.
        """
        answer = call_aws(_ACTION, arn.region, FunctionName=arn.text)
        with parsing(_ACTION):
            return cls._read(answer)

    @classmethod
    def _read(cls, answer: Mapping[str, Any]) -> Function:
        environment, vpc = answer.get("Environment") or {}, answer.get("VpcConfig") or {}
        return cls(
            handler=str(answer.get("Handler") or ""),
            runtime=str(answer.get("Runtime") or ""),
            role=str(answer["Role"]),
            timeout=int(answer["Timeout"]),
            environment=None if environment.get("Error") else dict(environment.get("Variables") or {}),
            state=(str(answer.get("State") or "Active"), str(answer.get("StateReason") or "")),
            update=(
                str(answer.get("LastUpdateStatus") or "Successful"),
                str(answer.get("LastUpdateStatusReason") or ""),
            ),
            layers=len(answer.get("Layers") or []),
            vpc=str(vpc.get("VpcId") or ""),
            subnets=tuple(vpc.get("SubnetIds") or ()),
            groups=tuple(vpc.get("SecurityGroupIds") or ()),
        )

    @property
    def stage(self) -> Stage | None:
        """The stage of a function of the stack, from its handler; None for any other function."""
        module, _, name = self.handler.partition(".")
        return {stage.lower(): stage for stage in Stage}.get(module) if name == "lambda_handler" else None

    @property
    def python(self) -> tuple[int, int] | None:
        """The Python version of the runtime; None for other runtimes and container images."""
        found = _PYTHON.fullmatch(self.runtime)
        return (int(found.group(1)), int(found.group(2))) if found else None

    @property
    def is_foreign(self) -> bool:
        """Whether the runtime is not Python, so that the function cannot use this library."""
        return bool(self.runtime) and self.python is None


def examine_arn(target: str, arn: LambdaArn | None, service: EcsArn) -> Iterator[Finding]:
    """Examine `hookTargetArn`."""
    if arn is None:
        yield SUBJECT.error(
            f"hookTargetArn {target} is not the ARN of a Lambda function",
            "attach the hook with arn:aws:lambda:REGION:ACCOUNT:function:NAME",
        )
        return
    for what, found, expected in (("region", arn.region, service.region), ("account", arn.account, service.account)):
        if found != expected:
            yield SUBJECT.warning(
                f"the function is in {what} {found}, the service in {expected}: AWS does not document whether ECS can "
                "invoke it",
                f"deploy the hooks to {what} {expected}, and attach the function there",
            )
    if arn.qualifier:
        yield SUBJECT.warning(
            f"hookTargetArn has the version or alias {arn.qualifier}: AWS does not document whether ECS supports it",
            "attach the ARN without it, or try it in a deployment that may fail",
        )


def missing(target: str) -> Finding:
    """Return the finding that the function does not exist."""
    return SUBJECT.error(
        f"the function {target} does not exist", "deploy it, or attach the hook with an existing function"
    )


def examine_configuration(function: Function) -> Iterator[Finding]:
    """Examine state, runtime, layers and timeout."""
    problems = [*_state(function), *_code(function)]
    if function.timeout < _LOW_TIMEOUT:
        problems.append(
            SUBJECT.warning(
                f"the function's Timeout is {function.timeout} s: if it expires, the hook fails and ECS rolls back",
                "set Timeout to 60 s or more; the functions of the stack have 120 s",
            )
        )
    if function.timeout > MAX_ECS_SECONDS:
        problems.append(
            SUBJECT.warning(
                f"the function's Timeout is {function.timeout} s: Lambda allows {MAX_LAMBDA_SECONDS} s, but ECS documents "
                f"{MAX_ECS_SECONDS} s for one invocation, and the hook ends by then",
                f"set Timeout to {MAX_ECS_SECONDS} s or less",
            )
        )
    yield from problems
    if not problems:
        runtime = f"runtime {function.runtime}" if function.runtime else "container image"
        yield SUBJECT.ok(f"{runtime}, timeout {function.timeout} s, state {function.state[0]}")


def _state(function: Function) -> Iterator[Finding]:
    state, because = function.state[0], _reason(function.state[1])
    if state in {"Pending", "Inactive"}:
        yield SUBJECT.warning(
            f"the function's State is {state}{because}: the first invocation may fail",
            "invoke the function once, and wait until its State is Active",
        )
    elif state != "Active":
        yield SUBJECT.error(
            f"the function's State is {state}{because}", "correct the cause, or deploy the function again"
        )
    update, because = function.update[0], _reason(function.update[1])
    if update == "InProgress":
        yield SUBJECT.warning(
            "the function's LastUpdateStatus is InProgress", "run `ecs-hooks doctor` again after the update"
        )
    elif update != "Successful":
        yield SUBJECT.error(
            f"the function's LastUpdateStatus is {update}{because}", "correct the cause, and update the function again"
        )


def _code(function: Function) -> Iterator[Finding]:
    if function.python is not None and function.python < _OLDEST_PYTHON:
        yield SUBJECT.error(f"ecs-hooks does not run on {function.runtime}", "set Runtime to python3.13")
    if function.stage is None:
        return
    if not function.layers:
        yield SUBJECT.warning(
            "the function has no layer: it cannot import ecs_hooks unless its own package contains it",
            "attach the layer of the stack",
        )
    elif function.python != _LAYER_PYTHON:
        yield SUBJECT.warning(
            f"the function runs on {function.runtime or 'a container image'}, but the layer of the stack is built for "
            "python3.13",
            "set Runtime to python3.13",
        )


def _reason(text: str) -> str:
    return f" ({text})" if text else ""
