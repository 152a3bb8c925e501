"""The address of a listener or listener rule, and the requests that match its conditions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from ecs_hooks.deployment.endpoint import OVERRIDE, Endpoint, EndpointError, RoutingError
from ecs_hooks.deployment.listener import short_arn
from ecs_hooks.deployment.rule_matching import (
    Condition,
    Match,
    Sent,
    header_of,
    literal_of,
    match_condition,
    pairs_of,
    shown,
    values_of,
)
from ecs_hooks.http.request import check_headers

if TYPE_CHECKING:
    from ecs_hooks.deployment.listener import Address, Route
    from ecs_hooks.http.request import Request

_SCHEMES = {"HTTP": "http", "HTTPS": "https", "TCP": "http", "TLS": "https"}
"""Listener protocols that can carry HTTP. A TCP listener does not show whether its traffic is TLS."""

_OF_REQUESTS = {"host-header", "path-pattern", "http-header", "query-string", "http-request-method"}
"""Conditions about the content of a request."""


def derive_endpoint(
    route: Route,
    find_address: Callable[[], Address],
    arn: str,
    host: str = "",
    override: str = OVERRIDE,
    *,
    whose: str = "green",
    host_field: str = "hookDetails.host",
) -> Endpoint:
    """Return the endpoint of a listener (rule), whatever its target group.

    Parameters
    ----------
    route, find_address
        The conditions of the rule, and the address of its listener.
    host
        `Host` from the plan, for which the certificate is valid; empty for none.
    arn, override, whose, host_field
        For messages: the rule or listener, the fix, `green` or `blue`, and the field of `host`.

    Raises
    ------
    EndpointError
        If the endpoint cannot be derived.
    """
    try:
        host = host or _required_host(route.conditions)
        _require_certainty(route.conditions, host)
    except UnderivableError as error:
        raise EndpointError(f"cannot derive {whose}'s address from {short_arn(arn)}: {error}", override) from None
    listener = find_address()
    scheme = _SCHEMES.get(listener.protocol)
    if scheme is None:
        raise EndpointError(
            f"{short_arn(arn)} has the protocol {listener.protocol}, which does not carry HTTP", override
        )
    if scheme == "https" and not host:
        raise EndpointError(
            f"{short_arn(arn)} uses TLS, and its certificate is not valid for the load balancer's name {listener.host}",
            f"set {host_field} to a name of the certificate",
        )
    return Endpoint(f"{scheme}://{listener.host}:{listener.port}", host=host, protocol=listener.protocol)


class UnderivableError(Exception):
    """No request is certain to match a condition; the message names the condition and the reason."""


def _required_host(conditions: Sequence[Condition]) -> str:
    """Return the first literal host of a rule; empty if it has none."""
    hosts = (value for each in conditions if each.get("Field") == "host-header" for value in values_of(each))
    return next(filter(None, map(literal_of, hosts)), "")


def _require_certainty(conditions: Sequence[Condition], host: str) -> None:
    """Raise `UnderivableError` if no request with a `Host` is certain to match all conditions; empty for any `Host`."""
    for each in conditions:
        field = each.get("Field", "without a field")
        if field not in _OF_REQUESTS and match_condition(each, Sent.of_host("")) is not Match.YES:
            raise UnderivableError(f"a check cannot satisfy its condition {field}")
        if field == "host-header" and host and match_condition(each, Sent.of_host(host)) is not Match.YES:
            raise UnderivableError(f"its condition host-header does not match {host}")


def meet_conditions(conditions: Sequence[Condition], request: Request, given: Collection[str]) -> Request:
    """Return a request that matches all conditions of a rule.

    A request that matches a condition as it is written is not changed. For another one, what the condition requires is
    added: a prefix of the path, a header, a parameter, with the first literal value.

    Parameters
    ----------
    conditions
        The conditions.
    request
        The request.
    given
        The names of the headers that the plan sets, in lower case; the others have default values, which may change.

    Raises
    ------
    RoutingError
        If nothing can be added so that the request is certain to match.
    """
    given = set(given) | ({name.lower() for name in request.auth.headers} if request.auth else set())
    for condition in conditions:
        if match_condition(condition, sent_parts(request)) is Match.YES:
            continue
        match condition.get("Field"):
            case "path-pattern":
                request = _with_prefix(condition, request)
            case "http-header":
                request = _with_header(condition, request, given)
                given.add(header_of(condition).lower())
            case "query-string":
                request = _with_parameter(condition, request)
            case "http-request-method":
                raise RoutingError(
                    f"the listener rule accepts only {', '.join(values_of(condition))}, not {request.method}",
                    "change the method of the check, or the rule",
                )
            case _:
                raise RoutingError(
                    f"the listener rule requires {shown(condition)}, which the request is not certain to match",
                    "set hookDetails.host or the header Host to a name that matches",
                )
    return request


def sent_parts(request: Request) -> Sent:
    """Return the parts of a request that conditions are about, with its credentials but without a signature."""
    # An API key may be the very header that a rule requires.
    return Sent.of(request if request.auth is None else request.auth._replace(sign=None).authorize(request))


def _with_prefix(condition: Condition, request: Request) -> Request:
    for pattern in values_of(condition):
        # The load balancer does not remove the prefix. "/test*" matches "/test/health".
        prefix = literal_of(pattern.removesuffix("*")).removesuffix("/")
        if pattern.endswith("*") and prefix and not prefix.endswith("/"):
            return request._replace(url=request.url._replace(target=f"{prefix}{request.url.target}"))
    path = request.url.target.partition("?")[0]
    raise RoutingError(
        f"the listener rule requires {shown(condition)}, which {path} is not certain to match and which is not a literal "
        "prefix such as /test/*",
        "change the path of the check",
    )


def _with_header(condition: Condition, request: Request, given: Collection[str]) -> Request:
    name = header_of(condition)
    if name.lower() in given:
        raise RoutingError(
            f"the listener rule requires another value of header {name} than the request has",
            f"change or remove {name}",
        )
    value = next(filter(None, map(literal_of, values_of(condition))), "")
    if not value:
        raise RoutingError(
            f"the listener rule requires {shown(condition)} and has no literal value for it", f"set the header {name}"
        )
    check_headers({name: value})
    others = {key: text for key, text in request.headers.items() if key.lower() != name.lower()}
    return request._replace(headers={**others, name: value})


def _with_parameter(condition: Condition, request: Request) -> Request:
    path, _, query = request.url.target.partition("?")
    present = {parameter.name.lower() for parameter in sent_parts(request).parameters}
    conflict = ""
    for pair in pairs_of(condition):
        name, value = (literal_of(pair.get(part, ""), escapes=True) for part in ("Key", "Value"))
        if not (name and value):
            continue
        encoded = f"{quote(name, safe='')}={quote(value, safe='')}"
        if encoded.partition("=")[0].lower() not in present and name.lower() not in present:
            target = f"{path}?{'&'.join(filter(None, (encoded, query)))}"
            return request._replace(url=request.url._replace(target=target))
        conflict = conflict or name
    if conflict:
        raise RoutingError(
            f"the listener rule requires another value of query parameter {conflict} than the request has",
            f"change or remove {conflict}",
        )
    raise RoutingError(
        f"the listener rule requires {shown(condition)} and has no literal key and value for it",
        "set the query parameter",
    )
