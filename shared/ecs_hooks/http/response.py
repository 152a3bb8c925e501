"""The response of a server."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.core.json_text import JsonError, read_json
from ecs_hooks.http.errors import ContentError

if TYPE_CHECKING:
    from urllib3 import HTTPHeaderDict

    from ecs_hooks.http.tls import Tls
    from ecs_hooks.http.url import Url


_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s"';,]+)""", re.IGNORECASE)
_NO_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf-7", "undefined"}
"""Codecs of Python that are not charsets; some take quadratic time."""


class Timings(NamedTuple):
    """Seconds of each phase of a request; 0 for a phase that it did not have.

    Parameters
    ----------
    resolve
        DNS lookup.
    connect
        TCP connection, including addresses that failed.
    tls
        TLS handshake.
    first_byte
        From the request's first byte to the end of the response header.
    transfer
        The body.
    """

    resolve: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    first_byte: float = 0.0
    transfer: float = 0.0

    @property
    def total(self) -> float:
        """The sum of all phases."""
        return sum(self)

    def plus(self, other: Timings) -> Timings:
        """Return the sums of each phase, as for a request with a redirect."""
        return Timings(*(mine + its for mine, its in zip(self, other, strict=True)))


class Response(NamedTuple):
    """A complete response.

    Parameters
    ----------
    status
        Status code.
    headers
        Headers, case-insensitive; a repeated one is joined with commas.
    content
        The body, decoded from its `Content-Encoding`.
    latency
        Seconds from the start of the connection to the last byte of the body, redirects included; without DNS lookup,
        pauses between attempts, and attempts without a connection.
    where
        Method and URL of the response, for messages.
    url
        The URL of the response, after redirects.
    redirects
        Number of redirects that were followed.
    attempts
        Number of attempts.
    timings
        Duration of each phase, redirects included.
    tls
        TLS details of the connection; None for plain HTTP.
    cookie_note
        Cookies that were not sent, as the end of the reason of a failure; empty without any.
    http_version
        Version of HTTP, such as `1.1`; empty if it is not a response of HTTP.
    followed
        The redirects that were followed, without their bodies.
    location
        The `Location` header as received, decoded as Latin-1; empty if there is none.
    usual_status
        The status that is expected if no other is: that of the handshake of a WebSocket, or a class.
    """

    status: int
    headers: HTTPHeaderDict
    content: bytes
    latency: float
    where: str
    url: Url
    redirects: int = 0
    attempts: int = 1
    timings: Timings = Timings()
    tls: Tls | None = None
    cookie_note: str = ""
    http_version: str = ""
    followed: Sequence[Response] = ()
    location: str = ""
    usual_status: int | str = "2xx"

    @property
    def ok(self) -> bool:
        """Whether the status is 200 to 299."""
        return 200 <= self.status <= 299  # noqa: PLR2004

    @property
    def text(self) -> str:
        """The body as text, in the charset of `Content-Type` or else UTF-8; invalid bytes are replaced."""
        return self.content.decode(self._encoding, "replace")

    def json(self) -> Any:
        """Return the body as JSON (RFC 8259), in the charset of `Content-Type` or else UTF-8.

        Of several members of one name the last one counts. A number beyond the range of a double keeps its digits.

        Raises
        ------
        ContentError
            If it is not valid JSON.
        """
        try:
            return read_json(self.content, self._encoding)
        except JsonError as error:
            problem = "is not valid JSON" if error.is_syntax else str(error).replace("is not", "is not valid", 1)
            raised = ContentError(f"response body ({len(self.content)} bytes) {problem}")
            raised.where = self.where
            raise raised from None

    @property
    def _encoding(self) -> str:
        """The charset of `Content-Type`, by Python's name; UTF-8 without a known one."""
        found = _CHARSET.search(self.headers.get("content-type") or "")
        return (found and text_encoding(found.group(1))) or "utf-8"


def text_encoding(name: str) -> str | None:
    """Return Python's name of a charset, None if it is unknown."""
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    # bytes.decode refuses codecs that are not text encodings (hex, zip).
    is_text = getattr(info, "_is_text_encoding", True)
    return info.name if is_text and info.name not in _NO_CHARSETS else None
