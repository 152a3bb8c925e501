"""A table of server behaviours, and the outcome of a check for each."""

from __future__ import annotations

import gzip
import random
import zlib
from functools import cache
from typing import Any, NamedTuple

import brotli
from backports import zstd

from ecs_hooks.core.outcome import Status
from tests.http.servers import Peer, Script, replying, sending

FAIL, ERROR, PASS = Status.FAIL, Status.ERROR, Status.PASS

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
ALLOWED_BYTES = 50_000
"""`max_body_bytes` of every request."""
UPLOAD = {"method": "POST", "body": "x" * 6_000_000}

_NOISE = random.Random(1).randbytes(1000)
_GZIP = gzip.compress(_NOISE)
_BOMB = gzip.compress(bytes(200_000_000), 9)
_MOVED = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {}\r\n\r\n"


@cache
def slow_to_decode() -> bytes:
    """Return some kilobytes that take many seconds to decode, three times gzip, and hold nothing."""
    head, blocks = b"\x1f\x8b\x08\0\0\0\0\0\0\xff", b"\0\0\0\xff\xff" * 4_000_000
    return gzip.compress(gzip.compress(head) + gzip.compress(blocks, 9) * 750, 9)


class Behaviour(NamedTuple):
    """A server behaviour, and its outcome.

    Parameters
    ----------
    script
        Plays a connection, from the request on; None for a closed port.
    status
        The outcome of a check.
    reason
        Words of its reason.
    tls
        The TLS context of the server, by its name in `certificates.py`; empty for plain HTTP.
    slow
        Whether it would take for ever: the request then has a short timeout.
    fields
        Of the request.
    """

    script: Script | None
    status: Status
    reason: str
    tls: str = ""
    slow: bool = False
    fields: dict[str, Any] = {}  # noqa: RUF012 - of a tuple, and never changed


def hanging(*pieces: bytes) -> Script:
    """Send these bytes, and then nothing more."""

    def play(peer: Peer) -> None:
        peer.request()
        peer.send(*pieces)
        peer.hang()

    return play


def trickling(begin: bytes, drop: bytes) -> Script:
    """Send these bytes, and then a few more now and then, for ever."""

    def play(peer: Peer) -> None:
        peer.request()
        peer.send(begin)
        peer.trickle(drop)

    return play


def resetting(*pieces: bytes) -> Script:
    """Send these bytes, and reset the connection once they are read."""

    def play(peer: Peer) -> None:
        peer.request()
        peer.send(*pieces)
        peer.stop.wait(0.1)
        peer.reset()

    return play


def endless(begin: bytes, piece: bytes) -> Script:
    """Send these bytes, and then an endless stream of others."""

    def play(peer: Peer) -> None:
        peer.request()
        peer.send(begin)
        while not peer.stop.is_set():
            peer.send(piece)

    return play


def compressed(encoding: str, body: bytes) -> Script:
    """Respond with a body in this encoding, with a correct Content-Length."""
    return replying(body, f"Content-Encoding: {encoding}")


def redirecting(**table: str) -> Script:
    """Redirect from these paths, and respond to all others."""

    def play(peer: Peer) -> None:
        while request := peer.request():
            place = table.get(request.split()[1].decode().lstrip("/"))
            peer.send(_MOVED.format(place).encode("latin-1")) if place else peer.answer(b"ok")

    return play


def redirecting_on(peer: Peer) -> None:
    """Redirect from each path to a longer one."""
    while request := peer.request():
        peer.send(_MOVED.format(f"{request.split()[1].decode()}x").encode())


def answering_twice(peer: Peer) -> None:
    """Send a second, unsolicited response, as in request smuggling."""
    while peer.request():
        peer.answer(b"ok")
        peer.answer(b"smuggled", status="500 Oops")


def refusing_an_upload(peer: Peer) -> None:
    """Refuse an upload before it is complete, and read the rest, lest the kernel drop the response with the connection."""
    peer.connection.recv(1000)
    peer.answer(b"no", status="413 Content Too Large")
    while peer.connection.recv(1_000_000):
        pass


