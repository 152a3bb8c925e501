"""Whether the hook will find out where green answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

from ecs_hooks.aws.call import reading
from ecs_hooks.checks import Check
from ecs_hooks.deployment.alb_address import derived_endpoint
from ecs_hooks.deployment.endpoint import (
    BEFORE_GREEN_RUNS,
    BEFORE_PRODUCTION_TRAFFIC,
    Endpoint,
    EndpointError,
    Listener,
)
from ecs_hooks.deployment.green import Configured, app_url_of, at_production, green_endpoint, with_listener
from ecs_hooks.deployment.listener import RULES, ListenerArn, address, route, short
from ecs_hooks.deployment.task_definition import container_definitions, named_port
from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.url import Url
from ecs_hooks.plan.model import Plan
from ecs_hooks_cli.common.service import Service
from ecs_hooks_cli.doctor.attached import Examined, Prepared, configured
from ecs_hooks_cli.doctor.finding import Finding, error, ok

SUBJECT = "endpoint"
_OTHERWISE = "let ECS alone change the rule (have infrastructure as code ignore its actions), and deploy again"


def examine(prepared: Prepared, stage: str, plan: Plan) -> Iterator[Finding]:
    """Look for the address of green, as the hook would at a stage."""
    for listener in get_args(Listener):
        asking = [check for check in plan.checks if check.requirements().listener == listener]
        if asking:
            yield from _findings(prepared, stage, plan, listener, asking)


def _findings(
    prepared: Prepared, stage: str, plan: Plan, listener: Listener, asking: Sequence[Check]
) -> Iterator[Finding]:
    try:
        endpoint, told = _found(prepared, stage, configured(plan), listener)
        text = told.format(shown(endpoint))
    except EndpointError as trouble:
        yield error(SUBJECT, f"at {stage}: {trouble.problem}", trouble.fix or _OTHERWISE)
        return
    wrong = [*refused_methods(stage, endpoint, asking), *_objections(stage, endpoint, asking)]
    yield from wrong
    if not wrong:
        yield ok(SUBJECT, f"at {stage}: {text}")


def refused_methods(stage: str, endpoint: Endpoint, asking: Sequence[Check]) -> Iterator[Finding]:
    """Yield an error for each method of a check that the listener rule does not take."""
    for check in asking:
        for method in check.requirements().methods:
            if endpoint.methods and method not in endpoint.methods:
                yield error(
                    SUBJECT,
                    f"at {stage}: the listener rule takes {', '.join(endpoint.methods)} only, not the {method} of {check.label}",
                    "change the method of the check, or the rule",
                )


def _objections(stage: str, endpoint: Endpoint, asking: Sequence[Check]) -> Iterator[Finding]:
    for check in asking:
        problem, _, fix = check.requirements().address_problem(endpoint).rpartition(": ")
        if problem:
            yield error(SUBJECT, f"at {stage}: {check.label}: {problem}", fix)


def _found(prepared: Prepared, stage: str, wanted: Configured, listener: Listener) -> tuple[Endpoint, str]:
    """Return the address, and what to tell of it."""
    examined = prepared.hook.examined

    def as_the_hook() -> Endpoint:
        return green_endpoint(wanted, stage, lambda: examined.deployment(stage), listener, prepared.environment)

    if listener == "test" and wanted.base_url:
        return as_the_hook(), "requests go to {}, as hookDetails.base_url says"
    if listener == "test" and app_url_of(prepared.environment):
        return as_the_hook(), "requests go to {}, as APP_URL of the function says"
    too_early = BEFORE_GREEN_RUNS if listener == "test" else BEFORE_PRODUCTION_TRAFFIC
    if stage in too_early or (examined.now is not None and examined.now.stage == stage):
        return as_the_hook(), "green answers at {} now"
    return _to_come(examined, stage, wanted, listener), "green will answer at {}"


def _to_come(examined: Examined, stage: str, wanted: Configured, listener: Listener) -> Endpoint:
    """Return the address at which green will answer; whom the listener leads to today is another question."""
    service = examined.service
    found = (
        with_listener(stage, service.load_balancing) if listener == "test" else at_production(service.load_balancing)
    )
    if found is None:
        port = task_port(service)
        if port is None:
            raise EndpointError(
                "the service has no test listener, and no port at a load balancer or of Service Connect",
                "set hookDetails.base_url",
            )
        if service.network is None:
            raise EndpointError(
                "the service has no test listener, and without the network mode awsvpc its tasks have no address",
                "set hookDetails.base_url",
            )
        return Endpoint(f"http://address-of-a-task:{port}")
    with reading(RULES):
        arn = ListenerArn.parse(found[1])
    leads = route(arn)
    if leads.obstacle:
        raise EndpointError(
            f"{short(arn.text)} answers with {leads.obstacle} before it forwards", "set hookDetails.base_url"
        )
    return derived_endpoint(leads, lambda: address(arn), arn.text, wanted.host or "")


def task_port(service: Service) -> int | None:
    """Return the port at which the tasks of a service answer; None where it offers none."""
    at_load_balancer = next((each.port for each in service.load_balancing if each.port), None)
    if at_load_balancer is not None or not service.port_names:
        return at_load_balancer
    containers = container_definitions(str(service.described.get("taskDefinition")), service.region)
    port = named_port(containers, service.port_names)
    return None if port is None else port.number


def shown(endpoint: Endpoint) -> str:
    """Return the address for people. Values of headers and of a query may be what only the load balancer should know."""
    try:
        where = Url.parse(endpoint.base_url).shown
    except RequestError as trouble:
        raise EndpointError(
            f"the address of green is none: {trouble}", "correct hookDetails.base_url or APP_URL"
        ) from None
    names = [*(f"header {name}" for name in endpoint.headers), *(f"parameter {name}" for name in endpoint.query)]
    return f"{where} with {' and '.join(names)}" if names else where
