"""Whether a request matches the conditions of a listener rule, as an Application Load Balancer evaluates them.

All conditions of a rule must match, and of a condition any of its values. Documented by AWS: wildcards `*` and `?`; paths are
compared after URI normalization, without the query, and with their case; hosts, headers and queries are compared without
case; in a query, a backslash escapes a wildcard, and any character may be percent-encoded; a header may be any of several
lines. Not documented are the extent of the normalization, hosts that end with a dot, the case and the anchors of regular
expressions, spaces written as `+`, parameters without `=`, and headers with characters outside visible ASCII: there a request
matches, or does not, only if it does in each possible way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, unquote_plus

from ecs_hooks.http.request import host_of
from ecs_hooks.http.url import without_dots

if TYPE_CHECKING:
    from ecs_hooks.http.request import Request

Condition = Mapping[str, Any]
"""A condition of a rule, as DescribeRules returns it."""

_VISIBLE_ASCII = re.compile(r"[\x20-\x7e]*")
_ESCAPE = re.compile(r"\\([*?\\])")
_LITERAL = re.compile(r"\\([*?\\])|\[")
_MAY_CHANGE = re.compile(r"%|//|/\.")
_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_ALL_ADDRESSES = {"0.0.0.0/0", "::/0"}


class Match(IntEnum):
    """Whether a request matches a condition or a rule. The smallest of several is that of all, the largest that of any."""

    NO = 0
    MAYBE = 1
    YES = 2


class Parameter(NamedTuple):
    """A parameter of a query, as it is sent.

    Parameters
    ----------
    name, value
        The texts before and after `=`.
    is_pair
        Whether there is an `=`.
    """

    name: str
    value: str
    is_pair: bool


class Sent(NamedTuple):
    """The parts of a request that conditions are about, as they are sent.

    Parameters
    ----------
    method
        The method.
    host
        The name in `Host`, in lower case and without a port.
    authority
        The whole `Host`.
    path
        The path without the query.
    parameters
        The parameters of the query.
    headers
        The values of each header, by its name in lower case.
    """

    method: str
    host: str
    authority: str
    path: str
    parameters: Sequence[Parameter]
    headers: Mapping[str, Sequence[str]]

    @classmethod
    def of_host(cls, host: str) -> Sent:
        """Return the parts of a GET of `/` with this `Host`."""
        return cls("GET", host_of(host), host.lower(), "/", (), {})

    @classmethod
    def of(cls, request: Request) -> Sent:
        """Return the parts of a request."""
        path, _, query = request.url.target.partition("?")
        headers: dict[str, list[str]] = {}
        for name, value in request.headers.items():
            headers.setdefault(name.lower(), []).append(value.strip(" \t"))
        length = request.content_length
        if length is not None:
            headers["content-length"] = [str(length)]
        return cls(
            request.method,
            request.server_name.lower(),
            (request.host or request.url.authority).lower(),
            path,
            [
                Parameter(name, value, bool(sign))
                for name, sign, value in (p.partition("=") for p in query.split("&"))
                if name or sign
            ],
            headers,
        )


def match_rule(conditions: Iterable[Condition], sent: Sent) -> Match:
    """Return whether a request matches all conditions of a rule. A default rule has none, and matches every request."""
    found = Match.YES
    for condition in conditions:
        found = min(found, match_condition(condition, sent))
        if found is Match.NO:
            break
    return found


def match_condition(condition: Condition, sent: Sent) -> Match:
    """Return whether a request matches a condition: any of its values. An unknown condition may match."""
    return max(_matches(condition, sent), default=Match.MAYBE)


def _matches(condition: Condition, sent: Sent) -> Iterator[Match]:
    """Yield for each value of a condition whether a request matches it."""
    match condition.get("Field"):
        case "host-header":
            hosts = {sent.host, sent.host.removesuffix(".")}
            yield from (_agreed(_matched(value.lower(), each) for each in hosts) for value in values_of(condition))
            texts = {*hosts, sent.authority}
            yield from (_agreed(_regex(each, *texts)) for each in _regexes_of(condition))
        case "path-pattern":
            paths = _normalized(sent.path)
            yield from (_agreed(_matched(value, each) for each in paths) for value in values_of(condition))
            yield from (_agreed(_regex(each, *paths)) for each in _regexes_of(condition))
        case "http-header":
            yield from _header(condition, sent)
        case "query-string":
            yield from _query(condition, sent)
        case "http-request-method":
            yield from (Match.YES if value == sent.method else Match.NO for value in values_of(condition))
        case "source-ip" if set(values_of(condition)) >= _ALL_ADDRESSES:
            yield Match.YES


def _header(condition: Condition, sent: Sent) -> Iterator[Match]:
    name, patterns, regexes = header_of(condition).lower(), values_of(condition), _regexes_of(condition)
    if not name or not (patterns or regexes):
        return
    yield Match.NO  # without the header
    for text in sent.headers.get(name, ()):
        if not _VISIBLE_ASCII.fullmatch(text):
            yield Match.MAYBE
            continue
        for pattern in patterns:
            # Whether a backslash escapes a wildcard is documented for queries alone.
            yield _agreed(_matched(pattern.lower(), text.lower(), escapes=each) for each in (False, True))
        yield from (_agreed(_regex(each, text)) for each in regexes)


def _query(condition: Condition, sent: Sent) -> Iterator[Match]:
    pairs = pairs_of(condition)
    if pairs:
        yield Match.NO  # without a query
    for parameter in sent.parameters:
        yield from (_parameter(pair, parameter) for pair in pairs)


@lru_cache(maxsize=1024)
def _normalized(path: str) -> frozenset[str]:
    """Return the possible results of URI normalization: the path as it is, by RFC 3986, and without empty segments."""
    if not _MAY_CHANGE.search(path):
        return frozenset({path})
    decoded = _ENCODED.sub(_without_needless_encoding, path)
    ways = {path, decoded, without_dots(decoded)}
    return frozenset(ways | {re.sub("//+", "/", each) for each in ways})


def _without_needless_encoding(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if _UNRESERVED.fullmatch(character) else found[0].upper()


def values_of(condition: Condition) -> list[str]:
    """Return the values of a condition, but for regular expressions and the pairs of a query."""
    # Before 2019 values were in `Values` of the condition, where DescribeRules still returns them.
    values: list[str] = _config(condition).get("Values") or condition.get("Values", [])
    return values


def pairs_of(condition: Condition) -> list[Mapping[str, str]]:
    """Return the pairs of a key, which may be absent, and a value of a condition on the query."""
    pairs: list[Mapping[str, str]] = condition.get("QueryStringConfig", {}).get("Values", [])
    return pairs


def header_of(condition: Condition) -> str:
    """Return the name of the header of a condition."""
    return str(condition.get("HttpHeaderConfig", {}).get("HttpHeaderName", ""))


def _regexes_of(condition: Condition) -> list[str]:
    values: list[str] = _config(condition).get("RegexValues") or condition.get("RegexValues", [])
    return values


def _config(condition: Condition) -> Mapping[str, Any]:
    """Return the configuration of a condition, such as `HostHeaderConfig`."""
    found = (value for name, value in condition.items() if name.endswith("Config"))
    config: Mapping[str, Any] = next(found, {})
    return config


def shown(condition: Condition) -> str:
    """Return a condition for messages, without the values of headers and parameters, which may be secrets."""
    field = condition.get("Field", "without a field")
    match field:
        case "http-header":
            return f"{field} {header_of(condition)}"
        case "query-string":
            return f"{field} {' or '.join(pair.get('Key') or '*' for pair in pairs_of(condition))}"
        case _:
            return " ".join([field, " or ".join([*values_of(condition), *_regexes_of(condition)])]).strip()


def literal_of(pattern: str, *, escapes: bool = False) -> str:
    """Return the only text that a pattern matches; empty if it has wildcards."""
    if not escapes:
        return "" if set("*?") & set(pattern) else pattern
    text = _ESCAPE.sub("", pattern)
    return "" if set("*?") & set(text) else _ESCAPE.sub(r"\1", pattern)


def _agreed(ways: Iterable[bool | None]) -> Match:
    """Return whether a request matches, from whether it does in each possible way; None for one that is unknown."""
    found = set(ways)
    return Match.YES if found == {True} else Match.NO if found == {False} else Match.MAYBE


def _matched(pattern: str, text: str, *, escapes: bool = False) -> bool:
    """Return whether a text matches a pattern: `*` matches any characters, `?` exactly one; brackets are literal."""
    return fnmatchcase(text, _glob(pattern, escapes))


@lru_cache(maxsize=1024)
def _glob(pattern: str, escapes: bool) -> str:  # noqa: FBT001 - lru_cache
    """Return the pattern for `fnmatch`, in which the literal characters are in brackets."""
    if not escapes:
        return pattern.replace("[", "[[]")
    return _LITERAL.sub(lambda found: "\\" if found[1] == "\\" else f"[{found[1] or '['}]", pattern)


def _parameter(pair: Mapping[str, str], parameter: Parameter) -> Match:
    key, value = (str(pair.get(name) or "*").lower() for name in ("Key", "Value"))

    def matches(name: str, text: str) -> bool:
        return _matched(key, name.lower(), escapes=True) and _matched(value, text.lower(), escapes=True)

    name, text, is_pair = parameter
    if not is_pair:
        return Match.MAYBE if matches(unquote(name), "") or matches("", unquote(name)) else Match.NO
    if matches(unquote(name), unquote(text)):
        return Match.YES
    is_possible = matches(name, text) or matches(unquote_plus(name), unquote_plus(text))
    return Match.MAYBE if is_possible else Match.NO


def _regex(pattern: str, *texts: str) -> Iterator[bool | None]:
    """Yield whether a regular expression matches each text: with and without case, as a part and as a whole."""
    for compiled in _compiled(pattern):
        for text in texts:
            yield None if compiled is None else compiled.search(text) is not None
            yield None if compiled is None else compiled.fullmatch(text) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Sequence[Any]:
    """Return a regular expression, with and without case; None instead if RE2 does not know its syntax."""
    import re2  # noqa: PLC0415 - few rules have regular expressions

    found = []
    for is_case_sensitive in (True, False):
        options = re2.Options()
        options.case_sensitive = is_case_sensitive
        options.log_errors = False
        try:
            found.append(re2.compile(pattern, options))
        except re2.error:
            found.append(None)
    return found
