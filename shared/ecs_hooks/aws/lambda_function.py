"""Lambda functions: one invocation of a version, and its result."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from contextlib import closing
from typing import Any, NamedTuple

from ecs_hooks.aws.call import parsing
from ecs_hooks.aws.clients import client
from ecs_hooks.aws.errors import FactDeniedError, aws_error
from ecs_hooks.core.json_text import JsonError, read_json

INVOKE = "lambda:InvokeFunction"

_REPORT = re.compile(r"^REPORT .*?\bDuration: ([0-9.]+) ms", re.MULTILINE)
_ERROR_TYPE = re.compile(r"[A-Za-z_][\w.]{0,79}")


class InvocationResult(NamedTuple):
    """The result of an invocation.

    Parameters
    ----------
    payload
        The function's response.
    error_type
        `errorType` of the function's error, `Unhandled` if it has no valid one; empty if the function did not fail.
    seconds
        The duration that Lambda reports; None if it reports none.
    """

    payload: bytes
    error_type: str
    seconds: float | None


class InvocationTimeoutError(FactDeniedError):
    """The function did not respond in time. It may still run, and is not invoked again."""


def invoke(
    function: str, qualifier: str, payload: Any, region: str, seconds: float, custom: Mapping[str, str]
) -> InvocationResult:
    """Invoke a function, or one of its versions or aliases, once, and return its result within some seconds.

    Parameters
    ----------
    function, qualifier
        Name or ARN of the function, and its version or alias; an empty one for none.
    payload
        The event, any JSON.
    region
        Region of the function.
    seconds
        Timeout of the invocation.
    custom
        The function finds it in `context.client_context.custom`.

    Raises
    ------
    InvocationTimeoutError
        If the function does not respond in time.
    FactError
        If the call fails.
    """
    # No retry: the first invocation may have had side effects.
    caller = client("lambda", region, seconds=seconds, attempts=1)
    parameters = {"Qualifier": qualifier} if qualifier else {}
    parameters["ClientContext"] = base64.b64encode(json.dumps({"custom": custom}).encode()).decode()
    try:
        response = caller.invoke(
            FunctionName=function, LogType="Tail", Payload=json.dumps(payload).encode(), **parameters
        )
        with closing(response["Payload"]) as body:
            content: bytes = body.read()
    except Exception as error:
        if type(error).__name__ == "ReadTimeoutError":
            raise InvocationTimeoutError(f"no response within {seconds:g} s") from error
        raise aws_error(INVOKE, error) from error
    with parsing(INVOKE):
        failed = bool(response.get("FunctionError"))
        return InvocationResult(
            content, _error_type(content) if failed else "", _duration(response.get("LogResult") or "")
        )


def _error_type(content: bytes) -> str:
    try:
        error = read_json(content)
    except JsonError:
        return "Unhandled"
    name = error.get("errorType") if isinstance(error, dict) else None
    # The error may contain anything, secrets included: only a plain class name is shown.
    return name if isinstance(name, str) and _ERROR_TYPE.fullmatch(name) else "Unhandled"


def _duration(log: str) -> float | None:
    """Return the duration from the tail of the function's log, of which nothing else is read."""
    try:
        tail = base64.b64decode(log).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return None
    found = _REPORT.findall(tail)
    return float(found[-1]) / 1000 if found else None
