"""A cookie jar by the rules of browsers (RFC 6265bis). `SameSite` has no effect: no page of another site sends the requests."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ecs_hooks.core.formatting import listed
from ecs_hooks.core.redaction import one_line
from ecs_hooks.http.cookies.public_suffix import is_public_suffix
from ecs_hooks.http.cookies.set_cookie import SetCookie, parse_set_cookie

MAX_PER_DOMAIN = 180
"""Cookies of one domain; as in browsers, the oldest ones are dropped for new ones."""

_SECURE_PREFIX, _HOST_PREFIX = "__secure-", "__host-"
_MOST_NAMED = 3
_LONGEST_NAME = 40


class Address(NamedTuple):
    """The address of a request, as far as cookies are concerned. Ports do not matter to them.

    Parameters
    ----------
    is_secure
        Whether it is https.
    host
        The name that the server is requested by.
    path
        The path, without the query.
    """

    is_secure: bool
    host: str
    path: str

    @classmethod
    def of(cls, scheme: str, host: str, target: str) -> Address:
        """Return the address of a URL."""
        return cls(scheme == "https", _canonical(host), target.partition("?")[0])

    def in_domain(self, domain: str) -> bool:
        """Return whether the host is a domain, or one below it."""
        return _in_domain(self.host, domain)

    def in_path(self, path: str) -> bool:
        """Return whether the path is a path, or one below it."""
        return _in_path(self.path, path)

    @property
    def default_path(self) -> str:
        """The path of a cookie without one: the folder of the address."""
        return self.path.rpartition("/")[0] or "/"


class _Key(NamedTuple):
    name: str
    domain: str
    is_host_only: bool
    path: str

    def fits(self, address: Address) -> bool:
        """Return whether a cookie belongs to an address, apart from its attribute `Secure`."""
        in_domain = address.host == self.domain if self.is_host_only else address.in_domain(self.domain)
        return in_domain and address.in_path(self.path)


class CookieJar:
    """The cookies of the responses so far.

    Parameters
    ----------
    on_value
        Is called with each value that a response sets, as it is a secret.

    Attributes
    ----------
    withheld
        Why `Secure` cookies were not sent since this was last emptied, by their names.
    """

    def __init__(self, on_value: Callable[[str], object] = lambda _: None) -> None:
        self._on_value = on_value
        self._cookies: dict[_Key, SetCookie] = {}
        self._refused: dict[_Key, None] = {}
        """`Secure` cookies that were set over http."""
        self.withheld: dict[str, str] = {}

    def copy(self) -> CookieJar:
        """Return another jar with the same cookies."""
        other = CookieJar(self._on_value)
        other._cookies, other._refused = dict(self._cookies), dict(self._refused)
        return other

    def keep(self, address: Address, headers: list[str]) -> None:
        """Keep the cookies in the `Set-Cookie` headers of a response from an address."""
        for header in headers:
            cookie = parse_set_cookie(_latin(header), _now())
            if cookie is not None:
                self._on_value(cookie.value)
                self._on_value(cookie.value.strip('"'))
                self._keep(address, cookie)

    def header(self, address: Address, own: str = "") -> str:
        """Return the `Cookie` header of a request to an address: longer paths first, then older cookies.

        Parameters
        ----------
        address
            The address.
        own
            The header that the request has itself. Its cookies come first, and replace those of the jar by name.
        """
        given = [each.strip() for each in own.split(";") if each.strip()]
        names = {each.partition("=")[0].strip() for each in given}
        cookies = sorted(
            ((key.path, cookie) for key, cookie in self._fitting(address, names)),
            key=lambda each: -len(each[0]),
        )
        added = [f"{each.name}={each.value}" if each.name else each.value for _, each in cookies]
        return "; ".join((*given, *added)) if added else own

    def note(self) -> str:
        """Return the `Secure` cookies that were withheld as the end of a reason, and forget them; empty without any."""
        reasons: dict[str, list[str]] = {}
        for name, reason in self.withheld.items():
            reasons.setdefault(reason, []).append(one_line(name)[:_LONGEST_NAME])
        self.withheld = {}
        return "".join(
            f"; a Secure cookie ({names[0]}) was {reason}"
            if len(names) == 1
            else f"; Secure cookies ({listed(names, _MOST_NAMED, ', ', ' and ')}) were {reason}"
            for reason, names in reasons.items()
        )

    def _fitting(self, address: Address, names: set[str]) -> Iterator[tuple[_Key, SetCookie]]:
        """Yield the cookies to send to an address besides some names, the oldest first, and note those withheld."""
        now = _now()
        for key, cookie in self._cookies.items():
            if key.name not in names and key.fits(address) and (cookie.expires is None or cookie.expires > now):
                if address.is_secure or not cookie.is_secure:
                    yield key, cookie
                else:
                    self.withheld[key.name] = "not sent over http"
        for key in self._refused:
            if key.name not in names and key.fits(address):
                reason = "not kept, because it was set over http" if address.is_secure else "not sent over http"
                self.withheld.setdefault(key.name, reason)

    def _keep(self, address: Address, cookie: SetCookie) -> None:
        key = _key(address, cookie)
        if key is None or not _has_its_prefix(cookie, key):
            return
        is_expired = cookie.expires is not None and cookie.expires <= _now()
        if not address.is_secure:
            if cookie.is_secure:
                if is_expired:
                    self._refused.pop(key, None)
                elif len(self._refused) < MAX_PER_DOMAIN:
                    self._refused[key] = None
                return
            if self._would_hide_a_secure_one(key):
                return
        self._refused.pop(key, None)
        if is_expired:
            self._cookies.pop(key, None)
            return
        # A cookie that is replaced keeps its place, by which older ones are sent first.
        self._cookies[key] = cookie
        of_domain = [each for each in self._cookies if each.domain == key.domain]
        if len(of_domain) > MAX_PER_DOMAIN:
            del self._cookies[of_domain[0]]

    def _would_hide_a_secure_one(self, key: _Key) -> bool:
        return any(
            cookie.is_secure
            and each.name == key.name
            and (_in_domain(each.domain, key.domain) or _in_domain(key.domain, each.domain))
            and _in_path(key.path, each.path)
            for each, cookie in self._cookies.items()
        )


def _key(address: Address, cookie: SetCookie) -> _Key | None:
    """Return what identifies a cookie from an address; None if the address must not set it."""
    path = cookie.path or address.default_path
    domain = cookie.domain
    if domain:
        if not domain.isascii() or not address.in_domain(domain):
            return None
        if is_public_suffix(domain):
            if domain != address.host:
                return None
            domain = ""
        elif any(map(is_public_suffix, _names_between(address.host, domain))):
            return None
    return _Key(cookie.name, domain or address.host, not domain, path)


def _names_between(host: str, domain: str) -> Iterator[str]:
    """Yield the names between a host and a domain that it belongs to, such as `b.c` between `a.b.c` and `c`."""
    _, _, name = host.partition(".")
    while len(name) > len(domain):
        yield name
        _, _, name = name.partition(".")


def _has_its_prefix(cookie: SetCookie, key: _Key) -> bool:
    """Return whether a cookie has the attributes that its name promises."""
    name = (cookie.name or cookie.value).lower()
    if not name.startswith((_SECURE_PREFIX, _HOST_PREFIX)):
        return True
    if not cookie.name or not cookie.is_secure:
        return False
    return name.startswith(_SECURE_PREFIX) or (key.is_host_only and not cookie.domain and cookie.path == "/")


def _now() -> float:
    # The servers are real where a simulation has a clock of its own.
    return time.time()


def _in_domain(host: str, domain: str) -> bool:
    return host == domain or (host.endswith(f".{domain}") and not _is_ip_address(host))


def _in_path(path: str, cookie_path: str) -> bool:
    return path == cookie_path or (
        path.startswith(cookie_path) and (cookie_path.endswith("/") or path[len(cookie_path)] == "/")
    )


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _canonical(host: str) -> str:
    try:
        return host.encode("idna").decode().lower()
    except UnicodeError:  # a label that DNS does not have; such as an empty one
        return host.lower()


def _latin(text: str) -> str:
    """Return a header with each byte as one character, as it is sent again."""
    return text if all(character <= "\xff" for character in text) else text.encode("utf-8", "replace").decode("latin-1")
