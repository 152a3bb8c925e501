"""The address of a listener or listener rule, and the requests that match its conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from ecs_hooks.deployment.endpoint import OVERRIDE, Endpoint, EndpointError
from ecs_hooks.deployment.listener import short_arn

if TYPE_CHECKING:
    from ecs_hooks.deployment.listener import Address, Route
    from ecs_hooks.http.request import Request

_SCHEMES = {"HTTP": "http", "HTTPS": "https", "TCP": "http", "TLS": "https"}
"""Listener protocols that can carry HTTP. A TCP listener does not show whether its traffic is TLS."""

_WILDCARDS = ("*", "?")
_AT_MOST_ONE = {"host-header", "path-pattern", "http-request-method"}
"""Conditions of which a rule can have one each."""


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
        required = required_by(route.conditions, host)
    except UnderivableError as error:
        raise EndpointError(f"cannot derive {whose}'s address from {short_arn(arn)}: {error}", override) from None
    listener = find_address()
    scheme = _SCHEMES.get(listener.protocol)
    if scheme is None:
        raise EndpointError(
            f"{short_arn(arn)} has the protocol {listener.protocol}, which does not carry HTTP", override
        )
    if scheme == "https" and not required.host and not host:
        raise EndpointError(
            f"{short_arn(arn)} uses TLS, and its certificate is not valid for the load balancer's name {listener.host}",
            f"set {host_field} to a name of the certificate",
        )
    headers = {**required.headers, **({"Host": required.host} if required.host else {})}
    return Endpoint(
        f"{scheme}://{listener.host}:{listener.port}{required.prefix}",
        headers,
        required.query,
        required.methods,
        "" if required.host else host,
        protocol=listener.protocol,
    )


class UnderivableError(Exception):
    """No request is certain to match a condition; the message names the condition and the reason."""


class Required(NamedTuple):
    """The requirements of a rule's conditions on a request.

    Parameters
    ----------
    host
        Its `Host`; empty for any.
    prefix
        Prefix of its path, without a slash at the end.
    headers
        Its headers.
    query
        Its query parameters.
    methods
        Its possible methods; empty for any.
    """

    host: str = ""
    prefix: str = ""
    headers: Mapping[str, str] = MappingProxyType({})
    query: Mapping[str, str] = MappingProxyType({})
    methods: tuple[str, ...] = ()


def required_by(conditions: Sequence[Mapping[str, Any]], host: str = "") -> Required:
    """Return the requirements of a rule's conditions, all of which must match.

    A condition matches if any of its values does, so the first literal value is used. Regular expressions and client
    addresses have none.

    Parameters
    ----------
    conditions
        `Conditions` of a rule, from DescribeRules.
    host
        `Host` of the requests; empty for that of the rule.

    Raises
    ------
    UnderivableError
        If no request is certain to match.
    """
    found = Required()
    seen: set[str] = set()
    for condition in conditions:
        field = condition.get("Field", "without a field")
        if field in seen & _AT_MOST_ONE:
            raise UnderivableError(f"it has several conditions {field}")
        seen.add(field)
        match field:
            case "host-header":
                found = found._replace(host=_host(_values(condition, "HostHeaderConfig"), host))
            case "path-pattern":
                found = found._replace(prefix=_prefix(_values(condition, "PathPatternConfig")))
            case "http-header":
                name = condition.get("HttpHeaderConfig", {}).get("HttpHeaderName", "")
                value = _literal(_values(condition, "HttpHeaderConfig"), f"http-header {name}")
                found = found._replace(headers=_with(found.headers, name, value, f"http-header {name}"))
            case "query-string":
                name, value = _parameter(condition)
                found = found._replace(query=_with(found.query, name, value, f"query-string {name}"))
            case "http-request-method":
                found = found._replace(methods=tuple(_values(condition, "HttpRequestMethodConfig")))
            case _:
                raise UnderivableError(f"a check cannot satisfy its condition {field}")
    return found


def could_match(conditions: Sequence[Mapping[str, Any]], request: Request) -> bool:
    """Return whether a request may match all conditions of a rule; also true if that is uncertain.

    Without any conditions it is the default rule, which is evaluated last: false.
    """
    return bool(conditions) and all(_could_match(condition, request) for condition in conditions)


def _could_match(condition: Mapping[str, Any], request: Request) -> bool:
    path, _, query = request.url.target.partition("?")
    match condition.get("Field"):
        case "host-header":
            name = request.server_name.lower()
            return any(_matches(each.lower(), name) for each in _patterns(condition, "HostHeaderConfig"))
        case "path-pattern":
            return any(_matches(each, path) for each in _patterns(condition, "PathPatternConfig"))
        case "http-header":
            wanted = str(condition.get("HttpHeaderConfig", {}).get("HttpHeaderName", "")).lower()
            sent = [value.lower() for name, value in request.headers.items() if name.lower() == wanted]
            patterns = _patterns(condition, "HttpHeaderConfig")
            return any(_matches(each.lower(), value) for each in patterns for value in sent)
        case "query-string":
            pairs = [(name.lower(), value.lower()) for name, value in parse_qsl(query, keep_blank_values=True)]
            return any(
                _matches(str(each.get("Key") or "*").lower(), name)
                and _matches(str(each.get("Value") or "*").lower(), value)
                for each in condition.get("QueryStringConfig", {}).get("Values") or [{}]
                for name, value in pairs
            )
        case "http-request-method":
            return request.method in _values(condition, "HttpRequestMethodConfig")
        case _:
            return True


def _patterns(condition: Mapping[str, Any], member: str) -> list[str]:
    """Return the wildcard patterns of a condition; `*` if it has others, such as regular expressions."""
    return _values(condition, member) or ["*"]


def _values(condition: Mapping[str, Any], member: str) -> list[str]:
    # Before 2019 values were in `Values` of the condition, where DescribeRules still returns them.
    values: list[str] = condition.get(member, {}).get("Values") or condition.get("Values", [])
    return values


def _is_literal(value: str) -> bool:
    return bool(value) and not any(wildcard in value for wildcard in _WILDCARDS)


def _literal(values: Sequence[str], what: str) -> str:
    for value in values:
        if _is_literal(value):
            return value
    raise UnderivableError(f"its condition {what} has only patterns, no literal value")


def _host(patterns: Sequence[str], wanted: str) -> str:
    if not wanted:
        return _literal(patterns, "host-header")
    name = wanted.partition(":")[0].lower()
    if any(_matches(pattern.lower(), name) for pattern in patterns):
        return wanted
    raise UnderivableError(f"its condition host-header does not match {wanted}")


def _matches(pattern: str, text: str) -> bool:
    """Return whether a text matches a pattern: `*` matches any characters, `?` exactly one."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))  # in a rule, a bracket is literal


def _with(pairs: Mapping[str, str], name: str, value: str, what: str) -> Mapping[str, str]:
    """Return pairs with one more; with two values of one name, no request is certain to match both."""
    if any(known.lower() == name.lower() for known in pairs):
        raise UnderivableError(f"it has several conditions {what}")
    return {**pairs, name: value}


def _prefix(patterns: Sequence[str]) -> str:
    """Return the prefix of matching paths; the load balancer does not remove it from the request."""
    for pattern in patterns:
        front = pattern.removesuffix("*")
        # "/test*" matches "/test/health"; a pattern without the star matches one path only, and checks have several.
        if pattern.endswith("*") and (not front or _is_literal(front)) and front.rstrip("/") == front.removesuffix("/"):
            return front.removesuffix("/")
    raise UnderivableError("its condition path-pattern is not a literal prefix such as /test/*")


def _parameter(condition: Mapping[str, Any]) -> tuple[str, str]:
    for pair in condition.get("QueryStringConfig", {}).get("Values", []):
        name, value = pair.get("Key", ""), pair.get("Value", "")
        if _is_literal(name) and _is_literal(value):
            return name, value
    raise UnderivableError("its condition query-string has no literal key and value")
