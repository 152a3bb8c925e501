"""A Lambda function, as far as a hook depends on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ecs_hooks.aws.call import ask_page, reading
from ecs_hooks.core.event import Stage

ACTION = "lambda:GetFunctionConfiguration"

_PYTHON = re.compile(r"python(\d+)\.(\d+)")


class LambdaArn(NamedTuple):
    """ARN of a Lambda function.

    Parameters
    ----------
    text
        The ARN.
    region, account
        Where the function is.
    name
        Its name.
    qualifier
        Version or alias; empty where there is none.
    """

    text: str
    region: str
    account: str
    name: str
    qualifier: str

    @classmethod
    def parse(cls, text: str) -> LambdaArn | None:
        """Take an ARN apart; None where it is no function's."""
        match text.split(":"):
            case ["arn", _, "lambda", region, account, "function", name, *qualifier] if name and len(qualifier) <= 1:
                return cls(text, region, account, name, "".join(qualifier))
            case _:
                return None


class Function(NamedTuple):
    """What GetFunctionConfiguration says of a function.

    Parameters
    ----------
    handler, runtime
        As configured; empty for a container image.
    role
        ARN of its execution role.
    timeout
        Seconds that Lambda gives an invocation.
    environment
        Its environment variables; None where Lambda could not read them.
    state, update
        `State` and `LastUpdateStatus`, each with the reason where Lambda gives one.
    layers
        How many layers it has.
    vpc
        Id of its VPC; empty where it runs in none.
    subnets, groups
        Ids of its subnets and security groups.
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
    def ask(cls, arn: LambdaArn) -> Function:
        """Ask Lambda for a function.

        Raises
        ------
        FactError
            If it does not answer, or knows no such function.
        """
        answer = ask_page(ACTION, arn.region, FunctionName=arn.text)
        with reading(ACTION):
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
        """The stage that this function of the package is made for; None for any other function."""
        module, _, name = self.handler.partition(".")
        known = {stage.lower(): stage for stage in Stage}
        return known.get(module) if name == "lambda_handler" else None

    @property
    def python(self) -> tuple[int, int] | None:
        """The version of Python it runs on; None where it is no Python or a container image."""
        found = _PYTHON.fullmatch(self.runtime)
        return (int(found.group(1)), int(found.group(2))) if found else None

    @property
    def foreign(self) -> bool:
        """Whether it can't be made with this library."""
        return bool(self.runtime) and self.python is None
