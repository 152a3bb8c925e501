"""The hooks of one stage: side by side, each with its IN_PROGRESS loop, its `hookDetails` and its time-out."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.core.ids import hook_id
from ecs_hooks_simulator.core.model import LifecycleHook, TimeoutAction
from ecs_hooks_simulator.core.record import HookDetail, HookState
from ecs_hooks_simulator.core.timeline import HookAnswered, HookInvoked, HookStateChanged
from ecs_hooks_simulator.ecs.answer import merge_details
from ecs_hooks_simulator.ecs.eventbridge import hook_event
from ecs_hooks_simulator.ecs.lambda_hook import LambdaHook
from ecs_hooks_simulator.ecs.payload import StageWeights
from ecs_hooks_simulator.ecs.reasons import (
    LAMBDA_TIMED_OUT,
    PAUSE_ROLLED_BACK,
    PAUSE_TIMED_OUT,
    Problem,
)
from ecs_hooks_simulator.ecs.undocumented import Behaviour, HookIdentity, RollbackDetails, Siblings

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.clock import SimulationClock
    from ecs_hooks_simulator.core.record import ServiceDeployment
    from ecs_hooks_simulator.core.timeline import Timeline


class HooksRunner:
    """Runs the hooks of one deployment, and keeps their `hookDetails` for as long as it lasts.

    Must be made inside the event loop of the clock.

    Parameters
    ----------
    deployment
        Whose hooks.
    clock, behaviour, timeline
        As the controller has them.
    lock
        Guards what `continue_` reads and writes from other threads.
    """

    def __init__(
        self,
        deployment: ServiceDeployment,
        *,
        clock: SimulationClock,
        behaviour: Behaviour,
        timeline: Timeline,
        lock: threading.RLock,
    ) -> None:
        self.deployment = deployment
        self.clock = clock
        self.behaviour = behaviour
        self._timeline = timeline
        self._lock = lock
        self._loop = asyncio.get_running_loop()
        self._kept: dict[tuple[int, str, str], Any] = {}
        self._step = ""
        self._actions: dict[str, TimeoutAction] = {}
        self._awaiting: dict[str, asyncio.Event] = {}

    async def run(self, stage: str, weights: StageWeights, *, rollback: bool = False) -> list[Problem]:
        """Run all hooks of a stage and return what went wrong; the stage lasts as long as they do."""
        if rollback and self.behaviour.rollback_details is RollbackDetails.CONFIGURED:
            self._kept.clear()
        self._step = str(weights) if self.behaviour.hook_identity is HookIdentity.PER_STEP else ""
        hooks = self.deployment.service.hooks_at(stage)
        tasks = [asyncio.create_task(self._run_hook(hook, stage, weights)) for hook in hooks]
        problems: list[Problem] = []
        pending = set(tasks)
        try:
            while pending:
                _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                done = [task.result() for task in tasks if task.done()]
                problems = [problem for problem in done if problem is not None]
                if problems and self.behaviour.siblings is Siblings.ABANDONED:
                    break
        finally:
            for task in pending:
                task.cancel()
            if pending:
                await asyncio.wait(pending)
        return problems

    def continue_(self, hook: HookDetail, action: TimeoutAction) -> bool:
        """Decide about a paused hook, from any thread; return False where it is not waiting (any more)."""
        with self._lock:
            event = self._awaiting.get(hook.hook_id)
            if event is None or hook.hook_id in self._actions or hook.status is not HookState.AWAITING_ACTION:
                return False
            self._actions[hook.hook_id] = action
        self._loop.call_soon_threadsafe(event.set)
        return True

    async def _run_hook(self, hook: LifecycleHook, stage: str, weights: StageWeights) -> Problem | None:
        seconds = hook.timeout_in_minutes * 60
        detail = HookDetail(
            hook_id=hook_id("pause" if hook.is_pause else "lambda"),
            target_type=hook.target_type,  # type: ignore[arg-type] # made an enum member by LifecycleHook
            target_arn=hook.target_arn,
            stage=str(stage),
            status=HookState.AWAITING_ACTION if hook.is_pause else HookState.IN_PROGRESS,
            expires_at=self.clock.now() + seconds,
            timeout_action=hook.timeout_action,  # type: ignore[arg-type]
        )
        self._awaiting[detail.hook_id] = asyncio.Event()
        self.deployment.hooks.append(detail)
        self._announce(detail)
        try:
            async with asyncio.timeout(seconds):
                if hook.is_pause or hook.target is None:
                    await self._awaiting[detail.hook_id].wait()
                    problem = None
                else:
                    problem = await LambdaHook(self, hook, hook.target, detail, weights).run()
        except TimeoutError:
            if detail.hook_id not in self._actions:
                return self._timed_out(hook, detail)
            problem = None
        except asyncio.CancelledError:
            self._set(detail, HookState.FAILED)
            raise
        if self._actions.get(detail.hook_id) is TimeoutAction.ROLLBACK:
            problem = Problem(PAUSE_ROLLED_BACK, pause=True)
        self._set(detail, HookState.FAILED if problem else HookState.SUCCEEDED)
        return problem

    def _timed_out(self, hook: LifecycleHook, detail: HookDetail) -> Problem | None:
        self._set(detail, HookState.TIMED_OUT)
        if hook.timeout_action == TimeoutAction.CONTINUE:
            return None
        if hook.is_pause:
            return Problem(PAUSE_TIMED_OUT, pause=True)
        return Problem(LAMBDA_TIMED_OUT.format(arn=hook.target_arn))

    def _set(self, detail: HookDetail, state: HookState) -> None:
        with self._lock:
            detail.status = state
        self._announce(detail)

    def _announce(self, detail: HookDetail) -> None:
        now = self.clock.now()
        self.deployment.updated_at = now
        self._timeline.emit(
            HookStateChanged(
                time=now,
                deployment=self.deployment.arn,
                hook_id=detail.hook_id,
                hook_type=str(detail.target_type),
                target=detail.target_arn,
                stage=detail.stage,
                state=str(detail.status),
                event=hook_event(self.deployment, detail, now),
            )
        )

    def details(self, hook: LifecycleHook, stage: str) -> Any:
        """Return the `hookDetails` of a hook: what it configures, with all that it returned in this deployment."""
        return self._kept.get(self._key(hook, stage), hook.hook_details)

    def keep(self, hook: LifecycleHook, stage: str, returned: Any) -> None:
        """Merge what a hook returned into its `hookDetails`."""
        merged = merge_details(self.details(hook, stage), returned, self.behaviour.hook_details_merge)
        self._kept[self._key(hook, stage)] = merged

    def emit(self, record: HookInvoked | HookAnswered) -> None:
        """Put a record on the timeline."""
        self._timeline.emit(record)

    def _key(self, hook: LifecycleHook, stage: str) -> tuple[int, str, str]:
        per_hook = self.behaviour.hook_identity is HookIdentity.PER_HOOK
        return self.deployment.service.lifecycle_hooks.index(hook), "" if per_hook else str(stage), self._step
