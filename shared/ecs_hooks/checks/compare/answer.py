"""A response, reduced to what is compared of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.checks.compare.headers import header_values
from ecs_hooks.checks.compare.ignoring import without
from ecs_hooks.checks.compare.values import Value
from ecs_hooks.http.errors import ContentError

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.url_normalization import Rewrite
    from ecs_hooks.http.response import Response

_SERVER_ERROR = 500
_MOST_LINES = 20_000
_TEXTS = ("text/", "application/xml", "application/javascript", "application/x-www-form-urlencoded")


class Ignored(NamedTuple):
    """What is not compared.

    Parameters
    ----------
    headers
        Names of headers, in lower case.
    paths
        JSONPaths.
    """

    headers: frozenset[str] = frozenset()
    paths: Sequence[str] = ()


class Body(NamedTuple):
    """A body.

    Parameters
    ----------
    kind
        `JSON`, `text`, `binary` or `empty`.
    roots
        The JSON, without what is ignored; nothing where it is no JSON, or all of it is ignored.
    parts
        The lines of a text, or the one digest of what is binary.
    size
        Its bytes.
    """

    kind: str
    roots: tuple[Any, ...] = ()
    parts: tuple[Value, ...] = ()
    size: int = 0


class Answer(NamedTuple):
    """What came of one request.

    Parameters
    ----------
    problem
        Why there is no response; empty where there is one.
    status
        Its status.
    seconds
        From the request to the last byte of the response, without the connection.
    headers
        By name in lower case, the values of each header that is compared.
    body
        Its body.
    """

    problem: str = ""
    status: int = 0
    seconds: float = 0.0
    headers: Mapping[str, tuple[Value, ...]] = {}
    body: Body = Body("empty")

    @classmethod
    def of(cls, response: Response, ignored: Ignored, rewrite: Rewrite) -> Answer:
        """Read a response.

        Parameters
        ----------
        response
            The response.
        ignored
            What is not compared.
        rewrite
            Takes the application's own address out of a text.

        Raises
        ------
        IncomparableError
            If a path can't be followed in the JSON.
        """
        seconds = response.timings.first_byte + response.timings.transfer
        headers = header_values(response, ignored.headers, rewrite)
        return cls("", response.status, seconds, headers, _body(response, ignored.paths, rewrite))

    @property
    def of_use(self) -> bool:
        """Whether there is anything to compare another answer with."""
        return not self.problem and self.status < _SERVER_ERROR


def _body(response: Response, ignored: Sequence[str], rewrite: Rewrite) -> Body:
    content = response.content
    if not content:
        return Body("empty")
    media_type = (response.headers.get("content-type") or "").partition(";")[0].strip().lower()
    if media_type.endswith("json") or content.lstrip()[:1] in {b"{", b"["}:
        with suppress(ContentError):
            return Body("JSON", without(response.json(), ignored), size=len(content))
    lines = response.text.splitlines() if _is_text(media_type, content) else []
    if not lines or len(lines) > _MOST_LINES:
        digest = hashlib.sha256(content).hexdigest()
        return Body("binary", parts=(Value("digest", digest),), size=len(content))
    return Body("text", parts=tuple(Value("line", rewrite(line)) for line in lines), size=len(content))


def _is_text(media_type: str, content: bytes) -> bool:
    if media_type.startswith(_TEXTS) or media_type.endswith(("+xml", "json")):
        return True
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False
