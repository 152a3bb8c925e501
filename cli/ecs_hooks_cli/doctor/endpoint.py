"""Whether the hook will find the addresses of green and blue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import get_args

from ecs_hooks.aws.call import parsing
from ecs_hooks.checks import Check
from ecs_hooks.core.event import Stage
from ecs_hooks.deployment.alb_address import derive_endpoint
from ecs_hooks.deployment.baseline import EARLIER, OVERRIDE, blue_endpoint, blue_listener, derive_blue_endpoint
from ecs_hooks.deployment.endpoint import (
    BEFORE_GREEN_RUNS,
    BEFORE_PRODUCTION_TRAFFIC,
    Endpoint,
    EndpointError,
    Listener,
    RoutingError,
)
from ecs_hooks.deployment.green import EndpointConfig, app_url_of, green_endpoint, green_listener, production_listener
from ecs_hooks.deployment.listener import (
    RULES,
    ListenerArn,
    Rule,
    describe_address,
    describe_rules,
    find_rule,
    obstacle_text,
    short_arn,
)
from ecs_hooks.deployment.placeholders import NoBlueError
from ecs_hooks.deployment.routing import Routing
from ecs_hooks.deployment.tasks import container_definitions, named_port
from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.request import Request
from ecs_hooks.http.url import Url
from ecs_hooks.plan.model import Plan
from ecs_hooks_cli.common.service import Service
from ecs_hooks_cli.doctor.attached_hook import ExaminedService, PlannedHook, configured
from ecs_hooks_cli.doctor.finding import Finding, Subject

SUBJECT = Subject("endpoint")
_BASE_URL = "set hookDetails.base_url"
_RULE_CHANGED = "let only ECS change the rule (ignore its actions in infrastructure as code), and deploy again"


def examine_green(hook: PlannedHook, stage: str, plan: Plan) -> Iterator[Finding]:
    """Determine the address of green as the hook would at a stage, for each listener that checks use."""
    for listener in get_args(Listener):
        checks = [check for check in plan.checks if check.requirements().listener == listener]
        if not checks:
            continue
        try:
            endpoint, sentence = _green(hook, stage, configured(plan), listener)
            text = sentence.format(_shown(endpoint))
        except EndpointError as failed:
            yield SUBJECT.error(f"at {stage}: {failed.problem}", failed.fix or _RULE_CHANGED)
            continue
        yield from _problems_or_ok(
            stage,
            text,
            [
                *_refused_methods(stage, endpoint, checks),
                *_refused_requests(stage, endpoint, checks),
                *_objections(stage, endpoint, checks),
            ],
        )


def examine_blue(hook: PlannedHook, stage: str, plan: Plan) -> Iterator[Finding]:
    """Determine the address of blue as the hook would at a stage."""
    checks = [check for check in plan.checks if check.requirements().blue]
    if not checks or stage in BEFORE_GREEN_RUNS:  # subject `plan` reports that green does not run yet
        return
    try:
        endpoint, sentence = _blue(hook, stage, plan)
        text = sentence.format(_shown(endpoint)) if endpoint else sentence
    except EndpointError as failed:
        yield SUBJECT.error(f"at {stage}: {failed.problem}", failed.fix)
    except NoBlueError as first:
        yield SUBJECT.ok(f"at {stage}: {first}")
    else:
        yield from _problems_or_ok(
            stage,
            text,
            [*_refused_methods(stage, endpoint, checks), *_refused_requests(stage, endpoint, checks)]
            if endpoint
            else [],
        )


def _problems_or_ok(stage: str, text: str, problems: Sequence[Finding]) -> Iterator[Finding]:
    yield from problems or [SUBJECT.ok(f"at {stage}: {text}")]


def _refused_methods(stage: str, endpoint: Endpoint, checks: Sequence[Check]) -> Iterator[Finding]:
    for check in checks:
        for method in check.requirements().methods:
            if endpoint.methods and method not in endpoint.methods:
                yield SUBJECT.error(
                    f"at {stage}: the listener rule accepts {', '.join(endpoint.methods)} only, not the {method} of {check.label}",
                    "change the method of the check, or the rule",
                )


def _refused_requests(stage: str, endpoint: Endpoint, checks: Sequence[Check]) -> Iterator[Finding]:
    """Yield the requests that would not reach the revision; those with variables are known only in a deployment."""
    for check in checks:
        for request in check.requirements().requests:
            if getattr(request, "variables", ()) or (endpoint.methods and request.method not in endpoint.methods):
                continue
            headers = {name: value for name, value in request.headers.items() if isinstance(value, str)}
            try:
                endpoint.request(request.method, request.path or "/", request.query, headers)
            except RoutingError as refused:
                yield SUBJECT.error(
                    f"at {stage}: {check.label} {request.method} {request.path or '/'}: {refused.problem}", refused.fix
                )


def _objections(stage: str, endpoint: Endpoint, checks: Sequence[Check]) -> Iterator[Finding]:
    for check in checks:
        problem, _, fix = check.requirements().address_problem(endpoint).rpartition(": ")
        if problem:
            yield SUBJECT.error(f"at {stage}: {check.label}: {problem}", fix)


def _green(hook: PlannedHook, stage: str, wanted: EndpointConfig, listener: Listener) -> tuple[Endpoint, str]:
    """Return the address, and a sentence with a placeholder for it."""
    examined = hook.attached.examined

    def as_the_hook() -> Endpoint:
        return green_endpoint(wanted, stage, lambda: examined.deployment(stage), listener, hook.environment)

    if listener == "test" and wanted.base_url:
        return as_the_hook(), "requests go to {} (hookDetails.base_url)"
    if listener == "test" and app_url_of(hook.environment):
        return as_the_hook(), "requests go to {} (the function's APP_URL)"
    too_early = BEFORE_GREEN_RUNS if listener == "test" else BEFORE_PRODUCTION_TRAFFIC
    if stage in too_early or examined.is_at(stage):
        return as_the_hook(), "green answers at {} now"
    return _future_green(examined, stage, wanted, listener), "green will answer at {}"


def _future_green(examined: ExaminedService, stage: str, wanted: EndpointConfig, listener: Listener) -> Endpoint:
    """Return the address in a future deployment, whatever target group its rule forwards to today."""
    service = examined.service
    balancing = service.load_balancing
    found = green_listener(stage, balancing) if listener == "test" else production_listener(balancing)
    if found is not None:
        arn, rules = _rules(found[1], _BASE_URL)
        route = find_rule(rules, arn).route
        derived = derive_endpoint(route, lambda: describe_address(arn), arn.text, wanted.host or "")
        return _routed(derived, arn, rules, "green")
    port = task_port(service)
    if port is None:
        raise EndpointError(
            "the service has no test listener, and no port for a load balancer or Service Connect", _BASE_URL
        )
    if service.network is None:
        raise EndpointError(
            "the service has no test listener, and its tasks have no IP address without network mode awsvpc", _BASE_URL
        )
    return Endpoint(f"http://address-of-a-task:{port}")


def _blue(hook: PlannedHook, stage: str, plan: Plan) -> tuple[Endpoint | None, str]:
    """Return the address, and a sentence with a placeholder for it; no address if it will be that of a future task."""
    examined, wanted = hook.attached.examined, configured(plan)
    balancing = examined.service.load_balancing
    listener = blue_listener(stage, balancing, balancing, is_given=hook.has_address(plan))
    in_steps = examined.service.configuration.get("strategy") in {"LINEAR", "CANARY"}
    if listener is not None and in_steps and stage == Stage.PRE_PRODUCTION_TRAFFIC_SHIFT:
        raise EndpointError(
            "from the second step on, the production listener also forwards to green, so blue has no address of its own",
            EARLIER,
        )
    if examined.is_at(stage):
        found = blue_endpoint(wanted, stage, lambda: examined.deployment(stage), environment=hook.environment)
        return found, "blue answers at {} now"
    if listener is None:
        return None, "requests to blue will go to one of its tasks"
    arn, rules = _rules(listener.production, OVERRIDE)
    route = find_rule(rules, arn).route
    derived = derive_blue_endpoint(route, lambda: describe_address(arn), arn.text, None, wanted.host)
    return _routed(derived, arn, rules, "blue"), "blue will answer at {}"


def _rules(listener: str, fix: str) -> tuple[ListenerArn, Sequence[Rule]]:
    with parsing(RULES):
        arn = ListenerArn.parse(listener)
    rules = describe_rules(arn)
    route = find_rule(rules, arn).route
    if route.obstacle:
        raise EndpointError(f"{short_arn(arn.text)} {obstacle_text(route)}", fix)
    return arn, rules


def _routed(endpoint: Endpoint, arn: ListenerArn, rules: Sequence[Rule], whose: str) -> Endpoint:
    """Return an endpoint with the routing of a future deployment, in which its own rule forwards to the revision."""
    url = Url.parse(endpoint.base_url)
    own = find_rule(rules, arn)
    return endpoint._replace(
        routing=Routing(rules, own, "", whose=whose, host=url.host, port=url.port, others=lambda _: None)
    )


def task_port(service: Service) -> int | None:
    """Return the container port of the service; None if it has none."""
    at_load_balancer = next((each.port for each in service.load_balancing if each.port), None)
    if at_load_balancer is not None or not service.port_names:
        return at_load_balancer
    containers = container_definitions(str(service.described.get("taskDefinition")), service.region)
    port = named_port(containers, service.port_names)
    return None if port is None else port.number


def _shown(endpoint: Endpoint) -> str:
    """Return the address for people, without values of headers and of the query: they may be secrets of a listener rule."""
    try:
        where = Url.parse(endpoint.base_url).shown
    except RequestError as invalid:
        raise EndpointError(
            f"the address of green is not valid: {invalid}", "correct hookDetails.base_url or APP_URL"
        ) from None
    names = [f"header {name}" for name in endpoint.headers]
    if endpoint.routing is not None:
        names += ["header Host"] if endpoint.host else []
        with suppress(RequestError):  # reported for the requests of the plan
            request = endpoint.request(next(iter(endpoint.methods), "GET"), "/", {}, {})
            path, _, query = request.url.target.partition("?")
            where = request.url._replace(target=path).shown
            default = {"host", *(name.lower() for name in Request.build("GET", request.url).headers)}
            names += [f"header {name}" for name in request.headers if name.lower() not in default]
            names += [f"parameter {each.partition('=')[0]}" for each in query.split("&") if each]
    return f"{where} with {' and '.join(names)}" if names else where
