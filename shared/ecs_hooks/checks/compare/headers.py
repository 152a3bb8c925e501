"""Headers of a response, as far as they are compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ecs_hooks.checks.compare.values import Value

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.url_normalization import Rewrite
    from ecs_hooks.http.response import Response

NOT_COMPARED = frozenset(
    {"age", "connection", "content-length", "date", "keep-alive", "transfer-encoding", "x-cache", "via"}
)
"""Headers that say nothing of the application: of a cache, of the connection, or what the body says, too."""

THERE_OR_NOT = frozenset(
    {
        "cf-ray",
        "etag",
        "expires",
        "last-modified",
        "server-timing",
        "traceparent",
        "tracestate",
        "x-amz-cf-id",
        "x-amzn-requestid",
        "x-amzn-trace-id",
        "x-correlation-id",
        "x-request-id",
        "x-response-time",
        "x-runtime",
    }
)
"""Headers whose values are another for each response, or for each build: only whether they are there is compared."""

COOKIE = "set-cookie"
"""The header of which only names and attributes are compared: the values are for one user."""
_OF_TIME = {"expires", "max-age"}


def header_values(response: Response, ignored: frozenset[str], rewrite: Rewrite) -> Mapping[str, tuple[Value, ...]]:
    """Return what is compared of each header, by name in lower case.

    Parameters
    ----------
    response
        The response.
    ignored
        Names of headers that are not compared, in lower case.
    rewrite
        Takes the application's own address out of a text.
    """
    left_out = NOT_COMPARED | ignored
    return {
        name: tuple(_value(name, line, rewrite) for line in response.headers.getlist(name))
        for name in dict.fromkeys(each.lower() for each in response.headers)
        if name not in left_out
    }


def _value(name: str, line: str, rewrite: Rewrite) -> Value:
    if name in THERE_OR_NOT:
        return Value("header")
    if name == COOKIE:
        return Value("string", _cookie(line))
    if name == "content-type":
        return Value("string", "; ".join(part.strip().lower() for part in line.split(";")))
    return Value("string", rewrite(line.strip()))


def _cookie(line: str) -> str:
    """Return the name of a cookie and its attributes, without its value and the time it is kept."""
    pair, *attributes = (part.strip() for part in line.split(";"))
    kept = sorted(each.lower() for each in attributes if each.partition("=")[0].strip().lower() not in _OF_TIME)
    return "; ".join([pair.partition("=")[0].strip(), *kept])
