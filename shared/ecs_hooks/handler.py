"""The Lambda handler of a hook: the one place that sees Lambda's context, and that never raises.

"If your function doesn't return a valid hookStatus, or if it fails, Amazon ECS rolls back the deployment" (ECS developer
guide), and then it reports a parse error in place of the cause. So the answer is always valid and names its reason.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, overload

from ecs_hooks.codedeploy.controller import CodeDeployController
from ecs_hooks.core import clock
from ecs_hooks.core.deadline import Deadline, for_answer
from ecs_hooks.core.event import EventError, Stage
from ecs_hooks.core.own_limits import own_limit
from ecs_hooks.core.response import HookResponse, HookStatus
from ecs_hooks.engine.controller import Controller, Record
from ecs_hooks.engine.ecs import EcsController
from ecs_hooks.engine.hook import Definition
from ecs_hooks.engine.telemetry import log_errors_suppressed, logger, report
from ecs_hooks.stages import default_checks

if TYPE_CHECKING:
    from ecs_hooks.checks.base import Check
    from ecs_hooks.core.event import HookEvent
    from ecs_hooks.engine.hook import HookFunction, RollbackFunction

CONTROLLERS: tuple[type[Controller], ...] = (CodeDeployController, EcsController)
"""The deployment controllers. The first that recognizes an event answers it."""

_UNKNOWN_SECONDS = 30.0
"""Time for an answer where there is no context, as in a test that passes None."""

LambdaContext = Any
"""Lambda's context object, or any object with `get_remaining_time_in_millis` and `invoked_function_arn`."""


class LifecycleHandler:
    """A Lambda handler for lifecycle hooks of ECS, and of CodeDeploy; call it with an event and a context.

    Parameters
    ----------
    definition
        The hook.
    """

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        if definition.function is not None:
            update_wrapper(self, definition.function)

    def __call__(self, event: object, context: LambdaContext = None) -> dict[str, Any]:
        """Answer one event.

        Parameters
        ----------
        event
            The event of ECS, of CodeDeploy, or of the schedule that continues a hook of CodeDeploy.
        context
            Lambda's context; its remaining time is the deadline.

        Returns
        -------
        dict
            A valid response, always.
        """
        record = Record()
        clock.begin_invocation()
        try:
            deadline = Deadline.after(_budget(context))
            arn = str(getattr(context, "invoked_function_arn", "") or "")
            controller = next(each for each in CONTROLLERS if each.recognizes(event))
            response = controller.answer(self._definition, event, deadline, arn, record)
        except EventError as error:
            response = HookResponse(HookStatus.FAILED, f"FAILED: no ECS lifecycle hook event: {error}")
        except Exception as error:  # noqa: BLE001 - the promise of this module
            response = _crashed(error, record.event)
        report(response, record.event, record.results, record.plan)
        return response.to_dict()

    def on_rollback(self, function: RollbackFunction) -> RollbackFunction:
        """Register a function that is called with the `Hook` when ECS rolls back; usable as a decorator.

        It cannot stop the rollback: its return value is ignored, its exceptions are logged. It is called at the stages that
        ECS invokes again in a rollback, TEST_TRAFFIC_SHIFT and PRODUCTION_TRAFFIC_SHIFT, so attach the hook there.
        """
        self._definition.on_rollback.append(function)
        return function


@overload
def lifecycle_hook(function: HookFunction) -> LifecycleHandler: ...


@overload
def lifecycle_hook(*, on_rollback: RollbackFunction | None = None) -> Callable[[HookFunction], LifecycleHandler]: ...


def lifecycle_hook(
    function: HookFunction | None = None, *, on_rollback: RollbackFunction | None = None
) -> LifecycleHandler | Callable[[HookFunction], LifecycleHandler]:
    """Make a Lambda handler of a function that takes a `Hook`.

    Parameters
    ----------
    function
        A function that returns None or an `Outcome`, or a generator that yields checks. Checks named in `hookDetails`
        run before it.
    on_rollback
        A function that is called when ECS rolls back.

    Returns
    -------
    LifecycleHandler
        The `Handler` of the Lambda function.

    Examples
    --------
    >>> from ecs_hooks import Hook, lifecycle_hook
    >>> from ecs_hooks.checks import HttpCheck
    >>> @lifecycle_hook
    ... def lambda_handler(hook: Hook):
    ...     yield HttpCheck(path="/health")
    ...     if not hook.green.get("/orders").json():
    ...         return hook.failed("green lists no orders")
    """

    def make(function: HookFunction) -> LifecycleHandler:
        return LifecycleHandler(Definition(function, on_rollback=[on_rollback] if on_rollback else ()))

    return make if function is None else make(function)


def stage_hook(stage: Stage, defaults: Sequence[Check] | None = None) -> LifecycleHandler:
    """Make the Lambda handler of a stage. It runs the checks of its plan.

    Parameters
    ----------
    stage
        The stage that the function is for.
    defaults
        The checks where `hookDetails` names none. Default: those of the stage, see `ecs_hooks.stages`.
    """
    if defaults is not None:
        return LifecycleHandler(Definition(stage=str(stage), defaults=defaults))
    note = f"a default check of {stage}; to replace it, set hookDetails.checks"
    return LifecycleHandler(Definition(stage=str(stage), defaults=default_checks(stage), note=note))


def _budget(context: LambdaContext) -> float:
    """Return the seconds for an answer: Lambda's remaining time less the time to log and to return."""
    try:
        remaining = float(context.get_remaining_time_in_millis()) / 1000
    except Exception:  # noqa: BLE001 - no context, or a stand-in of a test
        remaining = _UNKNOWN_SECONDS
    return for_answer(remaining)


def _crashed(error: Exception, event: HookEvent | None) -> HookResponse:
    with log_errors_suppressed():
        logger.error("ecs-hooks failed; this is a bug", extra={"traceback": "".join(traceback.format_exception(error))})
    where = f" {event.stage_name} {event.service_name}" if event else ""
    problem = own_limit(error) or f"{type(error).__name__} in ecs-hooks; see the log"
    return HookResponse(HookStatus.FAILED, f"FAILED{where}: {problem}")
