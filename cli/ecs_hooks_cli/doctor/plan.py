"""Whether the function can read its plan, and whether the plan's timeouts fit ECS's and Lambda's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ecs_hooks.aws.errors import FactError
from ecs_hooks.checks import AlarmCheck
from ecs_hooks.core.deadline import MAX_ECS_SECONDS, for_answer, for_checks
from ecs_hooks.core.event import Stage
from ecs_hooks.core.formatting import counted
from ecs_hooks.deployment.endpoint import BEFORE_GREEN_RUNS
from ecs_hooks.plan.model import Mode, Plan, PlanError
from ecs_hooks.plan.source import Fetched, PlanReference, fetched, reference_in
from ecs_hooks.stages import default_checks
from ecs_hooks_cli.doctor.attached_hook import AttachedHook
from ecs_hooks_cli.doctor.finding import Finding, Subject
from ecs_hooks_cli.doctor.function import Function

_SUBJECT = Subject("plan")
_DEFAULT_TIMEOUT_MINUTES = 1440
"""ECS's default for a Lambda hook."""
_NOT_EXAMINED = _SUBJECT.unknown(
    "permissions, endpoint and network cannot be examined without a valid plan",
    "correct the plan, and run `ecs-hooks doctor` again",
)


class ReadPlan(NamedTuple):
    """The result of reading a hook's plan.

    Parameters
    ----------
    plans
        The plan by stage, without stages at which it is not valid.
    findings
        The findings about it.
    reference
        Where the plan is stored; None if it is in `hookDetails`, or could not be read.
    """

    plans: Mapping[str, Plan]
    findings: tuple[Finding, ...]
    reference: PlanReference | None = None


def read(hook: AttachedHook, function: Function | None) -> ReadPlan:
    """Return the plan that the function would read at each stage of the hook; a function of None is unknown."""
    if function is not None and function.is_foreign:
        text = (
            f"the function runs on {function.runtime}, so it is not made with ecs-hooks: its requirements are unknown"
        )
        return ReadPlan({}, (_SUBJECT.unknown(text, "verify its permissions and its network by hand"),))
    plans: dict[str, Plan] = {}
    findings: dict[Finding, None] = {}
    try:
        source = _source(hook, function)
    except PlanError as invalid:
        return ReadPlan({}, (*_mistakes(hook, invalid), _NOT_EXAMINED))
    except FactError as failed:
        return ReadPlan({}, (_SUBJECT.aws_failed("the plan that hookDetails refers to", failed), _NOT_EXAMINED))
    for stage in hook.stages:
        try:
            plan = plans[stage] = _plan(hook, function, stage, source)
        except PlanError as invalid:
            findings |= dict.fromkeys([*_mistakes(hook, invalid), _NOT_EXAMINED])
        else:
            findings |= dict.fromkeys(
                [*_checks(hook, function, stage, plan), *_timeouts(hook, plan), *_durations(function, plan)]
            )
    if plans and not findings:
        place = f", from {source.location}" if source else ""
        findings[_SUBJECT.ok(f"{_summary(function, next(iter(plans.values())))}{place}")] = None
    return ReadPlan(plans, tuple(findings), PlanReference.of(source.location) if source else None)


def _own_fields_allowed(function: Function | None) -> bool:
    """Return whether `hookDetails` may have fields for the function's own code; functions of the stack have none."""
    return function is None or function.stage is None


def _source(hook: AttachedHook, function: Function | None) -> Fetched | None:
    """Fetch the plan that `hookDetails` refers to, with the credentials used here; None if it refers to none."""
    details = hook.event(Stage.PRE_SCALE_UP).configuration or {}
    reference = reference_in(details, own_fields_allowed=_own_fields_allowed(function))
    return None if reference is None else fetched(reference, details, hook.examined.arn.region)


