"""URLs of requests: parsed once, by one parser, and shown without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote, urlencode

from urllib3.exceptions import LocationParseError
from urllib3.util.url import parse_url

from ecs_hooks.core.host import ascii_host
from ecs_hooks.http.errors import RequestError

Scalar = str | int | float | bool
Query = Mapping[str, Scalar | Sequence[Scalar]]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_C0_AND_SPACE = "".join(map(chr, range(0x21)))
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"(https?://)([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_DOTS = re.compile(r"(\.|%2e){1,2}", re.IGNORECASE)
_NOT_IN_PATH = re.compile(r"[^!$-;=@-\]_a-z|~]")
_NOT_IN_QUERY = re.compile(r"[^!$-&(-;=?-~]")
"""Characters that are percent-encoded (URL Standard, path and special-query percent-encode sets)."""


class Url(NamedTuple):
    """An absolute `http` or `https` URL.

    Parameters
    ----------
    scheme
        `http` or `https`.
    host
        Name or IP address, without brackets.
    port
        The port, also if it is the default.
    target
        Path and query, as in the request line.
    userinfo
        `user:password`, decoded; empty if there is none.
    """

    scheme: str
    host: str
    port: int
    target: str
    userinfo: str = ""

    @classmethod
    @lru_cache(maxsize=1024)  # a warm function sends the same requests in each invocation
    def parse(cls, text: str) -> Url:
        """Read an absolute URL.

        Raises
        ------
        RequestError
            If it is not one. It is not repeated: it could hold a password.
        """
        if _CONTROL.search(text):
            raise RequestError("address must not contain control characters")
        encoded(text, "address")
        try:
            parsed = parse_url(_with_ascii_host(text.strip()))
        except (LocationParseError, ValueError):
            raise RequestError("address is not valid") from None
        if parsed.scheme not in _PORTS or not parsed.host:
            raise RequestError("address must begin with http:// or https:// and a host")
        host = parsed.host.removeprefix("[").removesuffix("]")
        port = _PORTS[parsed.scheme] if parsed.port is None else parsed.port
        return cls(parsed.scheme, host, port, parsed.request_uri, unquote(parsed.auth or ""))

    @classmethod
    def join(cls, base: str, path: str, query: Query | None = None) -> Url:
        """Return the URL of a path below a base URL.

        Parameters
        ----------
        base
            An absolute URL; its path is the prefix.
        path
            A path that begins with `/` and may have a query, or an absolute URL, which replaces the base.
        query
            Query parameters to append.
        """
        if path.lower().startswith(("http://", "https://")):
            return cls.parse(_with_query(path, query))
        if not path.startswith("/"):
            raise RequestError("path must begin with /")
        return cls.parse(_with_query(_root(base) + path, query))

    def redirected(self, location: str) -> Url:
        """Return the URL in a `Location` header, as browsers read it (URL Standard).

        Parameters
        ----------
        location
            The header, decoded as Latin-1: its other bytes are percent-encoded as they are.

        Raises
        ------
        RequestError
            If it is not an HTTP URL.
        """
        text = re.sub(r"[\t\r\n]", "", location.strip(_C0_AND_SPACE)).partition("#")[0]
        path, mark, query = text.partition("?")
        path = path.replace("\\", "/")
        scheme, authority = self.scheme, self.authority
        named = _SCHEME.match(path)
        if named is not None:
            path = path[named.end() :]
            if named[1].lower() != scheme or path.startswith("//"):
                scheme, path = named[1].lower(), f"//{path}"
        if path.startswith("//"):
            authority, _, path = path.lstrip("/").partition("/")
            path = f"/{path}"
        elif not path.startswith("/"):
            own, own_mark, own_query = self.target.partition("?")
            if not path and not mark:
                mark, query = own_mark, own_query
            path = f"{own.rpartition('/')[0]}/{path}" if path else own
        target = _encoded(_without_dots(path), _NOT_IN_PATH) + mark + _encoded(query, _NOT_IN_QUERY)
        origin = Url.parse(f"{scheme}://{_encoded(authority, _NOT_ASCII)}")
        return origin.anonymous._replace(target=target)

    def resolved(self, location: str) -> str:
        """Return the absolute URL of a `Location` header as text, with its fragment; see `redirected`."""
        url = self.redirected(location)
        _, mark, fragment = location.partition("#")
        return f"{url.scheme}://{url.authority}{url.target}{mark}{fragment}"

    def linked(self, reference: str) -> Url:
        """Return the URL of a link in a response from this URL: absolute, or relative to it.

        Raises
        ------
        RequestError
            If it is not an HTTP URL.
        """
        return self.redirected(encoded(reference.strip(), "address").decode("latin-1"))

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: the scope of credentials."""
        return self.scheme, self.host, self.port

    @property
    def default_port(self) -> int:
        """The port of the scheme."""
        return _PORTS[self.scheme]

    @property
    def anonymous(self) -> Url:
        """The URL without `user:password`."""
        return self._replace(userinfo="") if self.userinfo else self

    @property
    def authority(self) -> str:
        """Host, and the port if it is not the scheme's default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The URL for messages: without credentials and query values, but of any length."""
        path, _, query = self.target.partition("?")
        names = [f"{name}=***" if equals else "***" for name, equals, _ in (p.partition("=") for p in query.split("&"))]
        return f"{self.scheme}://{self.authority}{path}" + (f"?{'&'.join(names)}" if query else "")