def in_handshake(then: str) -> Script:
    """Read the first bytes of a TLS handshake, and end it in some way."""

    def play(peer: Peer) -> None:
        peer.connection.recv(10 if then == "reset" else 100_000)
        if then == "reset":
            peer.reset()
        elif then == "hang":
            peer.hang()
        elif then == "trickle":
            # The head of a record of 16 KiB, which then comes byte by byte.
            peer.send(b"\x16\x03\x03\x40\x00")
            peer.trickle(b"\x02")
        elif then == "plain":
            peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    return play


FOLLOWED: dict[str, Any] = {"follow_redirects": True, "max_redirects": 3}
FORBIDDEN = "a {} address; if that is meant, add {} to ECS_HOOKS_ALLOWED_HOSTS"
NO_HEADER, NO_BODY = "no complete response header within 0.5 s", "response body not complete within 0.5 s"
CUT_HEADER, CUT_BODY = "connection ended within the response header", "connection ended within the response body"
TOO_LARGE = f"response body is larger than max_body_bytes ({ALLOWED_BYTES})"
BAD_CHUNKS, TRUNCATED, NO_HTTP = "malformed chunks", "response body is truncated", "response is not HTTP/1.1"
BAD_HEADER, LARGE_HEADER = "response header is malformed", "response header is larger than"
LONG_LINE = "header has a line of more than 65536 bytes"
BAD_LENGTH = "invalid or conflicting Content-Length"
UNDECODABLE = "response body does not match its Content-Encoding"

TO_CONNECT: dict[str, Behaviour] = {
    "is a closed port": Behaviour(None, ERROR, "connection refused"),
    "no connection is accepted": Behaviour(None, ERROR, "no connection within 0.5 s", slow=True),
    "hangs in the TLS handshake": Behaviour(
        in_handshake("hang"), ERROR, "TLS handshake not finished within 0.5 s", "expected", slow=True
    ),
    "trickles in the TLS handshake": Behaviour(
        in_handshake("trickle"), ERROR, "TLS handshake not finished within 0.5 s", "expected", slow=True
    ),
    "resets in the TLS handshake": Behaviour(
        in_handshake("reset"), ERROR, "connection ended in the TLS handshake", "expected"
    ),
    "closes in the TLS handshake": Behaviour(
        in_handshake("close"), ERROR, "connection ended in the TLS handshake", "expected"
    ),
    "speaks plain HTTP where TLS is expected": Behaviour(
        in_handshake("plain"), ERROR, "TLS handshake failed: ", "expected"
    ),
    "expects TLS where plain HTTP is spoken": Behaviour(
        replying(b"ok"), ERROR, "connection ended before a response", "unexpected"
    ),
    "speaks TLS 1.1 at most": Behaviour(
        replying(b"ok"), FAIL, "server does not support the required TLS version (min_tls_version)", "old"
    ),
    "has no cipher in common": Behaviour(replying(b"ok"), ERROR, "TLS handshake failed: ", "other ciphers"),
    "requests a client certificate": Behaviour(replying(b"ok"), ERROR, "127.0.0.1", "client certificate"),
    "has a certificate that has expired": Behaviour(replying(b"ok"), FAIL, "certificate has expired", "expired"),
    "has a certificate of the future": Behaviour(replying(b"ok"), FAIL, "certificate is not yet valid", "future"),
    "has a certificate of an unknown authority": Behaviour(
        replying(b"ok"), FAIL, "unable to get local issuer certificate", "unknown authority"
    ),
    "has a self-signed certificate": Behaviour(
        replying(b"ok"), FAIL, "certificate is not valid for 127.0.0.1: self", "self-signed"
    ),
    "has a certificate of another host": Behaviour(replying(b"ok"), FAIL, "IP address mismatch", "other host"),
}
"""Failures before there is a connection."""

