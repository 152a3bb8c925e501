"""One invocation of a hook under CodeDeploy, from its event to the report.

Every hook reports a status within CodeDeploy's hour: the schedule of the next invocation is set first, so that a crash does
not end the hook.
"""

from __future__ import annotations

import os
import time
import traceback
from typing import TYPE_CHECKING, Any

from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.codedeploy.description import configuration, describe, plan_origin
from ecs_hooks.codedeploy.event import STAGES, Carried, CodeDeployEvent, CodeDeployHookEvent
from ecs_hooks.codedeploy.report import FAILED, MARGIN, PATIENCE, SUCCEEDED, Reported, report
from ecs_hooks.codedeploy.schedule import MINUTE, Schedule, minute_after
from ecs_hooks.core import clock
from ecs_hooks.core.arn import region_of
from ecs_hooks.core.event import STATE_KEY
from ecs_hooks.core.own_limits import own_limit
from ecs_hooks.core.response import HookResponse, HookStatus
from ecs_hooks.engine.invocation import Invocation
from ecs_hooks.engine.telemetry import log_errors_suppressed, logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ecs_hooks.codedeploy.controller import CodeDeployController
    from ecs_hooks.codedeploy.description import Description
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.engine.controller import Record
    from ecs_hooks.engine.hook import Definition

_RESERVE = 10.0
"""Seconds that an invocation keeps for report and schedule after its checks; at most a quarter of its time."""

_MOST_DEATHS = 3
"""Crashes in a row after which the hook fails."""

_MOST_ERRORS = 5
"""Failed reads of the deployment in a row after which the hook fails."""

_STATUSES = {HookStatus.SUCCEEDED: SUCCEEDED, HookStatus.FAILED: FAILED}