def _plan(hook: AttachedHook, function: Function | None, stage: str, source: Fetched | None) -> Plan:
    defaults = default_checks(stage) if function is not None and function.stage == stage else ()
    own_fields_allowed = _own_fields_allowed(function)
    if source is not None:
        return source.plan(defaults=defaults, own_fields_allowed=own_fields_allowed, deployed=hook.examined.arn)
    event = hook.event(stage)
    details = event.hook_details if event.configuration is None else event.configuration
    return Plan.parse(details, defaults=defaults, own_fields_allowed=own_fields_allowed, deployed=hook.examined.arn)


def _mistakes(hook: AttachedHook, invalid: PlanError) -> Iterator[Finding]:
    details = hook.event(Stage.PRE_SCALE_UP).configuration or {}
    finding = _SUBJECT.warning if details.get("mode") == Mode.OBSERVE else _SUBJECT.error
    for problem in invalid.problems:
        yield finding(problem, "correct the plan; `ecs-hooks validate` checks a plan before it is attached")


def _checks(hook: AttachedHook, function: Function | None, stage: str, plan: Plan) -> Iterator[Finding]:
    """Find valid checks that cannot work at this stage, or check nothing."""
    if function is not None and function.stage not in {None, stage} and not plan.explicit:
        yield _SUBJECT.error(
            f"the function's default checks are for {function.stage}, but the hook is attached to {stage}",
            f"attach the function for {stage}, or set hookDetails.checks",
        )
    for check in plan.checks if stage in BEFORE_GREEN_RUNS else ():
        if check.requirements().running:
            yield _SUBJECT.error(
                f"{check.label} cannot run at {stage}: green does not run yet", "attach the check to a later stage"
            )
    alarms_enabled = (hook.examined.service.configuration.get("alarms") or {}).get("enable")
    for check in plan.checks if plan.explicit and not alarms_enabled else ():
        if isinstance(check, AlarmCheck) and not (check.names or check.prefix):
            yield _SUBJECT.warning(
                f"{check.label} checks nothing: it has neither names nor a prefix, and the service has no enabled deployment alarms",
                "set names or prefix of the check, or alarms in the deployment configuration of the service",
            )


def _timeouts(hook: AttachedHook, plan: Plan) -> Iterator[Finding]:
    minutes = int(hook.timeout.get("timeoutInMinutes") or _DEFAULT_TIMEOUT_MINUTES)
    continues = hook.timeout.get("action") == "CONTINUE"
    if minutes <= plan.policies.timeout_minutes:
        yield (_SUBJECT.error if continues else _SUBJECT.warning)(
            f"timeoutInMinutes of the hook ({minutes}) is not more than timeout_minutes of the plan "
            f"({plan.policies.timeout_minutes:g}): ECS may time out before the hook decides",
            "increase timeoutInMinutes of the hook, or decrease timeout_minutes of the plan",
        )
    if continues:
        yield _SUBJECT.warning(
            "the hook's timeout action is CONTINUE: ECS treats a hook that times out as passed",
            "set action of the hook's timeoutConfiguration to ROLLBACK",
        )


def _durations(function: Function | None, plan: Plan) -> Iterator[Finding]:
    """Find checks that do not fit into one invocation of the function."""
    if function is None:
        return
    seconds = for_checks(for_answer(min(function.timeout, MAX_ECS_SECONDS)))
    for check in plan.checks:
        required = check.requirements().seconds
        if required > seconds:
            is_longest = function.timeout >= MAX_ECS_SECONDS
            limit = (
                f"ECS's limit of {MAX_ECS_SECONDS}" if is_longest else f"the function's Timeout of {function.timeout}"
            )
            increase = "" if is_longest else f", or increase the function's Timeout (at most {MAX_ECS_SECONDS} s)"
            yield _SUBJECT.error(
                f"{check.label} requires {required:g} s of one invocation, but {limit} s leaves {seconds:.0f} s for checks",
                f"shorten the check{increase}",
            )


def _summary(function: Function | None, plan: Plan) -> str:
    checks = counted(len(plan.checks), "check") if plan.explicit else "the default checks of its stage"
    code = "" if function is not None and function.stage else " in addition to the function's own code"
    return f"valid: {checks}{code}, mode {plan.policies.mode}, timeout {plan.policies.timeout_minutes:g} minutes"
