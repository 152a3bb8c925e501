"""Lambda functions: one call of a version, and what came of it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from contextlib import closing
from typing import Any, NamedTuple

from ecs_hooks.aws.call import reading
from ecs_hooks.aws.clients import client
from ecs_hooks.aws.errors import FactDeniedError, fact_error

INVOKE = "lambda:InvokeFunction"

_REPORT = re.compile(r"^REPORT .*?\bDuration: ([0-9.]+) ms", re.MULTILINE)
_TYPE = re.compile(r"[A-Za-z_][\w.]{0,79}")
_TIMED_OUT = "ReadTimeoutError"


class Invoked(NamedTuple):
    """What a function has answered.

    Parameters
    ----------
    payload
        Its response.
    error_type
        `errorType` of the error that it ended with, `Unhandled` where it names none; empty where it did not fail.
    seconds
        How long it ran, as Lambda has measured it; None where Lambda does not tell.
    """

    payload: bytes
    error_type: str
    seconds: float | None


class LateError(FactDeniedError):
    """The function did not answer in time. It may still run, and is not called again."""


def invoke(function: str, qualifier: str, payload: Any, region: str, seconds: float) -> Invoked:
    """Call a function once, and wait for what it answers.

    Parameters
    ----------
    function
        Name or ARN.
    qualifier
        Version or alias; empty for none.
    payload
        The event that it gets, as JSON.
    region
        Region of the function.
    seconds
        Longest wait for the answer.

    Raises
    ------
    LateError
        If it did not answer in time.
    FactError
        If Lambda did not call it.
    """
    # Never twice: the first call may have done something.
    caller = client("lambda", region, seconds=seconds, attempts=1)
    which = {"Qualifier": qualifier} if qualifier else {}
    try:
        answer = caller.invoke(FunctionName=function, LogType="Tail", Payload=json.dumps(payload).encode(), **which)
        with closing(answer["Payload"]) as body:
            content: bytes = body.read()
    except Exception as error:
        if type(error).__name__ == _TIMED_OUT:
            raise LateError(f"no answer in {seconds:g} s") from error
        raise fact_error(INVOKE, error) from error
    with reading(INVOKE):
        failed = bool(answer.get("FunctionError"))
        return Invoked(content, _error_type(content) if failed else "", _ran(answer.get("LogResult") or ""))


def _error_type(content: bytes) -> str:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return "Unhandled"
    name = found.get("errorType") if isinstance(found, dict) else None
    # What a function says of its error can hold anything; the type is a name or it is not shown.
    return name if isinstance(name, str) and _TYPE.fullmatch(name) else "Unhandled"


def _ran(log: str) -> float | None:
    """Return the duration in the last lines of the function's log, of which nothing else is looked at."""
    try:
        tail = base64.b64decode(log).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return None
    found = _REPORT.findall(tail)
    return float(found[-1]) / 1000 if found else None
