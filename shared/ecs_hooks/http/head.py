"""What stands before the body: of a request as it is sent, of a response as it is read.

http.client reads the head of a response with the parser of e-mails, at three times the cost: where fifty responses come
at once, that is what they wait for.
"""

from __future__ import annotations

import http.client
import re
from io import BufferedReader
from typing import TYPE_CHECKING

from urllib3 import HTTPHeaderDict

from ecs_hooks.http.errors import ProtocolError, RequestError

if TYPE_CHECKING:
    from ecs_hooks.http.request import Request
    from ecs_hooks.http.wire import WireSocket, WireSSLSocket

_LONGEST_LINE = 65_536
_MOST_LINES = 100
_BREAK = re.compile(r"[\r\n\0]")
_ZONE = re.compile(r"%[^\]]*")
_STATUS_LINE = re.compile(rb"HTTP/(1\.\d)[ \t]+([1-9]\d\d)(?:[ \t]|\r?\n|$)")
_ENDS = {b"\r\n", b"\n"}
_LENGTH = re.compile(r"[0-9]{1,18}")
_SPACE = " \t\r\n"
_FIELD_NAME = re.compile(r"[!-9;-~]+")
_UNFIT = re.compile(r"[\r\0]")
"""What a value can't have, and what is read as a space (RFC 9110, section 5.5)."""
_EXPECT_A_BODY = {"POST", "PUT", "PATCH"}
_SUCCESS = 200
_SWITCHING_PROTOCOLS = 101
"""The one status below 200 that is an answer; the others are interim, and another response follows."""
_WITHOUT_BODY = {_SWITCHING_PROTOCOLS, 204, 304}


def encoded(request: Request) -> bytes:
    """Return a request as it is sent, to its last byte.

    Raises
    ------
    RequestError
        If a line break is where it would end the request, or part of it, too early.
    """
    lines = [f"{request.method} {request.url.target} HTTP/1.1"]
    if not request.host:
        # The zone of an IPv6 address says something on this side alone.
        lines.append(f"Host: {_ZONE.sub('', request.url.authority)}")
    body = request.body or b""
    if request.body is not None or request.method in _EXPECT_A_BODY:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    if _BREAK.search("".join(lines)):
        message = "request has a line break where there must be none"
        raise RequestError(message)
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class RawResponse(http.client.HTTPResponse):
    """A response whose head has been read, and whose body has not.

    Unlike http.client's, it skips every interim response, not only 100 Continue, and has no header that is malformed.

    Parameters
    ----------
    opened
        The connection, on which the request was sent.
    method
        Its method.

    Raises
    ------
    ProtocolError
        If what comes is no response.
    OSError
        If it does not come, or not to the end of its head.
    """

    headers: HTTPHeaderDict  # type: ignore[assignment] # http.client only asks it for values

    def __init__(self, opened: WireSocket | WireSSLSocket, method: str) -> None:
        super().__init__(opened, method=method)
        try:
            self._read_head(method)
        except BaseException:
            self.close()
            raise

    def _read_head(self, method: str) -> None:
        version, status = _status(self.fp)
        while status < _SUCCESS and status != _SWITCHING_PROTOCOLS:
            read_fields(self.fp)
            version, status = _status(self.fp)
        self.version = 10 if version == b"1.0" else 11
        self.status = status
        self.headers = read_fields(self.fp)
        # A proxy may say once more what the application has said.
        self.chunked = _listed(self.headers.get("transfer-encoding", "").lower()) == {"chunked"}
        length = _content_length(self.headers)
        self.length = None if self.chunked else length
        if status in _WITHOUT_BODY or method == "HEAD":
            self.length = 0
        until_the_end = self.length is None and not self.chunked
        self.will_close = until_the_end or self._check_close()  # type: ignore[attr-defined] # not in typeshed


def _status(lines: BufferedReader) -> tuple[bytes, int]:
    line = _line(lines)
    found = _STATUS_LINE.match(line)
    if found is None:
        message = "answer is not HTTP"
        raise ProtocolError(message)
    return found[1], int(found[2])


def _line(lines: BufferedReader) -> bytes:
    line = lines.readline(_LONGEST_LINE + 1)
    if not line:
        raise ConnectionResetError
    if len(line) > _LONGEST_LINE:
        message = "response header has a line that is too long"
        raise ProtocolError(message)
    return line


def read_fields(lines: BufferedReader) -> HTTPHeaderDict:
    """Read header fields, and the empty line that ends them.

    Raises
    ------
    ProtocolError
        If they are malformed, too long or too many.
    ConnectionResetError
        If the connection ends before they do.
    """
    fields: list[str] = []
    for _ in range(_MOST_LINES + 1):
        line = _line(lines)
        if line in _ENDS:
            return HTTPHeaderDict(map(_field, fields))
        text = line.decode("latin-1")
        if fields and text[0] in _SPACE:
            # The field goes on; the break is nothing but a space (RFC 9112, section 5.2).
            fields[-1] = f"{fields[-1].rstrip(_SPACE)} {text.strip(_SPACE)}"
        else:
            fields.append(text)
    message = "response header has too many lines"
    raise ProtocolError(message)


def _field(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not (colon and _FIELD_NAME.fullmatch(name)):
        message = "response header is malformed"
        raise ProtocolError(message)
    return name, _UNFIT.sub(" ", value.strip(_SPACE))


def _listed(value: str) -> set[str]:
    """Return the different values of a header; where it is repeated, they are joined with commas."""
    return {each.strip() for each in value.split(",")}


def _content_length(headers: HTTPHeaderDict) -> int | None:
    """Return the length that a response tells; None where it tells none."""
    told = headers.get("content-length")
    if told is None:
        return None
    lengths = _listed(told)
    length = lengths.pop()
    if lengths or not _LENGTH.fullmatch(length):
        message = "response tells a Content-Length that is no number, or several"
        raise ProtocolError(message)
    return int(length)
