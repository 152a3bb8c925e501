"""One Lambda hook at one stage: invoked until it succeeds or fails."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecs_hooks.core.response import HookStatus
from ecs_hooks_simulator.core.errors import HookInvocationError
from ecs_hooks_simulator.core.hook_targets import HookTarget, invoke
from ecs_hooks_simulator.core.model import LifecycleHook
from ecs_hooks_simulator.core.service_deployment import HookDetail
from ecs_hooks_simulator.core.timeline import HookAnswered, HookInvoked
from ecs_hooks_simulator.ecs.events import StageWeights, lifecycle_event
from ecs_hooks_simulator.ecs.status_reasons import BAD_DELAY, FAILED_STATUS, NO_STATUS, UNABLE_TO_INVOKE, HookFailure
from ecs_hooks_simulator.ecs.undocumented import EcsBehaviour, Merge

if TYPE_CHECKING:
    from ecs_hooks_simulator.ecs.hooks import HookRunner

DEFAULT_DELAY = 30.0
"""Seconds until a hook that returned IN_PROGRESS is invoked again."""
SHORTEST_DELAY = 1.0
"""Seconds; the range that ECS accepts is not documented."""
LONGEST_DELAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A hook's response as ECS understands it.

    Parameters
    ----------
    status
        The `hookStatus`; None for an invalid response, which ECS treats as a failure.
    delay
        Seconds until the next invocation, with IN_PROGRESS.
    hook_details
        The returned `hookDetails`, with IN_PROGRESS; None for none.
    reason
        Its `reason`, which ECS ignores.
    problem
        Why it is invalid, in ECS's words.
    """

    status: HookStatus | None
    delay: float = 0.0
    hook_details: Any = None
    reason: str = ""
    problem: str = ""

    @classmethod
    def parse(cls, value: Any, behaviour: EcsBehaviour, arn: str = "") -> Answer:
        """Parse the JSON value that a function returned."""
        invalid = cls(None, problem=NO_STATUS.format(arn=arn))
        if not isinstance(value, Mapping):
            return invalid
        given = value.get("reason")
        reason = given if isinstance(given, str) else ""
        status = value.get("hookStatus")
        if not isinstance(status, str) or status not in HookStatus.__members__:
            return cls(None, reason=reason, problem=invalid.problem)
        if status != HookStatus.IN_PROGRESS:
            return cls(HookStatus(status), reason=reason)
        delay = _delay(value.get("callBackDelay"))
        if delay is None:
            if behaviour.invalid_delay == "failed":
                return cls(None, reason=reason, problem=BAD_DELAY.format(arn=arn))
            delay = DEFAULT_DELAY
        return cls(HookStatus.IN_PROGRESS, delay, value.get("hookDetails"), reason)


def merge_details(present: Any, returned: Any, merge: Merge) -> Any:
    """Return the `hookDetails` of the next invocation: the present ones, merged with the returned ones.

    None changes nothing. Values that are not objects replace each other.
    """
    if returned is None:
        return present
    returned = json.loads(json.dumps(returned))
    if merge == "replace" or not isinstance(present, dict) or not isinstance(returned, dict):
        return returned
    if merge == "shallow":
        return present | returned
    return present | {
        key: merge_details(present.get(key), value, merge) if isinstance(value, dict) else value
        for key, value in returned.items()
    }


def _delay(value: Any) -> float | None:
    if value is None:
        return DEFAULT_DELAY
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Compared before the conversion: an integer of JSON can be too large for a float.
    if not 0 < value <= LONGEST_DELAY:
        return None
    return max(SHORTEST_DELAY, float(value))


class LambdaHook:
    """One Lambda hook at one stage.

    Parameters
    ----------
    runner
        Stores its `hookDetails`, and has the deployment and its controller.
    hook, target, detail
        Its configuration, what is invoked, and its entry in the deployment.
    weights
        Traffic weights in its events.
    """

    def __init__(
        self,
        runner: HookRunner,
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
        self._execution_id = str(uuid.uuid4())
        self._attempt = 0

    async def run(self) -> HookFailure | None:
        """Invoke the hook until it returns SUCCEEDED or fails; return the failure."""
        runner = self._runner
        while True:
            answer = await self._answer()
            match answer.status:
                case HookStatus.SUCCEEDED:
                    return None
                case HookStatus.FAILED:
                    return HookFailure(FAILED_STATUS.format(arn=self._target.arn))
                case None:
                    return HookFailure(answer.problem)
            runner.keep(self._hook, self._detail.stage, answer.hook_details)
            await asyncio.sleep(answer.delay)
            if runner.behaviour.execution_id == "new":
                self._execution_id = str(uuid.uuid4())

    async def _answer(self) -> Answer:
        behaviour, arn = self._runner.behaviour, self._target.arn
        retries = 1 if behaviour.retries == "once" else 0
        while True:
            event = lifecycle_event(
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
                # To ECS an exception and a timeout are responses without a status (contract 3.2, observed).
                text = NO_STATUS if error.invoked else UNABLE_TO_INVOKE
                answer = Answer(None, problem=text.format(arn=arn, error=error))
                self._emit_answer(answer, error=str(error))
                if not retries:
                    return answer
                retries -= 1
                continue
            answer = Answer.parse(response, behaviour, arn)
            self._emit_answer(answer, response=response, error=answer.problem)
            return answer

    async def _invoke(self, event: dict[str, Any]) -> Any:
        self._emit_invoked(event)
        clock = self._runner.controller.clock
        response = await invoke(self._target, event, clock)
        if self._runner.behaviour.delivery == "twice":
            self._emit_invoked(event)
            try:
                await invoke(self._target, event, clock)
            except HookInvocationError:
                return response
        return response

    def _emit_invoked(self, event: dict[str, Any]) -> None:
        self._runner.controller.timeline.emit(HookInvoked(**self._moment(), event=json.loads(json.dumps(event))))

    def _emit_answer(self, answer: Answer, *, response: Any = None, error: str = "") -> None:
        waiting = answer.status is HookStatus.IN_PROGRESS
        self._runner.controller.timeline.emit(
            HookAnswered(
                **self._moment(),
                status=answer.status.value if answer.status else None,
                call_back_delay=answer.delay if waiting else None,
                reason=answer.reason,
                response=response,
                error=error,
            )
        )

    def _moment(self) -> dict[str, Any]:
        return {
            "time": self._runner.controller.clock.now(),
            "deployment": self._runner.deployment.arn,
            "hook_id": self._detail.hook_id,
            "target": self._target.arn,
            "stage": self._detail.stage,
            "attempt": self._attempt,
        }
