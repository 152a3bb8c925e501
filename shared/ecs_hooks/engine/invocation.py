"""One invocation of a hook, from its event to its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from ecs_hooks.aws.errors import FactError
from ecs_hooks.checks.base import Check, CheckContext
from ecs_hooks.core import clock
from ecs_hooks.core.deadline import for_checks
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.response import HookResponse, HookStatus
from ecs_hooks.core.state import State, key_of, with_state
from ecs_hooks.core.timeouts import call_within
from ecs_hooks.deployment.baseline import blue_endpoint
from ecs_hooks.deployment.facts import Facts
from ecs_hooks.deployment.green import Configured, green_endpoint
from ecs_hooks.engine.hook import Hook
from ecs_hooks.engine.runner import Result, Runner, may_go_on
from ecs_hooks.engine.script import LABEL, HookFunction, play
from ecs_hooks.engine.telemetry import log_result, logger
from ecs_hooks.engine.verdict import Verdict, decide
from ecs_hooks.plan.model import REFERENCE, FirstDeployment, Mode, Plan, PlanError

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.engine.controller import Controller
    from ecs_hooks.plan.source import Fetched

_QUESTION_SECONDS = 5.0
"""Longest wait for a question to AWS that the answer can do without."""

_QUESTIONS = 3
"""Invocations of a step in which such a question is asked, until it is answered."""

_PLAN = key_of(REFERENCE)
"""Key of the plan in the state, where it is fetched and could not be."""

_HEADSTART = 0.05
"""Seconds that the runner has to hand over the results of checks that it gave up."""

T = TypeVar("T")

RollbackFunction = Callable[[Hook], object]
"""What is called when ECS rolls back."""


class Definition:
    """What a hook is, apart from any event.

    Parameters
    ----------
    function
        The code of the hook; None where it only runs the checks of its plan.
    stage
        The stage the hook is made for; None for any.
    defaults
        The checks where a plan names none.
    on_rollback
        What is called when ECS rolls back.
    """

    def __init__(
        self,
        function: HookFunction | None = None,
        *,
        stage: str | None = None,
        defaults: Sequence[Check] = (),
        on_rollback: Sequence[RollbackFunction] = (),
    ) -> None:
        self.function = function
        self.stage = stage
        self.defaults = tuple(defaults)
        self.on_rollback = list(on_rollback)


class Invocation:
    """One event, and everything that its answer needs.

    Parameters
    ----------
    definition
        The hook.
    controller
        Who invokes it, with the event.
    deadline
        When the answer must be there.

    Attributes
    ----------
    results
        What was found out so far, for the metrics; each is in the log already.
    """

    def __init__(self, definition: Definition, controller: Controller, deadline: Deadline) -> None:
        event = controller.event
        self.definition = definition
        self.controller = controller
        self.event = event
        self.deadline = deadline
        self.results: list[Result] = []
        self._state = State.load(event.state, event, clock.now())
        self._facts = Facts(self._state.facts)
        self._fields = event.configuration or {}

    @cached_property
    def _deployment(self) -> Deployment:
        return self.controller.deployment(self._facts)

    def answer(self) -> HookResponse:
        """Return what to tell ECS, or whoever else has invoked the hook."""
        if self.controller.is_rollback(self._ask_deployment):
            self._call_on_rollback()
            return self._response(
                Verdict(
                    HookStatus.SUCCEEDED,
                    f"{self.controller.name} rolls back; a rollback is never held up, so nothing is checked",
                )
            )
        try:
            plan = self._plan()
        except PlanError as error:
            observed = self._fields.get("mode") == Mode.OBSERVE
            return self._response(Verdict(HookStatus.FAILED, f"the plan is not valid: {error}"), observed=observed)
        except FactError as error:
            return self._without_plan(error.outcome)
        except TimeoutError:
            return self._without_plan(Outcome.wait("not fetched when the time of this invocation was over"))
        self._state = self._state.without(_PLAN)
        runner = Runner(self._context(plan), self._state, self._log)
        self.results = runner.results
        self._evaluate(plan, runner)
        return self._judge(plan)

    def _plan(self) -> Plan:
        defaults, own = self.definition.defaults, self.definition.function is not None
        if self._fields.get(REFERENCE) is None:
            details = self.event.hook_details if self.event.configuration is None else self._fields
            plan = Plan.parse(details, defaults=defaults, own_fields_allowed=own)
        else:
            plan = self._fetched(own_fields_allowed=own).plan(defaults=defaults, own_fields_allowed=own)
        stage = self.definition.stage
        if stage not in {None, str(self.event.stage)} and not plan.explicit:
            raise PlanError(
                [
                    (
                        f"this function's default checks are made for {stage}, but ECS invoked it at {self.event.stage}: attach "
                        f"the function of that stage, or name the checks in hookDetails.checks"
                    )
                ]
            )
        return plan

    def _fetched(self, *, own_fields_allowed: bool) -> Fetched:
        """Fetch the plan that `hookDetails` names, within the time that checks have."""
        from ecs_hooks.plan.source import fetched, reference_in  # noqa: PLC0415 - loaded where a plan is fetched

        reference = reference_in(self._fields, own_fields_allowed=own_fields_allowed)
        assert reference is not None
        details, region = self._fields, self.event.region
        found = call_within(lambda: fetched(reference, details, region), self._until)
        self._fields = found.fields
        return found

    def _without_plan(self, outcome: Outcome) -> HookResponse:
        """Answer where the plan can't be had: as `hookDetails` says of a check that can't be asked."""
        plan = Plan.parse(self._fields, own_fields_allowed=self.definition.function is not None)
        runner = Runner(self._context(plan), self._state, self._log)
        self.results = runner.results
        runner.add(REFERENCE, outcome)
        return self._judge(plan)

    @property
    def _until(self) -> Deadline:
        """When checks have to be over: what is still to be done after them (verdict, expiry, log) needs some time, too."""
        left = self.deadline.remaining()
        return self.deadline.earlier(left - for_checks(left))

    def _context(self, plan: Plan) -> CheckContext:
        policies = plan.policies
        configured = Configured(policies.base_url, policies.host, policies.service_connect)
        return CheckContext(
            str(self.event.stage),
            lambda: self._deployment,
            lambda listener: green_endpoint(configured, str(self.event.stage), lambda: self._deployment, listener),
            deadline=self._until,
            elapsed=max(0.0, clock.now() - self._state.started_at),
            checks=plan.checks,
            told_percent=self.event.green_percent,
            find_blue=lambda url, host: blue_endpoint(
                configured, str(self.event.stage), lambda: self._deployment, url, host
            ),
        )

    def _evaluate(self, plan: Plan, runner: Runner) -> None:
        """Ask everything; what is not over at the deadline is a `WAIT`."""
        try:
            # The runner gives up checks in time for its results to be seen here.
            call_within(lambda: self._ask(plan, runner), runner.context.deadline.earlier(-_HEADSTART))
        except TimeoutError:
            late = Outcome.wait("not finished when the time of this invocation was over")
            # The thread that was given up may still add results; what is judged must not change under the judge.
            self.results = list(runner.results)
            self.results.append(Result(key_of(LABEL), LABEL, late))
            self._log(self.results[-1])

    def _log(self, result: Result) -> None:
        log_result(result, self.event)

    def _ask(self, plan: Plan, runner: Runner) -> None:
        if plan.policies.first_deployment is FirstDeployment.SKIP:
            try:
                if self._deployment.first:
                    runner.add(
                        "first deployment", Outcome.skip("of this service: nothing is checked, as the plan says")
                    )
                    return
            except FactError as error:
                runner.add("first deployment", error.outcome)
                return
        if not may_go_on(runner.run(plan.checks)) or self.definition.function is None:
            return
        play(self.definition.function, self._hook(plan, runner.context), runner)

    def _judge(self, plan: Plan) -> HookResponse:
        results = self.results
        state = self._state.after(
            ((result.key, result.outcome) for result in results if result.due),
            {result.key: result.measured for result in results if result.measured is not None},
        )
        verdict = decide(results, state, plan, clock.now())
        if verdict.in_progress and state.expires_at == 0 and self.deadline.remaining() > 1:
            state = state._replace(expires_at=self._ask_expiry(state.attempt))
            verdict = decide(results, state, plan, clock.now())
        state = state._replace(facts=self._facts.dump())
        # What goes back is what ECS has sent: where the plan is kept, and not the plan.
        details = with_state(self.event.configuration or {}, state)
        return self._response(verdict, details, observed=plan.policies.mode is Mode.OBSERVE)

    def _response(
        self, verdict: Verdict, details: dict[str, Any] | None = None, *, observed: bool = False
    ) -> HookResponse:
        where = f"{self.event.stage_name} {self.event.service_name}"
        if observed:
            why = f"observe mode; the answer would have been {verdict.status}: {verdict.why}"
            return HookResponse(HookStatus.SUCCEEDED, f"{HookStatus.SUCCEEDED} {where}: {why}")
        return HookResponse(
            verdict.status,
            f"{verdict.status} {where}: {verdict.why}",
            verdict.delay,
            details if verdict.in_progress else None,
        )

    def _hook(self, plan: Plan, context: CheckContext) -> Hook:
        return Hook(self.event, plan, self._fields, context)

    def _call_on_rollback(self) -> None:
        """Call whoever wants to know of the rollback. Their errors are logged, and change nothing."""
        if not self.definition.on_rollback:
            return
        try:
            plan = self._plan()
        except (PlanError, FactError, TimeoutError):
            plan = Plan.parse({})
        hook = self._hook(plan, self._context(plan))
        for function in self.definition.on_rollback:
            try:
                call_within(partial(function, hook), hook.context.deadline)
            except BaseException as error:  # noqa: BLE001 - nothing may hold up a rollback
                name = getattr(function, "__name__", repr(function))
                logger.exception(f"on_rollback {name} failed", exc_info=error, extra=self.event.log_keys)

    def _ask_deployment(self) -> Deployment | None:
        """Return the deployment with its facts fetched, or None where they can't be had in time."""
        return self._deployment if self._question(lambda: self._deployment.rolling_back) is not None else None

    def _ask_expiry(self, attempt: int) -> int:
        """Return when nobody waits for this hook any more: -1 where it does not say, 0 where it is worth asking once more."""
        expires_at = self._question(lambda: self.controller.expires_at(self._deployment) or -1)
        if expires_at is None:
            return 0 if attempt < _QUESTIONS else -1
        return int(expires_at)

    def _question(self, ask: Callable[[], T]) -> T | None:
        """Ask AWS what an answer can do without."""
        try:
            return call_within(ask, self.deadline.sooner(min(_QUESTION_SECONDS, self.deadline.remaining() / 2)))
        except (FactError, TimeoutError) as error:
            logger.warning(f"not known: {error}", extra=self.event.log_keys)
            return None
