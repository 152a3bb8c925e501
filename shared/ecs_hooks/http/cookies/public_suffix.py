"""Public suffixes: names below which anybody can register, such as `co.uk`, or `elb.amazonaws.com`."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


def is_public_suffix(domain: str) -> bool:
    """Return whether a domain in lower case, with IDN as punycode, is a public suffix.

    Names that are on no list, such as `localhost` or `internal`, are if they have one label.
    """
    try:
        name = domain.encode("ascii").decode("idna")
    except UnicodeError:
        name = domain
    return bool(_suffixes().is_public(name))


@cache
def _suffixes() -> PublicSuffixList:
    """Return the list that the library was published with. It is read where a cookie has a `Domain`: that takes 40 ms."""
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - see above

    # To encode each name of the list takes three times as long.
    return PublicSuffixList(accept_encoded_idn=False)
