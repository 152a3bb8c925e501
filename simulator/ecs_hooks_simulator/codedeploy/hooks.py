"""The hooks of CodeDeploy's deployments: Lambda functions that report a status to CodeDeploy.

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
from ecs_hooks_simulator.core.errors import EcsError, HookInvocationError
from ecs_hooks_simulator.core.hook_targets import invoke
from ecs_hooks_simulator.core.timeline import HookAnswered, HookInvoked, HookReported

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.undocumented import CodeDeployBehaviour
    from ecs_hooks_simulator.core.clock import Clock
    from ecs_hooks_simulator.core.hook_targets import HookTarget
    from ecs_hooks_simulator.core.timeline import Timeline

LONGEST_WAIT = 3600
"""Seconds: "The deployment is considered to have failed if CodeDeploy is not notified within one hour"."""
RETRIES = (60, 120)
"""Seconds before Lambda retries a failed asynchronous invocation (Lambda developer guide)."""
_HOOK_STATUS = {EventStatus.SUCCEEDED: HookStatus.SUCCEEDED, EventStatus.FAILED: HookStatus.FAILED}


class HookFailedError(Exception):
    """The hook failed; the message says why, and `code` is the `LifecycleErrorCode`."""

    def __init__(self, message: str, *, code: str = "UnknownError") -> None:
        super().__init__(message)
        self.code = code


class HookExecution:
    """One hook at one lifecycle event; must be made inside the event loop of the clock.

    Parameters
    ----------
    deployment, event
        Id of the deployment, and name of the lifecycle event.
    target
        ARN of the function.

    Attributes
    ----------
    id : str
        `LifecycleEventHookExecutionId`, an opaque text.
    status : EventStatus
        InProgress until it is decided.
    attempts : int
        Number of invocations, by CodeDeploy and by schedules.
    running : set of asyncio.Future
        Invocations in progress.
    error : str
        Error of the last failed invocation.
    decided : asyncio.Event
        Set when the status is final.
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
        self.decided = asyncio.Event()
        self._lock = threading.Lock()

    def decide(self, status: EventStatus) -> bool:
        """Set the final status, from any thread; return False if there is one already."""
        with self._lock:
            if self.status is not EventStatus.IN_PROGRESS:
                return False
            self.status = status
        self.loop.call_soon_threadsafe(self.decided.set)
        return True


class Hooks:
    """Invokes the functions of hooks and keeps the executions; `clock`, `behaviour`, `timeline` are the controller's."""

    def __init__(self, clock: Clock, behaviour: CodeDeployBehaviour, timeline: Timeline) -> None:
        self._clock = clock
        self._behaviour = behaviour
        self._timeline = timeline
        self._targets: dict[str, HookTarget] = {}
        self._executions: dict[str, HookExecution] = {}

    async def run(self, deployment: str, event: str, target: HookTarget) -> None:
        """Invoke a hook, and wait until its status is reported.

        Raises
        ------
        HookFailedError
            If the hook reports Failed, or nothing within an hour.
        """
        execution = HookExecution(deployment, event, target.arn)
        self._targets[target.arn] = target
        self._executions[execution.id] = execution
        sent = {"DeploymentId": deployment, "LifecycleEventHookExecutionId": execution.id}
        invoking = asyncio.create_task(self._invoke(execution, sent))
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_WAIT):
                    await execution.decided.wait()
        except asyncio.CancelledError:
            execution.decide(EventStatus.SKIPPED)
            invoking.cancel()
            raise
        # A status may have been reported in the last moment.
        if execution.decide(EventStatus.FAILED):
            self._report(execution, "TimedOut")
            raise HookFailedError(
                f"{target.arn} did not report a status to CodeDeploy within one hour", code="ScriptTimedOut"
            )
        # The records of all invocations come before the next lifecycle event. A second delivery may start as the first
        # one ends.
        while execution.running:
            await asyncio.wait(execution.running)
        if execution.status is EventStatus.FAILED:
            raise HookFailedError(f"{target.arn} {execution.error or 'reported Failed to CodeDeploy'}")

    async def invoke(self, arn: str, event: Any) -> None:
        """Invoke a function asynchronously, as EventBridge Scheduler does: with two retries after a function error."""
        identifier = event.get("LifecycleEventHookExecutionId") if isinstance(event, Mapping) else None
        execution = self._executions.get(str(identifier))
        if execution is None or arn not in self._targets:
            return
        for wait in (0, *RETRIES):
            await asyncio.sleep(wait)
            if await self._once(execution, dict(event)):
                return

    def report(self, deployment: str, identifier: str, status: EventStatus) -> None:
        """Accept the status of an execution, from any thread.

        Raises
        ------
        EcsError
            If the deployment has no such execution, or the execution has a final status.
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
        succeeded = await self._once(execution, event)
        if self._behaviour.delivery == "twice":
            await self._once(execution, event)
        for wait in RETRIES if self._behaviour.hook_retries == "twice" else ():
            if succeeded or execution.status is not EventStatus.IN_PROGRESS:
                break
            await asyncio.sleep(wait)
            succeeded = await self._once(execution, event)
        if not succeeded and self._behaviour.function_error == "failed":
            execution.decide(EventStatus.FAILED)

    async def _once(self, execution: HookExecution, event: dict[str, Any]) -> bool:
        """Invoke the function once; return False after a function error."""
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
        fields: dict[str, Any] = {
            "deployment": execution.deployment,
            "hook_id": execution.id,
            "target": execution.target,
            "stage": execution.event,
            "attempt": execution.attempts,
        }
        self._timeline.emit(HookInvoked(time=self._clock.now(), **fields, event=json.loads(json.dumps(event))))
        try:
            response = await invoke(self._targets[execution.target], event, self._clock)
        except HookInvocationError as error:
            execution.error = str(error)
            self._timeline.emit(HookAnswered(time=self._clock.now(), **fields, status=None, error=str(error)))
            return False
        status, reason = _answer(response, execution.status)
        fields["error"] = "" if status else "no status was reported to CodeDeploy"
        self._timeline.emit(
            HookAnswered(time=self._clock.now(), **fields, status=status, reason=reason, response=response)
        )
        return True

    def _report(self, execution: HookExecution, status: str) -> None:
        hook = {"hook_id": execution.id, "target": execution.target, "stage": execution.event}
        self._timeline.emit(
            HookReported(time=self._clock.now(), deployment=execution.deployment, **hook, status=status)
        )


def _answer(response: Any, reported: EventStatus) -> tuple[str | None, str]:
    """Return status and reason for the timeline: those of the response, which CodeDeploy ignores, or the reported status."""
    if isinstance(response, Mapping) and response.get("hookStatus") in HookStatus.__members__:
        return str(response["hookStatus"]), str(response.get("reason") or "")
    status = _HOOK_STATUS.get(reported)
    return str(status) if status else None, ""