TO_ANSWER: dict[str, Behaviour] = {
    # It hangs.
    "never answers": Behaviour(hanging(), FAIL, NO_HEADER, slow=True),
    "never answers over TLS": Behaviour(hanging(), FAIL, NO_HEADER, "valid", slow=True),
    "hangs in the status line": Behaviour(hanging(b"HTTP/1.1 2"), FAIL, NO_HEADER, slow=True),
    "hangs in the header": Behaviour(hanging(OK, b"X: y\r\n"), FAIL, NO_HEADER, slow=True),
    "hangs before the body": Behaviour(hanging(OK, b"Content-Length: 5\r\n\r\n"), FAIL, NO_BODY, slow=True),
    "has a Content-Length longer than the body": Behaviour(
        hanging(OK, b"Content-Length: 5\r\n\r\nabc"), FAIL, NO_BODY, slow=True
    ),
    "hangs in a chunk": Behaviour(hanging(CHUNKED, b"5\r\nabc"), FAIL, NO_BODY, slow=True),
    "never closes what ends with the connection": Behaviour(hanging(OK, b"\r\nabc"), FAIL, NO_BODY, slow=True),
    "does not read an upload": Behaviour(
        Peer.hang, FAIL, "request not accepted within 0.5 s", slow=True, fields=UPLOAD
    ),
    "does not read an upload over TLS": Behaviour(
        Peer.hang, FAIL, "request not accepted within 0.5 s", "valid", slow=True, fields=UPLOAD
    ),
    # It trickles.
    "trickles the status line": Behaviour(trickling(b"HTTP/1.1 200 O", b"K"), FAIL, NO_HEADER, slow=True),
    "trickles the status line over TLS": Behaviour(
        trickling(b"HTTP/1.1 200 O", b"K"), FAIL, NO_HEADER, "valid", slow=True
    ),
    "trickles headers": Behaviour(trickling(OK, b"X: y\r\n"), FAIL, NO_HEADER, slow=True),
    "trickles 100 Continue": Behaviour(trickling(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), FAIL, NO_HEADER, slow=True),
    "trickles 103 Early Hints": Behaviour(
        trickling(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), FAIL, NO_HEADER, slow=True
    ),
    "trickles the body": Behaviour(trickling(OK + b"Content-Length: 10000\r\n\r\n", b"x"), FAIL, NO_BODY, slow=True),
    "trickles chunks": Behaviour(trickling(CHUNKED, b"1\r\nx\r\n"), FAIL, NO_BODY, slow=True),
    "trickles trailers": Behaviour(trickling(CHUNKED + b"0\r\n", b"X: y\r\n"), FAIL, NO_BODY, slow=True),
    # The connection ends.
    "resets at once": Behaviour(Peer.reset, ERROR, "connection "),
    "resets instead of an answer": Behaviour(resetting(), ERROR, "connection ended before a response"),
    "resets instead of an answer over TLS": Behaviour(
        resetting(), ERROR, "connection ended before a response", "valid"
    ),
    "closes instead of an answer": Behaviour(sending(), ERROR, "connection ended before a response"),
    "resets in the status line": Behaviour(resetting(b"H"), FAIL, CUT_HEADER),
    "resets in the header": Behaviour(resetting(OK, b"X: y\r\n"), FAIL, CUT_HEADER),
    "resets in the header over TLS": Behaviour(resetting(OK, b"X: y\r\n"), FAIL, CUT_HEADER, "valid"),
    "closes in the status line": Behaviour(sending(b"H"), FAIL, CUT_HEADER),
    "closes in the header": Behaviour(sending(OK, b"X: y\r\n"), FAIL, CUT_HEADER),
    "resets in the body": Behaviour(resetting(OK, b"Content-Length: 10\r\n\r\nabc"), FAIL, CUT_BODY),
    "closes in the body": Behaviour(sending(OK, b"Content-Length: 10\r\n\r\nabc"), FAIL, TRUNCATED),
    "closes in the body over TLS": Behaviour(sending(OK, b"Content-Length: 10\r\n\r\nabc"), FAIL, TRUNCATED, "valid"),
    "resets in a chunk": Behaviour(resetting(CHUNKED, b"5\r\nabc"), FAIL, CUT_BODY),
    "closes in a chunk": Behaviour(sending(CHUNKED, b"5\r\nabc"), FAIL, TRUNCATED),
    "closes before the last chunk": Behaviour(sending(CHUNKED, b"5\r\nabcde\r\n"), FAIL, TRUNCATED),
    # It is no HTTP, or not quite.
    "answers with text": Behaviour(sending(b"hello\r\n\r\n"), FAIL, NO_HTTP),
    "answers with bytes": Behaviour(sending(b"\x00\xff\x16\x03\r\n\r\n"), FAIL, NO_HTTP),
    "is an SSH server": Behaviour(sending(b"SSH-2.0-OpenSSH\r\n"), FAIL, NO_HTTP),
    "speaks HTTP/2": Behaviour(sending(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"), FAIL, NO_HTTP),
    "speaks HTTP/7": Behaviour(sending(b"HTTP/7.0 200 OK\r\n\r\n"), FAIL, NO_HTTP),
    "has a status that is no number": Behaviour(sending(b"HTTP/1.1 abc OK\r\n\r\n"), FAIL, NO_HTTP),
    "has a status beyond all others": Behaviour(sending(b"HTTP/1.1 99999 OK\r\n\r\n"), FAIL, NO_HTTP),
    "has a header without colon": Behaviour(sending(OK + b"no colon here\r\n\r\n"), FAIL, BAD_HEADER),
    "has a header without name": Behaviour(sending(OK + b": x\r\n\r\n"), FAIL, BAD_HEADER),
    "has two lengths in Content-Length": Behaviour(sending(OK + b"Content-Length: 3, 4\r\n\r\nabc"), FAIL, BAD_LENGTH),
    "has two Content-Length headers": Behaviour(
        sending(OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc"), FAIL, BAD_LENGTH
    ),
    "has a negative Content-Length": Behaviour(sending(OK + b"Content-Length: -3\r\n\r\nabc"), FAIL, BAD_LENGTH),
    "has a Content-Length that is not a number": Behaviour(
        sending(OK + b"Content-Length: three\r\n\r\nabc"), FAIL, BAD_LENGTH
    ),
    "has a Content-Length shorter than the body": Behaviour(answering_twice, PASS, ""),
    "has a chunk of no number": Behaviour(sending(CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n"), FAIL, BAD_CHUNKS),
    "has a chunk of a negative number": Behaviour(sending(CHUNKED + b"-5\r\nabc\r\n0\r\n\r\n"), FAIL, BAD_CHUNKS),
    "has a chunk of an endless number": Behaviour(endless(CHUNKED, b"1" * 65_536), FAIL, BAD_CHUNKS),
    "has a chunk size with a prefix": Behaviour(sending(CHUNKED + b"0x2\r\nab\r\n0\r\n\r\n"), FAIL, BAD_CHUNKS),
    "has a chunk size with a sign": Behaviour(sending(CHUNKED + b"+2\r\nab\r\n0\r\n\r\n"), FAIL, BAD_CHUNKS),
    "has a chunk size with an underscore": Behaviour(sending(CHUNKED + b"0_2\r\nab\r\n0\r\n\r\n"), FAIL, BAD_CHUNKS),
    "has a chunk size of minus zero": Behaviour(sending(CHUNKED + b"-0\r\n\r\n"), FAIL, BAD_CHUNKS),
    "ends its chunks in LF": Behaviour(hanging(CHUNKED + b"2\nab\n0\n\n"), FAIL, BAD_CHUNKS),
    "compresses as a transfer encoding": Behaviour(
        sending(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"),
        FAIL,
        "unsupported Transfer-Encoding",
    ),
    "ends TLS without close_notify": Behaviour(sending(OK + b"\r\nabc"), FAIL, TRUNCATED, "valid"),
    "has bytes that are no gzip": Behaviour(sending(OK + b"Content-Encoding: gzip\r\n\r\nno gzip"), FAIL, UNDECODABLE),
    "has a gzip with a wrong checksum": Behaviour(compressed("gzip", _GZIP[:-8] + bytes(8)), FAIL, UNDECODABLE),
    "cuts a gzip short": Behaviour(compressed("gzip", _GZIP[:-100]), FAIL, TRUNCATED),
    "cuts the checksum off a gzip": Behaviour(compressed("gzip", _GZIP[:-8]), FAIL, TRUNCATED),
    "cuts a gzip in a gzip short": Behaviour(compressed("gzip, gzip", gzip.compress(_GZIP[:-100])), FAIL, TRUNCATED),
    "nests 900 encodings": Behaviour(
        compressed(", ".join(["gzip"] * 900), _GZIP), FAIL, "response body has 900 content encodings; at most 5"
    ),
    "has an encoding of its own": Behaviour(
        compressed("gzip, rot13", _GZIP),
        FAIL,
        "the Content-Encoding rot13, which is not one of gzip, deflate, br, zstd",
    ),
    "compresses with br unasked": Behaviour(compressed("br", brotli.compress(b"ok")), PASS, ""),
    "compresses with zstd unasked": Behaviour(compressed("zstd", zstd.compress(b"ok")), PASS, ""),
    "has bytes that are no br": Behaviour(compressed("br", b"no br"), FAIL, UNDECODABLE),
    "has bytes that are no zstd": Behaviour(compressed("zstd", b"no zstd"), FAIL, UNDECODABLE),
    "cuts a br short": Behaviour(compressed("br", brotli.compress(_NOISE)[:-100]), FAIL, TRUNCATED),
    "cuts a zstd short": Behaviour(compressed("zstd", zstd.compress(_NOISE)[:-100]), FAIL, TRUNCATED),
    "has a body that takes long to decode": Behaviour(
        compressed("gzip, gzip, gzip", slow_to_decode()), FAIL, "response body not decoded within 0.5 s", slow=True
    ),
    "cuts a deflate short": Behaviour(compressed("deflate", zlib.compress(_NOISE)[:-100]), FAIL, TRUNCATED),
    # It is too much.
    "has 101 header lines": Behaviour(sending(OK + b"X: y\r\n" * 101 + b"\r\n"), PASS, ""),
    "has many header lines": Behaviour(sending(OK + b"X: y\r\n" * 10_000 + b"\r\n"), PASS, ""),
    "floods with header lines": Behaviour(sending(OK + b"X: y\r\n" * 50_000 + b"\r\n"), FAIL, LARGE_HEADER),
    "floods with headers without values": Behaviour(endless(OK, b"a:\r\n" * 1000), FAIL, LARGE_HEADER),
    "floods with a header line": Behaviour(sending(OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n"), FAIL, LONG_LINE),
    "floods with a status line": Behaviour(sending(b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n"), FAIL, LONG_LINE),
    "floods with long header lines": Behaviour(
        sending(OK + (b"X: " + b"y" * 60_000 + b"\r\n") * 90 + b"\r\n"), FAIL, LARGE_HEADER
    ),
    "floods with 103 Early Hints": Behaviour(
        endless(b"", b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 1000), FAIL, LARGE_HEADER
    ),
    "has a Content-Length of a gigabyte": Behaviour(
        endless(OK + b"Content-Length: 1000000000\r\n\r\n", b"x" * 65_536), FAIL, TOO_LARGE
    ),
    "has a body without end": Behaviour(endless(OK + b"\r\n", b"x" * 65_536), FAIL, TOO_LARGE),
    "has chunks without end": Behaviour(endless(CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n"), FAIL, TOO_LARGE),
    "has tiny chunks without end": Behaviour(
        endless(CHUNKED, b"1\r\nx\r\n" * 1000), FAIL, "max_body_bytes (5000)", fields={"max_body_bytes": 5000}
    ),
    "has chunk extensions without end": Behaviour(
        endless(CHUNKED, (b"1;" + b"x" * 1000 + b"\r\nx\r\n") * 10), FAIL, TOO_LARGE
    ),
    "has trailers without end": Behaviour(endless(CHUNKED + b"0\r\n", b"X: trailer\r\n" * 1000), FAIL, BAD_CHUNKS),
    "sends a gzip bomb": Behaviour(endless(OK + b"Content-Encoding: gzip\r\n\r\n", _BOMB), FAIL, TOO_LARGE),
    "sends a gzip bomb in a gzip": Behaviour(
        endless(OK + b"Content-Encoding: gzip, gzip\r\n\r\n", gzip.compress(_BOMB)), FAIL, TOO_LARGE
    ),
    "sends a br bomb": Behaviour(compressed("br", brotli.compress(bytes(9_000_000), quality=5)), FAIL, TOO_LARGE),
    "sends a zstd bomb": Behaviour(compressed("zstd", zstd.compress(bytes(9_000_000))), FAIL, TOO_LARGE),
    "sends a deflate bomb": Behaviour(
        sending(
            OK
            + b"Content-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % 10_000
            + zlib.compress(bytes(9_000_000), 9)
        ),
        FAIL,
        TOO_LARGE,
    ),
    # It leads elsewhere.
    "redirects to itself": Behaviour(redirecting(x="/x"), FAIL, "redirects form a loop", fields=FOLLOWED),
    "redirects in a circle": Behaviour(redirecting(x="/b", b="/x"), FAIL, "redirects form a loop", fields=FOLLOWED),
    "redirects for ever": Behaviour(redirecting_on, FAIL, "more than 3 redirects (max_redirects)", fields=FOLLOWED),
    "redirects to another protocol": Behaviour(
        redirecting(x="ftp://a/"),
        FAIL,
        "status 302 redirects to an invalid http or https address",
        fields=FOLLOWED,
    ),
    "redirects to no port": Behaviour(
        redirecting(x="http://a:99999"), FAIL, "an invalid http or https address", fields=FOLLOWED
    ),
    "redirects to a script": Behaviour(
        redirecting(x="javascript:alert(1)"), FAIL, "an invalid http or https address", fields=FOLLOWED
    ),
    "redirects to the metadata of the instance": Behaviour(
        redirecting(x="http://169.254.169.254/latest/meta-data/"),
        FAIL,
        FORBIDDEN.format("metadata", "169.254.169.254"),
        fields=FOLLOWED,
    ),
    "redirects to the credentials of the task as an IPv6 address": Behaviour(
        redirecting(x="http://[::ffff:169.254.170.2]/v2"), FAIL, "a metadata address", fields=FOLLOWED
    ),
    "redirects to the metadata of the instance in other digits": Behaviour(
        redirecting(x="http://\uff11\uff16\uff19\u3002254\uff0e169.254/".encode().decode("latin-1")),
        FAIL,
        FORBIDDEN.format("metadata", "169.254.169.254"),
        fields=FOLLOWED,
    ),
    "redirects to loopback with backslashes": Behaviour(
        redirecting(x="/\\127.0.0.2\\x"), FAIL, FORBIDDEN.format("loopback", "127.0.0.2"), fields=FOLLOWED
    ),
    "redirects to two places": Behaviour(
        sending(b"HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\n\r\n"),
        FAIL,
        "several different Location headers",
        fields=FOLLOWED,
    ),
    "redirects to loopback": Behaviour(
        redirecting(x="http://127.0.0.2/"), FAIL, FORBIDDEN.format("loopback", "127.0.0.2"), fields=FOLLOWED
    ),
    "redirects to loopback as a number": Behaviour(
        redirecting(x="http://2130706434/"), FAIL, "a loopback address", fields=FOLLOWED
    ),
    "redirects to no address at all": Behaviour(
        redirecting(x="http://0/"), FAIL, "an unspecified address", fields=FOLLOWED
    ),
    "redirects somewhere without being followed": Behaviour(
        redirecting(x="http://169.254.169.254/"),
        FAIL,
        "status 302 (redirects to http://169.254.169.254/), expected 2xx",
    ),
    # It answers, and not as expected.
    "is out of order": Behaviour(replying(b"", status="500 Oops"), FAIL, "status 500, expected 2xx"),
    "switches protocols": Behaviour(
        sending(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), FAIL, "without an Upgrade header in the request"
    ),
    "refuses an upload before it is there": Behaviour(
        refusing_an_upload, FAIL, "status 413, expected 2xx", fields=UPLOAD
    ),
}
"""Failures on a connection."""

BEHAVIOURS = {**TO_CONNECT, **TO_ANSWER}