def _with_ascii_host(text: str) -> str:
    """Return a URL with its host in ASCII.

    Raises
    ------
    ValueError
        If that is not possible.
    """
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        return text
    scheme, authority, rest = found.groups()
    userinfo, at, host = authority.rpartition("@")
    name, colon, port = host.partition(":")
    if not name or name.startswith("["):
        return text
    return f"{scheme}{userinfo}{at}{ascii_host(unquote(name))}{colon}{port}{rest}"


def _without_dots(path: str) -> str:
    """Return a path without its segments `.` and `..`, whose dots may be percent-encoded."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for number, segment in enumerate(segments, start=1):
        if not _DOTS.fullmatch(segment):
            kept.append(segment)
            continue
        if len(segment.lower().replace("%2e", ".")) > 1:
            del kept[-1:]
        if number == len(segments):
            kept.append("")
    return "/" + "/".join(kept)


def _encoded(text: str, characters: re.Pattern[str]) -> str:
    """Return text with these characters percent-encoded, each as its byte in Latin-1, or else as its bytes in UTF-8."""
    return characters.sub(
        lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode("latin-1" if found[0] <= "\xff" else "utf-8")),
        text,
    )


def encoded(text: str, what: str = "") -> bytes:
    """Return a text in UTF-8.

    Raises
    ------
    RequestError
        If it has half of a surrogate pair, which JSON can contain but no encoding has.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise RequestError(f"{what} must not contain half of a surrogate pair".lstrip()) from None


def as_http(address: str) -> str:
    """Return the address of a WebSocket with the scheme of its handshake; any other one unchanged."""
    return re.sub(r"^ws(?=s?://)", "http", address, flags=re.IGNORECASE)


@lru_cache(maxsize=1024)
def _root(base: str) -> str:
    return re.split(r"[?#]", base, maxsplit=1)[0].rstrip("/")


def encode_query(query: Query) -> str:
    """Return a query URL encoded; a list repeats the name, true and false are written as in JSON."""
    pairs = [
        (name, str(value).lower() if isinstance(value, bool) else str(value))
        for name, values in query.items()
        for value in ([values] if isinstance(values, str | int | float) else values)
    ]
    for pair in pairs:
        encoded("".join(pair), "query or form")
    return urlencode(pairs)


def _with_query(address: str, query: Query | None) -> str:
    if not query:
        return address
    front, hash_sign, fragment = address.partition("#")
    separator = "&" if "?" in front else "?"
    return f"{front}{separator}{encode_query(query)}{hash_sign}{fragment}"
