"""Host names as DNS, TLS and the `Host` header have them."""

from __future__ import annotations

import re

_FORBIDDEN = re.compile(r"[\x00-\x20#%/:<>?@\[\\\]^|\x7f]")
"""Characters that no host name has (URL Standard, forbidden domain code points)."""
_MAX_CHARACTERS = 1000
_HOST_AND_PORT = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(:[0-9]*)?", re.DOTALL)


def ascii_host(name: str) -> str:
    """Return a host name in ASCII: one in another script in lower case, and its labels as punycode (UTS 46), as in browsers.

    Digits and dots of other scripts become ASCII ones, so an address in such digits is an address.

    Raises
    ------
    ValueError
        If it is not a host name.
    """
    if len(name) > _MAX_CHARACTERS:
        raise ValueError(f"must have at most {_MAX_CHARACTERS} characters")
    if not name.isascii():
        # Imported here: few names are not ASCII.
        import idna  # noqa: PLC0415

        # Not idna.encode: it refuses what DNS and browsers have, such as underscores and emoji.
        try:
            mapped = idna.uts46_remap(name, std3_rules=False, transitional=False)
        except UnicodeError:
            raise ValueError("is not a valid host name") from None
        name = ".".join(label if label.isascii() else f"xn--{_punycode(label)}" for label in mapped.split("."))
    if not name.strip(".") or _FORBIDDEN.search(name):
        raise ValueError("is not a valid host name")
    return name


def ascii_authority(text: str) -> str:
    """Return `HOST` or `HOST:PORT` with the name in ASCII; an IPv6 address in brackets stays as it is.

    Raises
    ------
    ValueError
        If it is neither.
    """
    found = _HOST_AND_PORT.fullmatch(text)
    if found is None:
        raise ValueError("must have the form HOST or HOST:PORT")
    host, port = found.groups(default="")
    return (host if host.startswith("[") else ascii_host(host)) + port


def _punycode(label: str) -> str:
    return label.encode("punycode").decode("ascii")
