"""What came back."""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.http.errors import ContentError
from ecs_hooks.http.timings import Timings

if TYPE_CHECKING:
    from urllib3 import HTTPHeaderDict

    from ecs_hooks.http.certificate import Tls
    from ecs_hooks.http.url import Url

_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s"';,]+)""", re.IGNORECASE)
_NO_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf-7", "undefined"}
"""Codecs of Python that are no charsets; some take quadratic time."""


class Response(NamedTuple):
    """A whole response.

    Parameters
    ----------
    status
        Status code.
    headers
        Headers, found in any case; a repeated one is joined with commas.
    content
        The body, decoded from gzip or deflate.
    latency
        Seconds from the begin of the connection to the last byte of the body, redirects included; without the look-up
        of the name, waits before another attempt, and attempts that found no connection.
    where
        Method and address that gave the response, for people.
    url
        The address that gave it, which is another than that of the request where redirects led there.
    redirects
        How many redirects led there.
    attempts
        How many attempts it took.
    timings
        Where the time went, redirects included.
    tls
        The TLS side of the connection; None where it has none.
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

    @property
    def ok(self) -> bool:
        """Whether the status is one of success, 200 to 299."""
        return 200 <= self.status <= 299  # noqa: PLR2004

    @property
    def text(self) -> str:
        """The body as text, in the charset that `Content-Type` names, else UTF-8; what can't be decoded is replaced."""
        found = _CHARSET.search(self.headers.get("content-type") or "")
        return self.content.decode((found and text_encoding(found.group(1))) or "utf-8", "replace")

    def json(self) -> Any:
        """Return the body as JSON.

        Raises
        ------
        ContentError
            If it is none.
        """
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:
            problem = "nested too deeply" if isinstance(error, RecursionError) else "not valid JSON"
            raised = ContentError(f"response body ({len(self.content)} bytes) is {problem}")
            raised.where = self.where
            raise raised from None


def text_encoding(name: str) -> str | None:
    """Return what Python calls a charset, None where it is none."""
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    # What is no text encoding (hex, zip) would be refused by bytes.decode.
    is_text = getattr(info, "_is_text_encoding", True)
    return info.name if is_text and info.name not in _NO_CHARSETS else None
