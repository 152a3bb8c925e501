"""One invocation of a hook, from its event to its answer."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from ecs_hooks.aws.errors import FactError
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.core import clock
from ecs_hooks.core.deadline import for_checks, run_with_deadline
from ecs_hooks.core.measurement import Measured
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.own_limits import OwnLimitError
from ecs_hooks.core.response import MAX_REASON, HookResponse, HookStatus
from ecs_hooks.core.sent_requests import SentRequests
from ecs_hooks.core.state import Progress, State, key_of, with_state
from ecs_hooks.deployment.facts import Facts
from ecs_hooks.deployment.green import EndpointConfig
from ecs_hooks.deployment.target import Target
from ecs_hooks.engine.evaluation import evaluate
from ecs_hooks.engine.hook import Hook
from ecs_hooks.engine.plan_loader import PlanLoader
from ecs_hooks.engine.runner import Result, Runner
from ecs_hooks.engine.telemetry import log_result, logger
from ecs_hooks.engine.unsent_failures import unsent_failures
from ecs_hooks.engine.verdict import Verdict, decide, ends_at
from ecs_hooks.plan.model import REFERENCE, Mode, Plan, PlanError

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.engine.controller import Controller
    from ecs_hooks.engine.hook import Definition

_OPTIONAL_SECONDS = 5.0
"""Longest wait for AWS where the answer can do without what is read."""

_OPTIONAL_ATTEMPTS = 3
"""Invocations of a step in which such a call is made, until it succeeds."""

_PLAN = key_of(REFERENCE)
"""Key of a stored plan in the state, where it could not be fetched."""

_WITHOUT_AWS_SECONDS = 60.0
"""Seconds for which AWS's time is not read again where AWS could not be reached."""

_ID_BYTES = 4


T = TypeVar("T")


class _AwsReached:
    """Whether it makes sense to read AWS's time: a function in a VPC may have no way to AWS."""

    def __init__(self) -> None:
        self._failed: tuple[str, str] | None = None
        self._failed_at = 0.0

    def try_again(self, step: str) -> bool:
        """Return whether there was no failure at this step lately."""
        is_recent = time.monotonic() - self._failed_at < _WITHOUT_AWS_SECONDS
        return self._failed != self._key(step) or not is_recent

    def failed(self, step: str) -> None:
        """Record a failure."""
        self._failed, self._failed_at = self._key(step), time.monotonic()

    def _key(self, step: str) -> tuple[str, str]:
        return step, os.environ.get("AWS_ENDPOINT_URL", "")


_aws_reached = _AwsReached()


