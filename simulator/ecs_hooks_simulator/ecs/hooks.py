"""The hooks of one stage: in parallel, each with its IN_PROGRESS loop, its `hookDetails` and its timeout."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.core.model import LifecycleHook, TimeoutAction
from ecs_hooks_simulator.core.service_deployment import HookDetail, HookState, ServiceDeployment
from ecs_hooks_simulator.core.timeline import HookStateChanged
from ecs_hooks_simulator.ecs.events import StageWeights, hook_state_change
from ecs_hooks_simulator.ecs.lambda_hook import LambdaHook, merge_details
from ecs_hooks_simulator.ecs.status_reasons import LAMBDA_TIMED_OUT, PAUSE_ROLLED_BACK, PAUSE_TIMED_OUT, HookFailure

if TYPE_CHECKING:
    from ecs_hooks_simulator.ecs.controller import DeploymentController


class HookRunner:
    """Runs the hooks of one deployment, and stores their `hookDetails` for as long as it lasts.

    Must be created inside the event loop of the clock.
    """

    def __init__(self, deployment: ServiceDeployment, controller: DeploymentController) -> None:
        self.deployment = deployment
        self.controller = controller
        self.behaviour = controller.behaviour
        self._loop = asyncio.get_running_loop()
        self._details: dict[tuple[int, str, str], Any] = {}
        self._step = ""
        self._actions: dict[str, TimeoutAction] = {}
        self._awaiting: dict[str, asyncio.Event] = {}

    async def run(self, stage: str, weights: StageWeights, *, rollback: bool = False) -> list[HookFailure]:
        """Run all hooks of a stage and return their failures; the stage lasts as long as they do."""
        if rollback and self.behaviour.rollback_details == "configured":
            self._details.clear()
        self._step = str(weights) if self.behaviour.hook_identity == "per-step" else ""
        hooks = self.deployment.service.hooks_at(stage)
        tasks = [asyncio.create_task(self._run_hook(hook, stage, weights)) for hook in hooks]
        failures: list[HookFailure] = []
        pending = set(tasks)
        try:
            while pending:
                _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                done = [task.result() for task in tasks if task.done()]
                failures = [failure for failure in done if failure is not None]
                if failures and self.behaviour.siblings == "abandoned":
                    break
        finally:
            for task in pending:
                task.cancel()
            if pending:
                await asyncio.wait(pending)
        return failures

    def continue_(self, hook: HookDetail, action: TimeoutAction) -> bool:
        """End a paused hook, from any thread; return False if it does not wait for an action."""
        with self.controller.lock:
            event = self._awaiting.get(hook.hook_id)
            if event is None or hook.hook_id in self._actions or hook.status is not HookState.AWAITING_ACTION:
                return False
            self._actions[hook.hook_id] = action
        self._loop.call_soon_threadsafe(event.set)
        return True

    async def _run_hook(self, hook: LifecycleHook, stage: str, weights: StageWeights) -> HookFailure | None:
        seconds = hook.timeout_in_minutes * 60
        detail = HookDetail(
            hook_id=f"ecs-{'pause' if hook.is_pause else 'lambda'}-{secrets.token_urlsafe(32)}",
            target_type=hook.target_type,  # type: ignore[arg-type] # made an enum member by LifecycleHook
            target_arn=hook.target_arn,
            stage=str(stage),
            status=HookState.AWAITING_ACTION if hook.is_pause else HookState.IN_PROGRESS,
            expires_at=self.controller.clock.now() + seconds,
            timeout_action=hook.timeout_action,  # type: ignore[arg-type]
        )
        self._awaiting[detail.hook_id] = asyncio.Event()
        self.deployment.hooks.append(detail)
        self._emit(detail)
        try:
            async with asyncio.timeout(seconds):
                if hook.is_pause or hook.target is None:
                    await self._awaiting[detail.hook_id].wait()
                    failure = None
                else:
                    failure = await LambdaHook(self, hook, hook.target, detail, weights).run()
        except TimeoutError:
            if detail.hook_id not in self._actions:
                return self._timed_out(hook, detail)
            failure = None
        except asyncio.CancelledError:
            self._set(detail, HookState.FAILED)
            raise
        if self._actions.get(detail.hook_id) is TimeoutAction.ROLLBACK:
            failure = HookFailure(PAUSE_ROLLED_BACK, pause=True)
        self._set(detail, HookState.FAILED if failure else HookState.SUCCEEDED)
        return failure

    def _timed_out(self, hook: LifecycleHook, detail: HookDetail) -> HookFailure | None:
        self._set(detail, HookState.TIMED_OUT)
        if hook.timeout_action == TimeoutAction.CONTINUE:
            return None
        if hook.is_pause:
            return HookFailure(PAUSE_TIMED_OUT, pause=True)
        return HookFailure(LAMBDA_TIMED_OUT.format(arn=hook.target_arn))

    def _set(self, detail: HookDetail, state: HookState) -> None:
        with self.controller.lock:
            detail.status = state
        self._emit(detail)

    def _emit(self, detail: HookDetail) -> None:
        now = self.controller.clock.now()
        self.deployment.updated_at = now
        self.controller.timeline.emit(
            HookStateChanged(
                time=now,
                deployment=self.deployment.arn,
                hook_id=detail.hook_id,
                hook_type=str(detail.target_type),
                target=detail.target_arn,
                stage=detail.stage,
                state=str(detail.status),
                event=hook_state_change(self.deployment, detail, now),
            )
        )

    def details(self, hook: LifecycleHook, stage: str) -> Any:
        """Return the `hookDetails` of a hook: the configured ones, merged with all that it returned in this deployment."""
        return self._details.get(self._key(hook, stage), hook.hook_details)

    def keep(self, hook: LifecycleHook, stage: str, returned: Any) -> None:
        """Merge returned `hookDetails` into those of the hook."""
        merged = merge_details(self.details(hook, stage), returned, self.behaviour.hook_details_merge)
        self._details[self._key(hook, stage)] = merged

    def _key(self, hook: LifecycleHook, stage: str) -> tuple[int, str, str]:
        per_hook = self.behaviour.hook_identity == "per-hook"
        return self.deployment.service.lifecycle_hooks.index(hook), "" if per_hook else str(stage), self._step
