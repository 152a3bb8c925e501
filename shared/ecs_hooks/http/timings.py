"""Where the time of a request went."""

from __future__ import annotations

from typing import NamedTuple


class Timings(NamedTuple):
    """Seconds that the parts of a request took; 0 for those that it did not have.

    Parameters
    ----------
    resolve
        Look-up of the name.
    connect
        TCP connection, with the addresses that were tried in vain.
    tls
        TLS handshake.
    first_byte
        From the request's first byte to the end of the response's header.
    transfer
        The body.
    """

    resolve: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    first_byte: float = 0.0
    transfer: float = 0.0

    @property
    def total(self) -> float:
        """All of them together."""
        return sum(self)

    def plus(self, other: Timings) -> Timings:
        """Return both together, as for a request that was redirected."""
        return Timings(*(mine + its for mine, its in zip(self, other, strict=True)))
