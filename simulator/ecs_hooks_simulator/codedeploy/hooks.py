"""The hooks of CodeDeploy's deployments: functions that are invoked, and that tell CodeDeploy how it went.

Source: CodeDeploy user guide, "AppSpec 'hooks' section", and the API reference of PutLifecycleEventHookExecutionStatus.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ecs_hooks.core.response import HookStatus
from ecs_hooks_simulator.codedeploy.lifecycle import EventStatus
from ecs_hooks_simulator.codedeploy.undocumented import FunctionError, HookRetries
from ecs_hooks_simulator.core.errors import EcsError, HookInvocationError
from ecs_hooks_simulator.core.invocation import invoked
from ecs_hooks_simulator.core.timeline import HookAnswered, HookInvoked, HookReported
from ecs_hooks_simulator.ecs.undocumented import Delivery

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.undocumented import CodeDeployBehaviour
    from ecs_hooks_simulator.core.clock import SimulationClock
    from ecs_hooks_simulator.core.protocols import HookTarget
    from ecs_hooks_simulator.core.timeline import Timeline

LONGEST_WAIT = 3600
"""Seconds: "The deployment is considered to have failed if CodeDeploy is not notified within one hour"."""
RETRIES = (60, 120)
"""Seconds before Lambda tries an asynchronous invocation again that has failed (Lambda developer guide)."""
_WORDS = {EventStatus.SUCCEEDED: HookStatus.SUCCEEDED, EventStatus.FAILED: HookStatus.FAILED}


class HookFailedError(Exception):
    """A hook has failed; the message says how, and `code` is the `LifecycleErrorCode`."""

    def __init__(self, message: str, *, code: str = "UnknownError") -> None:
        super().__init__(message)
        self.code = code


class HookExecution:
    """One hook at one lifecycle event, until CodeDeploy knows how it went. To be made inside the event loop of the clock.

    Parameters
    ----------
    deployment, event
        Id of the deployment, and name of the lifecycle event.
    target
        ARN of the function.

    Attributes
    ----------
    id : str
        `LifecycleEventHookExecutionId`, which tells a hook nothing.
    status : EventStatus
        InProgress until it is Succeeded or Failed.
    attempts : int
        How often the function was invoked, by CodeDeploy or anybody else.
    running : set of asyncio.Future
        Invocations under way.
    error : str
        What went wrong with the last one that did not end well.
    """

    def __init__(self, deployment: str, event: str, target: str) -> None:
        hidden = {"encryptedData": secrets.token_urlsafe(48), "ivParameterSpec": secrets.token_urlsafe(12)}
        self.id = base64.b64encode(json.dumps({**hidden, "materialSetSerial": 1}).encode()).decode()
        self.deployment = deployment
        self.event = event
        self.target = target
        self.status = EventStatus.IN_PROGRESS
        self.attempts = 0
        self.running: set[asyncio.Future[None]] = set()
        self.error = ""
        self.loop = asyncio.get_running_loop()
        self._decided = asyncio.Event()
        self._lock = threading.Lock()

    def decide(self, status: EventStatus) -> bool:
        """Take note of how it went, from any thread; return False where that is known already."""
        with self._lock:
            if self.status is not EventStatus.IN_PROGRESS:
                return False
            self.status = status
        self.loop.call_soon_threadsafe(self._decided.set)
        return True

    async def decided(self) -> None:
        """Return when it is known how it went."""
        await self._decided.wait()


class Hooks:
    """The functions of the hooks, whoever invokes them, and what has become of their executions.

    Parameters
    ----------
    clock, behaviour, timeline
        As the controller has them.
    """

    def __init__(self, clock: SimulationClock, behaviour: CodeDeployBehaviour, timeline: Timeline) -> None:
        self._clock = clock
        self._behaviour = behaviour
        self._timeline = timeline
        self._targets: dict[str, HookTarget] = {}
        self._executions: dict[str, HookExecution] = {}

    async def run(self, deployment: str, event: str, target: HookTarget) -> None:
        """Invoke a hook, and wait until CodeDeploy has been told how it went.

        Raises
        ------
        HookFailedError
            If it has failed, or nothing was told within an hour.
        """
        execution = HookExecution(deployment, event, target.arn)
        self._targets[target.arn] = target
        self._executions[execution.id] = execution
        sent = {"DeploymentId": deployment, "LifecycleEventHookExecutionId": execution.id}
        invoking = asyncio.create_task(self._invoke(execution, sent))
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_WAIT):
                    await execution.decided()
        except asyncio.CancelledError:
            execution.decide(EventStatus.SKIPPED)
            invoking.cancel()
            raise
        # A status of the last moment counts.
        if execution.decide(EventStatus.FAILED):
            self._report(execution, "TimedOut")
            raise HookFailedError(
                f"{target.arn} did not tell CodeDeploy a status within one hour", code="ScriptTimedOut"
            )
        # What invocations have to say is told before the next lifecycle event begins. As one ends, another may begin: the
        # second delivery of its event.
        while execution.running:
            await asyncio.wait(execution.running)
        if execution.status is EventStatus.FAILED:
            raise HookFailedError(f"{target.arn} {execution.error or 'told CodeDeploy Failed'}")

    async def invoke(self, arn: str, event: Any) -> None:
        """Invoke a function asynchronously, as EventBridge Scheduler does: what raises is tried twice again."""
        identifier = event.get("LifecycleEventHookExecutionId") if isinstance(event, Mapping) else None
        execution = self._executions.get(str(identifier))
        if execution is None or arn not in self._targets:
            return
        for wait in (0, *RETRIES):
            await asyncio.sleep(wait)
            if await self._once(execution, dict(event)):
                return

    def report(self, deployment: str, identifier: str, status: EventStatus) -> None:
        """Take the status that a function tells CodeDeploy, from any thread.

        Raises
        ------
        EcsError
            If there is no such execution in the deployment, or it is over.
        """
        execution = self._executions.get(identifier)
        if execution is None or execution.deployment != deployment:
            raise EcsError(
                "InvalidLifecycleEventHookExecutionIdException",
                "A lifecycle event hook is invalid. Review the hooks section in your AppSpec file.",
            )
        if not execution.decide(status):
            raise EcsError(
                "LifecycleEventAlreadyCompletedException",
                "An attempt to return the status of an already completed lifecycle event occurred.",
            )
        execution.loop.call_soon_threadsafe(self._report, execution, str(status))

    async def _invoke(self, execution: HookExecution, event: dict[str, Any]) -> None:
        """Invoke a hook as CodeDeploy does."""
        well = await self._once(execution, event)
        if self._behaviour.delivery is Delivery.TWICE:
            await self._once(execution, event)
        for wait in RETRIES if self._behaviour.hook_retries is HookRetries.TWICE else ():
            if well or execution.status is not EventStatus.IN_PROGRESS:
                break
            await asyncio.sleep(wait)
            well = await self._once(execution, event)
        if not well and self._behaviour.function_error is FunctionError.FAILED:
            execution.decide(EventStatus.FAILED)

    async def _once(self, execution: HookExecution, event: dict[str, Any]) -> bool:
        """Invoke the function of a hook; return whether it has answered."""
        over: asyncio.Future[None] = execution.loop.create_future()
        execution.running.add(over)
        try:
            return await self._answered(execution, event)
        finally:
            execution.running.discard(over)
            if not over.done():
                over.set_result(None)

    async def _answered(self, execution: HookExecution, event: dict[str, Any]) -> bool:
        execution.attempts += 1
        attempt = execution.attempts
        told: dict[str, Any] = {
            "deployment": execution.deployment,
            "hook_id": execution.id,
            "target": execution.target,
            "stage": execution.event,
            "attempt": attempt,
        }
        self._timeline.emit(HookInvoked(time=self._clock.now(), **told, event=json.loads(json.dumps(event))))
        try:
            response = await invoked(self._targets[execution.target], event, self._clock)
        except HookInvocationError as error:
            execution.error = str(error)
            self._timeline.emit(HookAnswered(time=self._clock.now(), **told, status=None, error=str(error)))
            return False
        status, reason = _answer(response, execution.status)
        error_text = "" if status else "CodeDeploy was told no status"
        answered = HookAnswered(
            time=self._clock.now(), **told, status=status, reason=reason, response=response, error=error_text
        )
        self._timeline.emit(answered)
        return True

    def _report(self, execution: HookExecution, status: str) -> None:
        record = HookReported(
            time=self._clock.now(),
            deployment=execution.deployment,
            hook_id=execution.id,
            target=execution.target,
            stage=execution.event,
            status=status,
        )
        self._timeline.emit(record)


def _answer(response: Any, told: EventStatus) -> tuple[str | None, str]:
    """Return what a function has answered, for people: CodeDeploy ignores it, hooks of this library answer as to ECS."""
    if isinstance(response, Mapping) and response.get("hookStatus") in HookStatus.__members__:
        return str(response["hookStatus"]), str(response.get("reason") or "")
    decided = _WORDS.get(told)
    return str(decided) if decided else None, ""
