"""Whether ECS finds the function that a hook names, and whether the function can run."""

from __future__ import annotations

from collections.abc import Iterator

from ecs_hooks_cli.doctor.attached import AttachedHook
from ecs_hooks_cli.doctor.finding import Finding, error, ok, warning
from ecs_hooks_cli.doctor.function import Function

_SUBJECT = "function"
_LOW_TIMEOUT = 10
_OLDEST = (3, 11)
_LAYER = (3, 13)
"""The Python that the layer of the stack is built for."""


def examine_arn(hook: AttachedHook) -> Iterator[Finding]:
    """Look at `hookTargetArn`."""
    if hook.arn is None:
        yield error(
            _SUBJECT,
            f"hookTargetArn {hook.target} is no ARN of a Lambda function",
            "attach the hook with arn:aws:lambda:REGION:ACCOUNT:function:NAME",
        )
        return
    service = hook.examined.arn
    for what, its, wanted in (
        ("region", hook.arn.region, service.region),
        ("account", hook.arn.account, service.account),
    ):
        if its != wanted:
            yield warning(
                _SUBJECT,
                f"the function is in {what} {its}, the service in {wanted}: whether ECS invokes it there is not documented",
                f"deploy the hooks to {what} {wanted}, and attach the function from there",
            )
    if hook.arn.qualifier:
        yield warning(
            _SUBJECT,
            f"hookTargetArn names the version or alias {hook.arn.qualifier}: AWS documents neither that it may nor not",
            "try it in a deployment that may fail, or attach the ARN without it",
        )


def absent(hook: AttachedHook) -> Finding:
    """Return the finding that there is no such function."""
    return error(_SUBJECT, f"Lambda knows no function {hook.target}", "deploy it, or attach one that is there")


def examine_function(function: Function) -> Iterator[Finding]:
    """Look at how the function is configured."""
    problems = [*_state(function), *_code(function)]
    if function.timeout < _LOW_TIMEOUT:
        problems.append(
            warning(
                _SUBJECT,
                f"Lambda ends the function after {function.timeout} s; ended by Lambda, it is a failed hook and a rollback",
                "give it a Timeout of 60 s or more; the hooks of the stack have 120 s",
            )
        )
    yield from problems
    if not problems:
        yield ok(
            _SUBJECT, f"{function.runtime or 'container image'}, {function.timeout} s, {function.state[0].lower()}"
        )


def _state(function: Function) -> Iterator[Finding]:
    state, reason = function.state
    match state:
        case "Active":
            pass
        case "Pending" | "Inactive":
            yield warning(
                _SUBJECT,
                _because(f"its state is {state}: the first invocation may fail", reason),
                "invoke it once, and wait until it is Active",
            )
        case _:
            yield error(
                _SUBJECT, _because(f"its state is {state}", reason), "mend what the reason names, or deploy it again"
            )
    update, reason = function.update
    match update:
        case "Successful":
            pass
        case "InProgress":
            yield warning(_SUBJECT, "it is being updated", "look again when the update is over")
        case _:
            yield error(
                _SUBJECT,
                _because(f"its last update is {update}", reason),
                "mend what the reason names, and update it again",
            )


def _code(function: Function) -> Iterator[Finding]:
    if function.python is not None and function.python < _OLDEST:
        yield error(_SUBJECT, f"ecs-hooks does not run on {function.runtime}", "set the Runtime to python3.13")
    if function.stage is None:
        return
    if not function.layers:
        yield warning(
            _SUBJECT,
            "it has no layer, so ecs_hooks can't be imported unless the function's own package has it",
            "attach the layer of the stack",
        )
    elif function.python != _LAYER:
        yield warning(
            _SUBJECT,
            f"it runs on {function.runtime or 'a container image'}, and the layer of the stack is built for python3.13",
            "set the Runtime to python3.13",
        )


def _because(text: str, reason: str) -> str:
    return f"{text} ({reason})" if reason else text
