"""A response, reduced to what is compared: status, latency, headers and body, with URLs normalized."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.checks.compare.body import Body, body_of
from ecs_hooks.checks.compare.json_diff import Value
from ecs_hooks.checks.compare.normalize import without_hashes

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.normalize import Normalize
    from ecs_hooks.http.response import Response

COOKIE = "set-cookie"
"""The header of which only names and attributes are compared: the values are for one user."""
_COOKIE_TIMES = {"expires", "max-age"}

_HEADERS_NOT_COMPARED = frozenset(
    {"age", "connection", "content-length", "date", "keep-alive", "transfer-encoding", "x-cache", "via"}
)
"""Headers that caches or the connection set, or that repeat what the body says."""

_HEADERS_WITHOUT_VALUE = frozenset(
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
"""Headers whose value differs for each response or each build: only their presence is compared."""

_SERVER_ERROR = 500
_REDIRECTS = range(300, 400)


class Ignored(NamedTuple):
    """What is not compared: names of headers in lower case, JSONPaths, and patterns of texts."""

    headers: frozenset[str] = frozenset()
    paths: Sequence[str] = ()
    patterns: Sequence[str] = ()


class ComparableResponse(NamedTuple):
    """What is compared of the response to one request."""

    problem: str = ""
    """Why there is no response; empty if there is one."""
    status: int = 0
    seconds: float = 0.0
    """Time from the request to the last byte of the response, without the connection."""
    headers: Mapping[str, tuple[Value, ...]] = {}
    """By name in lower case, the values of each header that is compared."""
    body: Body = Body("empty")
    followed: str = ""
    """The path at which redirects ended; empty if there were none."""

    @classmethod
    def of(cls, response: Response, ignored: Ignored, normalize: Normalize) -> ComparableResponse:
        """Return what is compared of a response.

        Raises
        ------
        IncomparableError
            If a JSONPath cannot be evaluated.
        """
        seconds = response.timings.first_byte + response.timings.transfer
        headers = {
            name: tuple(_header_value(name, line, normalize) for line in response.headers.getlist(name))
            for name in dict.fromkeys(each.lower() for each in response.headers)
            if name not in _HEADERS_NOT_COMPARED and name not in ignored.headers
        }
        url = response.url
        followed = (
            normalize(f"{url.scheme}://{url.authority}{url.target.partition('?')[0]}") if response.redirects else ""
        )
        body = body_of(response, ignored.paths, normalize)
        return cls("", response.status, seconds, headers, body, followed)

    @property
    def failed(self) -> bool:
        """Whether it is no response, or a server error: no baseline for green, and a failure of green."""
        return bool(self.problem) or self.status >= _SERVER_ERROR

    @property
    def is_redirect(self) -> bool:
        """Whether it is a redirect that was not followed."""
        return self.status in _REDIRECTS and "location" in self.headers

    @property
    def failure(self) -> str:
        """The failure in words."""
        return self.problem or f"status {self.status}"


class Round(NamedTuple):
    """The responses of one round, those of blue in the order of time."""

    green: ComparableResponse
    blue: tuple[ComparableResponse, ComparableResponse]

    @property
    def has_baseline(self) -> bool:
        """Whether blue has responded twice."""
        return not any(each.failed for each in self.blue)


def _header_value(name: str, line: str, normalize: Normalize) -> Value:
    if name in _HEADERS_WITHOUT_VALUE:
        return Value("header")
    if name == COOKIE:
        pair, *attributes = (part.strip() for part in line.split(";"))
        kept = sorted(
            each.lower() for each in attributes if each.partition("=")[0].strip().lower() not in _COOKIE_TIMES
        )
        return Value("string", "; ".join([pair.partition("=")[0].strip(), *kept]))
    if name == "content-type":
        return Value("string", "; ".join(part.strip().lower() for part in line.split(";")))
    return Value("string", without_hashes(normalize(line.strip())))
