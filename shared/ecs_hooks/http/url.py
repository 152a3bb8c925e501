"""URLs of requests: parsed once, by one parser, and shown without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote, urlencode, urljoin

from urllib3.exceptions import LocationParseError
from urllib3.util.url import parse_url

from ecs_hooks.http.errors import RequestError

Scalar = str | int | float | bool
Query = Mapping[str, Scalar | Sequence[Scalar]]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PORTS = {"http": 80, "https": 443}
_LONGEST_SHOWN = 200


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
        try:
            parsed = parse_url(text.strip())
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
        """Return the URL in a `Location` header.

        Raises
        ------
        RequestError
            If it is not an HTTP URL.
        """
        # A server may send raw UTF-8; headers are decoded as Latin-1.
        readable = location.encode("latin-1", "replace").decode("utf-8", "replace")
        joined = urljoin(self._full, quote(readable, safe=":/?#[]@!$&'()*+,;=%~"))
        return Url.parse(joined).anonymous

    def linked(self, reference: str) -> Url:
        """Return the URL of a link in a response from this URL: absolute, or relative to it.

        Raises
        ------
        RequestError
            If it is not an HTTP URL.
        """
        try:
            joined = urljoin(self._full, quote(reference.strip(), safe=":/?#[]@!$&'()*+,;=%~"))
        except ValueError:
            raise RequestError("address is not valid") from None
        return Url.parse(joined).anonymous

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
        """The URL for messages: without credentials and query values."""
        path, _, query = self.target.partition("?")
        names = [f"{name}=***" if equals else "***" for name, equals, _ in (p.partition("=") for p in query.split("&"))]
        text = f"{self.scheme}://{self.authority}{path}" + (f"?{'&'.join(names)}" if query else "")
        return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."

    @property
    def _full(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


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
    return urlencode(pairs)


def _with_query(address: str, query: Query | None) -> str:
    if not query:
        return address
    front, hash_sign, fragment = address.partition("#")
    separator = "&" if "?" in front else "?"
    return f"{front}{separator}{encode_query(query)}{hash_sign}{fragment}"
