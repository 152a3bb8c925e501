"""Whether the hook will find out where green answers."""

from __future__ import annotations

from collections.abc import Iterator

from ecs_hooks.checks import HttpCheck
from ecs_hooks.cli.doctor.attached import Examined, Prepared, configured
from ecs_hooks.cli.doctor.finding import Finding, error, ok
from ecs_hooks.deployment.asking import reading
from ecs_hooks.deployment.endpoint import (
    BEFORE_GREEN_RUNS,
    Configured,
    Endpoint,
    EndpointError,
    app_url_of,
    derived_endpoint,
    green_endpoint,
    serving_container,
    with_test_listener,
)
from ecs_hooks.deployment.listener import RULES, ListenerArn, address, route, short
from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.url import Url
from ecs_hooks.plan import Plan

SUBJECT = "endpoint"
_OTHERWISE = "let ECS alone change the rule (have infrastructure as code ignore its actions), and deploy again"


def examine(prepared: Prepared, stage: str, plan: Plan) -> Iterator[Finding]:
    """Look for the address of green, as the hook would at a stage."""
    asking = [check for check in plan.checks if check.asks_green]
    if not asking:
        return
    try:
        endpoint, told = _found(prepared, stage, configured(plan))
        text = told.format(_shown(endpoint))
    except EndpointError as trouble:
        yield error(SUBJECT, f"at {stage}: {trouble.problem}", trouble.fix or _OTHERWISE)
        return
    wrong = [
        check
        for check in asking
        if isinstance(check, HttpCheck) and endpoint.methods and check.method not in endpoint.methods
    ]
    for check in wrong:
        yield error(
            SUBJECT,
            f"at {stage}: the listener rule takes {', '.join(endpoint.methods)} only, not the {check.method} of {check.label}",
            "change the method of the check, or the rule",
        )
    if not wrong:
        yield ok(SUBJECT, f"at {stage}: {text}")


def _found(prepared: Prepared, stage: str, wanted: Configured) -> tuple[Endpoint, str]:
    """Return the address, and what to tell of it."""
    examined = prepared.hook.examined

    def as_the_hook() -> Endpoint:
        return green_endpoint(wanted, stage, lambda: examined.deployment(stage), prepared.environment)

    if wanted.base_url:
        return as_the_hook(), "requests go to {}, as hookDetails.base_url says"
    if app_url_of(prepared.environment):
        return as_the_hook(), "requests go to {}, as APP_URL of the function says"
    if stage in BEFORE_GREEN_RUNS or (examined.now is not None and examined.now.stage == stage):
        return as_the_hook(), "green answers at {} now"
    return _to_come(examined, stage, wanted), "green will answer at {}"


def _to_come(examined: Examined, stage: str, wanted: Configured) -> Endpoint:
    """Return the address at which green will answer; whom the test listener leads to today is another question."""
    balancing = examined.service.load_balancing
    tested = with_test_listener(stage, balancing)
    if tested is None:
        _, port = serving_container(balancing)
        if examined.service.network is None:
            message = "the service has no test listener, and without the network mode awsvpc its tasks have no address"
            raise EndpointError(message, "set hookDetails.base_url")
        return Endpoint(f"http://address-of-a-task:{port}")
    with reading(RULES):
        arn = ListenerArn.parse(tested.test)
    leads = route(arn)
    if leads.obstacle:
        message = f"{short(arn.text)} answers with {leads.obstacle} before it forwards"
        raise EndpointError(message, "set hookDetails.base_url")
    return derived_endpoint(leads, lambda: address(arn), arn.text, named=bool(wanted.host))


def _shown(endpoint: Endpoint) -> str:
    """Return the address for people. Values of headers and of a query may be what only the load balancer should know."""
    try:
        where = Url.parse(endpoint.base_url).shown
    except RequestError as trouble:
        message = f"the address of green is none: {trouble}"
        raise EndpointError(message, "correct hookDetails.base_url or APP_URL") from None
    names = [*(f"header {name}" for name in endpoint.headers), *(f"parameter {name}" for name in endpoint.query)]
    return f"{where} with {' and '.join(names)}" if names else where
