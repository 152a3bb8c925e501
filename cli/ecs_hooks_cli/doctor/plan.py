"""Whether the function can read its plan, and what ECS does where the plan takes too long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ecs_hooks.aws.errors import FactError
from ecs_hooks.checks import AlarmCheck
from ecs_hooks.core.deadline import for_answer, for_checks
from ecs_hooks.core.event import Stage
from ecs_hooks.core.formatting import counted
from ecs_hooks.deployment.endpoint import BEFORE_GREEN_RUNS
from ecs_hooks.plan.model import Mode, Plan, PlanError
from ecs_hooks.plan.source import Fetched, PlanReference, fetched, reference_in
from ecs_hooks.stages import default_checks
from ecs_hooks_cli.doctor.attached import AttachedHook
from ecs_hooks_cli.doctor.finding import Finding, error, ok, unanswered, unknown, warning
from ecs_hooks_cli.doctor.function import Function

_SUBJECT = "plan"

_ECS_MINUTES = 1440
"""What ECS gives a Lambda hook by default."""

_UNSEEN = unknown(
    _SUBJECT, "what the plan needs (permissions, endpoint, network) is not examined", "correct the plan, and look again"
)


class Planned(NamedTuple):
    """What came of reading the plan.

    Parameters
    ----------
    plans
        The plan by stage; no stage where it can't be read.
    findings
        What was found.
    reference
        Where the plan is kept; None where `hookDetails` has it, or nobody could read it.
    """

    plans: Mapping[str, Plan]
    findings: tuple[Finding, ...]
    reference: PlanReference | None = None


def read(hook: AttachedHook, function: Function | None) -> Planned:
    """Read the plan as the function does, at each stage of the hook.

    Parameters
    ----------
    hook
        The hook.
    function
        Its function; None where that is not known.
    """
    if function is not None and function.foreign:
        text = f"the function runs on {function.runtime}, so it is none of ecs-hooks; what it needs is not known"
        return Planned({}, (unknown(_SUBJECT, text, "ask whoever wrote it"),))
    plans: dict[str, Plan] = {}
    findings: dict[Finding, None] = {}
    try:
        source = _source(hook, function)
    except PlanError as mistakes:
        return Planned({}, (*_mistakes(hook, mistakes), _UNSEEN))
    except FactError as trouble:
        return Planned({}, (unanswered(_SUBJECT, "the plan that hookDetails names", trouble), _UNSEEN))
    for stage in hook.stages:
        try:
            plan = _plan(hook, function, stage, source)
        except PlanError as mistakes:
            findings |= dict.fromkeys([*_mistakes(hook, mistakes), _UNSEEN])
        else:
            plans[stage] = plan
            findings |= dict.fromkeys(
                [*_sense(hook, function, stage, plan), *_time(hook, plan), *_room(function, plan)]
            )
    if plans and not findings:
        place = f", from {source.location}" if source else ""
        findings[ok(_SUBJECT, f"{_shown(function, next(iter(plans.values())))}{place}")] = None
    return Planned(plans, tuple(findings), PlanReference.of(source.location) if source else None)


def _has_own_fields(function: Function | None) -> bool:
    """Return whether there may be fields that are not the plan's: only a function of the package is known to have none."""
    return function is None or function.stage is None


def _source(hook: AttachedHook, function: Function | None) -> Fetched | None:
    """Fetch the plan that `hookDetails` names, with the credentials used here; None where it names none."""
    details = hook.event(Stage.PRE_SCALE_UP).configuration or {}
    reference = reference_in(details, own_fields_allowed=_has_own_fields(function))
    return None if reference is None else fetched(reference, details, hook.examined.arn.region)


def _plan(hook: AttachedHook, function: Function | None, stage: str, source: Fetched | None) -> Plan:
    defaults = default_checks(stage) if function is not None and function.stage == stage else ()
    own_fields_allowed = _has_own_fields(function)
    if source is not None:
        return source.plan(defaults=defaults, own_fields_allowed=own_fields_allowed)
    event = hook.event(stage)
    details = event.hook_details if event.configuration is None else event.configuration
    return Plan.parse(details, defaults=defaults, own_fields_allowed=own_fields_allowed)


def _mistakes(hook: AttachedHook, mistakes: PlanError) -> Iterator[Finding]:
    details = hook.event(Stage.PRE_SCALE_UP).configuration or {}
    finding = warning if details.get("mode") == Mode.OBSERVE else error
    for problem in mistakes.problems:
        yield finding(_SUBJECT, problem, "correct it there; `ecs-hooks validate` checks a plan before it is attached")


def _sense(hook: AttachedHook, function: Function | None, stage: str, plan: Plan) -> Iterator[Finding]:
    """Look for what is valid, and not meant."""
    if function is not None and function.stage not in {None, stage} and not plan.explicit:
        yield error(
            _SUBJECT,
            f"the function's default checks are made for {function.stage}, but it is attached to {stage}",
            f"attach the function of {stage}, or name the checks in hookDetails.checks",
        )
    for check in plan.checks if stage in BEFORE_GREEN_RUNS else ():
        if check.requirements().running:
            yield error(
                _SUBJECT,
                f"{check.label} can't be asked at {stage}: green does not run yet",
                "attach it to a later stage",
            )
    alarms = hook.examined.service.configuration.get("alarms") or {}
    for check in plan.checks:
        if (
            plan.explicit
            and isinstance(check, AlarmCheck)
            and not (check.names or check.prefix or alarms.get("enable"))
        ):
            yield warning(
                _SUBJECT,
                f"{check.label} names no alarms, and neither does the deployment configuration: it checks nothing",
                "give it names or a prefix, or set alarms in the deployment configuration of the service",
            )


def _time(hook: AttachedHook, plan: Plan) -> Iterator[Finding]:
    minutes = int(hook.timeout.get("timeoutInMinutes") or _ECS_MINUTES)
    open_end = hook.timeout.get("action") == "CONTINUE"
    if minutes <= plan.policies.timeout_minutes:
        finding = error if open_end else warning
        yield finding(
            _SUBJECT,
            f"timeoutInMinutes of the hook ({minutes}) is not more than timeout_minutes of the plan "
            f"({plan.policies.timeout_minutes:g}): ECS may decide before the hook does",
            "make timeoutInMinutes of the hook larger, or timeout_minutes of the plan smaller",
        )
    if open_end:
        yield warning(
            _SUBJECT,
            "the action of the hook's timeoutConfiguration is CONTINUE: a hook that is undecided then has passed",
            "set the action to ROLLBACK",
        )


def _room(function: Function | None, plan: Plan) -> Iterator[Finding]:
    """Look for checks that one invocation of the function is too short for."""
    if function is None:
        return
    seconds = for_checks(for_answer(function.timeout))
    for check in plan.checks:
        if check.requirements().seconds > seconds:
            yield error(
                _SUBJECT,
                f"{check.label} needs {check.requirements().seconds:g} s of one invocation; the function's Timeout of "
                f"{function.timeout} s leaves {seconds:.0f} s for checks",
                "shorten what the check does, or raise the Timeout of the function (Lambda allows 900 s)",
            )


def _shown(function: Function | None, plan: Plan) -> str:
    count = len(plan.checks)
    checks = counted(count, "check") if plan.explicit else "the default checks of its stage"
    code = "" if function is not None and function.stage else " besides what the function's own code does"
    return f"valid: {checks}{code}, mode {plan.policies.mode}, {plan.policies.timeout_minutes:g} minutes"
