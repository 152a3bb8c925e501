"""Whether the hook will find out where blue answers, for checks that ask it beside green."""

from __future__ import annotations

from collections.abc import Iterator

from ecs_hooks.aws.call import reading
from ecs_hooks.core.event import Stage
from ecs_hooks.deployment.baseline import EARLIER, OVERRIDE, blue_endpoint, blue_listener, derived_blue
from ecs_hooks.deployment.dimensions import NoBlueError
from ecs_hooks.deployment.endpoint import BEFORE_GREEN_RUNS, Endpoint, EndpointError
from ecs_hooks.deployment.green import app_url_of
from ecs_hooks.deployment.listener import RULES, ListenerArn, address, route, short
from ecs_hooks.plan.model import Plan
from ecs_hooks_cli.doctor.attached import Prepared, configured
from ecs_hooks_cli.doctor.endpoint import SUBJECT, refused_methods, shown
from ecs_hooks_cli.doctor.finding import Finding, error, ok

_IN_STEPS = {"LINEAR", "CANARY"}


def examine(prepared: Prepared, stage: str, plan: Plan) -> Iterator[Finding]:
    """Look for the address of blue, as the hook would at a stage."""
    asking = [check for check in plan.checks if check.requirements().blue]
    if not asking or stage in BEFORE_GREEN_RUNS:  # that green does not run then is said already
        return
    try:
        endpoint, told = _found(prepared, stage, plan)
        text = told.format(shown(endpoint)) if endpoint else told
    except EndpointError as trouble:
        yield error(SUBJECT, f"at {stage}: {trouble.problem}", trouble.fix)
        return
    except NoBlueError as first:
        yield ok(SUBJECT, f"at {stage}: {first}")
        return
    wrong = list(refused_methods(stage, endpoint, asking)) if endpoint else []
    yield from wrong
    if not wrong:
        yield ok(SUBJECT, f"at {stage}: {text}")


def _found(prepared: Prepared, stage: str, plan: Plan) -> tuple[Endpoint | None, str]:
    """Return the address, and what to tell of it; no address where a task of a deployment to come will be asked."""
    examined, wanted = prepared.hook.examined, configured(plan)
    balancing = examined.service.load_balancing
    is_given = bool(wanted.base_url or app_url_of(prepared.environment))
    listener = blue_listener(stage, balancing, balancing, is_given=is_given)
    in_steps = str(examined.service.configuration.get("strategy")) in _IN_STEPS
    if listener is not None and in_steps and stage == Stage.PRE_PRODUCTION_TRAFFIC_SHIFT:
        raise EndpointError(
            "from the second step on the production listener leads to green, too, so blue can't be asked there", EARLIER
        )
    if examined.now is not None and examined.now.stage == stage:
        found = blue_endpoint(wanted, stage, lambda: examined.deployment(stage), environment=prepared.environment)
        return found.endpoint, "blue answers at {} now"
    if listener is None:
        return None, "blue will be asked at one of its tasks"
    with reading(RULES):
        arn = ListenerArn.parse(listener.production)
    leads = route(arn)
    if leads.obstacle:
        raise EndpointError(f"{short(arn.text)} answers with {leads.obstacle} before it forwards", OVERRIDE)
    return derived_blue(leads, lambda: address(arn), arn.text, None, wanted.host), "blue will answer at {}"
