"""One invocation of a hook by CodeDeploy, from its event to the report.

Whatever happens, CodeDeploy hears of it within its hour: the schedule that goes on with the hook is set before anything
else, so that an invocation which dies leaves somebody behind who knows.
"""

from __future__ import annotations

import os
import time
import traceback
from typing import TYPE_CHECKING, Any

from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.codedeploy.controller import MARGIN, PATIENCE, CodeDeployController
from ecs_hooks.codedeploy.description import describe
from ecs_hooks.codedeploy.event import STAGES, Carried, CodeDeployEvent, CodeDeployHookEvent
from ecs_hooks.codedeploy.plan import configuration
from ecs_hooks.codedeploy.report import FAILED, SUCCEEDED, Reported, report
from ecs_hooks.codedeploy.schedule import MINUTE, Schedule, minute_after
from ecs_hooks.core import clock
from ecs_hooks.core.arn import region_of
from ecs_hooks.core.event import STATE_KEY
from ecs_hooks.core.response import HookResponse, HookStatus
from ecs_hooks.engine.invocation import Invocation
from ecs_hooks.engine.telemetry import log_errors_suppressed, logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ecs_hooks.codedeploy.description import Description
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.engine.controller import Record
    from ecs_hooks.engine.definition import Definition

_RESERVE = 10.0
"""Seconds of an invocation to report and to schedule in, once the checks are over; a quarter of it, where it has less."""

_MOST_DEATHS = 3
"""Invocations in a row that may die before the hook has failed."""

_MOST_ERRORS = 5
"""Times in a row that CodeDeploy may be unable to describe the deployment."""

_STATUSES = {HookStatus.SUCCEEDED: SUCCEEDED, HookStatus.FAILED: FAILED}


