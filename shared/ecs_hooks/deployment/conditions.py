"""What a request must have so that a listener rule takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from ecs_hooks.http.request import Request

_WILDCARDS = ("*", "?")
_ONCE = {"host-header", "path-pattern", "http-request-method"}
"""Conditions of which a rule can have one each."""


class UnderivableError(Exception):
    """A condition leaves open what a request should look like; the message says which, and why."""


class Needed(NamedTuple):
    """What a request must have.

    Parameters
    ----------
    host
        Its `Host`; empty where any will do.
    prefix
        What its path begins with, without a slash at the end.
    headers
        Its headers.
    query
        Its query parameters.
    methods
        The methods it may have; any where there are none.
    """

    host: str = ""
    prefix: str = ""
    headers: Mapping[str, str] = MappingProxyType({})
    query: Mapping[str, str] = MappingProxyType({})
    methods: tuple[str, ...] = ()


def needed(conditions: Sequence[Mapping[str, Any]], host: str = "") -> Needed:
    """Return what the conditions of a rule, all of which must hold, ask of a request.

    A condition holds where any of its values fits, so the first value that leaves nothing open is taken. Regular
    expressions and addresses of clients always leave something open.

    Parameters
    ----------
    conditions
        `Conditions` of a rule, from DescribeRules.
    host
        The `Host` that requests are to have; empty leaves it to the rule.

    Raises
    ------
    UnderivableError
        If that is not clear.
    """
    found = Needed()
    seen: set[str] = set()
    for condition in conditions:
        field = condition.get("Field", "of no kind")
        if field in seen & _ONCE:
            raise UnderivableError(f"it has several conditions {field}")
        seen.add(field)
        match field:
            case "host-header":
                found = found._replace(host=_host(_values(condition, "HostHeaderConfig"), host))
            case "path-pattern":
                found = found._replace(prefix=_prefix(_values(condition, "PathPatternConfig")))
            case "http-header":
                name = condition.get("HttpHeaderConfig", {}).get("HttpHeaderName", "")
                value = _plain(_values(condition, "HttpHeaderConfig"), f"http-header {name}")
                found = found._replace(headers=_with(found.headers, name, value, f"http-header {name}"))
            case "query-string":
                name, value = _parameter(condition)
                found = found._replace(query=_with(found.query, name, value, f"query-string {name}"))
            case "http-request-method":
                found = found._replace(methods=tuple(_values(condition, "HttpRequestMethodConfig")))
            case _:
                raise UnderivableError(f"its condition {field} can't be met by a request from anywhere")
    return found


def could_meet(conditions: Sequence[Mapping[str, Any]], request: Request) -> bool:
    """Return whether a request may meet all conditions of a rule; true where that is not clear, too.

    Parameters
    ----------
    conditions
        `Conditions` of a rule, from DescribeRules. A rule without any is the default one, which comes last.
    request
        The request.
    """
    return bool(conditions) and all(_could_meet(condition, request) for condition in conditions)


def _could_meet(condition: Mapping[str, Any], request: Request) -> bool:
    path, _, query = request.url.target.partition("?")
    match condition.get("Field"):
        case "host-header":
            name = request.server_name.lower()
            return any(_matches(each.lower(), name) for each in _plain_values(condition, "HostHeaderConfig"))
        case "path-pattern":
            return any(_matches(each, path) for each in _plain_values(condition, "PathPatternConfig"))
        case "http-header":
            wanted = str(condition.get("HttpHeaderConfig", {}).get("HttpHeaderName", "")).lower()
            sent = [value.lower() for name, value in request.headers.items() if name.lower() == wanted]
            values = _plain_values(condition, "HttpHeaderConfig")
            return any(_matches(each.lower(), value) for each in values for value in sent)
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


def _plain_values(condition: Mapping[str, Any], member: str) -> list[str]:
    """Return the patterns of a condition; one that any text fits where it has others, such as regular expressions."""
    return _values(condition, member) or ["*"]


def _values(condition: Mapping[str, Any], member: str) -> list[str]:
    # Before 2019 values stood beside the field, and DescribeRules still gives them there.
    values: list[str] = condition.get(member, {}).get("Values") or condition.get("Values", [])
    return values


def _is_plain(value: str) -> bool:
    return bool(value) and not any(wildcard in value for wildcard in _WILDCARDS)


def _plain(values: Sequence[str], what: str) -> str:
    for value in values:
        if _is_plain(value):
            return value
    raise UnderivableError(f"its condition {what} has only patterns, no plain value")


def _host(patterns: Sequence[str], wanted: str) -> str:
    if not wanted:
        return _plain(patterns, "host-header")
    name = wanted.partition(":")[0].lower()
    if any(_matches(pattern.lower(), name) for pattern in patterns):
        return wanted
    raise UnderivableError(f"its condition host-header does not take {wanted}")


def _matches(pattern: str, text: str) -> bool:
    """Return whether a pattern fits: `*` stands for any characters, `?` for exactly one."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))  # a bracket is just that in a rule


def _with(pairs: Mapping[str, str], name: str, value: str, what: str) -> Mapping[str, str]:
    """Return pairs with one more; a request can't have two values for one name and be sure to meet both."""
    if any(known.lower() == name.lower() for known in pairs):
        raise UnderivableError(f"it has several conditions {what}")
    return {**pairs, name: value}


def _prefix(patterns: Sequence[str]) -> str:
    """Return what a path must begin with; the load balancer hands the path on as it is."""
    for pattern in patterns:
        front = pattern.removesuffix("*")
        # "/test*" takes "/test/health"; a pattern without the star takes one path only, and no check has just one.
        if pattern.endswith("*") and (not front or _is_plain(front)) and front.rstrip("/") == front.removesuffix("/"):
            return front.removesuffix("/")
    raise UnderivableError("its condition path-pattern is no plain prefix such as /test/*")


def _parameter(condition: Mapping[str, Any]) -> tuple[str, str]:
    for pair in condition.get("QueryStringConfig", {}).get("Values", []):
        name, value = pair.get("Key", ""), pair.get("Value", "")
        if _is_plain(name) and _is_plain(value):
            return name, value
    raise UnderivableError("its condition query-string has no plain key and value")
