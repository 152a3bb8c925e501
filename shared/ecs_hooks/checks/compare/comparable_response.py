"""A response, reduced to what is compared: status, latency, headers and body, with URLs normalized."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.assertions.jsonpath import locations
from ecs_hooks.checks.compare.json_diff import IncomparableError, Value
from ecs_hooks.http.errors import ContentError

if TYPE_CHECKING:
    from ecs_hooks.http.request import Request
    from ecs_hooks.http.response import Response

ORIGIN = "{origin}"
"""Replaces the application's own address in values: it differs between blue and green."""

Normalize = Callable[[str], str]
"""Replaces the application's own address in a text by `ORIGIN`."""

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
_MAX_LINES = 20_000
_TEXTS = ("text/", "application/xml", "application/javascript", "application/x-www-form-urlencoded")


class Ignored(NamedTuple):
    """What is not compared: names of headers in lower case, and JSONPaths."""

    headers: frozenset[str] = frozenset()
    paths: Sequence[str] = ()


class Body(NamedTuple):
    """A body."""

    kind: str
    """`JSON`, `text`, `binary` or `empty`."""
    roots: tuple[Any, ...] = ()
    """The JSON without what is ignored; empty if the body is not JSON, or all of it is ignored."""
    parts: tuple[Value, ...] = ()
    """The lines of a text, or the digest of a binary body."""
    size: int = 0


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
        return cls("", response.status, seconds, headers, _body(response, ignored.paths, normalize))

    @property
    def is_baseline(self) -> bool:
        """Whether green can be compared with it: it is a response, and no server error."""
        return not self.problem and self.status < _SERVER_ERROR


class Round(NamedTuple):
    """The responses of one round, those of blue in the order of time."""

    green: ComparableResponse
    blue: tuple[ComparableResponse, ComparableResponse]


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
    return Value("string", normalize(line.strip()))


def _body(response: Response, ignored: Sequence[str], normalize: Normalize) -> Body:
    content = response.content
    if not content:
        return Body("empty")
    media_type = (response.headers.get("content-type") or "").partition(";")[0].strip().lower()
    if media_type.endswith("json") or content.lstrip()[:1] in {b"{", b"["}:
        with suppress(ContentError):
            return Body("JSON", _without_ignored(response.json(), ignored), size=len(content))
    lines = response.text.splitlines() if _is_text(media_type, content) else []
    if not lines or len(lines) > _MAX_LINES:
        digest = hashlib.sha256(content).hexdigest()
        return Body("binary", parts=(Value("digest", digest),), size=len(content))
    return Body("text", parts=tuple(Value("line", normalize(line)) for line in lines), size=len(content))


def _is_text(media_type: str, content: bytes) -> bool:
    if media_type.startswith(_TEXTS) or media_type.endswith(("+xml", "json")):
        return True
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def _without_ignored(document: Any, paths: Sequence[str]) -> tuple[Any, ...]:
    """Delete what some JSONPaths select from a document, and return it; empty if they select all of it."""
    found: set[tuple[str | int, ...]] = set()
    for path in paths:
        try:
            found |= set(locations(path, document))
        except ValueError as error:
            raise IncomparableError(f"ignore {path[:80]} {error}") from None
    if () in found:
        return ()
    # Delete the last items of an array first, because later items move up, and children before their parent.
    for *way, last in sorted(found, key=lambda each: [(isinstance(step, int), step) for step in each], reverse=True):
        parent = document
        for step in way:
            parent = parent[step]
        del parent[last]
    return (document,)


def normalizers(blue: Request, green: Request, blue_prefix: str, green_prefix: str) -> tuple[Normalize, Normalize]:
    """Return the functions that normalize URLs in values of blue, and in values of green.

    If both have the same address, a difference in it is the application's, and values stay as they are.

    Parameters
    ----------
    blue, green
        The same request to both.
    blue_prefix, green_prefix
        The path of each base URL; empty without one.
    """
    if (blue.url.origin, blue.server_name, blue_prefix) == (green.url.origin, green.server_name, green_prefix):
        return str, str
    return _normalizer(blue, blue_prefix), _normalizer(green, green_prefix)


def _normalizer(request: Request, prefix: str) -> Normalize:
    names = "|".join(sorted({re.escape(request.server_name), re.escape(request.url.host)}))
    # The application may know its address by the Host header, or by the load balancer's headers for protocol and port.
    own = re.compile(rf"(?:\b(?:https?|wss?):)?//\[?(?:{names})\]?(?::\d+)?(?![\w.:-])", re.IGNORECASE)
    path = re.compile(rf"(^|{re.escape(ORIGIN)}){re.escape(prefix)}(?=[/?#]|$)") if prefix else None

    def normalize(text: str) -> str:
        if "//" in text:
            text = own.sub(ORIGIN, text)
        return path.sub(r"\1", text) if path is not None else text

    return normalize
