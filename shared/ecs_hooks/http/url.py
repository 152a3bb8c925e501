"""Addresses of requests: parsed once, with one parser, and shown without anything secret."""

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
    """An absolute `http` or `https` address.

    Parameters
    ----------
    scheme
        `http` or `https`.
    host
        Name or IP address, without brackets.
    port
        The port, default or not.
    target
        Path and query, as the request line has them.
    userinfo
        `user:password`, decoded; empty where there is none.
    """

    scheme: str
    host: str
    port: int
    target: str
    userinfo: str = ""

    @classmethod
    @lru_cache(maxsize=1024)  # a function that is kept warm asks the same again and again
    def parse(cls, text: str) -> Url:
        """Read an absolute address.

        Raises
        ------
        RequestError
            If it is none. The address is not repeated: it could hold a password.
        """
        if _CONTROL.search(text):
            message = "address must not hold control characters"
            raise RequestError(message)
        try:
            parsed = parse_url(text.strip())
        except (LocationParseError, ValueError):
            message = "address is not valid"
            raise RequestError(message) from None
        if parsed.scheme not in _PORTS or not parsed.host:
            message = "address must begin with http:// or https:// and a host"
            raise RequestError(message)
        host = parsed.host.removeprefix("[").removesuffix("]")
        port = _PORTS[parsed.scheme] if parsed.port is None else parsed.port
        return cls(parsed.scheme, host, port, parsed.request_uri, unquote(parsed.auth or ""))

    @classmethod
    def join(cls, base: str, path: str, query: Query | None = None) -> Url:
        """Return the address of a path below a base address.

        Parameters
        ----------
        base
            An absolute address; what it has of a path stays in front.
        path
            A path that begins with `/` and may have a query, or an absolute address, which needs no base.
        query
            More of a query.
        """
        if path.lower().startswith(("http://", "https://")):
            return cls.parse(_with_query(path, query))
        if not path.startswith("/"):
            message = "path must begin with /"
            raise RequestError(message)
        return cls.parse(_with_query(_root(base) + path, query))

    def redirected(self, location: str) -> Url:
        """Return where a `Location` header leads.

        Raises
        ------
        RequestError
            If that is no address of a web server.
        """
        # A server may send raw UTF-8, which is read as Latin-1 like all of a head.
        readable = location.encode("latin-1", "replace").decode("utf-8", "replace")
        joined = urljoin(self._full, quote(readable, safe=":/?#[]@!$&'()*+,;=%~"))
        return Url.parse(joined).anonymous

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: what credentials belong to."""
        return self.scheme, self.host, self.port

    @property
    def anonymous(self) -> Url:
        """The address without `user:password`."""
        return self._replace(userinfo="") if self.userinfo else self

    @property
    def authority(self) -> str:
        """Host, and the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The address for people: no credentials, no values of a query."""
        path, _, query = self.target.partition("?")
        names = [f"{name}=***" if equals else "***" for name, equals, _ in (p.partition("=") for p in query.split("&"))]
        text = f"{self.scheme}://{self.authority}{path}" + (f"?{'&'.join(names)}" if query else "")
        return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."

    @property
    def _full(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


@lru_cache(maxsize=1024)
def _root(base: str) -> str:
    return re.split(r"[?#]", base, maxsplit=1)[0].rstrip("/")


def encode_query(query: Query) -> str:
    """Return a query in its encoded form; a list repeats the name, true and false are written as in JSON."""
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
