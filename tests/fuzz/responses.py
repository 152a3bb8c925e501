"""Responses of servers, right and wrong, made by a grammar of HTTP/1.1."""

from __future__ import annotations

import base64
import gzip
import json
import random
import zlib
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote

Chance = random.Random


class Made(NamedTuple):
    """The bytes of a response.

    Parameters
    ----------
    data
        The bytes.
    closes
        Whether the server closes the connection after them.
    broken
        Whether it certainly is no complete HTTP response, whatever the method.
    """

    data: bytes
    closes: bool
    broken: bool = False


def response(chance: Chance, secret: str, links: Callable[[], str]) -> Made:
    """Return a response to a GET request.

    Parameters
    ----------
    chance
        Random numbers.
    secret
        A text of the request that some responses repeat in one of its forms.
    links
        Returns the address of another response.
    """
    status = chance.choice(
        (200,) * 12
        + (201, 203, 204, 205, 206, 226, 300, 301, 302, 303, 304, 307, 308, 400, 401, 404, 410, 500, 502, 503, 599)
    )
    headers = [header(chance, secret, links) for _ in range(chance.choice((0, 1, 2, 3, 5, 8, 120)))]
    body = content(chance, secret, links)
    if chance.random() < 0.25:
        name, body = encoded(chance, body)
        headers.append(("Content-Encoding", name))
    if 300 <= status < 400 and chance.random() < 0.9:
        headers.append(("Location", links()))
    if chance.random() < 0.5:
        headers.append(("Content-Type", chance.choice(TYPES)))
    interim = b"".join(
        chance.choice((b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"))
        for _ in range(chance.choice((0,) * 9 + (1, 3)))
    )
    made = framed(chance, status, headers, body)
    made = made._replace(data=interim + made.data)
    return damaged(chance, made) if chance.random() < 0.15 else made


TYPES = (
    "application/json", "application/json; charset=utf-8", "application/json; charset=iso-8859-1", "application/json;charset=nope",
    "text/html", 'text/html; charset="utf-8"', "text/plain; charset=utf-16", "application/xml", "text/event-stream", "image/png",
    "application/x-ndjson", "", ";", "text/html; charset=\xff",
)  # fmt: skip


def header(chance: Chance, secret: str, links: Callable[[], str]) -> tuple[str, str]:
    """Return the name and value of a header."""
    return chance.choice(
        (
            ("Set-Cookie", chance.choice(COOKIES)),
            ("Set-Cookie", f"a={secret}; Path=/"),
            ("Link", f'<{links()}>; rel="next"'),
            ("X-Id", form(chance, secret)),
            ("X-Long", "x" * chance.choice((10, 1000, 9000))),
            ("X-Latin", "caf\xe9 \xff"),
            ("X-Utf", "café ☃".encode().decode("latin-1")),
            ("x-lower", ""),
            ("Date", "Mon, 30 Nov 2026 00:00:00 GMT"),
            ("Retry-After", chance.choice(("1", "-1", "soon", "9" * 400))),
            ("Connection", chance.choice(("keep-alive", "close", "upgrade", "close, close"))),
            ("Server", "x"),
        )
    )


COOKIES = (
    "a=1; Path=/; HttpOnly", "a=2; Path=/1", "b=", "=c", "d", "e=1; Max-Age=0", "f=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "g=1; Domain=com",
    "h=1; Secure", "__Host-i=1; Secure; Path=/", 'j="q;u"', "k=\xff", "l=1; Max-Age=99999999999999999999", "m=1; Expires=never", ";" * 50, "n" * 5000 + "=1",
)  # fmt: skip


def form(chance: Chance, secret: str) -> str:
    """Return a secret in one of the forms in which servers send it back."""
    data = secret.encode()
    return chance.choice(
        (
            secret,
            quote(secret, safe=""),
            "".join(f"%{byte:02x}" for byte in data),
            base64.b64encode(data).decode(),
            base64.urlsafe_b64encode(b"user:" + data).decode().rstrip("="),
            json.dumps(secret),
            "".join(f"\\u{ord(character):04x}" for character in secret),
            "".join(f"&#{ord(character)};" for character in secret),
        )
    )


def content(chance: Chance, secret: str, links: Callable[[], str]) -> bytes:  # noqa: C901, PLR0911 - a table
    """Return the body of a response."""
    match chance.randrange(12):
        case 0:
            return b""
        case 1:
            return chance.randbytes(chance.choice((1, 100, 5000)))
        case 2:
            return f'<!doctype html><html><body><h1>{form(chance, secret)}</h1><a href="{links()}">n</a><p>1<p>2</body>'.encode()
        case 3:
            return b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a><b>&b;</b></a>"
        case 4:
            return b"[" * chance.choice((3, 2000, 100_000)) + b"1" + b"]" * chance.choice((3, 2000, 100_000))
        case 5:
            return b'{"a": ' + b"9" * chance.choice((5, 400, 5000)) + b', "b": 1e999, "c": -0.0}'
        case 6:
            return rb'{"a": "\ud800", "b": NaN, "c": Infinity}'
        case 7:
            return b"\xef\xbb\xbf" + json.dumps(value(chance, secret)).encode()
        case 8:
            return json.dumps(value(chance, secret)).encode(chance.choice(("utf-16", "latin-1", "utf-32")))
        case 9:
            return b"data: 1\n\ndata: 2\n\n"
        case _:
            return json.dumps(value(chance, secret), ensure_ascii=chance.random() < 0.5).encode()


def value(chance: Chance, secret: str) -> object:
    """Return a JSON value with the members that the expectations of the tests have."""
    return {
        "a": chance.choice((1, "1", None, True, 2.5, [], {})),
        "b": [value(chance, secret) for _ in range(chance.choice((0, 0, 1)))],
        "id": chance.choice((5123, "x-1", form(chance, secret), -1, 10**30)),
        "next": "/1",
        "time": "2026-11-30T00:00:00Z",
    }


def encoded(chance: Chance, body: bytes) -> tuple[str, bytes]:  # noqa: PLR0911 - a table
    """Return the name of a content encoding and the encoded body; some do not fit each other."""
    match chance.randrange(9):
        case 0:
            return "gzip", gzip.compress(body)
        case 1:
            return "deflate", zlib.compress(body)
        case 2:
            return "deflate", zlib.compress(body)[2:-4]
        case 3:
            return "gzip, gzip", gzip.compress(gzip.compress(body))
        case 4:
            return "gzip", gzip.compress(body)[:-5]
        case 5:
            return "gzip", gzip.compress(body) + gzip.compress(body)
        case 6:
            return chance.choice(("br", "zstd", "compress", "nope", "gzip;q=1", ", ,")), body
        case 7:
            return ", ".join(["gzip"] * chance.choice((5, 900))), body
        case _:
            return "gzip", gzip.compress(bytes(3_000_000), 9)


def framed(chance: Chance, status: int, headers: list[tuple[str, str]], body: bytes) -> Made:
    """Return the response as bytes, with one of the ways to end its body."""
    lines = [
        f"HTTP/1.1 {status} {chance.choice(('OK', '', 'Not A Reason', 'é'))}",
        *(f"{name}: {text}" for name, text in headers),
    ]
    closes = any(name == "Connection" and "close" in text for name, text in headers)

    def bytes_of(*more: str) -> bytes:
        return "\r\n".join([*lines, *more, "", ""]).encode("latin-1", "replace")

    if status in {204, 304}:
        return Made(bytes_of(), closes)
    match chance.randrange(4):
        case 0:
            return Made(bytes_of() + body, closes=True)
        case 1:
            pieces: list[bytes] = []
            rest = body
            while rest:
                size = min(len(rest), chance.choice((1, 7, 1000, 100_000))) if len(pieces) < 50 else len(rest)
                extension = chance.choice(("", "", ";a=b", " "))
                pieces.append(f"{size:{chance.choice('xX')}}{extension}\r\n".encode() + rest[:size] + b"\r\n")
                rest = rest[size:]
            end = chance.choice((b"0\r\n\r\n", b"000\r\n\r\n", b"0\r\nX-Trailer: a\r\n\r\n"))
            return Made(bytes_of("Transfer-Encoding: chunked") + b"".join(pieces) + end, closes)
        case _:
            return Made(bytes_of(f"Content-Length: {len(body)}") + body, closes)


def damaged(chance: Chance, made: Made) -> Made:  # noqa: PLR0911 - a table
    """Return a response with a mistake; after most of them the connection closes."""
    head, _, rest = made.data.partition(b"\r\n\r\n")
    match chance.randrange(10):
        case 0:
            return Made(made.data[: chance.randrange(len(head) + 1)], closes=True, broken=True)
        case 1:
            return Made(head + b"\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n" + rest, closes=True, broken=True)
        case 2:
            return Made(head + b"\r\nContent-Length: abc\r\n\r\n" + rest, closes=True, broken=True)
        case 3:
            return Made(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + rest[:5000], closes=True, broken=True)
        case 4:
            return Made(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab\r\n", closes=True, broken=True)
        case 5:
            return Made(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nab\r\n0\r\n\r\n", closes=True, broken=True
            )
        case 6:
            return Made(
                chance.choice(
                    (b"", b"SSH-2.0-x\r\n", b"HTTP/9.9 200 OK\r\n\r\n", b"HTTP/1.1 20 OK\r\n\r\n", b"\x16\x03\x01" * 50)
                ),
                True,
                True,
            )
        case 7:
            return Made(made.data + b"HTTP/1.1 500 Surplus\r\nContent-Length: 0\r\n\r\n", made.closes)
        case _:
            data = bytearray(made.data)
            for _ in range(chance.randint(1, 4)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            return Made(bytes(data), closes=True)