class Invocation:
    """One event, and everything that its answer needs.

    Parameters
    ----------
    definition
        The hook.
    controller
        The deployment controller, with the event.
    deadline
        When the answer must be there.

    Attributes
    ----------
    results
        The results so far, for the metrics; each is in the log already.
    """

    def __init__(self, definition: Definition, controller: Controller, deadline: Deadline) -> None:
        self.definition = definition
        self.controller = controller
        self.event = controller.event
        self.deadline = deadline
        self.results: Sequence[Result] = []
        self._load_state()
        self._facts = Facts(self._state.facts)
        self._sent = SentRequests.load(self._state.sent)
        self._deployment: Callable[[], Deployment] = cache(partial(controller.deployment, self._facts))
        self._loader = PlanLoader(definition, self.event, self._until)

    def _load_state(self) -> None:
        self._began, self._offset, self._is_verified = clock.uncorrected(), clock.offset(), clock.is_verified()
        now = clock.now()
        self._state = State.load(
            self.event.state,
            self.event,
            now,
            is_verified=self._is_verified,
            late_seconds=self.controller.late_seconds,
        )
        self._elapsed_before = max(0.0, now - self._state.started_at)

    def _verify_clock(self) -> None:
        """Read AWS's time where that of this instance, or of the last one, may be wrong."""
        if self._state.is_plausible or self._is_verified:
            return
        if not clock.is_verified() and _aws_reached.try_again(self._state.step):
            self._read_deployment()
        if clock.is_verified():
            self._load_state()
        else:
            _aws_reached.failed(self._state.step)

    @property
    def _elapsed(self) -> float:
        """Seconds since the first invocation at this step."""
        return self._elapsed_before + max(0.0, clock.uncorrected() - self._began)

    @property
    def _state_now(self) -> State:
        """The state by the clock as it is now: an AWS call may have corrected it during this invocation."""
        return self._state.by_another_clock(clock.offset() - self._offset)

    def answer(self) -> HookResponse:
        """Return the answer to the deployment controller."""
        if self.controller.is_rollback(self._read_deployment):
            self._call_on_rollback()
            return self._response(
                Verdict(
                    HookStatus.SUCCEEDED,
                    f"{self.controller.name} rolls back; a rollback is never delayed, so no check runs",
                )
            )
        self._verify_clock()
        try:
            plan = self._loader.load()
        except PlanError as error:
            if error.__cause__ is not None:
                logger.error("a check's class failed", exc_info=error.__cause__, extra=self.event.log_keys)
            observed = self._loader.fields.get("mode") == Mode.OBSERVE
            return self._response(Verdict(HookStatus.FAILED, f"the plan is not valid: {error}"), observed=observed)
        except (FactError, OwnLimitError) as error:
            return self._without_plan(error.outcome)
        except TimeoutError:
            return self._without_plan(Outcome.wait("not fetched when the time of this invocation was over"))
        self._state = self._state.without(_PLAN)
        self._state = self._state.with_failures(unsent_failures.missing_in(self._state))
        hook = self._hook(plan)
        runner = Runner(hook.context, self._state, self._log)
        self.results = runner.results
        self.results = evaluate(self.definition, hook, runner)
        return self._judge(plan)

    def _without_plan(self, outcome: Outcome) -> HookResponse:
        """Answer where a stored plan is unavailable, by the policies in `hookDetails`, as if a check could not run."""
        plan = self._loader.without_checks()
        runner = Runner(self._hook(plan).context, self._state, self._log)
        self.results = runner.results
        runner.add(REFERENCE, outcome)
        return self._judge(plan)

    @property
    def _until(self) -> Deadline:
        """When checks have to be over: verdict, expiry and log need some time after them."""
        left = self.deadline.remaining()
        return self.deadline.earlier(left - for_checks(left))

    def _hook(self, plan: Plan) -> Hook:
        policies = plan.policies
        configured = EndpointConfig(policies.base_url, policies.host, policies.service_connect)
        elapsed, state = self._elapsed, self._state_now
        context = CheckContext(
            Target(str(self.event.stage), self._deployment, configured, self._sent),
            self._until,
            elapsed,
            plan.checks,
            self.event.green_percent,
            ends=ends_at(state, plan) - state.started_at,
        )
        return Hook(self.event, plan, self._loader.fields, context)

    def _log(self, result: Result) -> None:
        log_result(result, self.event)

    def _judge(self, plan: Plan) -> HookResponse:
        results = self.results
        outcomes = [(result.key, result.outcome) for result in results if result.due]
        measured = {result.key: result.measured for result in results if result.measured is not None}
        state = self._state_now.after(outcomes, measured)
        verdict = decide(results, state, plan, clock.now())
        if verdict.in_progress and state.expires_at == 0 and self.deadline.remaining() > 1:
            expires_at = self._read_expiry(state.attempt)
            state = self._state_now.after(outcomes, measured)._replace(expires_at=expires_at)
            verdict = decide(results, state, plan, clock.now())
        own = secrets.token_hex(_ID_BYTES)
        unsent_failures.add(self._state, own, self._new_failures(measured))
        state = state.answered(clock.now(), verdict.delay or 0, own, is_verified=clock.is_verified())
        state = state._replace(facts=self._facts.dump(), sent=self._sent.dump())
        # The answer repeats what ECS has sent: the place of a stored plan, and not the plan.
        details = with_state(self.event.configuration or {}, state)
        return self._response(verdict, details, observed=plan.policies.mode is Mode.OBSERVE)

    @property
    def plan_origin(self) -> str:
        """Where the plan is from, for the log; empty if it could not be loaded."""
        return self._loader.origin

    def _new_failures(self, measured: Mapping[str, Measured]) -> Mapping[str, int]:
        """Return the number of measurements of each check that failed in this invocation."""
        before = self._state.progress
        new = {
            key: after.failed - (before.get(key, Progress()).measured or Measured()).failed
            for key, after in measured.items()
        }
        return {key: number for key, number in new.items() if number}

    def _response(
        self, verdict: Verdict, details: dict[str, Any] | None = None, *, observed: bool = False
    ) -> HookResponse:
        where = f"{self.event.stage_name} {self.event.service_name}"
        note = f"; {self._loader.note}" if self._loader.note else ""
        why = verdict.why
        if observed:
            why = f"observe mode; the answer would have been {verdict.status}: {why}"
        status = HookStatus.SUCCEEDED if observed else verdict.status
        reason = f"{status} {where}: {why}"[: MAX_REASON - len(note)] + note
        if observed:
            return HookResponse(status, reason)
        return HookResponse(status, reason, verdict.delay, details if verdict.in_progress else None)

    def _call_on_rollback(self) -> None:
        """Call the rollback functions. Their errors are logged, and change nothing."""
        if not self.definition.on_rollback:
            return
        try:
            plan = self._loader.load()
        except (PlanError, FactError, OwnLimitError, TimeoutError):
            plan = Plan.parse({})
        hook = self._hook(plan)
        for function in self.definition.on_rollback:
            try:
                run_with_deadline(partial(function, hook), hook.context.deadline)
            except BaseException as error:  # noqa: BLE001 - nothing may hold up a rollback
                name = getattr(function, "__name__", repr(function))
                logger.exception(f"on_rollback {name} failed", exc_info=error, extra=self.event.log_keys)

    def _read_deployment(self) -> Deployment | None:
        """Return the deployment with its facts read, or None where AWS does not provide them in time."""
        deployment = self._deployment()
        return deployment if self._optional(lambda: deployment.rolling_back) is not None else None

    def _read_expiry(self, attempt: int) -> int:
        """Return when the controller gives up on this hook: -1 where that is unknown, 0 where one more try makes sense."""
        expires_at = self._optional(lambda: self.controller.expires_at(self._deployment()) or -1)
        if expires_at is None:
            return 0 if attempt < _OPTIONAL_ATTEMPTS else -1
        return int(expires_at)

    def _optional(self, read: Callable[[], T]) -> T | None:
        """Return a fact that the answer can do without; None where AWS does not provide it in time."""
        try:
            return run_with_deadline(read, self.deadline.sooner(min(_OPTIONAL_SECONDS, self.deadline.remaining() / 2)))
        except (FactError, OwnLimitError, TimeoutError) as error:
            logger.warning(f"not known: {error}", extra=self.event.log_keys)
            return None