class Execution:
    """One invocation.

    Parameters
    ----------
    definition
        The hook.
    event
        The event.
    deadline
        When Lambda's time is over.
    function_arn
        ARN that Lambda was invoked by; empty where it is not known.

    record
        Gets the event of the hook once CodeDeploy has described the deployment, and the results of the checks.
    """

    def __init__(
        self, definition: Definition, event: CodeDeployEvent, deadline: Deadline, function_arn: str, record: Record
    ) -> None:
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
        """Find the verdict, or go on later, and see to it that CodeDeploy hears of it; return what came of it."""
        held = self._take_precautions()
        try:
            response = self._answer(may_go_on=held)
        except Exception as error:  # noqa: BLE001 - CodeDeploy would wait for an hour
            response = self._crashed(error)
        if response.status is HookStatus.IN_PROGRESS:
            problem = self._go_on(response)
            if not problem:
                return response
            response = HookResponse(HookStatus.FAILED, f"{response.reason}; but {problem}")
        return self._report(response)

    @property
    def _last_call(self) -> float:
        """The latest moment at which a schedule is of use, in seconds since the epoch."""
        return self._began + PATIENCE - 2 * MINUTE

    @property
    def _end(self) -> float:
        """When checks have to be decided, in seconds since the epoch."""
        return self._began + PATIENCE - MARGIN

    def _take_precautions(self) -> bool:
        """Have the function invoked again should this invocation die; return whether that could be had."""
        carried = self._event.carried
        if carried.verdict:
            return True  # there is nothing left to die in, but the report itself
        heir = carried._replace(number=carried.number + 1, deaths=carried.deaths + 1)
        at = minute_after(self._now, min(self._deadline.remaining() + MINUTE / 2, self._last_call - self._now))
        problem = self._set(heir, at)
        if problem:
            self._warn(f"should this invocation die, nobody goes on with the hook: {problem}")
        return not problem

    def _answer(self, *, may_go_on: bool) -> HookResponse:
        carried = self._event.carried
        if carried.verdict:
            status = HookStatus.SUCCEEDED if carried.verdict == SUCCEEDED else HookStatus.FAILED
            return HookResponse(status, carried.reason)
        if carried.deaths >= _MOST_DEATHS:
            return HookResponse(
                HookStatus.FAILED,
                f"FAILED: the function ended {carried.deaths} times in a row without an answer; its log tells whether "
                f"it ran out of time or of memory",
            )
        while True:
            response = self._ask()
            delay = response.call_back_delay or MINUTE
            if response.status is not HookStatus.IN_PROGRESS or may_go_on:
                return response
            if self._deadline.remaining() < delay + 2 * _RESERVE:
                return HookResponse(
                    HookStatus.FAILED, f"{response.reason}; but the function's time is over, and nobody could go on"
                )
            time.sleep(delay)
            self._carry(response)

    def _ask(self) -> HookResponse:
        """Ask for the deployment, its plan and everything in it."""
        try:
            description = describe(self._event.deployment_id, self._region)
            event = self._described(description)
        except FactError as error:
            return self._undescribed(error)
        self._record.event = event
        self._began = min(self._began, description.began(event.lifecycle_event) or self._began)
        if description.is_over:
            return HookResponse(HookStatus.FAILED, f"FAILED: the deployment is over ({description.status})")
        self._event = self._event._replace(carried=self._event.carried._replace(errors=0))
        deadline = self._deadline.earlier(min(_RESERVE, self._deadline.remaining() / 4))
        controller = CodeDeployController(event, description, self._end)
        invocation = Invocation(self._definition, controller, deadline)
        try:
            return invocation.answer()
        finally:
            self._record.results = invocation.results

    def _crashed(self, error: Exception) -> HookResponse:
        self._warn("ecs-hooks failed; this is a bug", traceback="".join(traceback.format_exception(error)))
        return HookResponse(HookStatus.FAILED, f"FAILED: {type(error).__name__} in ecs-hooks; see the log")

    def _described(self, description: Description) -> CodeDeployHookEvent:
        stage: str | None = self._definition.stage
        running = description.running_hook or _lifecycle_event_of(stage)
        if not running:
            raise FactError("CodeDeploy tells no lifecycle event in progress, so which hook this is can't be known")
        return CodeDeployHookEvent(
            self._event,
            running,
            STAGES[running],
            self._region,
            description.application,
            description.deployment_group,
            description.service_name,
            configuration(description, running, self._region),
        )

    def _undescribed(self, error: FactError) -> HookResponse:
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

    def _carry(self, response: HookResponse) -> None:
        """Take over what the next asking is to find, as ECS would hand it on."""
        details: Mapping[str, Any] = response.hook_details or {}
        self._event = self._event._replace(state=details.get(STATE_KEY))

    def _go_on(self, response: HookResponse) -> str:
        """Have the function invoked after the delay; return why that can't be."""
        now = clock.now()
        if now >= self._end:
            return "CodeDeploy's hour is nearly over"
        self._carry(response)
        carried = self._event.carried
        heir = carried._replace(number=carried.number + 1, deaths=0)
        at = min(minute_after(now, response.call_back_delay or MINUTE), max(self._end, minute_after(now, 0)))
        problem = self._set(heir, at)
        return f"it can't go on: {problem}" if problem else ""

    def _schedule(self) -> Schedule:
        """Return the schedule after this invocation, whether it is there or not."""
        return Schedule.of(self._event.execution_id, self._event.carried.number, self._function_arn, self._region)

    def _set(self, heir: Carried, at: float) -> str:
        """Set the schedule; return why that can't be."""
        try:
            self._schedule().set(self._event._replace(carried=heir).to_dict(), at)
        except FactError as error:
            return str(error)
        return ""

    def _report(self, response: HookResponse) -> HookResponse:
        """Tell CodeDeploy, now or in the next invocation."""
        status = _STATUSES[response.status]
        answer = report(self._event, status, self._region, self._deadline.earlier(_RESERVE / 4))
        if answer.problem:
            self._warn(f"{status} could not be reported: {answer.problem}")
        carried = self._event.carried
        heir = carried._replace(number=carried.number + 1, deaths=0, verdict=status, reason=response.reason)
        if answer.reported is Reported.NOT_YET and clock.now() < self._last_call:
            problem = self._set(heir, minute_after(clock.now(), MINUTE))
            if problem:
                self._warn(f"the report is not tried again: {problem}")
            return response
        try:
            # Even where nobody knows of it: Scheduler may have set it, and its answer been lost.
            self._schedule().delete()
        except FactError as error:
            self._warn(f"a schedule may be left over: {error}")
            if not carried.verdict:  # at least it checks nothing once more
                self._set(heir, minute_after(clock.now(), MINUTE))
        return response

    def _warn(self, text: str, **extra: str) -> None:
        with log_errors_suppressed():
            keys = (
                {"deployment": self._event.deployment_id} if self._record.event is None else self._record.event.log_keys
            )
            logger.warning(text, extra={**keys, **extra})


def _lifecycle_event_of(stage: str | None) -> str:
    return next((name for name, each in STAGES.items() if each == stage), "")


def _region(function_arn: str) -> str:
    try:
        return region_of(function_arn)
    except ValueError:
        return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
