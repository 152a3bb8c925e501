"""One Lambda hook at one stage: invoked until it has decided."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from ecs_hooks.core.response import HookStatus
from ecs_hooks_simulator.core.errors import HookInvocationError
from ecs_hooks_simulator.core.ids import execution_id
from ecs_hooks_simulator.core.invocation import invoked
from ecs_hooks_simulator.core.model import LifecycleHook
from ecs_hooks_simulator.core.timeline import HookAnswered, HookInvoked
from ecs_hooks_simulator.ecs.answer import Answer
from ecs_hooks_simulator.ecs.payload import StageWeights, build_event
from ecs_hooks_simulator.ecs.reasons import FAILED_STATUS, UNABLE_TO_INVOKE, Problem
from ecs_hooks_simulator.ecs.undocumented import Delivery, ExecutionId, Retries

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.protocols import HookTarget
    from ecs_hooks_simulator.core.record import HookDetail
    from ecs_hooks_simulator.ecs.hooks import HooksRunner


class LambdaHook:
    """One Lambda hook at one stage.

    Parameters
    ----------
    runner
        Keeps its `hookDetails` and knows its surroundings.
    hook, target, detail
        How it is configured, what is invoked, and its record.
    weights
        Traffic weights in its events.
    """

    def __init__(
        self,
        runner: HooksRunner,
        hook: LifecycleHook,
        target: HookTarget,
        detail: HookDetail,
        weights: StageWeights,
    ) -> None:
        self._runner = runner
        self._hook = hook
        self._target = target
        self._detail = detail
        self._weights = weights
        self._execution_id = execution_id()
        self._attempt = 0

    async def run(self) -> Problem | None:
        """Invoke the hook until it answers SUCCEEDED or fails; return what went wrong."""
        runner = self._runner
        while True:
            answer = await self._answer()
            match answer.status:
                case HookStatus.SUCCEEDED:
                    return None
                case HookStatus.FAILED:
                    return Problem(FAILED_STATUS.format(arn=self._target.arn))
                case None:
                    return Problem(answer.problem)
            runner.keep(self._hook, self._detail.stage, answer.hook_details)
            await asyncio.sleep(answer.delay)
            if runner.behaviour.execution_id is ExecutionId.NEW:
                self._execution_id = execution_id()

    async def _answer(self) -> Answer:
        behaviour = self._runner.behaviour
        tries = 2 if behaviour.retries is Retries.ONCE else 1
        while True:
            tries -= 1
            event = build_event(
                self._runner.deployment,
                self._detail.stage,
                execution_id=self._execution_id,
                weights=self._weights,
                hook_details=self._runner.details(self._hook, self._detail.stage),
                behaviour=behaviour,
            )
            self._attempt += 1
            try:
                response = await self._invoke(event)
            except HookInvocationError as error:
                problem = self._unusable(error)
                self._emit_answer(Answer(None, problem=problem), error=str(error))
                if not tries:
                    return Answer(None, problem=problem)
                continue
            answer = Answer.parse(response, behaviour)
            answer = Answer(
                answer.status,
                answer.delay,
                answer.hook_details,
                answer.reason,
                answer.problem.replace("{arn}", self._target.arn),
            )
            self._emit_answer(answer, response=response, error=answer.problem)
            return answer

    async def _invoke(self, event: dict[str, Any]) -> Any:
        self._emit_invoked(event)
        response = await self._once(event)
        if self._runner.behaviour.delivery is Delivery.TWICE:
            self._emit_invoked(event)
            try:
                await self._once(event)
            except HookInvocationError:
                return response
        return response

    async def _once(self, event: dict[str, Any]) -> Any:
        return await invoked(self._target, event, self._runner.clock)

    def _unusable(self, error: HookInvocationError) -> str:
        if error.invoked:
            # An exception and a time-out look the same to ECS: an answer without a status (contract 3.2, observed).
            return Answer.parse(None, self._runner.behaviour).problem.replace("{arn}", self._target.arn)
        return UNABLE_TO_INVOKE.format(arn=self._target.arn, error=error)

    def _emit_invoked(self, event: dict[str, Any]) -> None:
        self._runner.emit(
            HookInvoked(
                time=self._runner.clock.now(),
                deployment=self._runner.deployment.arn,
                hook_id=self._detail.hook_id,
                target=self._target.arn,
                stage=self._detail.stage,
                attempt=self._attempt,
                event=json.loads(json.dumps(event)),
            )
        )

    def _emit_answer(self, answer: Answer, *, response: Any = None, error: str = "") -> None:
        waiting = answer.status is HookStatus.IN_PROGRESS
        self._runner.emit(
            HookAnswered(
                time=self._runner.clock.now(),
                deployment=self._runner.deployment.arn,
                hook_id=self._detail.hook_id,
                target=self._target.arn,
                stage=self._detail.stage,
                attempt=self._attempt,
                status=answer.status.value if answer.status else None,
                call_back_delay=answer.delay if waiting else None,
                reason=answer.reason,
                response=response,
                error=error,
            )
        )