class Execution:
    """One invocation.

    Parameters
    ----------
    controller, definition, event, deadline, function_arn
        As of `CodeDeployController.answer`, which is a method of `controller`.
    record
        Gets the event with its hook once the deployment was read, and the results of the checks.
    """

    def __init__(
        self,
        controller: type[CodeDeployController],
        definition: Definition,
        event: CodeDeployEvent,
        deadline: Deadline,
        function_arn: str,
        record: Record,
    ) -> None:
        self._controller = controller
        self._definition = definition
        self._deadline = deadline
        self._now = clock.now()
        carried = event.carried
        self._event = event._replace(carried=carried._replace(began=carried.began or int(self._now)))
        self._began: float = self._event.carried.began
        self._function_arn = function_arn
        self._region = _region(function_arn)
        self._record = record

    def run(self) -> HookResponse:
        """Run the checks, then report the verdict or schedule the next invocation; return the response."""
        scheduled = self._schedule_retry()
        try:
            response = self._answer(scheduled=scheduled)
        except Exception as error:  # noqa: BLE001 - else CodeDeploy waits for an hour
            response = self._crashed(error)
        if response.status is HookStatus.IN_PROGRESS:
            problem = self._schedule_next(response)
            if not problem:
                return response
            response = _failed(response, problem)
        return self._report(response)

    @property
    def _latest_schedule(self) -> float:
        """The latest useful time of a schedule, in seconds since the epoch."""
        return self._began + PATIENCE - 2 * MINUTE

    @property
    def _end(self) -> float:
        """Deadline of the checks, in seconds since the epoch."""
        return self._began + PATIENCE - MARGIN

    def _schedule_retry(self) -> bool:
        """Schedule the next invocation, in case this one crashes; return whether that worked."""
        carried = self._event.carried
        if carried.verdict:
            return True  # only the report is left
        following = carried._replace(number=carried.number + 1, deaths=carried.deaths + 1)
        at = minute_after(self._now, min(self._deadline.remaining() + MINUTE / 2, self._latest_schedule - self._now))
        problem = self._set(following, at)
        if problem:
            self._warn(f"no invocation is scheduled in case this one crashes: {problem}")
        return not problem

    def _answer(self, *, scheduled: bool) -> HookResponse:
        carried = self._event.carried
        if carried.verdict:
            status = HookStatus.SUCCEEDED if carried.verdict == SUCCEEDED else HookStatus.FAILED
            return HookResponse(status, carried.reason)
        if carried.deaths >= _MOST_DEATHS:
            return HookResponse(
                HookStatus.FAILED,
                f"FAILED: the function crashed {carried.deaths} times in a row; check its log for a time-out or a lack of "
                "memory",
            )
        while True:
            response = self._run_checks()
            delay = response.call_back_delay or MINUTE
            if response.status is not HookStatus.IN_PROGRESS or scheduled:
                return response
            if self._deadline.remaining() < delay + 2 * _RESERVE:
                return _failed(response, "the function is about to time out, and no further invocation is scheduled")
            time.sleep(delay)
            self._keep_state(response)

    def _run_checks(self) -> HookResponse:
        """Read the deployment and the plan, and run the checks."""
        try:
            description = describe(self._event.deployment_id, self._region)
            event = self._hook_event(description)
        except FactError as error:
            return self._read_failed(error)
        self._record.event = event
        # By CodeDeploy's clock: that of this instance, or of the first one, may be wrong.
        self._began = description.began(event.lifecycle_event) or self._began
        if description.is_over:
            return HookResponse(HookStatus.FAILED, f"FAILED: the deployment has ended already ({description.status})")
        self._event = self._event._replace(carried=self._event.carried._replace(errors=0))
        deadline = self._deadline.earlier(min(_RESERVE, self._deadline.remaining() / 4))
        controller = self._controller(event, description, self._end)
        invocation = Invocation(self._definition, controller, deadline)
        try:
            return invocation.answer()
        finally:
            self._record.results, self._record.plan = invocation.results, invocation.plan_origin

    def _crashed(self, error: Exception) -> HookResponse:
        self._warn("ecs-hooks failed; this is a bug", traceback="".join(traceback.format_exception(error)))
        problem = own_limit(error) or f"{type(error).__name__} in ecs-hooks; see the log"
        return HookResponse(HookStatus.FAILED, f"FAILED: {problem}")

    def _hook_event(self, description: Description) -> CodeDeployHookEvent:
        stage: str | None = self._definition.stage
        running = description.running_hook or _lifecycle_event_of(stage)
        if not running:
            raise FactError("CodeDeploy reports no lifecycle event in progress, so the hook is unknown")
        return CodeDeployHookEvent(
            self._event,
            running,
            STAGES[running],
            self._region,
            description.application,
            description.deployment_group,
            description.deployed(self._function_arn, self._region),
            configuration(description, running, self._region),
            plan_origin(description, running),
        )

    def _read_failed(self, error: FactError) -> HookResponse:
        carried = self._event.carried
        errors = carried.errors + 1
        self._event = self._event._replace(carried=carried._replace(errors=errors))
        if isinstance(error, FactDeniedError) or errors >= _MOST_ERRORS:
            return HookResponse(HookStatus.FAILED, f"FAILED: {error} (error {errors} of {_MOST_ERRORS})")
        return HookResponse(
            HookStatus.IN_PROGRESS,
            f"IN_PROGRESS: {error} (error {errors} of {_MOST_ERRORS})",
            MINUTE,
            {STATE_KEY: self._event.state},
        )

    def _keep_state(self, response: HookResponse) -> None:
        """Keep the state for the next run of the checks, as ECS would."""
        details: Mapping[str, Any] = response.hook_details or {}
        self._event = self._event._replace(state=details.get(STATE_KEY))

    def _schedule_next(self, response: HookResponse) -> str:
        """Schedule the next invocation; return the problem, if any."""
        now = clock.now()
        if now >= self._end:
            return "CodeDeploy's limit of one hour is nearly reached"
        self._keep_state(response)
        carried = self._event.carried
        following = carried._replace(number=carried.number + 1, deaths=0)
        at = min(minute_after(now, response.call_back_delay or MINUTE), max(self._end, minute_after(now, 0)))
        problem = self._set(following, at)
        return f"no further invocation is scheduled: {problem}" if problem else ""

    def _schedule(self) -> Schedule:
        """Return the schedule after this invocation, set or not."""
        return Schedule.of(self._event.execution_id, self._event.carried.number, self._function_arn, self._region)

    def _set(self, following: Carried, at: float) -> str:
        """Set the schedule; return the problem, if any."""
        try:
            self._schedule().set(self._event._replace(carried=following).to_dict(), at)
        except FactError as error:
            return str(error)
        return ""

    def _report(self, response: HookResponse) -> HookResponse:
        """Report the verdict, now or in the next invocation."""
        status = _STATUSES[response.status]
        answer = report(self._event, status, self._region, self._deadline.earlier(_RESERVE / 4))
        if answer.problem:
            self._warn(f"{status} could not be reported: {answer.problem}")
        carried = self._event.carried
        following = carried._replace(number=carried.number + 1, deaths=0, verdict=status, reason=response.reason)
        if answer.reported is Reported.NOT_YET and clock.now() < self._latest_schedule:
            problem = self._set(following, minute_after(clock.now(), MINUTE))
            if problem:
                self._warn(f"the report will not be retried: {problem}")
            return response
        try:
            # Scheduler may have set the schedule although its response was lost.
            self._schedule().delete()
        except FactError as error:
            self._warn(f"a schedule may remain: {error}")
            if not carried.verdict:  # so that a remaining schedule repeats the report, not the checks
                self._set(following, minute_after(clock.now(), MINUTE))
        return response

    def _warn(self, text: str, **extra: str) -> None:
        with log_errors_suppressed():
            keys = (
                {"deployment": self._event.deployment_id} if self._record.event is None else self._record.event.log_keys
            )
            logger.warning(text, extra={**keys, **extra})


def _failed(undecided: HookResponse, problem: str) -> HookResponse:
    """Return FAILED for an undecided response that no invocation can follow."""
    return HookResponse(
        HookStatus.FAILED, f"FAILED{undecided.reason.removeprefix(HookStatus.IN_PROGRESS)}; but {problem}"
    )


def _lifecycle_event_of(stage: str | None) -> str:
    return next((name for name, each in STAGES.items() if each == stage), "")


def _region(function_arn: str) -> str:
    try:
        return region_of(function_arn)
    except ValueError:
        return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
